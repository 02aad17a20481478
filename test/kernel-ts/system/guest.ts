/** What the tests of the whole system share: compiling C texts, booting, and the checks that follow every run. */
import { expect } from 'vitest';
import { compile, type CompileOptions } from '../../../guest/toolchain.ts';
import {
  boot,
  type BootOptions,
  type Process,
  type RunResult,
  type SpawnOptions,
  type System,
} from '../../../kernel-ts/index.ts';

/** A riscv32-linux-musl executable of one C text. */
export async function build(text: string, options: CompileOptions = {}): Promise<Uint8Array> {
  return (await compile({ name: 'test.c', text }, options)).bytes;
}

export interface Run {
  readonly system: System;
  readonly processes: readonly Process[];
  readonly result: RunResult;
  readonly log: readonly string[];
}

/** Boots, spawns the programs, runs to the end (or 2,000 million instructions) and checks the invariants. */
export function runAll(
  programs: readonly (readonly [Uint8Array, SpawnOptions])[],
  options: Omit<BootOptions, 'log'> = {},
): Run {
  const log: string[] = [];
  const system = boot({ ...options, log: (line) => log.push(line) });
  const processes = programs.map(([image, spawn]) => system.spawn(image, spawn));
  const result = system.run({ instructions: 2e9 });
  expect(system.checkInvariants()).toEqual([]);
  return { system, processes, result, log };
}

/** Runs one program and gives what it printed and how it ended. */
export function run(
  image: Uint8Array,
  spawn: SpawnOptions = {},
  options: Omit<BootOptions, 'log'> = {},
): Process {
  const { processes, result } = runAll([[image, spawn]], options);
  expect(result).toEqual({ reason: 'exited' });
  const [process] = processes;
  if (process === undefined) throw new Error('nothing was spawned');
  return process;
}
