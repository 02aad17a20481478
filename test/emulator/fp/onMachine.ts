/** `execute` of machine.ts again, but as an instruction of the emulated machine, on either path of tier 0. */
import { assemble, type Machine } from '../../../emulator/index.ts';
import type { Rounded } from '../../../emulator/fp/softfloat.ts';
import { CODE, execute as run, place, smallMachine, type Path } from '../harness.ts';
import { givesInteger } from './machine.ts';

let machine: Machine | undefined;

/** A machine whose trap handler spins: whatever a run has left after a trap retires there. */
export function spinningMachine(): Machine {
  const m = smallMachine();
  place(m, m.hart.state.mtvec >>> 0, [assemble('jal')]);
  return m;
}

/** Where each instruction was placed, by encoding. */
const placed = new Map<number, number>();

function addressOf(m: Machine, insn: number): number {
  let at = placed.get(insn);
  if (at === undefined) {
    at = CODE + 4 * placed.size;
    placed.set(insn, at);
    place(m, at, [insn]);
  }
  return at;
}

export interface MachineOptions {
  readonly accrued?: number;
  readonly dynamic?: boolean;
  readonly path?: Path;
  /** The rs1 field, where it is no register. */
  readonly rs1?: number;
}

/** As machine.ts's `execute`: f1 f2 f3 (x1 for integers) to f4 (x4). null: it trapped. FS is dirty before. */
export function executeOnMachine(
  name: string,
  operands: readonly bigint[],
  mode: number,
  { accrued = 0, dynamic = false, path = 'run', rs1 = 1 }: MachineOptions = {},
): Rounded | null {
  const m = (machine ??= spinningMachine());
  const { hart } = m;
  const at = addressOf(m, assemble(name, { rd: 4, rs1, rs2: 2, rs3: 3, rm: dynamic ? 7 : mode }));
  operands.forEach((bits, i) => {
    hart.f[2 * i + 2] = Number(bits & 0xffff_ffffn);
    hart.f[2 * i + 3] = Number(bits >> 32n);
  });
  hart.x[1] = Number((operands[0] ?? 0n) & 0xffff_ffffn);
  hart.x[2] = Number((operands[1] ?? 0n) & 0xffff_ffffn);
  hart.fp.setFs(3);
  hart.fp.setFcsr((dynamic ? mode << 5 : 0) | accrued);
  run(m, path, at);
  if (hart.pc !== at + 4) return null;
  const bits = givesInteger(name)
    ? BigInt((hart.x[4] ?? 0) >>> 0)
    : (BigInt(hart.f[9] ?? 0) << 32n) | BigInt(hart.f[8] ?? 0);
  return { bits, flags: hart.fcsr & 31 };
}
