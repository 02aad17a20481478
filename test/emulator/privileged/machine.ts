/** Runs a generated bare-metal program on our machine. */
import { Machine, RAM_BASE } from '../../../emulator/index.ts';
import { S11 } from './handlers.ts';
import { LOG } from './image.ts';
import type { Program } from './image.ts';

/** As QEMU is started. */
export const RAM_BYTES = 16 << 20;
/** Far more than any program retires. */
const LIMIT = 5_000_000;

export interface Outcome {
  /** What it prints: the trap log, tables, memory. */
  readonly output: Uint8Array;
  /** Instructions until everything is logged; the printing loop is not counted. */
  readonly instructions: number;
  /** Regions that tier 1 made. */
  readonly regions: number;
}

/** @param path 'run' the fast loop; 'step' the slow path that traces; 'jit' tier 1 from the first time on */
export function runProgram(program: Program, path: 'run' | 'step' | 'jit'): Outcome {
  const machine = new Machine({
    ramBytes: RAM_BYTES,
    adUpdate: program.young ? 'menvcfg' : 'hardware',
    tier: path === 'jit' ? 1 : 'auto',
  });
  const { hart, ram } = machine;
  if (path === 'step') hart.onRetire = () => {};
  ram.writeBytes(RAM_BASE, program.image);
  hart.addBreakpoint(program.dump);
  const stop = hart.run(LIMIT);
  if (hart.pc !== program.dump) {
    throw new Error(`seed ${program.seed}: ${JSON.stringify(stop)} at 0x${hart.pc.toString(16)}`);
  }
  // What the loop at `dump` prints.
  const end = (hart.x[S11] as number) >>> 0;
  const { regions } = hart.tier1.stats;
  return { output: ram.readBytes(LOG, end - LOG), instructions: hart.retired, regions };
}
