/**
 * One line per retired instruction in the format of Spike's commit log (riscv-isa-sim, --log-commits):
 * `core   0: 0 0x00010094 (0x00a28293) x5  0x0000000a mem 0x00011000 0x0000002a`
 *
 * Known to be missing: CSR writes (Spike's ` c1_fflags 0x...`).
 */
import { decode, type Hart, type Retired } from '../../emulator/index.ts';
import { peekUser } from '../syscalls/peek.ts';
import type { Kernel } from '../process/kernel.ts';

const hex = (value: number, digits: number): string =>
  `0x${(value >>> 0).toString(16).padStart(digits, '0')}`;

/** The register that the instruction wrote, with its new value; '' for none and for x0. */
function written(hart: Hart, insn: number): string {
  const decoded = decode(insn);
  if (decoded === null) return '';
  const { rd } = decoded.fields;
  if (decoded.instruction.rd === 'f') {
    const name = ` f${rd}`.padEnd(5);
    return `${name}0x${wordHex(hart.f[rd * 2 + 1])}${wordHex(hart.f[rd * 2])}`;
  }
  if (decoded.instruction.rd !== 'x' || rd === 0) return '';
  return `${` x${rd}`.padEnd(5)}${hex(hart.x[rd] ?? 0, 8)}`;
}

const wordHex = (word: number | undefined): string => (word ?? 0).toString(16).padStart(8, '0');

/** The value that a store left in memory, read back through the page table. */
function stored(kernel: Kernel, va: number, size: number): string {
  const bytes = peekUser(kernel, kernel.current, va, size);
  return bytes === null
    ? ''
    : ` 0x${[...bytes]
        .reverse()
        .map((b) => b.toString(16).padStart(2, '0'))
        .join('')}`;
}

/** The line of one instruction, made right after it retired. */
export function commitLine(kernel: Kernel, hart: Hart, retired: Retired): string {
  const { pc, privilege, insn, accesses } = retired;
  let line = `core   0: ${privilege} ${hex(pc, 8)} (${hex(insn, (insn & 3) === 3 ? 8 : 4)})${written(hart, insn)}`;
  for (const a of accesses) if (a.kind !== 'w') line += ` mem ${hex(a.va, 8)}`;
  for (const a of accesses) if (a.kind !== 'r') line += ` mem ${hex(a.va, 8)}${stored(kernel, a.va, a.size)}`;
  return line;
}
