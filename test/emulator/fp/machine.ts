/** A register file for the helper tests, and one instruction executed on it as a function of bit patterns. */
import { fpHelpers, type FpState } from '../../../emulator/fp/helpers.ts';
import { F32, F64 } from '../../../emulator/fp/format.ts';
import {
  add,
  convert,
  div,
  fma,
  fromInteger,
  mul,
  sqrt,
  type Rounded,
} from '../../../emulator/fp/softfloat.ts';

export const BOX = 0xffff_ffff_0000_0000n;

export function makeState(): FpState {
  const buffer = new ArrayBuffer(256);
  return { x: new Int32Array(33), f: new Uint32Array(buffer), f64: new Float64Array(buffer), fcsr: 0 };
}

const state = makeState();

function setRegister(index: number, bits: bigint): void {
  state.f[2 * index] = Number(bits & 0xffff_ffffn);
  state.f[2 * index + 1] = Number(bits >> 32n);
}

function register(index: number): bigint {
  return (BigInt(state.f[2 * index + 1] ?? 0) << 32n) | BigInt(state.f[2 * index] ?? 0);
}

/** Rows whose operand is an x register. */
export function takesInteger(name: string): boolean {
  return /^fcvt\.[sd]\.wu?$|^fmv\.w\.x$/.test(name);
}

/** Rows whose result is an x register. */
export function givesInteger(name: string): boolean {
  return /^(feq|flt|fle|fltq|fleq|fclass)\.|^fcvt(mod)?\.wu?\.|^fmvh?\.x\./.test(name);
}

/**
 * Executes the row's helper on register patterns a, b, c (an integer row takes the low word of a). `accrued` flags are
 * set beforehand. `dynamic`: the mode comes from frm. The result is the whole register, an x register zero-extended;
 * null when the helper says illegal.
 */
export function execute(
  name: string,
  operands: readonly bigint[],
  mode: number,
  { accrued = 0, dynamic = false }: { accrued?: number; dynamic?: boolean } = {},
): Rounded | null {
  const helper = fpHelpers[name];
  if (helper === undefined) throw new Error(`no helper ${name}`);
  operands.forEach((bits, i) => setRegister(i + 1, bits));
  state.x[1] = Number((operands[0] ?? 0n) & 0xffff_ffffn);
  state.x[2] = Number((operands[1] ?? 0n) & 0xffff_ffffn);
  state.fcsr = (dynamic ? mode << 5 : 0) | accrued;
  if (!helper(state, 4, 1, 2, 3, dynamic ? 7 : mode)) return null;
  const bits = givesInteger(name) ? BigInt((state.x[4] ?? 0) >>> 0) : register(4);
  return { bits, flags: state.fcsr & 31 };
}

/** The rows that round a floating-point result, without their format. */
export const ROUNDED = [
  'fadd',
  'fsub',
  'fmul',
  'fdiv',
  'fsqrt',
  'fmadd',
  'fmsub',
  'fnmsub',
  'fnmadd',
] as const;

function unbox(bits: bigint): bigint {
  return bits >= BOX ? bits & 0xffff_ffffn : F32.canonicalNaN;
}

/** The general path's answer for a row, or null for rows that have no general path. */
export function general(name: string, operands: readonly bigint[], mode: number): Rounded | null {
  const [stem = '', ...formats] = name.split('.');
  const single = formats[0] === 's';
  const fmt = single ? F32 : F64;
  const box = (r: Rounded): Rounded => (single ? { ...r, bits: r.bits | BOX } : r);
  if (stem === 'fcvt') {
    const a = operands[0] ?? 0n;
    if (name === 'fcvt.s.d') return box(convert(F64, F32, a, mode));
    if (name === 'fcvt.d.s') return convert(F32, F64, unbox(a), mode);
    if (!takesInteger(name)) return null;
    return box(fromInteger(fmt, formats[1] === 'w' ? BigInt.asIntN(32, a) : a & 0xffff_ffffn, mode));
  }
  const [a = 0n, b = 0n, c = 0n] = operands.map((o) => (single ? unbox(o) : o));
  const minus = (x: bigint): bigint => x ^ fmt.signBit;
  const results: Record<string, () => Rounded> = {
    fadd: () => add(fmt, a, b, mode),
    fsub: () => add(fmt, a, minus(b), mode),
    fmul: () => mul(fmt, a, b, mode),
    fdiv: () => div(fmt, a, b, mode),
    fsqrt: () => sqrt(fmt, a, mode),
    fmadd: () => fma(fmt, a, b, c, mode),
    fmsub: () => fma(fmt, a, b, minus(c), mode),
    fnmsub: () => fma(fmt, minus(a), b, c, mode),
    fnmadd: () => fma(fmt, minus(a), b, minus(c), mode),
  };
  const result = results[stem]?.();
  return result === undefined ? null : box(result);
}
