/**
 * The vocabulary of inlineFloat.ts: operators of both formats, when an instruction may be settled inline, operands,
 * results, and the conditions under which a result and its flags are certain.
 */
import * as layout from '../layout.ts';
import type { Type } from '../isa/builder.ts';
import { OP } from '../wasm/opcodes.ts';
import { get, i32const, loadState, memoryOp, set } from './emitter.ts';

/** WebAssembly code that leaves a value. */
export type Code = readonly number[];

/** Where the operands are and how to give up: what a tier lends to this file. */
export interface FloatHost {
  /** Byte offset of f[rs1], f[rs2], f[rs3] in the register file. */
  source(n: 1 | 2 | 3): Code;
  /** Byte offset of f[rd] or x[rd]. */
  readonly destination: Code;
  /** The value of x[rs1]. */
  readonly integer: Code;
  /** The rm field. */
  readonly rm: Code;
  take(type: Type): number;
  emit(code: Code): void;
  /** Gives up when the i32 is not zero; `depth`: blocks entered since the handler began. */
  bailIf(condition: Code, depth?: number): void;
}

/** Rounding mode fields. RNE is 0, so any mode in force that is not 0 is a reason to give up. */
const RTZ = 1;
const DYN = 7;
const LAST_MODE = 4;

export function f64const(value: number): number[] {
  return [OP.f64_const, ...new Uint8Array(new Float64Array([value]).buffer)];
}

function f32const(value: number): number[] {
  return [OP.f32_const, ...new Uint8Array(new Float32Array([value]).buffer)];
}

/** The operators of one format. */
export interface Format {
  readonly type: 'f32' | 'f64';
  readonly load: number;
  readonly add: number;
  readonly sub: number;
  readonly mul: number;
  readonly div: number;
  readonly sqrt: number;
  readonly min: number;
  readonly max: number;
  readonly abs: number;
  readonly neg: number;
  readonly eq: number;
  readonly ne: number;
  readonly lt: number;
  readonly le: number;
  readonly constant: (value: number) => Code;
  readonly smallestNormal: number;
}

export const SINGLE: Format = {
  type: 'f32',
  load: OP.f32_load,
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
  smallestNormal: 2 ** -126,
};

export const DOUBLE: Format = {
  type: 'f64',
  load: OP.f64_load,
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
  smallestNormal: 2 ** -1022,
};

export const both = (a: Code, b: Code): Code => [...a, ...b, OP.i32_and];
export const either = (a: Code, b: Code): Code => [...a, ...b, OP.i32_or];
export const not = (a: Code): Code => [...a, OP.i32_eqz];

/** i64 constants: the NaN box, and the sign of a double. */
export const BOX: Code = [OP.i64_const, 0x80, 0x80, 0x80, 0x80, 0x70];
export const SIGN_64: Code = [OP.i64_const, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];

export const promote = (a: Code): Code => [...a, OP.f64_promote_f32];

/** Whether NX is accrued. */
export const NX_ACCRUED: Code = [...loadState(layout.FCSR), ...i32const(1), OP.i32_and];

/** Emits for one instruction in one format, the format of its operands unless a row mixes two. */
export class FloatCode {
  readonly host: FloatHost;
  readonly f: Format;

  constructor(host: FloatHost, f: Format) {
    this.host = host;
    this.f = f;
  }

  let(type: Type, code: Code): Code {
    const local = this.host.take(type);
    this.host.emit([...code, ...set(local)]);
    return get(local);
  }

  /** if (condition) { then } else { otherwise }; both get the new depth. */
  branch(condition: Code, then: () => void, otherwise?: () => void): void {
    this.host.emit([...condition, OP.if, 0x40]);
    then();
    if (otherwise) {
      this.host.emit([OP.else]);
      otherwise();
    }
    this.host.emit([OP.end]);
  }

  // Admission

  get #mode(): Code {
    const frm = [...loadState(layout.FCSR), ...i32const(5), OP.i32_shr_u];
    const isDynamic = [...this.host.rm, ...i32const(DYN), OP.i32_eq];
    return [...frm, ...this.host.rm, ...isDynamic, OP.select];
  }

  get #notDirty(): Code {
    return [...loadState(layout.FS), ...i32const(3), OP.i32_xor];
  }

  /** FS is dirty; for rows without a rounding mode. */
  admit(): void {
    this.host.bailIf(this.#notDirty);
  }

  /** FS is dirty and the mode in force is RNE. */
  admitNearest(): void {
    this.host.bailIf(either(this.#mode, this.#notDirty));
  }

  /** FS is dirty and the mode in force is not reserved; for conversions that are always exact. */
  admitAnyMode(): void {
    this.host.bailIf(either([...this.#mode, ...i32const(LAST_MODE), OP.i32_gt_u], this.#notDirty));
  }

  /** FS is dirty and the instruction says RTZ. */
  admitTruncation(): void {
    this.host.bailIf(either([...this.host.rm, ...i32const(RTZ), OP.i32_xor], this.#notDirty));
  }

  // Operands and results

  #high(n: 1 | 2 | 3): Code {
    return [...this.host.source(n), ...memoryOp(OP.i32_load, 2, layout.F + 4)];
  }

  /** The low word of f[rsN]. */
  low(n: 1 | 2 | 3): Code {
    return [...this.host.source(n), ...memoryOp(OP.i32_load, 2, layout.F)];
  }

  raw(n: 1 | 2 | 3): Code {
    return [...this.host.source(n), ...memoryOp(OP.i64_load, 3, layout.F)];
  }

  /** The operands; singles must be NaN-boxed. */
  operands(count: 1 | 2 | 3): Code[] {
    const numbers = ([1, 2, 3] as const).slice(0, count);
    if (this.f === SINGLE) {
      const boxes = numbers.map((n) => this.#high(n)).reduce(both);
      this.host.bailIf([...boxes, ...i32const(-1), OP.i32_ne]);
    }
    const align = this.f === SINGLE ? 2 : 3;
    return numbers.map((n) =>
      this.let(this.f.type, [...this.host.source(n), ...memoryOp(this.f.load, align, layout.F)]),
    );
  }

  writeRaw(value: Code): void {
    this.host.emit([...this.host.destination, ...value, ...memoryOp(OP.i64_store, 3, layout.F)]);
  }

  /** One 64-bit store, so that the next load of the register is forwarded whole. */
  write(value: Code): void {
    if (this.f === SINGLE)
      this.writeRaw([...value, OP.i32_reinterpret_f32, OP.i64_extend_i32_u, ...BOX, OP.i64_or]);
    else this.host.emit([...this.host.destination, ...value, ...memoryOp(OP.f64_store, 3, layout.F)]);
  }

  writeInteger(value: Code): void {
    this.host.emit([...this.host.destination, ...value, ...memoryOp(OP.i32_store, 2, layout.X)]);
  }

  // Conditions

  op(operator: number, a: Code, b: Code): Code {
    return [...a, ...b, operator];
  }

  isZero(a: Code): Code {
    return this.op(this.f.eq, a, this.f.constant(0));
  }

  /** Finite; false for NaN. */
  isFinite(a: Code): Code {
    return this.op(this.f.lt, [...a, this.f.abs], this.f.constant(Infinity));
  }

  /** Finite and strictly above the smallest normal number: such a result was not tiny after rounding. */
  isNormal(a: Code): Code {
    const above = this.op(this.f.lt, this.f.constant(this.f.smallestNormal), [...a, this.f.abs]);
    return both(above, this.isFinite(a));
  }

  /** Unless NX is accrued, gives up when the result is not shown to be exact. */
  requireExact(isExact: () => Code): void {
    this.branch(not(NX_ACCRUED), () => {
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
    return [...either(lowA, lowB), ...i32const(0x7ff_ffff), OP.i32_and, OP.i32_eqz];
  }

  /** root * factor = product exactly, by a sufficient condition that is cheap. */
  multipliesBack(r: Code, b: Code, lowB: Code, product: Code): Code {
    if (this.f === SINGLE)
      return this.op(OP.f64_eq, this.op(OP.f64_mul, promote(r), promote(b)), promote(product));
    const low = [...r, OP.i64_reinterpret_f64, OP.i32_wrap_i64];
    // Where the product might lose bits below the smallest subnormal, the comparison would not tell.
    const inRange = this.op(OP.f64_lt, f64const(2 ** -960), [...product, OP.f64_abs]);
    return both(
      both(this.areShort(low, lowB), inRange),
      this.op(OP.f64_eq, this.op(OP.f64_mul, r, b), product),
    );
  }
}
