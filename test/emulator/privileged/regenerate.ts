/**
 * Writes the corpus of the QEMU at hand (corpus7.json before 8.1, else corpus10.json): what every generated bare-metal program
 * prints under qemu-system-riscv32. Run it with `npx tsx test/emulator/privileged/regenerate.ts [programs]` after the generator or the
 * table changed, once with each QEMU (see qemu.ts).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fnv1a } from '../differential/image.ts';
import { generate } from './generator.ts';
import { isYoung, qemuVersion, runUnderQemu } from './qemu.ts';

const programs = Number(process.argv[2] ?? 120);
const young = isYoung();
const folder = mkdtempSync(join(tmpdir(), 'privileged-'));
try {
  const outcomes: string[] = [];
  for (let seed = 1; seed <= programs; seed++) {
    const program = generate(seed, young);
    outcomes.push(`    ["${fnv1a(program.image)}", "${fnv1a(runUnderQemu(program, folder))}"]`);
  }
  const text = `{\n  "oracle": "${qemuVersion()}",\n  "outcomes": [\n${outcomes.join(',\n')}\n  ]\n}\n`;
  writeFileSync(new URL(young ? 'corpus10.json' : 'corpus7.json', import.meta.url), text);
} finally {
  rmSync(folder, { recursive: true });
}
