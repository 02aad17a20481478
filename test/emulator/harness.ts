/**
 * A machine for tests of single instructions: M mode at RAM_BASE, with a data area, run on either path of tier 0 or as a
 * region of tier 1.
 */
import { Machine, RAM_BASE, type MachineOptions, type StopReason } from '../../emulator/index.ts';

import { hasFloat } from '../../emulator/priv/state.ts';

/** Where test programs begin, and where their data lies. */
export const CODE = RAM_BASE;
export const DATA = RAM_BASE + 0x10_0000;

/**
 * `run`: the fast loop. `step`: the slow path that traces and single-steps. `jit`: the fast loop enters a region of just these
 * instructions (what tier 1 does not compile, and what a region leaves for, is interpreted: test/emulator/jit/rows.test.ts
 * makes sure that the rest is not).
 */
export type Path = 'run' | 'step' | 'jit';
export const PATHS: readonly Path[] = ['run', 'step', 'jit'];

export function smallMachine(options: MachineOptions = {}): Machine {
  const machine = new Machine({ ramBytes: 16 << 20, ...options });
  if (hasFloat(machine.hart.state)) machine.hart.fp.setFs(1);
  machine.hart.state.mtvec = RAM_BASE + 0x8000;
  return machine;
}

/** Puts instruction words (16 or 32 bits, by their low bits) at `at`. */
export function place(machine: Machine, at: number, words: readonly number[]): void {
  let pa = at;
  for (const word of words) {
    if ((word & 3) === 3) {
      machine.ram.write32(pa, word);
      pa += 4;
    } else {
      machine.ram.write16(pa, word);
      pa += 2;
    }
  }
}

/** Executes `count` instructions from `pc`. */
export function execute(machine: Machine, path: Path, pc: number, count = 1): StopReason {
  machine.hart.pc = pc;
  if (path === 'jit') machine.hart.compileAt(pc, count);
  if (path !== 'step') return machine.hart.run(count);
  let reason: StopReason = { kind: 'budget' };
  for (let i = 0; i < count; i++) reason = machine.hart.step();
  return reason;
}

/** Integers at which arithmetic goes wrong first. */
export const EDGES: readonly number[] = [
  0, 1, -1, 2, -2, 3, 5, 31, 32, 33, 0x7f, 0x80, 0xff, 0x7ff, -0x800, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff,
  -0x8000_0000, 0x5555_5555, -0x5555_5556, 0x1234_5678, -0x1234_5678,
];
