/**
 * Writes corpus.json: what every generated bare-metal program prints under qemu-system-riscv32.
 * Run it with `npx tsx test/emulator/privileged/regenerate.ts [programs]` after the generator or the table changed
 * (Debian: apt install qemu-system-misc).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fnv1a } from '../differential/image.ts';
import { generate } from './generator.ts';
import { qemuVersion, runUnderQemu } from './qemu.ts';

const programs = Number(process.argv[2] ?? 240);
const folder = mkdtempSync(join(tmpdir(), 'privileged-'));
try {
  const outcomes: string[] = [];
  for (let seed = 1; seed <= programs; seed++) {
    const program = generate(seed);
    outcomes.push(`    ["${fnv1a(program.image)}", "${fnv1a(runUnderQemu(program, folder))}"]`);
  }
  const text = `{\n  "oracle": "${qemuVersion()}",\n  "outcomes": [\n${outcomes.join(',\n')}\n  ]\n}\n`;
  writeFileSync(new URL('corpus.json', import.meta.url), text);
} finally {
  rmSync(folder, { recursive: true });
}
