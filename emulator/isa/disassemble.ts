/** The disassembler, made from the table's assembly forms; register names are those of the ABI. */
import { csrName } from '../priv/csr.ts';
import { constantName } from '../fp/zfa.ts';
import { decode, type Decoded } from './decode.ts';
import { extractFields, type Fields } from './row.ts';

const X_NAMES =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(
    ' ',
  );
const F_NAMES =
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11'.split(
    ' ',
  );
const ROUNDING = ['rne', 'rtz', 'rdn', 'rup', 'rmm', 'rm5', 'rm6', 'dyn'];

/** ABI name of integer register 0 to 31. */
export function xName(index: number): string {
  return X_NAMES[index] as string;
}

/** ABI name of floating-point register 0 to 31. */
export function fName(index: number): string {
  return F_NAMES[index] as string;
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

function fence(bits: number): string {
  return [...'iorw'].filter((_c, i) => (bits >> (3 - i)) & 1).join('') || '0';
}

function operand(word: string, f: Fields, pc: number): string {
  switch (word) {
    case 'rd':
      return xName(f.rd);
    case 'rs1':
      return xName(f.rs1);
    case 'rs2':
      return xName(f.rs2);
    case 'fd':
      return fName(f.rd);
    case 'fs1':
      return fName(f.rs1);
    case 'fs2':
      return fName(f.rs2);
    case 'fs3':
      return fName(f.rs3);
    case 'imm':
      return String(f.imm);
    case 'upper':
      return hex((f.imm >>> 12) & 0xf_ffff);
    case 'target':
      return hex(pc + f.imm);
    case 'csr':
      return csrName(f.csr);
    case 'zimm':
      return String(f.rs1);
    case 'rm':
      return ROUNDING[f.rm] as string;
    case 'constant':
      return constantName(f.rs1);
    case 'pred':
      return fence((f.imm >> 4) & 15);
    case 'succ':
      return fence(f.imm & 15);
    default:
      return word;
  }
}

function mnemonic(d: Decoded, f: Fields): string {
  const name = d.compressed?.row.name ?? d.instruction.row.name;
  return d.instruction.row.ext === 'A'
    ? name + (f.aq ? '.aq' : '') + (f.rl ? (f.aq ? 'rl' : '.rl') : '')
    : name;
}

/**
 * The assembly text of an instruction at `pc`, e.g. "addi a0, sp, 16". Dynamic rounding is left out, as the
 * GNU tools do. An illegal encoding gives ".word 0x…" or ".half 0x…".
 */
export function disassemble(insn: number, pc: number): string {
  const d = decode(insn);
  if (d === null) return (insn & 3) === 3 ? `.word ${hex(insn)}` : `.half ${hex(insn & 0xffff)}`;
  const f = d.compressed ? extractFields(d.compressed.pattern, insn & 0xffff) : d.fields;
  const form = d.compressed?.row.asm ?? d.instruction.row.asm;
  const text = form.replace(/\b[a-z]\w*\b/g, (word) => operand(word, f, pc)).replace(/, dyn$/, '');
  return text === '' ? mnemonic(d, f) : `${mnemonic(d, f)} ${text}`;
}
