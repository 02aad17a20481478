/** The system-call table as a document: what riscv32 Linux has and how far this kernel has it. */
import type { SyscallRow } from './row.ts';
import { SYSCALL_ROWS, unsupportedRows } from './table.ts';

const byNumber = (a: SyscallRow, b: SyscallRow): number => a.number - b.number;

/** The text of kernel-ts/SYSCALLS.md. */
export function systemCallDocument(): string {
  const supported = SYSCALL_ROWS.slice()
    .sort(byNumber)
    .map((row) => {
      const args = row.args.map((arg) => arg.name).join(', ');
      return `| ${String(row.number)} | \`${row.name}(${args})\` | ${row.support} | ${row.note} |`;
    });
  const missing = [...unsupportedRows()]
    .sort(byNumber)
    .map((row) => `\`${row.name}\` (${String(row.number)})`);
  return [
    '# System calls',
    '',
    'Made from `kernel-ts/syscalls/table.ts` by `npm run generate`; not to be edited. Numbers and names are those of',
    'riscv32 Linux (64-bit time_t). *full*: as Linux, as far as known; *partial*: the note says what is missing.',
    '',
    `## Supported (${String(supported.length)})`,
    '',
    '| number | call | support | note |',
    '| ---: | --- | --- | --- |',
    ...supported,
    '',
    `## Not supported (${String(missing.length)})`,
    '',
    'These answer ENOSYS and leave a line in the log, as does any number that Linux does not know.',
    '',
    missing.join(', '),
    '',
  ].join('\n');
}
