/**
 * Writes corpus.json: what every generated program prints under qemu-riscv32.
 * Run it with `npx tsx test/emulator/differential/regenerate.ts [programs]` after the generator or the table changed
 * (Debian: apt install qemu-user).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { generate } from './generator.ts';
import { OUTPUT_BYTES, elfFile, fnv1a } from './image.ts';

/** Extensions that qemu's default model leaves out. */
const CPU = 'rv32,zba=true,zbb=true,zbc=true,zbs=true';

const programs = Number(process.argv[2] ?? 400);
const folder = mkdtempSync(join(tmpdir(), 'differential-'));
try {
  const outcomes: string[][] = [];
  for (let seed = 1; seed <= programs; seed++) {
    const image = elfFile(generate(seed));
    const file = join(folder, `${seed}.elf`);
    writeFileSync(file, image, { mode: 0o755 });
    const { stdout } = execaSync('qemu-riscv32', ['-cpu', CPU, file], {
      encoding: 'buffer',
      stripFinalNewline: false,
    });
    if (stdout.length !== OUTPUT_BYTES) throw new Error(`seed ${seed} wrote ${stdout.length} bytes`);
    outcomes.push([fnv1a(image), fnv1a(stdout)]);
    rmSync(file);
  }
  const version = execaSync('qemu-riscv32', ['--version']).stdout.split('\n')[0];
  const lines = outcomes.map(([image, output]) => `    ["${image}", "${output}"]`).join(',\n');
  const text = `{\n  "oracle": "${version}",\n  "outcomes": [\n${lines}\n  ]\n}\n`;
  writeFileSync(new URL('corpus.json', import.meta.url), text);
} finally {
  rmSync(folder, { recursive: true });
}
