/** What a crash of a guest looks like on stderr. */
import { xName } from '../../emulator/index.ts';
import type { CrashReport } from '../../kernel-ts/index.ts';
import { hex32, printable } from './format.ts';

/** The signal, where, which address and what it misses, then the registers in four columns. */
export function crashView(crash: CrashReport): string {
  const where = crash.symbol === '' ? '' : ` <${printable(crash.symbol)}>`;
  const lines = [
    `sameframe: ${printable(crash.comm)} (pid ${String(crash.pid)}) killed by ${crash.signalName} (${crash.code})` +
      ` at pc ${hex32(crash.pc)}${where}, address ${hex32(crash.address)}`,
  ];
  if (crash.explanation !== '') lines.push(`  ${printable(crash.explanation)}`);
  const cells = crash.registers.map((value, index) => `${xName(index).padStart(4)} ${hex32(value)}`);
  for (let row = 0; row < cells.length; row += 4) lines.push(`  ${cells.slice(row, row + 4).join('  ')}`);
  return `${lines.join('\n')}\n`;
}
