/** The instruction set as a document, made from the table. */
import { compressedInstructions, instructions } from './table.ts';
import { EXTENSIONS, type Extension } from './row.ts';

const TITLES: Readonly<Record<Extension, string>> = {
  I: 'RV32I: base integer instructions',
  M: 'M: multiplication and division',
  A: 'A: atomics',
  F: 'F: single-precision floating point',
  D: 'D: double-precision floating point',
  C: 'C: compressed instructions',
  Zicsr: 'Zicsr: control and status registers',
  Zifencei: 'Zifencei: instruction-fetch fence',
  Zba: 'Zba: address generation',
  Zbb: 'Zbb: basic bit manipulation',
  Zbc: 'Zbc: carry-less multiplication',
  Zbs: 'Zbs: single bits',
  Zicond: 'Zicond: integer conditional operations',
  Zfa: 'Zfa: additional floating-point instructions',
  Zcb: 'Zcb: further compressed instructions',
  Privileged: 'Privileged instructions',
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const code = (text: string): string => (text === '' ? '' : `\`${text}\``);

/** Who executes a row: the fast loop's inline code, or a helper in TypeScript. */
function execution(index: number): string {
  const { traits } = instructions[index] as (typeof instructions)[number];
  if (traits.helper !== null) return 'helper';
  return traits.fp !== null ? 'softfloat' : '';
}

/** The text of emulator/ISA.md. */
export function isaDocument(): string {
  const sections = EXTENSIONS.map((ext) => {
    const title = `## ${TITLES[ext]}\n`;
    const short = compressedInstructions.filter(({ row }) => row.ext === ext);
    if (short.length > 0) {
      const rows = short.map(({ row }) => [
        code(row.name),
        code(row.asm),
        code(row.pattern),
        code(row.expands),
      ]);
      return `${title}\n${table(['name', 'operands', 'encoding', 'expands to'], rows)}\n`;
    }
    const rows = instructions
      .filter((i) => i.row.ext === ext)
      .map((i) => [code(i.row.name), code(i.row.asm), code(i.row.pattern), execution(i.index)]);
    return `${title}\n${table(['name', 'operands', 'encoding', 'executed by'], rows)}\n`;
  });
  return [
    '# The instruction set\n',
    'Made from the rows in `emulator/isa/` by `npm run generate`; not to be edited. Encodings are written most',
    'significant bit first. An empty last column means code generated from the row itself; *softfloat* rows have',
    'a fast path where host arithmetic is exact, and the exact helper otherwise.\n',
    ...sections,
  ].join('\n');
}
