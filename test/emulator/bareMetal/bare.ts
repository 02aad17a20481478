/** A machine that runs bare-metal test programs from reset, on either path of tier 0, or in tier 1 from the first time on. */
import { Machine, RAM_BASE } from '../../../emulator/index.ts';
import type { Hart, MachineOptions, StopReason } from '../../../emulator/index.ts';
import { PATHS } from '../harness.ts';
import type { Path } from '../harness.ts';
import { assembleText } from './assembler.ts';

export { PATHS };
export type { Path };

/** More than any test retires. */
const LIMIT = 20_000;

export class Bare {
  readonly machine: Machine;
  readonly hart: Hart;
  #labels: ReadonlyMap<string, number> = new Map();

  /** A program at RAM_BASE; the hart is about to execute its first instruction in M mode. */
  constructor(path: Path, source: string, options: MachineOptions = {}) {
    this.machine = new Machine({ ramBytes: 16 << 20, tier: path === 'jit' ? 1 : 'auto', ...options });
    this.hart = this.machine.hart;
    if (path === 'step') this.hart.onRetire = () => {};
    this.place(RAM_BASE, source);
    this.hart.pc = RAM_BASE;
  }

  /** Assembles more code elsewhere; its labels are known from then on. */
  place(base: number, source: string): void {
    const { bytes, labels } = assembleText(base, source);
    this.machine.ram.writeBytes(base, bytes);
    this.#labels = new Map([...this.#labels, ...labels]);
  }

  address(label: string): number {
    const at = this.#labels.get(label);
    if (at === undefined) throw new Error(`no label ${label}`);
    return at;
  }

  /** Runs to a label. */
  runTo(label: string): StopReason {
    const at = this.address(label);
    this.hart.addBreakpoint(at);
    const stop = this.hart.run(LIMIT);
    this.hart.removeBreakpoint(at);
    if (stop.kind !== 'breakpoint' || stop.pc !== at) {
      throw new Error(`not at ${label} but ${JSON.stringify(stop)}, pc 0x${this.hart.pc.toString(16)}`);
    }
    return stop;
  }

  /** An integer register, as u32. */
  x(register: number): number {
    return (this.hart.x[register] as number) >>> 0;
  }

  /** mcause, mepc, mtval. */
  get mtrap(): [number, number, number] {
    const { mcause, mepc, mtval } = this.hart.state;
    return [mcause, mepc, mtval];
  }

  /** scause, sepc, stval. */
  get strap(): [number, number, number] {
    const { scause, sepc, stval } = this.hart.state;
    return [scause, sepc, stval];
  }
}
