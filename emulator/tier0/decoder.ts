/**
 * The decoder as WebAssembly, made from the same rows as isa/decode.ts, for machines that have all of them: a program's code is decoded
 * before V8 would compile a decoder in TypeScript, which takes 3 ms for the shortest programs that C libraries make.
 *
 *     decode(page, source, at, count) -> DECODED
 *
 * Writes the micro-ops of up to `count` instructions from `at` on, a place in the page of code whose bytes begin at `source`, and whose
 * micro-ops do at `page` (both in the machine's memory): until the line ends or decoded code begins.
 */
import { get, i32const, memoryOp, set } from '../codegen/emitter.ts';
import type { Fields, Pattern } from '../isa/row.ts';
import { compressedInstructions, instructions, type Instruction, type RegisterClass } from '../isa/table.ts';
import * as layout from '../layout.ts';
import { uleb, type Code, type FunctionBody } from '../wasm/encode.ts';
import { OP, VOID } from '../wasm/opcodes.ts';
import { FUNCTION } from './step.ts';
import {
  COMPRESSED,
  DECODED,
  endsLine,
  FAR,
  FIRST_ROW_OP,
  hasImmediate,
  OP_ILLEGAL,
  OP_STRADDLE,
  UOP_SCALE,
} from './uop.ts';

/** Parameters and locals. */
const [PAGE, SOURCE, AT, COUNT, INSN, ROW, UOP, IMM, REGISTERS, FLAGS, FROM] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
] as const;
const LOCALS = 7;

type Name = keyof Fields;

const and = (mask: number): Code => i32const(mask) + OP.i32_and;
const shiftLeft = (bits: number): Code => (bits === 0 ? '' : i32const(bits) + OP.i32_shl);

/** The value of a field of an instruction that matches the pattern; without one 0. */
function fieldOf(pattern: Pattern, name: Name): Code {
  let code: Code = '';
  for (const { field, from, ones, to, bias } of pattern.pieces) {
    if (field !== name) continue;
    const first = code === '';
    code += get(INSN) + (from === 0 ? '' : i32const(from) + OP.i32_shr_u) + and(ones);
    code += (bias === 0 ? '' : i32const(bias) + OP.i32_add) + shiftLeft(to) + (first ? '' : OP.i32_or);
  }
  if (code === '') return i32const(0);
  const shift = 31 - pattern.signBit;
  return name === 'imm' && pattern.signBit >= 0
    ? code + shiftLeft(shift) + (shift === 0 ? '' : i32const(shift) + OP.i32_shr_s)
    : code;
}

/** The row's operands: code for each field. */
type Operands = (name: Name) => Code;

/** No constant of a row, and no field of an instruction. */
const MARKER = 0x1000_0000;
const NAMES: readonly Name[] = ['rd', 'rs1', 'rs2', 'rs3', 'rm', 'imm', 'csr', 'aq', 'rl'];

/** What a compressed row makes of its fields, found by giving it fields that can be told apart. */
function operandsOf(pattern: Pattern, made: (f: Fields) => Partial<Fields>): Operands {
  const marked = Object.fromEntries(NAMES.map((name, i) => [name, MARKER + i])) as unknown as Fields;
  const operands = made(marked);
  return (name) => {
    const value = operands[name] ?? 0;
    return value < MARKER ? i32const(value) : fieldOf(pattern, NAMES[value - MARKER] as Name);
  };
}

const scaled = (cls: RegisterClass, register: Code): Code => register + shiftLeft(cls === 'f' ? 3 : 2);

/** The byte A of a micro-op. */
function destination(instruction: Instruction, operands: Operands): Code {
  if (instruction.rd === '') return scaled(instruction.rs2, operands('rs2'));
  const rd = operands('rd');
  if (instruction.rd === 'f') return scaled('f', rd);
  return scaled('x', rd + i32const(layout.X_JUNK) + rd + OP.select);
}

/** Leaves what uop.ts says of a row's operands in REGISTERS and IMM; `writeUop` in WebAssembly. */
function operandCode(instruction: Instruction, operands: Operands): Code {
  const registers =
    destination(instruction, operands) +
    scaled(instruction.rs1, operands('rs1')) +
    shiftLeft(8) +
    OP.i32_or +
    shiftLeft(16) +
    set(REGISTERS);
  if (instruction.traits.helper !== null) return registers + get(INSN) + set(IMM);
  if (!hasImmediate(instruction)) {
    const others =
      scaled(instruction.rs2, operands('rs2')) +
      scaled(instruction.rs3, operands('rs3')) +
      shiftLeft(8) +
      OP.i32_or +
      operands('rm') +
      shiftLeft(16) +
      OP.i32_or;
    return registers + others + set(IMM);
  }
  const immediate = registers + operands('imm') + set(IMM);
  if (!instruction.traits.relative) return immediate;
  const isNoCall = instruction.rd === '' ? '' : operands('rd') + OP.i32_eqz + OP.i32_and;
  return (
    immediate +
    get(IMM) +
    i32const(0) +
    OP.i32_lt_s +
    OP.if +
    VOID +
    flag(DECODED.backward) +
    OP.end +
    get(AT) +
    get(IMM) +
    OP.i32_add +
    i32const(4096) +
    OP.i32_lt_u +
    isNoCall +
    OP.if +
    VOID +
    flag(DECODED.near) +
    get(IMM) +
    i32const(UOP_SCALE) +
    OP.i32_mul +
    set(IMM) +
    OP.else +
    get(ROW) +
    i32const(FAR) +
    OP.i32_or +
    set(ROW) +
    OP.end
  );
}

const flag = (bit: number): Code => get(FLAGS) + i32const(bit) + OP.i32_or + set(FLAGS);

/** A row as the decoder tells it from others: ROW is made `row`, and the code of that kind follows. */
interface Candidate {
  readonly pattern: Pattern;
  readonly except: Partial<Fields>;
  /** The operation, and the bits of DECODED that it brings, beside it. */
  readonly row: number;
  readonly kind: number;
}

const FLAG_SHIFT = 16;

/** Rows whose operands are made alike share the code for it. */
class Kinds {
  readonly codes: Code[] = [];
  readonly #known = new Map<Code, number>();

  of(code: Code): number {
    const known = this.#known.get(code);
    if (known !== undefined) return known;
    this.#known.set(code, this.codes.length);
    return this.codes.push(code) - 1;
  }
}

function candidateOf(
  kinds: Kinds,
  instruction: Instruction,
  pattern: Pattern,
  operands: Operands,
  except: Partial<Fields>,
): Candidate {
  const compressed = pattern.width === 16;
  const op = FIRST_ROW_OP + instruction.index * 4 + (compressed ? COMPRESSED : 0);
  const flags = endsLine(instruction) ? DECODED.ends : 0;
  return {
    pattern,
    except,
    row: op | (flags << FLAG_SHIFT),
    kind: kinds.of(operandCode(instruction, operands)),
  };
}

/** Goes to the code of the kind of the first row that the instruction is, or falls through; `mask` selects bits that each pattern fixes. */
function selection(candidates: readonly Candidate[], mask: number, depth: number): Code {
  const groups = new Map<number, Candidate[]>();
  for (const candidate of candidates) {
    const { pattern } = candidate;
    if ((pattern.mask & mask) !== mask) throw new Error(`a pattern leaves bits of ${mask} open`);
    const key = (pattern.match & mask) >>> 0;
    groups.set(key, [...(groups.get(key) ?? []), candidate]);
  }
  let code: Code = '';
  for (const [key, group] of groups) {
    code += get(INSN) + and(mask) + i32const(key) + OP.i32_eq + OP.if + VOID;
    for (const { pattern, except, row, kind } of group) {
      code += i32const(row) + set(ROW) + get(INSN) + and(pattern.mask) + i32const(pattern.match) + OP.i32_eq;
      for (const name of NAMES) {
        const value = except[name];
        if (value !== undefined) code += fieldOf(pattern, name) + i32const(value) + OP.i32_ne + OP.i32_and;
      }
      code += OP.br_if + uleb(kind + depth + 1);
    }
    code += OP.end;
  }
  return code;
}

const storeUop = (first: Code, second: Code): Code =>
  get(UOP) + first + memoryOp(OP.i32_store, 2, 0) + get(UOP) + second + memoryOp(OP.i32_store, 2, 4);

const uopOf = (at: number): Code => get(PAGE) + get(at) + i32const(UOP_SCALE) + OP.i32_mul + OP.i32_add;

/** Returns with what is in FLAGS and further bits; what has been decoded may begin sequences. */
const leave = (bits: number): Code =>
  uopOf(FROM) +
  uopOf(AT) +
  get(PAGE) +
  OP.call +
  uleb(FUNCTION.fuse) +
  get(AT) +
  get(FLAGS) +
  OP.i32_or +
  (bits === 0 ? '' : i32const(bits) + OP.i32_or) +
  OP.return;

export function decodeFunction(): FunctionBody {
  const kinds = new Kinds();
  const wide = instructions.map((instruction) => {
    const { pattern } = instruction;
    return candidateOf(kinds, instruction, pattern, (name) => fieldOf(pattern, name), {});
  });
  const short = compressedInstructions.map(({ row, pattern, expansion }) =>
    candidateOf(kinds, expansion, pattern, operandsOf(pattern, row.operands), row.except ?? {}),
  );
  const count = kinds.codes.length;
  // The labels from within: the kinds, what is illegal, what is written.
  const [illegal, written] = [count, count + 1];
  const select =
    get(INSN) +
    and(3) +
    i32const(3) +
    OP.i32_eq +
    OP.if +
    VOID +
    get(AT) +
    i32const(4094) +
    OP.i32_eq +
    OP.if +
    VOID +
    storeUop(i32const(OP_STRADDLE), i32const(0)) +
    leave(DECODED.ends) +
    OP.end +
    get(SOURCE) +
    get(AT) +
    OP.i32_add +
    memoryOp(OP.i32_load, 0, 0) +
    set(INSN) +
    selection(wide, 0x7f, 1) +
    OP.else +
    selection(short, 0xe003, 1) +
    OP.end +
    OP.br +
    uleb(illegal);
  let body = select;
  kinds.codes.forEach((code, kind) => {
    body += OP.end + code + OP.br + uleb(written - kind - 1);
  });
  const length =
    i32const(2) +
    i32const(4) +
    get(INSN) +
    and(3) +
    i32const(3) +
    OP.i32_ne +
    OP.select +
    get(AT) +
    OP.i32_add;
  const code =
    get(AT) +
    set(FROM) +
    OP.loop +
    VOID +
    get(AT) +
    i32const(4096) +
    OP.i32_ge_u +
    get(COUNT) +
    OP.i32_eqz +
    OP.i32_or +
    OP.if +
    VOID +
    leave(DECODED.ends) +
    OP.end +
    uopOf(AT) +
    set(UOP) +
    get(UOP) +
    memoryOp(OP.i32_load16_u, 1, 0) +
    OP.if +
    VOID +
    leave(DECODED.ends) +
    OP.end +
    get(SOURCE) +
    get(AT) +
    OP.i32_add +
    memoryOp(OP.i32_load16_u, 0, 0) +
    set(INSN) +
    OP.block +
    VOID +
    OP.block +
    VOID +
    (OP.block + VOID).repeat(count) +
    body +
    OP.end + // illegal
    storeUop(i32const(OP_ILLEGAL), get(INSN)) +
    length +
    set(AT) +
    leave(DECODED.ends) +
    OP.end + // written
    storeUop(get(ROW) + and(0xffff) + get(REGISTERS) + OP.i32_or, get(IMM)) +
    length +
    set(AT) +
    get(COUNT) +
    i32const(1) +
    OP.i32_sub +
    set(COUNT) +
    get(FLAGS) +
    get(ROW) +
    i32const(FLAG_SHIFT) +
    OP.i32_shr_u +
    OP.i32_or +
    set(FLAGS) +
    get(FLAGS) +
    and(DECODED.ends | DECODED.backward) +
    OP.if +
    VOID +
    get(FLAGS) +
    get(ROW) +
    and(COMPRESSED) +
    shiftLeft(FLAG_SHIFT) +
    OP.i32_or +
    set(FLAGS) +
    leave(0) +
    OP.end +
    OP.br +
    uleb(0) +
    OP.end +
    OP.unreachable;
  return {
    name: 'decode',
    type: { params: ['i32', 'i32', 'i32', 'i32'], results: ['i32'] },
    locals: Array<'i32'>(LOCALS).fill('i32'),
    code,
    exported: true,
  };
}
