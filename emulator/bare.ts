/**
 * Bare metal: an ELF image that owns the whole machine, from M mode at its entry point until it ends.
 * Counterpart: `spike image.elf` and `qemu-system-riscv32 -M virt -bios none -kernel image.elf`, without their boot ROMs:
 * the first instruction is the image's own. a0 is the hart's number, a1 would point to a device tree and is 0.
 * Missing: a device tree, semihosting, the test finisher, several harts.
 */
import { Htif, HTIF_GRACE } from './devices/htif.ts';
import { isElfProblem, loadBareImage, type ElfProblem } from './elf.ts';
import { Machine, type MachineOptions } from './machine.ts';
import type { PhysicalMemory } from './memory.ts';
import { readSymbols, type SymbolTable } from './symbols.ts';

export interface BareOptions extends MachineOptions {
  /** Called with each byte that the image prints, through the UART or HTIF. */
  readonly output?: (byte: number) => void;
}

/** Why a run came back. */
export type BareStop =
  | { readonly kind: 'budget' }
  /** Through tohost. riscv-tests exit with 0, or with the number of the failed test. */
  | { readonly kind: 'exit'; readonly code: number }
  /** WFI, and no device will end it; input at the UART may, see `listens`. */
  | { readonly kind: 'wfi'; readonly pc: number }
  /** A trap handler's first instruction traps into the handler: nothing will ever retire again. */
  | { readonly kind: 'trapLoop'; readonly cause: number; readonly tval: number; readonly pc: number };

/** MEIE and SEIE in mie, and the UART's "data received" in IER. */
const EXTERNAL_INTERRUPTS = 0xa00;
const IER_RECEIVED = 1;

export class BareMachine {
  readonly machine: Machine;
  readonly symbols: SymbolTable;
  /** null when the image has no symbol `tohost`. */
  readonly htif: Htif | null;
  /** The retired count at which half a command in tohost is taken for a whole one. */
  #graceEnds = Infinity;

  private constructor(machine: Machine, symbols: SymbolTable, output: (byte: number) => void) {
    this.machine = machine;
    this.symbols = symbols;
    machine.platform.uart.output = output;
    const tohost = symbols.addressOf('tohost');
    this.htif =
      tohost === null ? null : new Htif({ tohost, fromhost: symbols.addressOf('fromhost') }, output);
  }

  /**
   * Loads an image.
   * @returns the machine, or what is wrong with the image in one line without its name
   * @throws RangeError for options that the machine cannot have
   */
  static load(image: Uint8Array, options: BareOptions = {}): BareMachine | ElfProblem {
    const machine = new Machine(options);
    const loaded = loadBareImage(image, machine.ram);
    if (isElfProblem(loaded)) return loaded;
    const symbols = readSymbols(image);
    for (const name of ['tohost', 'fromhost']) {
      const at = symbols.addressOf(name);
      if (at !== null && (at % 4 !== 0 || !machine.ram.contains(at, 8))) {
        const problem = `the symbol ${name} (0x${at.toString(16)}) is not an aligned word in RAM`;
        return { problem, kind: 'invalid' };
      }
    }
    machine.hart.pc = loaded.entry;
    const bare = new BareMachine(machine, symbols, options.output ?? (() => {}));
    bare.#watchTohost();
    return bare;
  }

  #watchTohost(): void {
    const { htif } = this;
    if (htif === null) return;
    this.machine.hart.watchStores(htif.tohost, 8, (pa, size) => htif.stored(pa, size));
  }

  /** True when the image waits for interrupts of the UART, so that input can wake it. */
  get listens(): boolean {
    const { hart, platform } = this.machine;
    return (hart.state.mie & EXTERNAL_INTERRUPTS) !== 0 && (platform.uart.state.ier & IER_RECEIVED) !== 0;
  }

  /** Runs up to `budget` instructions. The store that ends the run is the last that retires. */
  run(budget: number): BareStop {
    const { machine, htif } = this;
    const { hart } = machine;
    const end = hart.retired + budget;
    while (hart.retired < end) {
      const stop = hart.run(Math.min(end, this.#graceEnds) - hart.retired);
      if (htif !== null && htif.pending !== 'nothing') {
        const stuck = stop.kind === 'wfi' || stop.kind === 'trap';
        if (htif.pending === 'command' || stuck || hart.retired >= this.#graceEnds) {
          htif.poll(machine.ram);
          this.#graceEnds = Infinity;
        } else if (stop.kind === 'watch') this.#graceEnds = hart.retired + HTIF_GRACE;
        if (htif.exitCode !== null) return { kind: 'exit', code: htif.exitCode };
      }
      if (stop.kind === 'wfi') return { kind: 'wfi', pc: hart.pc };
      if (stop.kind === 'trap') return { ...stop, kind: 'trapLoop' };
    }
    return { kind: 'budget' };
  }
}

/**
 * Memory as the RISC-V architecture tests compare it: lines of `granularity` bytes, the last one of each first, in
 * lower-case hexadecimal. A partial last line is filled with zeros, as Spike fills it.
 * @param granularity bytes per line, at least 1
 */
export function signatureText(ram: PhysicalMemory, begin: number, end: number, granularity: number): string {
  const bytes = ram.view(begin, end - begin);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += granularity) {
    let line = '';
    for (let i = granularity - 1; i >= 0; i--) line += (bytes[at + i] ?? 0).toString(16).padStart(2, '0');
    lines.push(`${line}\n`);
  }
  return lines.join('');
}
