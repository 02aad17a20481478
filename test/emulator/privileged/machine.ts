/** Runs a generated bare-metal program on our machine. */
import { Machine, RAM_BASE } from '../../../emulator/index.ts';
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
}

/** @param path 'run' the fast loop; 'step' the slow path that traces */
export function runProgram(program: Program, path: 'run' | 'step'): Outcome {
  const machine = new Machine({ ramBytes: RAM_BYTES });
  const { hart, ram, platform } = machine;
  if (path === 'step') hart.onRetire = () => {};
  ram.writeBytes(RAM_BASE, program.image);
  const output: number[] = [];
  platform.uart.output = (byte) => output.push(byte);
  const runTo = (pc: number): void => {
    hart.addBreakpoint(pc);
    const stop = hart.run(LIMIT);
    hart.removeBreakpoint(pc);
    if (hart.pc !== pc)
      throw new Error(`seed ${program.seed}: ${JSON.stringify(stop)} at 0x${hart.pc.toString(16)}`);
  };
  runTo(program.dump);
  const instructions = hart.retired;
  hart.onRetire = null;
  runTo(program.finish);
  return { output: Uint8Array.from(output), instructions };
}
