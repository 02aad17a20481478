/**
 * Writes corpus.json: what every generated program prints under qemu-riscv32.
 * Run it with `QEMU_RISCV32=... npx tsx test/emulator/differential/regenerate.ts [programs]` after the generator or the table
 * changed; it takes a QEMU that knows Zicond, Zcb and Zfa (8.1 or later; see qemu.ts).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from './generator.ts';
import { OUTPUT_BYTES, elfFile, fnv1a } from './image.ts';
import { qemuVersion, runUnderQemu } from './qemu.ts';

const programs = Number(process.argv[2] ?? 400);
const folder = mkdtempSync(join(tmpdir(), 'differential-'));
try {
  const outcomes: string[][] = [];
  for (let seed = 1; seed <= programs; seed++) {
    const program = generate(seed);
    const output = runUnderQemu(program, folder, true);
    if (output.length !== OUTPUT_BYTES) throw new Error(`seed ${seed} wrote ${output.length} bytes`);
    outcomes.push([fnv1a(elfFile(program)), fnv1a(output)]);
  }
  const lines = outcomes.map(([image, output]) => `    ["${image}", "${output}"]`).join(',\n');
  const text = `{\n  "oracle": "${qemuVersion()}",\n  "outcomes": [\n${lines}\n  ]\n}\n`;
  writeFileSync(new URL('corpus.json', import.meta.url), text);
} finally {
  rmSync(folder, { recursive: true });
}
