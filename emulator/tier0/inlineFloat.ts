/**
 * The inline code of F and D: host arithmetic where it provably gives the architectural result and flags.
 *
 * Every handler either settles its instruction or bails out before anything has changed; `fp/` then executes it.
 * It settles in round-to-nearest-even, with FS dirty (so that both ways leave the same FS), when
 *   - NX is already accrued and the result is normal (or exact by nature: a zero or subnormal sum, 0 * x, 0 / x), or
 *   - NX is clear and the result is shown to be exact: an error term is zero, or the factors are short.
 * So at most one instruction between two clearings of NX bails out for being the first inexact one.
 * It never settles an arithmetic NaN, whose payload WebAssembly leaves open. The proofs are in fp/errorFree.ts,
 * fp/single.ts and fp/double.ts. Not here: fclass, and the modes other than RNE (conversions to integer: RTZ).
 */
import * as layout from '../layout.ts';
import type { Type, Value } from '../isa/builder.ts';
import { OP } from '../wasm/opcodes.ts';
import { get, i32const, loadState, memoryOp, set } from './emitter.ts';

type Code = readonly number[];

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

function f64const(value: number): number[] {
  return [OP.f64_const, ...new Uint8Array(new Float64Array([value]).buffer)];
}

function f32const(value: number): number[] {
  return [OP.f32_const, ...new Uint8Array(new Float32Array([value]).buffer)];
}

/** The operators of one format. */
interface Format {
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

const SINGLE: Format = {
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

const DOUBLE: Format = {
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

const both = (a: Code, b: Code): Code => [...a, ...b, OP.i32_and];
const either = (a: Code, b: Code): Code => [...a, ...b, OP.i32_or];
const not = (a: Code): Code => [...a, OP.i32_eqz];

/** i64 constants: the NaN box, and the sign of a double. */
const BOX: Code = [OP.i64_const, 0x80, 0x80, 0x80, 0x80, 0x70];
const SIGN_64: Code = [OP.i64_const, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];

/** Widens a single, leaves a double. */
const wide = (f: Format, a: Code): Code => (f === SINGLE ? [...a, OP.f64_promote_f32] : a);
const promote = (a: Code): Code => [...a, OP.f64_promote_f32];

class Inline {
  readonly host: FloatHost;
  readonly f: Format;

  constructor(host: FloatHost, f: Format) {
    this.host = host;
    this.f = f;
  }

  let(type: Value<Type>['type'], code: Code): Code {
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
    this.branch(not([...loadState(layout.FCSR), ...i32const(1), OP.i32_and]), () => {
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

  // Instructions

  addition(operator: number): void {
    this.admitNearest();
    const [a, b] = this.operands(2) as [Code, Code];
    const r = this.let(this.f.type, this.op(operator, a, b));
    this.host.bailIf(not(this.isFinite(r)));
    this.requireExact(() => {
      const addend = operator === this.f.add ? b : this.let(this.f.type, [...b, this.f.neg]);
      return this.isZero(this.sumError(a, addend, r));
    });
    this.write(r);
  }

  multiplication(): void {
    this.admitNearest();
    const [a, b] = this.operands(2) as [Code, Code];
    const r = this.let(this.f.type, this.op(this.f.mul, a, b));
    this.branch(not(this.isNormal(r)), () => {
      this.host.bailIf(not(both(this.isZero(r), either(this.isZero(a), this.isZero(b)))), 1);
    });
    this.requireExact(() =>
      this.f === SINGLE
        ? this.op(OP.f64_eq, this.op(OP.f64_mul, promote(a), promote(b)), promote(r))
        : this.areShort(this.low(1), this.low(2)),
    );
    this.write(r);
  }

  division(): void {
    this.admitNearest();
    const [a, b] = this.operands(2) as [Code, Code];
    const r = this.let(this.f.type, this.op(this.f.div, a, b));
    this.branch(not(this.isNormal(r)), () => {
      this.host.bailIf(not(both(this.isZero(r), this.isZero(a))), 1);
    });
    this.requireExact(() => this.multipliesBack(r, b, this.low(2), a));
    this.write(r);
  }

  squareRoot(): void {
    this.admitNearest();
    const [a] = this.operands(1) as [Code];
    const r = this.let(this.f.type, [...a, this.f.sqrt]);
    this.host.bailIf(not(this.isFinite(r)));
    this.requireExact(() => this.multipliesBack(r, r, i32const(0), a));
    this.write(r);
  }

  signInjection(kind: 'copy' | 'negate' | 'xor'): void {
    this.admit();
    if (this.f === SINGLE) {
      this.operands(2);
      const a = this.low(1);
      const sign = [...this.low(2), ...i32const(-0x8000_0000), OP.i32_and];
      const magnitude = [...a, ...i32const(0x7fff_ffff), OP.i32_and];
      const flipped = [...sign, ...i32const(-0x8000_0000), OP.i32_xor];
      const result =
        kind === 'xor' ? [...a, ...sign, OP.i32_xor] : either(magnitude, kind === 'copy' ? sign : flipped);
      this.writeRaw([...result, OP.i64_extend_i32_u, ...BOX, OP.i64_or]);
      return;
    }
    const a = this.raw(1);
    const sign = [...this.raw(2), ...SIGN_64, OP.i64_and];
    const magnitude = [...a, OP.i64_const, 0x7f, ...SIGN_64, OP.i64_xor, OP.i64_and];
    const flipped = [...sign, ...SIGN_64, OP.i64_xor];
    if (kind === 'xor') this.writeRaw([...a, ...sign, OP.i64_xor]);
    else this.writeRaw([...magnitude, ...(kind === 'copy' ? sign : flipped), OP.i64_or]);
  }

  /** Two operands that are not NaN. */
  #ordered(): [Code, Code] {
    this.admit();
    const [a, b] = this.operands(2) as [Code, Code];
    this.host.bailIf(either(this.op(this.f.ne, a, a), this.op(this.f.ne, b, b)));
    return [a, b];
  }

  /** WebAssembly's min and max order the zeros as RISC-V does. */
  extremum(operator: number): void {
    this.write(this.op(operator, ...this.#ordered()));
  }

  comparison(operator: number): void {
    this.writeInteger(this.op(operator, ...this.#ordered()));
  }

  toInteger(min: number, max: number, convert: number): void {
    this.admitTruncation();
    const [a] = this.operands(1) as [Code];
    const x = this.let('f64', wide(this.f, a));
    const t = this.let('f64', [...x, OP.f64_trunc]);
    const inRange = both(this.op(OP.f64_le, f64const(min), t), this.op(OP.f64_le, t, f64const(max)));
    this.host.bailIf(not(inRange));
    this.requireExact(() => this.op(OP.f64_eq, x, t));
    this.writeInteger([...t, convert]);
  }

  /** Integer to single; every integer is exact as a double. */
  toSingle(toFloat: number, toDouble: number): void {
    this.admitNearest();
    const x = this.let('i32', this.host.integer);
    const r = this.let('f32', [...x, toFloat]);
    this.requireExact(() => this.op(OP.f64_eq, promote(r), [...x, toDouble]));
    this.write(r);
  }

  toDouble(toDouble: number): void {
    this.admitAnyMode();
    this.write([...this.host.integer, toDouble]);
  }
}

/** fcvt.s.d: `one` is the format of the result. */
function narrow(host: FloatHost): void {
  const from = new Inline(host, DOUBLE);
  const to = new Inline(host, SINGLE);
  from.admitNearest();
  const [a] = from.operands(1) as [Code];
  const r = to.let('f32', [...a, OP.f32_demote_f64]);
  from.branch(from.op(OP.f64_ne, promote(r), a), () => {
    const accrued = [...loadState(layout.FCSR), ...i32const(1), OP.i32_and];
    host.bailIf(not(both(accrued, to.isNormal(r))), 1);
  });
  to.write(r);
}

function widen(host: FloatHost): void {
  const from = new Inline(host, SINGLE);
  from.admitAnyMode();
  const [a] = from.operands(1) as [Code];
  host.bailIf(from.op(OP.f32_ne, a, a));
  new Inline(host, DOUBLE).write(promote(a));
}

/** a * b + c in double precision: the product is exact, and so is its rounding but for ties of an inexact sum. */
function fusedSingle(host: FloatHost, negateProduct: boolean, negateC: boolean): void {
  const s = new Inline(host, SINGLE);
  s.admitNearest();
  const [a, b, c] = s.operands(3) as [Code, Code, Code];
  const sign = (negate: boolean, code: Code): Code => (negate ? [...code, OP.f64_neg] : code);
  const product = s.let('f64', sign(negateProduct, s.op(OP.f64_mul, promote(a), promote(b))));
  const addend = s.let('f64', sign(negateC, promote(c)));
  const sum = s.let('f64', s.op(OP.f64_add, product, addend));
  const r = s.let('f32', [...sum, OP.f32_demote_f64]);
  host.bailIf(not(either(s.isNormal(r), s.op(OP.f64_eq, sum, f64const(0)))));
  const isExactSum = (): Code => s.op(OP.f64_eq, s.sumError(product, addend, sum, DOUBLE), f64const(0));
  // Halfway between two singles: 1 followed by zeros in the 29 bits that are dropped.
  const dropped = [...sum, OP.i64_reinterpret_f64, OP.i32_wrap_i64, ...i32const(0x1fff_ffff), OP.i32_and];
  s.branch(s.op(OP.i32_eq, dropped, i32const(0x1000_0000)), () => host.bailIf(not(isExactSum()), 1));
  s.requireExact(() => both(isExactSum(), s.op(OP.f64_eq, promote(r), sum)));
  s.write(r);
}

/** fp/errorFree.ts: the two halves of a significand. */
function split(d: Inline, a: Code): [Code, Code] {
  const scaled = d.let('f64', d.op(OP.f64_mul, a, f64const(2 ** 27 + 1)));
  const high = d.let('f64', d.op(OP.f64_sub, scaled, d.op(OP.f64_sub, scaled, a)));
  return [high, d.let('f64', d.op(OP.f64_sub, a, high))];
}

/** fp/errorFree.ts: productError. Overflow in the splitting makes it NaN, and the result with it. */
function productError(d: Inline, a: Code, b: Code, product: Code): Code {
  const [aHigh, aLow] = split(d, a);
  const [bHigh, bLow] = split(d, b);
  const times = (x: Code, y: Code): Code => d.op(OP.f64_mul, x, y);
  const rest = [times(aHigh, bHigh), times(aLow, bHigh), times(aHigh, bLow)];
  return d.op(
    OP.f64_sub,
    times(aLow, bLow),
    rest.reduce((left, part) => d.op(OP.f64_sub, left, part), product),
  );
}

/** fp/errorFree.ts: roundToOdd of a sum whose error is not zero; the pattern of an even one moves by one. */
function roundToOdd(d: Inline, sum: Code, error: Code): Code {
  const bits = [...sum, OP.i64_reinterpret_f64];
  const positive = (x: Code): Code => d.op(OP.f64_lt, f64const(0), x);
  const outward = [...positive(error), ...positive(sum), OP.i32_eq];
  const direction = [OP.i64_const, 1, OP.i64_const, 0x7f, ...outward, OP.select];
  const isEven = [...bits, OP.i64_const, 1, OP.i64_and, OP.i64_eqz, OP.i64_extend_i32_u];
  return [...bits, ...direction, ...isEven, OP.i64_mul, OP.i64_add, OP.f64_reinterpret_i64];
}

/** Boldo and Melquiond's fused multiply-add, as in fp/double.ts. */
function fusedDouble(host: FloatHost, negateProduct: boolean, negateC: boolean): void {
  const d = new Inline(host, DOUBLE);
  d.admitNearest();
  const operands = d.operands(3) as [Code, Code, Code];
  const b = operands[1];
  const a = negateProduct ? d.let('f64', [...operands[0], OP.f64_neg]) : operands[0];
  const c = negateC ? d.let('f64', [...operands[2], OP.f64_neg]) : operands[2];
  const product = d.let('f64', d.op(OP.f64_mul, a, b));
  const size: Code = [...product, OP.f64_abs];
  const inRange = both(
    d.op(OP.f64_le, f64const(2 ** -960), size),
    d.op(OP.f64_le, size, f64const(2 ** 1000)),
  );
  const result = host.take('f64');
  d.branch(
    inRange,
    () => {
      const productLow = d.let('f64', productError(d, a, b, product));
      const tail = d.let('f64', d.op(OP.f64_add, c, productLow));
      const tailLow = d.let('f64', d.sumError(c, productLow, tail));
      const head = d.let('f64', d.op(OP.f64_add, product, tail));
      const headLow = d.let('f64', d.sumError(product, tail, head));
      const low = host.take('f64');
      host.emit([...d.op(OP.f64_add, tailLow, headLow), ...set(low)]);
      const lowError = d.let('f64', d.sumError(tailLow, headLow, get(low)));
      d.branch(not(d.isZero(lowError)), () => {
        host.emit([...roundToOdd(d, get(low), lowError), ...set(low)]);
      });
      host.emit([...d.op(OP.f64_add, head, get(low)), ...set(result)]);
      const accrued = [...loadState(layout.FCSR), ...i32const(1), OP.i32_and];
      d.branch(not(accrued), () => {
        const exact = both(d.isZero(lowError), d.isZero(d.sumError(head, get(low), get(result))));
        host.bailIf(not(exact), 2);
      });
    },
    () => {
      host.bailIf(not(both(d.isZero(product), either(d.isZero(a), d.isZero(b)))), 1);
      host.emit([...d.op(OP.f64_add, product, c), ...set(result)]);
    },
  );
  host.bailIf(not(d.isFinite(get(result))));
  d.write(get(result));
}

type Generator = (host: FloatHost) => void;

function ofFormat(f: Format, suffix: string): Record<string, Generator> {
  const rows: Record<string, (i: Inline) => void> = {
    fadd: (i) => i.addition(f.add),
    fsub: (i) => i.addition(f.sub),
    fmul: (i) => i.multiplication(),
    fdiv: (i) => i.division(),
    fsqrt: (i) => i.squareRoot(),
    fsgnj: (i) => i.signInjection('copy'),
    fsgnjn: (i) => i.signInjection('negate'),
    fsgnjx: (i) => i.signInjection('xor'),
    fmin: (i) => i.extremum(f.min),
    fmax: (i) => i.extremum(f.max),
    feq: (i) => i.comparison(f.eq),
    flt: (i) => i.comparison(f.lt),
    fle: (i) => i.comparison(f.le),
    'fcvt.w': (i) => i.toInteger(-(2 ** 31), 2 ** 31 - 1, OP.i32_trunc_f64_s),
    'fcvt.wu': (i) => i.toInteger(0, 2 ** 32 - 1, OP.i32_trunc_f64_u),
  };
  return Object.fromEntries(
    Object.entries(rows).map(([stem, generate]) => [
      `${stem}.${suffix}`,
      (host) => generate(new Inline(host, f)),
    ]),
  );
}

const generators: Readonly<Record<string, Generator>> = {
  ...ofFormat(SINGLE, 's'),
  ...ofFormat(DOUBLE, 'd'),
  'fmadd.s': (host) => fusedSingle(host, false, false),
  'fmsub.s': (host) => fusedSingle(host, false, true),
  'fnmsub.s': (host) => fusedSingle(host, true, false),
  'fnmadd.s': (host) => fusedSingle(host, true, true),
  'fmadd.d': (host) => fusedDouble(host, false, false),
  'fmsub.d': (host) => fusedDouble(host, false, true),
  'fnmsub.d': (host) => fusedDouble(host, true, false),
  'fnmadd.d': (host) => fusedDouble(host, true, true),
  'fcvt.s.w': (host) => new Inline(host, SINGLE).toSingle(OP.f32_convert_i32_s, OP.f64_convert_i32_s),
  'fcvt.s.wu': (host) => new Inline(host, SINGLE).toSingle(OP.f32_convert_i32_u, OP.f64_convert_i32_u),
  'fcvt.d.w': (host) => new Inline(host, DOUBLE).toDouble(OP.f64_convert_i32_s),
  'fcvt.d.wu': (host) => new Inline(host, DOUBLE).toDouble(OP.f64_convert_i32_u),
  'fcvt.s.d': narrow,
  'fcvt.d.s': widen,
  'fmv.x.w': (host) => {
    const i = new Inline(host, SINGLE);
    i.admit();
    i.writeInteger(i.low(1));
  },
  'fmv.w.x': (host) => {
    const i = new Inline(host, SINGLE);
    i.admit();
    i.writeRaw([...host.integer, OP.i64_extend_i32_u, ...BOX, OP.i64_or]);
  },
};

/** Generates the inline code of a row of the helper table. false: it has none. */
export function inlineFloat(name: string, host: FloatHost): boolean {
  const generate = generators[name];
  generate?.(host);
  return generate !== undefined;
}
