/**
 * What an instruction is: one row, the only place where it exists.
 *
 * The pattern reads like the encoding tables of the RISC-V manual, most significant bit first. Its
 * tokens are literal bits, register fields (`rd rs1 rs2 rs3`, five bits; with a prime three bits, x8 to
 * x15), `rm` (three bits), `csr` (twelve), `aq`, `rl`, and immediates: `imm[11:0]`, `imm[12|10:5]`. An
 * immediate's bits may be spread over several tokens; `imm` is sign-extended from its highest bit,
 * `uimm` is not.
 */
import type { Builder } from './builder.ts';

/** Extensions that have rows, in the order of the document. */
export const EXTENSIONS = [
  'I',
  'M',
  'A',
  'F',
  'D',
  'C',
  'Zicsr',
  'Zifencei',
  'Zba',
  'Zbb',
  'Zbc',
  'Zbs',
  'Zicond',
  'Zfa',
  'Zcb',
  'Privileged',
] as const;

export type Extension = (typeof EXTENSIONS)[number];

/** Ratified parts of an extension, which can be chosen without the whole. */
export type Subset = 'Zmmul' | 'Zaamo' | 'Zalrsc' | 'Zca' | 'Zcf' | 'Zcd';

/** An instruction of 32 bits. */
export interface Row {
  readonly name: string;
  readonly ext: Extension;
  /** The part of that extension which holds the row too. */
  readonly subset?: Subset;
  /** Another extension without which the row does not exist. */
  readonly needs?: Extension;
  readonly pattern: string;
  /** Operands in assembly order; `fd fs1 fs2 fs3` are floating-point registers, `imm(rs1)` an address. */
  readonly asm: string;
  readonly exec: (b: Builder) => void;
}

/** Decoded operand fields. Registers are numbers 0 to 31; absent fields are 0. */
export interface Fields {
  rd: number;
  rs1: number;
  rs2: number;
  rs3: number;
  /** Rounding mode field. */
  rm: number;
  imm: number;
  csr: number;
  aq: number;
  rl: number;
}

/** A compressed instruction: 16 bits that abbreviate a row. */
export interface CompressedRow {
  readonly name: string;
  readonly ext: 'C' | 'Zcb';
  readonly subset?: Subset;
  readonly pattern: string;
  readonly asm: string;
  /** The name of the row it abbreviates, and that row's operands. */
  readonly expands: string;
  readonly operands: (f: Fields) => Partial<Fields>;
  /** Values that fields must not have: such encodings are reserved, or belong to another row. */
  readonly except?: Partial<Fields>;
}

interface Piece {
  readonly field: keyof Fields;
  /** Bit in the instruction of the piece's lowest bit. */
  readonly from: number;
  readonly width: number;
  /** As many ones as the piece is wide. */
  readonly ones: number;
  /** Bit in the field of the piece's lowest bit. */
  readonly to: number;
  /** Added to the value: 8 for three-bit registers. */
  readonly bias: number;
}

/** A parsed pattern. */
export interface Pattern {
  /** 16 or 32. */
  readonly width: number;
  readonly mask: number;
  readonly match: number;
  readonly pieces: readonly Piece[];
  /** Position of the immediate's sign bit, or -1 when it is unsigned or absent. */
  readonly signBit: number;
  /** Names of the fields, `imm` for both kinds of immediates. */
  readonly fields: ReadonlySet<keyof Fields>;
}

const REGISTER_WIDTH: Readonly<Record<string, number>> = {
  rd: 5,
  rs1: 5,
  rs2: 5,
  rs3: 5,
  rm: 3,
  csr: 12,
  aq: 1,
  rl: 1,
};

/** Bits of an immediate, both included. */
interface Range {
  readonly high: number;
  readonly low: number;
}

/** A token of a pattern: literal bits, an immediate's ranges, or a field. */
interface Token {
  readonly width: number;
  /** The literal's value, or -1. */
  readonly bits: number;
  readonly ranges: readonly Range[];
  readonly signed: boolean;
  readonly field: keyof Fields;
  readonly bias: number;
}

/** Tokens recur in nearly every pattern, and the table is made at every start: each is read once. */
const tokens = new Map<string, Token>();

const NO_RANGES: readonly Range[] = [];

function isLiteral(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text[i] !== '0' && text[i] !== '1') return false;
  return true;
}

/** Like `11:5|4`. */
function rangesOf(text: string): Range[] {
  const ranges: Range[] = [];
  for (const range of text.split('|')) {
    const colon = range.indexOf(':');
    const high = Number(colon < 0 ? range : range.slice(0, colon));
    ranges.push({ high, low: colon < 0 ? high : Number(range.slice(colon + 1)) });
  }
  return ranges;
}

/** Without regular expressions: V8 would compile them for some sixty short words, at the first instructions that are decoded. */
function readToken(text: string): Token {
  if (isLiteral(text)) {
    const bits = parseInt(text, 2);
    return { width: text.length, bits, ranges: NO_RANGES, signed: false, field: 'imm', bias: 0 };
  }
  const bracket = text.indexOf('[');
  const name = bracket < 0 ? text : text.slice(0, bracket);
  if (name === 'imm' || name === 'uimm') {
    const ranges = rangesOf(text.slice(bracket + 1, -1));
    let width = 0;
    for (const { high, low } of ranges) width += high - low + 1;
    return { width, bits: -1, ranges, signed: name === 'imm', field: 'imm', bias: 0 };
  }
  const prime = text.endsWith("'");
  const field = (prime ? text.slice(0, -1) : text) as keyof Fields;
  const width = prime ? 3 : REGISTER_WIDTH[field];
  if (width === undefined) throw new Error(`unknown field ${text}`);
  return { width, bits: -1, ranges: NO_RANGES, signed: false, field, bias: prime ? 8 : 0 };
}

function tokenOf(text: string): Token {
  let token = tokens.get(text);
  if (token === undefined) tokens.set(text, (token = readToken(text)));
  return token;
}

/** What a pattern says of operands. */
type Operands = Pick<Pattern, 'pieces' | 'signBit' | 'fields'>;

/** Decoders ask every pattern for its literal bits, and hardly any for its operands: those are read when somebody asks. */
class ParsedPattern implements Pattern {
  readonly width: number;
  readonly mask: number;
  readonly match: number;
  readonly #tokens: readonly Token[];
  #operands: Operands | null = null;

  constructor(text: string) {
    const texts = text.split(' ');
    const parts: Token[] = [];
    let width = 0;
    let mask = 0;
    let match = 0;
    for (let i = 0; i < texts.length; i++) {
      const token = tokenOf(texts[i] as string);
      parts.push(token);
      const { width: size, bits } = token;
      width += size;
      mask <<= size;
      match <<= size;
      if (bits >= 0) {
        mask |= 2 ** size - 1;
        match |= bits;
      }
    }
    this.#tokens = parts;
    if (width !== 16 && width !== 32) throw new Error(`pattern of ${width} bits: ${text}`);
    this.width = width;
    this.mask = mask >>> 0;
    this.match = match >>> 0;
  }

  get pieces(): readonly Piece[] {
    return (this.#operands ??= operandsOf(this.#tokens, this.width)).pieces;
  }

  get signBit(): number {
    return (this.#operands ??= operandsOf(this.#tokens, this.width)).signBit;
  }

  get fields(): ReadonlySet<keyof Fields> {
    return (this.#operands ??= operandsOf(this.#tokens, this.width)).fields;
  }
}

function operandsOf(parts: readonly Token[], width: number): Operands {
  let position = width;
  let highest = -1;
  let signed = false;
  const pieces: Piece[] = [];
  for (const { width: size, bits, ranges, signed: sign, field, bias } of parts) {
    position -= size;
    if (bits >= 0) continue;
    if (ranges.length === 0)
      pieces.push({ field, from: position, width: size, ones: 2 ** size - 1, to: 0, bias });
    let at = position + size;
    for (const { high, low } of ranges) {
      const wide = high - low + 1;
      at -= wide;
      pieces.push({ field, from: at, width: wide, ones: 2 ** wide - 1, to: low, bias: 0 });
      highest = Math.max(highest, high);
    }
    signed ||= sign;
  }
  return { pieces, signBit: signed ? highest : -1, fields: new Set(pieces.map((p) => p.field)) };
}

/** Parses a pattern. Throws on a pattern that is not 16 or 32 bits wide: a mistake in a row. */
export function parsePattern(text: string): Pattern {
  return new ParsedPattern(text);
}

export function emptyFields(): Fields {
  return { rd: 0, rs1: 0, rs2: 0, rs3: 0, rm: 0, imm: 0, csr: 0, aq: 0, rl: 0 };
}

/** Takes the operand fields out of an instruction that matches the pattern. */
export function extractFields(pattern: Pattern, insn: number): Fields {
  const f = emptyFields();
  const { pieces, signBit } = pattern;
  for (let i = 0; i < pieces.length; i++) {
    const { field, from, ones, bias, to } = pieces[i] as Piece;
    const value = (((insn >>> from) & ones) + bias) << to;
    // By name, most of them: for V8's interpreter a name that it does not know costs as much as all else here.
    if (field === 'imm') f.imm |= value;
    else if (field === 'rd') f.rd = value;
    else if (field === 'rs1') f.rs1 = value;
    else if (field === 'rs2') f.rs2 = value;
    else f[field] = value;
  }
  if (signBit >= 0) {
    const shift = 31 - signBit;
    f.imm = (f.imm << shift) >> shift;
  }
  return f;
}

/** True when no field has a value that the row does not allow it. */
export function isAllowed(row: CompressedRow, fields: Fields): boolean {
  const { except } = row;
  if (except === undefined) return true;
  for (const name in except) if (fields[name as keyof Fields] === except[name as keyof Fields]) return false;
  return true;
}

/** Puts operand fields into the pattern: the inverse of `extractFields` for values that fit. */
export function insertFields(pattern: Pattern, fields: Partial<Fields>): number {
  let insn = pattern.match;
  for (const p of pattern.pieces) {
    const value = (fields[p.field] ?? 0) - p.bias;
    insn |= ((value >> p.to) & p.ones) << p.from;
  }
  return insn >>> 0;
}
