/** What a crash of a guest looks like on stderr. */
import type { CrashReport } from '../../kernel-ts/index.ts';
import { hex32, printable } from './format.ts';

/** ABI names of x0..x31 (riscv-elf-psabi). */
const REGISTERS =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(
    ' ',
  );

/** The signal, where, which address and what it misses, then the registers in four columns. */
export function crashView(crash: CrashReport): string {
  const where = crash.symbol === '' ? '' : ` <${printable(crash.symbol)}>`;
  const lines = [
    `sameframe: ${printable(crash.comm)} (pid ${String(crash.pid)}) killed by ${crash.signalName} (${crash.code})` +
      ` at pc ${hex32(crash.pc)}${where}, address ${hex32(crash.address)}`,
  ];
  if (crash.explanation !== '') lines.push(`  ${printable(crash.explanation)}`);
  const cells = crash.registers.map(
    (value, index) => `${(REGISTERS[index] ?? '').padStart(4)} ${hex32(value)}`,
  );
  for (let row = 0; row < cells.length; row += 4) lines.push(`  ${cells.slice(row, row + 4).join('  ')}`);
  return `${lines.join('\n')}\n`;
}
