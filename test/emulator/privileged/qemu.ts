/**
 * Runs a generated bare-metal program under qemu-system-riscv32 (Debian: qemu-system-misc). The environment variable
 * QEMU_SYSTEM_RISCV32 names another one than that of the PATH.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import type { Program } from './image.ts';

const QEMU = process.env['QEMU_SYSTEM_RISCV32'] ?? 'qemu-system-riscv32';
/**
 * Extensions that our machine lacks are off; AIA is on, since without it interrupts come by number.
 * In 10.0 Svade is on beside Svadu, so that menvcfg.ADUE is zero at reset and can be set.
 */
const CPU_7 = 'rv32,h=off,sstc=off,pmu-num=0,pmp=on,mmu=on,x-smaia=on,x-ssaia=on';
const CPU_10 = [
  'rv32,h=off,sstc=off,pmu-mask=0,pmp=on,mmu=on,smaia=on,ssaia=on,svade=on,svadu=on,zicond=on,zcb=on,zfa=on',
  'zicbom=off,zicboz=off,zicbop=off,zawrs=off,zihintntl=off,zihintpause=off',
].join(',');

const SINCE_YOUNG = 8.1;

/** Does the QEMU at hand know menvcfg.ADUE, and so runs young programs? */
export function isYoung(): boolean {
  return Number(/version (\d+\.\d+)/.exec(qemuVersion())?.[1] ?? 0) >= SINCE_YOUNG;
}

/** @param folder for the image and the output */
export function runUnderQemu(program: Program, folder: string): Uint8Array {
  const image = join(folder, 'image.bin');
  const output = join(folder, 'output.bin');
  writeFileSync(image, program.image);
  const options = [
    '-M',
    'virt',
    '-m',
    '16M',
    '-smp',
    '2',
    '-accel',
    'tcg,thread=multi',
    '-cpu',
    program.young ? CPU_10 : CPU_7,
    '-bios',
    image,
    '-display',
    'none',
    '-monitor',
    'none',
  ];
  execaSync(QEMU, [...options, '-serial', `file:${output}`], { timeout: 5_000 });
  return readFileSync(output);
}

export function qemuVersion(): string {
  return execaSync(QEMU, ['--version']).stdout.split('\n')[0] as string;
}
