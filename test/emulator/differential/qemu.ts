/**
 * Runs a generated program under qemu-riscv32 (Debian: qemu-user). The environment variable QEMU_RISCV32 names another one than
 * that of the PATH; Zicond, Zcb and Zfa want 8.1 or later (Debian 13 has 10.0).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { elfFile } from './image.ts';
import type { Program } from './image.ts';

/** The command. */
export const QEMU = process.env['QEMU_RISCV32'] ?? 'qemu-riscv32';
/** Extensions that the default model leaves out, and since when QEMU knows them. */
const BITMANIP = 'rv32,zba=true,zbb=true,zbc=true,zbs=true';
const YOUNG = ',zicond=true,zcb=true,zfa=true';
const KNOWS_YOUNG = 8.1;

/** The first line of --version. */
export function qemuVersion(): string {
  return execaSync(QEMU, ['--version']).stdout.split('\n')[0] as string;
}

/** Does the QEMU at hand have Zicond, Zcb and Zfa? */
export const knowsYoung = (): boolean =>
  Number(/version (\d+\.\d+)/.exec(qemuVersion())?.[1] ?? 0) >= KNOWS_YOUNG;

/**
 * What the program writes.
 * @param folder for the image
 */
export function runUnderQemu(program: Program, folder: string, young: boolean): Uint8Array {
  const file = join(folder, 'program.elf');
  writeFileSync(file, elfFile(program), { mode: 0o755 });
  const cpu = young ? BITMANIP + YOUNG : BITMANIP;
  return execaSync(QEMU, ['-cpu', cpu, file], { encoding: 'buffer', stripFinalNewline: false }).stdout;
}
