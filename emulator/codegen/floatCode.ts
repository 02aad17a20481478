/**
 * The vocabulary of inlineFloat.ts: operators of both formats, when an instruction may be settled inline, operands,
 * results, and the conditions under which a result and its flags are certain.
 */
import { get, i32const, set, type HostPlace } from './emitter.ts';
import { byte, type Code, type ValueType } from '../wasm/encode.ts';
import { OP, VOID } from '../wasm/opcodes.ts';

/** Where the operands are and how to give up: what a tier lends to this file. An empty condition is known to be zero. */
export interface FloatHost {
  /** f[rsN] as a number of a format; whether a single is NaN-boxed is the caller's to ask. */
  number(n: SourceNumber, type: 'f32' | 'f64'): Code;
  /** f[rsN] as bits. */
  bits(n: SourceNumber): Code;
  /** The low word of f[rsN]. */
  low(n: SourceNumber): Code;
  /** The high word of f[rsN], all ones in a NaN-boxed single; empty: it is known to be one. */
  high(n: SourceNumber): Code;
  /** f[rd] = a number, singles NaN-boxed; one store, so that the next load of the register is forwarded whole. */
  setNumber(type: 'f32' | 'f64', value: Code): void;
  /** f[rsN] as a number in all lanes of a vector. */
  lanes(n: SourceNumber, type: 'f32' | 'f64'): Code;
  /** f[rd] = the number in all lanes of a vector. */
  setLanes(type: 'f32' | 'f64', lanes: Code): void;
  /** f[rd] = 64 bits. */
  setBits(value: Code): void;
  /** f[rd] = 4 (NaN-boxed) or 8 bytes of host memory. */
  load(size: 4 | 8, place: HostPlace): void;
  /** The low 4 or all 8 bytes of f[rs2] to host memory. */
  store(size: 4 | 8, place: HostPlace): void;
  /** x[rd] = value. */
  setInteger(value: Code): void;
  /** The value of x[rs1]. */
  readonly integer: Code;
  /** Not zero unless the rounding mode in force is RNE. */
  readonly notNearest: Code;
  /** Not zero when the rounding mode in force is reserved. */
  readonly reservedMode: Code;
  /** Not zero unless the instruction says RTZ. */
  readonly notTruncating: Code;
  /** Not zero unless FS is dirty. */
  readonly notDirty: Code;
  /** Whether NX is accrued; undefined: it is known to be. */
  readonly inexactAccrued: Code | undefined;
  /** The host's relaxed_madd rounds once. */
  readonly fuses: boolean;
  take(type: ValueType): number;
  emit(code: Code): void;
  /** The `if` that is emitted next is hardly ever taken. */
  expectNot(): void;
  /** Gives up when the i32 is not zero; `depth`: blocks entered since the handler began. */
  bailIf(condition: Code, depth?: number): void;
}

export type SourceNumber = 1 | 2 | 3;

const bytes = (buffer: ArrayBuffer): Code => String.fromCharCode(...new Uint8Array(buffer));

export function f64const(value: number): Code {
  return OP.f64_const + bytes(new Float64Array([value]).buffer);
}

function f32const(value: number): Code {
  return OP.f32_const + bytes(new Float32Array([value]).buffer);
}

/** The operators of one format. */
export interface Format {
  readonly type: 'f32' | 'f64';
  readonly add: Code;
  readonly sub: Code;
  readonly mul: Code;
  readonly div: Code;
  readonly sqrt: Code;
  readonly min: Code;
  readonly max: Code;
  readonly abs: Code;
  readonly neg: Code;
  readonly eq: Code;
  readonly ne: Code;
  readonly lt: Code;
  readonly le: Code;
  readonly constant: (value: number) => Code;
  /** The high word (of a single: all) of the smallest normal number, and of infinity. */
  readonly smallestNormalHigh: number;
  readonly infinityHigh: number;
}

export const SINGLE: Format = {
  type: 'f32',
  add: OP.f32_add,
  sub: OP.f32_sub,
  mul: OP.f32_mul,
  div: OP.f32_div,
  sqrt: OP.f32_sqrt,
  min: OP.f32_min,
  max: OP.f32_max,
  abs: OP.f32_abs,
  neg: OP.f32_neg,
  eq: OP.f32_eq,
  ne: OP.f32_ne,
  lt: OP.f32_lt,
  le: OP.f32_le,
  constant: f32const,
  smallestNormalHigh: 0x0080_0000,
  infinityHigh: 0x7f80_0000,
};

export const DOUBLE: Format = {
  type: 'f64',
  add: OP.f64_add,
  sub: OP.f64_sub,
  mul: OP.f64_mul,
  div: OP.f64_div,
  sqrt: OP.f64_sqrt,
  min: OP.f64_min,
  max: OP.f64_max,
  abs: OP.f64_abs,
  neg: OP.f64_neg,
  eq: OP.f64_eq,
  ne: OP.f64_ne,
  lt: OP.f64_lt,
  le: OP.f64_le,
  constant: f64const,
  smallestNormalHigh: 0x0010_0000,
  infinityHigh: 0x7ff0_0000,
};

export const both = (a: Code, b: Code): Code => a + b + OP.i32_and;
export const either = (a: Code, b: Code): Code => a + b + OP.i32_or;
export const not = (a: Code): Code => a + OP.i32_eqz;

/** i64 constants: the NaN box, and the sign of a double. */
export const BOX: Code = `${OP.i64_const}\x80\x80\x80\x80\x70`;
export const SIGN_64: Code = `${OP.i64_const}\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f`;

export const promote = (a: Code): Code => a + OP.f64_promote_f32;

/** Emits for one instruction in one format, the format of its operands unless a row mixes two. */
export class FloatCode {
  readonly host: FloatHost;
  readonly f: Format;

  constructor(host: FloatHost, f: Format) {
    this.host = host;
    this.f = f;
  }

  let(type: ValueType, code: Code): Code {
    const local = this.host.take(type);
    this.host.emit(code + set(local));
    return get(local);
  }

  /** if (condition) { then }, which is not to be expected. */
  unlikely(condition: Code, then: () => void): void {
    this.host.emit(condition);
    this.host.expectNot();
    this.host.emit(OP.if + VOID);
    then();
    this.host.emit(OP.end);
  }

  /** if (condition) { then } else { otherwise }; both get the new depth. */
  branch(condition: Code, then: () => void, otherwise?: () => void): void {
    this.host.emit(condition + OP.if + VOID);
    then();
    if (otherwise) {
      this.host.emit(OP.else);
      otherwise();
    }
    this.host.emit(OP.end);
  }

  // Admission

  /** Gives up when one of them is not zero; an empty one is known to be. */
  #refuse(...conditions: readonly Code[]): void {
    const unknown = conditions.filter((c) => c.length > 0);
    if (unknown.length > 0) this.host.bailIf(unknown.reduce(either));
  }

  /** FS is dirty; for rows without a rounding mode. */
  admit(): void {
    this.#refuse(this.host.notDirty);
  }

  /** FS is dirty and the mode in force is RNE. */
  admitNearest(): void {
    this.#refuse(this.host.notNearest, this.host.notDirty);
  }

  /** FS is dirty and the mode in force is not reserved; for conversions that are always exact. */
  admitAnyMode(): void {
    this.#refuse(this.host.reservedMode, this.host.notDirty);
  }

  /** FS is dirty and the instruction says RTZ. */
  admitTruncation(): void {
    this.#refuse(this.host.notTruncating, this.host.notDirty);
  }

  // Operands and results

  /** The operands; singles must be NaN-boxed. */
  operands(count: 1 | 2 | 3): Code[] {
    const numbers = ([1, 2, 3] as const).slice(0, count);
    if (this.f === SINGLE) {
      const unknown = numbers.map((n) => this.host.high(n)).filter((c) => c.length > 0);
      if (unknown.length > 0) this.host.bailIf(unknown.reduce(both) + i32const(-1) + OP.i32_ne);
    }
    return numbers.map((n) => this.let(this.f.type, this.host.number(n, this.f.type)));
  }

  write(value: Code): void {
    this.host.setNumber(this.f.type, value);
  }

  // Conditions

  op(operator: Code, a: Code, b: Code): Code {
    return a + b + operator;
  }

  isZero(a: Code): Code {
    return this.op(this.f.eq, a, this.f.constant(0));
  }

  /** The word with the sign and the exponent, twice: without the sign. (Of a double one bit more, which even bounds do not see.) */
  #doubledHigh(a: Code): Code {
    return this.f === SINGLE
      ? a + OP.i32_reinterpret_f32 + i32const(1) + OP.i32_shl
      : a + OP.i64_reinterpret_f64 + OP.i64_const + byte(31) + OP.i64_shr_u + OP.i32_wrap_i64;
  }

  /** Finite; false for NaN. In integers: that is half of what comparing floats costs here. */
  isFinite(a: Code): Code {
    return this.#doubledHigh(a) + i32const(this.f.infinityHigh << 1) + OP.i32_lt_u;
  }

  /**
   * Finite and above the smallest normal number: such a result was not tiny after rounding. (Of doubles, some more just above it are
   * left out.)
   */
  isNormal(a: Code): Code {
    const { smallestNormalHigh, infinityHigh } = this.f;
    const least = (smallestNormalHigh + 1) << 1;
    const range = ((infinityHigh << 1) - least) | 0;
    return this.#doubledHigh(a) + i32const(least) + OP.i32_sub + i32const(range) + OP.i32_lt_u;
  }

  unlessInexactAccrued(then: () => void): void {
    const { inexactAccrued } = this.host;
    if (inexactAccrued !== undefined) this.branch(not(inexactAccrued), then);
  }

  /** Unless NX is accrued, gives up when the result is not shown to be exact. */
  requireExact(isExact: () => Code): void {
    this.unlessInexactAccrued(() => {
      this.host.bailIf(not(isExact()), 1);
    });
  }

  /** errorFree.ts: sumError. The format is that of the operands, `f` by default. */
  sumError(a: Code, b: Code, sum: Code, f: Format = this.f): Code {
    const bRounded = this.let(f.type, this.op(f.sub, sum, a));
    const left = this.op(f.sub, a, this.op(f.sub, sum, bRounded));
    return this.op(f.add, left, this.op(f.sub, b, bRounded));
  }

  /** Two doubles whose product has at most 52 bits: the last 27 bits of each are zero. */
  areShort(lowA: Code, lowB: Code): Code {
    return either(lowA, lowB) + i32const(0x7ff_ffff) + OP.i32_and + OP.i32_eqz;
  }

  /** root * factor = product exactly, by a sufficient condition that is cheap. */
  multipliesBack(r: Code, b: Code, lowB: Code, product: Code): Code {
    if (this.f === SINGLE)
      return this.op(OP.f64_eq, this.op(OP.f64_mul, promote(r), promote(b)), promote(product));
    const low = r + OP.i64_reinterpret_f64 + OP.i32_wrap_i64;
    // Where the product might lose bits below the smallest subnormal, the comparison would not tell.
    const inRange = this.op(OP.f64_lt, f64const(2 ** -960), product + OP.f64_abs);
    return both(
      both(this.areShort(low, lowB), inRange),
      this.op(OP.f64_eq, this.op(OP.f64_mul, r, b), product),
    );
  }
}
