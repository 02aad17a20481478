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
import { get, i32const, set } from './emitter.ts';
import {
  BOX,
  both,
  DOUBLE,
  either,
  f64const,
  FloatCode,
  not,
  promote,
  SIGN_64,
  SINGLE,
} from './floatCode.ts';
import type { FloatHost, Format } from './floatCode.ts';
import { fusedMultiplyAdd, lane, negate } from './lanes.ts';
import { byte, type Code } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

function addition(c: FloatCode, operator: Code): void {
  c.admitNearest();
  const [a, b] = c.operands(2) as [Code, Code];
  const r = c.let(c.f.type, c.op(operator, a, b));
  c.host.bailIf(not(c.isFinite(r)));
  c.requireExact(() => {
    const addend = operator === c.f.add ? b : c.let(c.f.type, b + c.f.neg);
    return c.isZero(c.sumError(a, addend, r));
  });
  c.write(r);
}

function multiplication(c: FloatCode): void {
  c.admitNearest();
  const [a, b] = c.operands(2) as [Code, Code];
  const r = c.let(c.f.type, c.op(c.f.mul, a, b));
  c.unlikely(not(c.isNormal(r)), () => {
    c.host.bailIf(not(both(c.isZero(r), either(c.isZero(a), c.isZero(b)))), 1);
  });
  c.requireExact(() =>
    c.f === SINGLE
      ? c.op(OP.f64_eq, c.op(OP.f64_mul, promote(a), promote(b)), promote(r))
      : c.areShort(c.host.low(1), c.host.low(2)),
  );
  c.write(r);
}

function division(c: FloatCode): void {
  c.admitNearest();
  const [a, b] = c.operands(2) as [Code, Code];
  const r = c.let(c.f.type, c.op(c.f.div, a, b));
  c.unlikely(not(c.isNormal(r)), () => {
    c.host.bailIf(not(both(c.isZero(r), c.isZero(a))), 1);
  });
  c.requireExact(() => c.multipliesBack(r, b, c.host.low(2), a));
  c.write(r);
}

function squareRoot(c: FloatCode): void {
  c.admitNearest();
  const [a] = c.operands(1) as [Code];
  const r = c.let(c.f.type, a + c.f.sqrt);
  c.host.bailIf(not(c.isFinite(r)));
  c.requireExact(() => c.multipliesBack(r, r, i32const(0), a));
  c.write(r);
}

function signInjection(c: FloatCode, kind: 'copy' | 'negate' | 'xor'): void {
  c.admit();
  if (c.f === SINGLE) {
    c.operands(2);
    const a = c.host.low(1);
    const sign = c.host.low(2) + i32const(-0x8000_0000) + OP.i32_and;
    const magnitude = a + i32const(0x7fff_ffff) + OP.i32_and;
    const flipped = sign + i32const(-0x8000_0000) + OP.i32_xor;
    const result =
      kind === 'xor' ? a + sign + OP.i32_xor : either(magnitude, kind === 'copy' ? sign : flipped);
    c.host.setBits(result + OP.i64_extend_i32_u + BOX + OP.i64_or);
    return;
  }
  const a = c.host.bits(1);
  const sign = c.host.bits(2) + SIGN_64 + OP.i64_and;
  const magnitude = a + OP.i64_const + byte(0x7f) + SIGN_64 + OP.i64_xor + OP.i64_and;
  const flipped = sign + SIGN_64 + OP.i64_xor;
  if (kind === 'xor') c.host.setBits(a + sign + OP.i64_xor);
  else c.host.setBits(magnitude + (kind === 'copy' ? sign : flipped) + OP.i64_or);
}

/** Two operands that are not NaN. */
function ordered(c: FloatCode): [Code, Code] {
  c.admit();
  const [a, b] = c.operands(2) as [Code, Code];
  c.host.bailIf(either(c.op(c.f.ne, a, a), c.op(c.f.ne, b, b)));
  return [a, b];
}

/** WebAssembly's min and max order the zeros as RISC-V does. */
function extremum(c: FloatCode, operator: Code): void {
  c.write(c.op(operator, ...ordered(c)));
}

function comparison(c: FloatCode, operator: Code): void {
  c.host.setInteger(c.op(operator, ...ordered(c)));
}

function toInteger(c: FloatCode, min: number, max: number, convert: Code): void {
  c.admitTruncation();
  const [a] = c.operands(1) as [Code];
  const x = c.f === SINGLE ? c.let('f64', promote(a)) : a;
  const t = c.let('f64', x + OP.f64_trunc);
  const inRange = both(c.op(OP.f64_le, f64const(min), t), c.op(OP.f64_le, t, f64const(max)));
  c.host.bailIf(not(inRange));
  c.requireExact(() => c.op(OP.f64_eq, x, t));
  c.host.setInteger(t + convert);
}

/** Integer to single; every integer is exact as a double. */
function toSingle(c: FloatCode, convert: Code, toExact: Code): void {
  c.admitNearest();
  const x = c.let('i32', c.host.integer);
  const r = c.let('f32', x + convert);
  c.requireExact(() => c.op(OP.f64_eq, promote(r), x + toExact));
  c.write(r);
}

/** Integer to double: always exact. */
function toDouble(c: FloatCode, convert: Code): void {
  c.admitAnyMode();
  c.write(c.host.integer + convert);
}

function narrow(host: FloatHost): void {
  const from = new FloatCode(host, DOUBLE);
  const to = new FloatCode(host, SINGLE);
  from.admitNearest();
  const [a] = from.operands(1) as [Code];
  const r = to.let('f32', a + OP.f32_demote_f64);
  from.branch(from.op(OP.f64_ne, promote(r), a), () => {
    const normal = to.isNormal(r);
    host.bailIf(not(host.inexactAccrued === undefined ? normal : both(host.inexactAccrued, normal)), 1);
  });
  to.write(r);
}

function widen(host: FloatHost): void {
  const from = new FloatCode(host, SINGLE);
  from.admitAnyMode();
  const [a] = from.operands(1) as [Code];
  host.bailIf(from.op(OP.f32_ne, a, a));
  new FloatCode(host, DOUBLE).write(promote(a));
}

/** a * b + c by the host's own instruction, where NX is accrued. */
function fusedByHost(host: FloatHost, format: Format, negateProduct: boolean, negateC: boolean): void {
  const f = new FloatCode(host, format);
  f.admitNearest();
  const { type } = format;
  const [a, b] = f.operands(3) as [Code, Code, Code];
  const c = host.lanes(3, type);
  const lanes = f.let(
    'v128',
    fusedMultiplyAdd(
      type,
      negateProduct,
      host.lanes(1, type),
      host.lanes(2, type),
      negateC ? negate(type, c) : c,
    ),
  );
  const r = f.let(type, lane(type, lanes));
  // A result that is not normal is known to be exact where the product is zero.
  f.unlikely(not(f.isNormal(r)), () => {
    host.bailIf(not(both(f.isFinite(r), either(f.isZero(a), f.isZero(b)))), 1);
  });
  host.setLanes(type, lanes);
}

/** The way to multiply and add that the host has. */
function fused(format: Format, negateProduct: boolean, negateC: boolean): Generator {
  const inParts = format === SINGLE ? fusedSingle : fusedDouble;
  return (host) => {
    if (host.fuses && host.inexactAccrued === undefined) fusedByHost(host, format, negateProduct, negateC);
    else inParts(host, negateProduct, negateC);
  };
}

/** a * b + c in double precision: the product is exact, and so is its rounding but for ties of an inexact sum. */
function fusedSingle(host: FloatHost, negateProduct: boolean, negateC: boolean): void {
  const s = new FloatCode(host, SINGLE);
  s.admitNearest();
  const [a, b, c] = s.operands(3) as [Code, Code, Code];
  const sign = (negate: boolean, code: Code): Code => (negate ? code + OP.f64_neg : code);
  const product = s.let('f64', sign(negateProduct, s.op(OP.f64_mul, promote(a), promote(b))));
  const addend = s.let('f64', sign(negateC, promote(c)));
  const sum = s.let('f64', s.op(OP.f64_add, product, addend));
  const r = s.let('f32', sum + OP.f32_demote_f64);
  host.bailIf(not(either(s.isNormal(r), s.op(OP.f64_eq, sum, f64const(0)))));
  const isExactSum = (): Code => s.op(OP.f64_eq, s.sumError(product, addend, sum, DOUBLE), f64const(0));
  // Halfway between two singles: 1 followed by zeros in the 29 bits that are dropped.
  const dropped = sum + OP.i64_reinterpret_f64 + OP.i32_wrap_i64 + i32const(0x1fff_ffff) + OP.i32_and;
  s.branch(s.op(OP.i32_eq, dropped, i32const(0x1000_0000)), () => host.bailIf(not(isExactSum()), 1));
  s.requireExact(() => both(isExactSum(), s.op(OP.f64_eq, promote(r), sum)));
  s.write(r);
}

/** fp/errorFree.ts: the two halves of a significand. */
function split(d: FloatCode, a: Code): [Code, Code] {
  const scaled = d.let('f64', d.op(OP.f64_mul, a, f64const(2 ** 27 + 1)));
  const high = d.let('f64', d.op(OP.f64_sub, scaled, d.op(OP.f64_sub, scaled, a)));
  return [high, d.let('f64', d.op(OP.f64_sub, a, high))];
}

/** fp/errorFree.ts: productError. Overflow in the splitting makes it NaN, and the result with it. */
function productError(d: FloatCode, a: Code, b: Code, product: Code): Code {
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
function roundToOdd(d: FloatCode, sum: Code, error: Code): Code {
  const bits = sum + OP.i64_reinterpret_f64;
  const positive = (x: Code): Code => d.op(OP.f64_lt, f64const(0), x);
  const outward = positive(error) + positive(sum) + OP.i32_eq;
  const direction = OP.i64_const + byte(1) + OP.i64_const + byte(0x7f) + outward + OP.select;
  const isEven = bits + OP.i64_const + byte(1) + OP.i64_and + OP.i64_eqz + OP.i64_extend_i32_u;
  return bits + direction + isEven + OP.i64_mul + OP.i64_add + OP.f64_reinterpret_i64;
}

/** Boldo and Melquiond's fused multiply-add, as in fp/double.ts. */
function fusedDouble(host: FloatHost, negateProduct: boolean, negateC: boolean): void {
  const d = new FloatCode(host, DOUBLE);
  d.admitNearest();
  const operands = d.operands(3) as [Code, Code, Code];
  const b = operands[1];
  const a = negateProduct ? d.let('f64', operands[0] + OP.f64_neg) : operands[0];
  const c = negateC ? d.let('f64', operands[2] + OP.f64_neg) : operands[2];
  const product = d.let('f64', d.op(OP.f64_mul, a, b));
  const size: Code = product + OP.f64_abs;
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
      host.emit(d.op(OP.f64_add, tailLow, headLow) + set(low));
      const lowError = d.let('f64', d.sumError(tailLow, headLow, get(low)));
      d.branch(not(d.isZero(lowError)), () => {
        host.emit(roundToOdd(d, get(low), lowError) + set(low));
      });
      host.emit(d.op(OP.f64_add, head, get(low)) + set(result));
      d.unlessInexactAccrued(() => {
        const exact = both(d.isZero(lowError), d.isZero(d.sumError(head, get(low), get(result))));
        host.bailIf(not(exact), 2);
      });
    },
    () => {
      host.bailIf(not(both(d.isZero(product), either(d.isZero(a), d.isZero(b)))), 1);
      host.emit(d.op(OP.f64_add, product, c) + set(result));
    },
  );
  host.bailIf(not(d.isFinite(get(result))));
  d.write(get(result));
}

type Generator = (host: FloatHost) => void;

function ofFormat(f: Format, suffix: string): Record<string, Generator> {
  const rows: Record<string, (c: FloatCode) => void> = {
    fadd: (c) => addition(c, f.add),
    fsub: (c) => addition(c, f.sub),
    fmul: (c) => multiplication(c),
    fdiv: (c) => division(c),
    fsqrt: (c) => squareRoot(c),
    fsgnj: (c) => signInjection(c, 'copy'),
    fsgnjn: (c) => signInjection(c, 'negate'),
    fsgnjx: (c) => signInjection(c, 'xor'),
    fmin: (c) => extremum(c, f.min),
    fmax: (c) => extremum(c, f.max),
    feq: (c) => comparison(c, f.eq),
    flt: (c) => comparison(c, f.lt),
    fle: (c) => comparison(c, f.le),
    'fcvt.w': (c) => toInteger(c, -(2 ** 31), 2 ** 31 - 1, OP.i32_trunc_f64_s),
    'fcvt.wu': (c) => toInteger(c, 0, 2 ** 32 - 1, OP.i32_trunc_f64_u),
  };
  return Object.fromEntries(
    Object.entries(rows).map(([stem, generate]) => [
      `${stem}.${suffix}`,
      (host) => generate(new FloatCode(host, f)),
    ]),
  );
}

const generators: Readonly<Record<string, Generator>> = {
  ...ofFormat(SINGLE, 's'),
  ...ofFormat(DOUBLE, 'd'),
  'fmadd.s': fused(SINGLE, false, false),
  'fmsub.s': fused(SINGLE, false, true),
  'fnmsub.s': fused(SINGLE, true, false),
  'fnmadd.s': fused(SINGLE, true, true),
  'fmadd.d': fused(DOUBLE, false, false),
  'fmsub.d': fused(DOUBLE, false, true),
  'fnmsub.d': fused(DOUBLE, true, false),
  'fnmadd.d': fused(DOUBLE, true, true),
  'fcvt.s.w': (host) => toSingle(new FloatCode(host, SINGLE), OP.f32_convert_i32_s, OP.f64_convert_i32_s),
  'fcvt.s.wu': (host) => toSingle(new FloatCode(host, SINGLE), OP.f32_convert_i32_u, OP.f64_convert_i32_u),
  'fcvt.d.w': (host) => toDouble(new FloatCode(host, DOUBLE), OP.f64_convert_i32_s),
  'fcvt.d.wu': (host) => toDouble(new FloatCode(host, DOUBLE), OP.f64_convert_i32_u),
  'fcvt.s.d': narrow,
  'fcvt.d.s': widen,
  'fmv.x.w': (host) => {
    const i = new FloatCode(host, SINGLE);
    i.admit();
    host.setInteger(host.low(1));
  },
  'fmv.w.x': (host) => {
    const i = new FloatCode(host, SINGLE);
    i.admit();
    host.setBits(host.integer + OP.i64_extend_i32_u + BOX + OP.i64_or);
  },
};

/** True when the row of the helper table has inline code. */
export function hasInlineFloat(name: string): boolean {
  return generators[name] !== undefined;
}

/** Generates the inline code of a row of the helper table. false: it has none. */
export function inlineFloat(name: string, host: FloatHost): boolean {
  const generate = generators[name];
  generate?.(host);
  return generate !== undefined;
}
