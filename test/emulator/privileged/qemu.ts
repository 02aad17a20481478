/** Runs a generated bare-metal program under qemu-system-riscv32 (Debian: qemu-system-misc). */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import type { Program } from './image.ts';

/** Extensions that our machine lacks are off; the rest is the default rv32 of QEMU 7.2. */
const CPU = 'rv32,h=off,sstc=off,pmu-num=0,pmp=on,mmu=on,x-smaia=on,x-ssaia=on';

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
    CPU,
    '-bios',
    image,
    '-display',
    'none',
    '-monitor',
    'none',
  ];
  execaSync('qemu-system-riscv32', [...options, '-serial', `file:${output}`], { timeout: 5_000 });
  return readFileSync(output);
}

export function qemuVersion(): string {
  return execaSync('qemu-system-riscv32', ['--version']).stdout.split('\n')[0] as string;
}
