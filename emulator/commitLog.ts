/**
 * One line per retired instruction in the format of Spike's commit log (riscv-isa-sim, --log-commits):
 * `core   0: 0 0x00010094 (0x00a28293) x5  0x0000000a mem 0x00011000 0x0000002a`
 *
 * Read from Spike's source as of 2025 (csrs.cc at 9a46080), whose functions the comments name:
 * - commit_log_print_insn: registers and CSRs by ascending key, number x 16 + class, class 0 for x, 1 for f, 4 for CSRs; then
 *   all loads, then all stores; digits as wide as the value, f registers as wide as FLEN.
 * - csr_t::write logs a CSR as it reads after the write, under the name of the register that holds the bits (sstatus as
 *   mstatus, sip as mip), and not at all where unlogged_write says that nothing was written.
 * - execute_insn_logged: an instruction that traps leaves no line, WFI does.
 * Older versions differ: before 2025 MRET also logged tcontrol, and writes to sie, sip and mip only mie and mip; before 2022
 * a stored byte below 16 had one digit. `sameframe diff` (cli/logs/compare.ts) takes all of them.
 * Known to be missing: Spike's four triggers (this machine has none, as Spike with --triggers=0).
 */
import type { Hart } from './hart.ts';
import type { Retired } from './supervisor.ts';
import { decode, type Decoded } from './isa/decode.ts';
import { isWide } from './isa/width.ts';
import type { PhysicalMemory } from './memory.ts';
import { csrName, csrRow } from './priv/csr.ts';
import { addressLocked } from './priv/pmp.ts';
import { PMP_ENTRIES } from './priv/state.ts';

const hex = (value: number, digits: number): string =>
  `0x${(value >>> 0).toString(16).padStart(digits, '0')}`;

const MSTATUS = 0x300;
const MSTATUSH = 0x310;
const SIE = 0x104;
const SIP = 0x144;
const MIE = 0x304;
const MIP = 0x344;
/** mvip of the AIA extension, which Spike keeps and logs also without that. */
const MVIP = 0x309;
const MVIP_NAME = 'mvip';
const PMPCFG0 = 0x3a0;
const PMPADDR0 = 0x3b0;
const TDATA1 = 0x7a1;
const FFLAGS = 0x001;
const FRM = 0x002;
const MRET = 0x3020_0073;
const SRET = 0x1020_0073;
const FS_DIRTY = 3;

/** Where the bits of a CSR are, when that is another one. */
const LOGGED_AS: Readonly<Record<number, readonly number[]>> = {
  0x003: [FFLAGS, FRM],
  0x100: [MSTATUS],
  [SIE]: [SIE, MIE],
  [SIP]: [MVIP, MIP],
  [MIP]: [MVIP, MIP],
};

/** One logged write. */
interface Write {
  readonly key: number;
  readonly text: string;
}

/** The alias of mip: mvip_csr_t::read sees SSIP and STIP before mip is written, and SEIP after. */
const mvip = (hart: Hart, mipBefore: number): number => (hart.state.mip & 0x200) | (mipBefore & 0x022);

function csrWrite(hart: Hart, number: number, retired: Retired): Write {
  const value = number === MVIP ? mvip(hart, retired.mip) : (csrRow(number)?.read(hart) ?? 0);
  const name = number === MVIP ? MVIP_NAME : csrName(number);
  return { key: number * 16 + 4, text: ` c${number}_${name} ${hex(value, 8)}` };
}

/** const_csr_t::unlogged_write: the hpm counters, and the triggers' data. */
const isConstant = (number: number): boolean =>
  (number >= 0xb03 && number <= 0xb1f) ||
  (number >= 0xb83 && number <= 0xb9f) ||
  (number >= TDATA1 && number < TDATA1 + 3);

/** pmpaddr_csr_t and pmpcfg_csr_t: false for a locked address, and for entries that are not implemented. */
function writesPmp(hart: Hart, number: number): boolean {
  if (number < PMPCFG0 || number >= PMPADDR0 + 64) return true;
  if (number < PMPADDR0) return number < PMPCFG0 + PMP_ENTRIES / 4;
  const entry = number - PMPADDR0;
  return entry < PMP_ENTRIES && !addressLocked(hart.state, entry);
}

/** The CSRs that an instruction wrote. */
function csrWrites(hart: Hart, decoded: Decoded, retired: Retired): number[] {
  const { instruction, fields } = decoded;
  const { insn, fs, raised } = retired;
  if (insn === MRET) return [MSTATUS, MSTATUSH];
  if (insn === SRET) return [MSTATUS];
  if (instruction.row.ext === 'Zicsr') {
    if (!/^csrrwi?$/.test(instruction.row.name) && fields.rs1 === 0) return [];
    const { csr } = fields;
    if (isConstant(csr) || !writesPmp(hart, csr)) return [];
    const dirtied = csr >= FFLAGS && csr <= 3 && fs !== FS_DIRTY;
    return [...(LOGGED_AS[csr] ?? [csr]), ...(dirtied ? [MSTATUS] : [])];
  }
  const dirtied = fs !== FS_DIRTY && (instruction.rd === 'f' || raised !== 0);
  return [...(raised === 0 ? [] : [FFLAGS]), ...(dirtied ? [MSTATUS] : [])];
}

const wordHex = (word: number | undefined): string => (word ?? 0).toString(16).padStart(8, '0');

/** The register that the instruction wrote, with its new value; nothing for x0. */
function registerWrite(hart: Hart, { instruction, fields }: Decoded): Write[] {
  const { rd } = fields;
  if (instruction.rd === 'f') {
    const value = `0x${wordHex(hart.f[rd * 2 + 1])}${wordHex(hart.f[rd * 2])}`;
    return [{ key: rd * 16 + 1, text: `${` f${rd}`.padEnd(4)} ${value}` }];
  }
  if (instruction.rd !== 'x' || rd === 0) return [];
  return [{ key: rd * 16, text: `${` x${rd}`.padEnd(4)} ${hex(hart.x[rd] ?? 0, 8)}` }];
}

/** The value that a store left in memory. A store has no rd, so rs2 still holds it. */
function stored(hart: Hart, { instruction, fields }: Decoded, size: number): string {
  const { rs2 } = fields;
  const low = instruction.rs2 === 'f' ? hart.f[rs2 * 2] : hart.x[rs2];
  if (size === 8) return `0x${wordHex(hart.f[rs2 * 2 + 1])}${wordHex(hart.f[rs2 * 2])}`;
  const value = (low ?? 0) >>> 0;
  return hex(size === 4 ? value : value & (2 ** (8 * size) - 1), size * 2);
}

function memory(hart: Hart, ram: PhysicalMemory, decoded: Decoded, retired: Retired): string {
  let text = '';
  const { name } = decoded.instruction.row;
  const storeConditional = name === 'sc.w';
  for (const { kind, va } of retired.accesses) {
    if (kind === 'r' || (kind === 'x' && !storeConditional)) text += ` mem ${hex(va, 8)}`;
  }
  for (const { kind, va, pa, size } of retired.accesses) {
    if (kind === 'w') text += ` mem ${hex(va, 8)} ${stored(hart, decoded, size)}`;
    // An atomic's result is in memory alone; it is aligned and in RAM.
    if (kind === 'x' && !(storeConditional && failed(hart, decoded))) {
      text += ` mem ${hex(va, 8)} ${hex(ram.read32(pa), 8)}`;
    }
  }
  return text;
}

/** A store-conditional that did not store says so in rd; with rd = x0 nobody can tell, and it is taken to have stored. */
function failed(hart: Hart, { fields }: Decoded): boolean {
  return fields.rd !== 0 && hart.x[fields.rd] !== 0;
}

/** Decoding costs more than the rest of a line; programs have few instructions. */
const decoded = new Map<number, Decoded | null>();
const MAX_DECODED = 1 << 16;

function decodeOnce(insn: number): Decoded | null {
  let known = decoded.get(insn);
  if (known === undefined) {
    if (decoded.size >= MAX_DECODED) decoded.clear();
    known = decode(insn);
    decoded.set(insn, known);
  }
  return known;
}

/** The line of one instruction, made right after it retired. */
export function commitLine(hart: Hart, ram: PhysicalMemory, retired: Retired): string {
  const { pc, privilege, insn } = retired;
  const line = `core   0: ${privilege} ${hex(pc, 8)} (${hex(insn, isWide(insn) ? 8 : 4)})`;
  const known = decodeOnce(insn);
  if (known === null) return line;
  const writes = registerWrite(hart, known);
  for (const number of csrWrites(hart, known, retired)) writes.push(csrWrite(hart, number, retired));
  if (writes.length > 1) writes.sort((a, b) => a.key - b.key);
  return line + writes.map(({ text }) => text).join('') + memory(hart, ram, known, retired);
}
