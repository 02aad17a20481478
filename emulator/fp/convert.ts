/**
 * Conversions: integer to and from both formats, and between the formats.
 * Specification: RISC-V Unprivileged ISA, F chapter, "Floating-Point Conversion and Move Instructions", with its table
 * of domains: results out of range saturate and raise NV alone, NaN converts to the largest integer.
 */
import { F32, F64, Flag, Rm } from './format.ts';
import { convert, fromInteger } from './softfloat.ts';
import {
  CANONICAL_NAN_32,
  readDouble,
  readSingle,
  roundingMode,
  settleDouble,
  settleSingle,
  toNumber,
  toPattern,
  writeSingle,
} from './state.ts';
import type { FpHelper, FpState } from './state.ts';

const SMALLEST_NORMAL_32 = 2 ** -126;
const LARGEST_32 = (2 - 2 ** -23) * 2 ** 127;

/** x rounded to an integral number; exact, since the distance of x to its truncation is. */
export function roundToIntegral(x: number, mode: number): number {
  switch (mode) {
    case Rm.RTZ:
      return Math.trunc(x);
    case Rm.RDN:
      return Math.floor(x);
    case Rm.RUP:
      return Math.ceil(x);
    default: {
      const t = Math.trunc(x);
      const distance = Math.abs(x - t);
      const away = distance > 0.5 || (distance === 0.5 && (mode === Rm.RMM || t % 2 !== 0));
      return away ? t + Math.sign(x) : t;
    }
  }
}

function toInteger(read: (s: FpState, r: number) => number, min: number, max: number): FpHelper {
  return (s, rd, rs1, _rs2, _rs3, rm) => {
    const mode = roundingMode(s, rm);
    if (mode < 0) return false;
    const x = read(s, rs1);
    const integral = roundToIntegral(x, mode);
    if (integral >= min && integral <= max) {
      if (integral !== x) s.fcsr |= Flag.NX;
      s.x[rd] = integral; // the typed array keeps it modulo 2^32
    } else {
      s.fcsr |= Flag.NV;
      s.x[rd] = integral < min ? min : max;
    }
    return true;
  };
}

const readSingleNumber = (s: FpState, r: number): number => toNumber(readSingle(s, r));
const readDoubleNumber = (s: FpState, r: number): number => s.f64[r];

/** Integer (a number made from x) to single. */
function toSingle(read: (s: FpState, r: number) => number): FpHelper {
  return (s, rd, rs1, _rs2, _rs3, rm) => {
    const mode = roundingMode(s, rm);
    if (mode < 0) return false;
    const value = read(s, rs1);
    const r = Math.fround(value);
    if (r === value) writeSingle(s, rd, toPattern(r));
    else if (mode === Rm.RNE) {
      s.fcsr |= Flag.NX;
      writeSingle(s, rd, toPattern(r));
    } else settleSingle(s, rd, fromInteger(F32, BigInt(value), mode));
    return true;
  };
}

/**
 * Integer to double: always exact, but a reserved rounding mode is still illegal: "Some instructions, including widening
 * conversions, have the rm field but are nevertheless mathematically unaffected by the rounding mode; software should set
 * their rm field to RNE (000) but implementations must treat the rm field as usual (in particular, with regard to decoding
 * legal vs. reserved encodings)."
 */
function toDouble(read: (s: FpState, r: number) => number): FpHelper {
  return (s, rd, rs1, _rs2, _rs3, rm) => {
    if (roundingMode(s, rm) < 0) return false;
    s.f64[rd] = read(s, rs1);
    return true;
  };
}

const readSigned = (s: FpState, r: number): number => s.x[r];
const readUnsigned = (s: FpState, r: number): number => s.x[r] >>> 0;

const narrow: FpHelper = (s, rd, rs1, _rs2, _rs3, rm) => {
  const mode = roundingMode(s, rm);
  if (mode < 0) return false;
  const value = s.f64[rs1];
  const r = Math.fround(value);
  if (r === value) {
    writeSingle(s, rd, toPattern(r));
    return true;
  }
  const magnitude = Math.abs(r);
  if (mode === Rm.RNE && magnitude > SMALLEST_NORMAL_32 && magnitude <= LARGEST_32) {
    s.fcsr |= Flag.NX;
    writeSingle(s, rd, toPattern(r));
    return true;
  }
  if (value !== value && s.f[2 * rs1 + 1] & 0x8_0000) {
    writeSingle(s, rd, CANONICAL_NAN_32); // a quiet NaN, frequent enough to spare the general path
    return true;
  }
  return settleSingle(s, rd, convert(F64, F32, readDouble(s, rs1), mode));
};

const widen: FpHelper = (s, rd, rs1, _rs2, _rs3, rm) => {
  if (roundingMode(s, rm) < 0) return false;
  const bits = readSingle(s, rs1);
  const value = toNumber(bits);
  if (value !== value) return settleDouble(s, rd, convert(F32, F64, BigInt(bits), Rm.RNE));
  s.f64[rd] = value;
  return true;
};

/** The helpers of this file by row name. */
export const conversions: Readonly<Record<string, FpHelper>> = {
  'fcvt.w.s': toInteger(readSingleNumber, -(2 ** 31), 2 ** 31 - 1),
  'fcvt.wu.s': toInteger(readSingleNumber, 0, 2 ** 32 - 1),
  'fcvt.w.d': toInteger(readDoubleNumber, -(2 ** 31), 2 ** 31 - 1),
  'fcvt.wu.d': toInteger(readDoubleNumber, 0, 2 ** 32 - 1),
  'fcvt.s.w': toSingle(readSigned),
  'fcvt.s.wu': toSingle(readUnsigned),
  'fcvt.d.w': toDouble(readSigned),
  'fcvt.d.wu': toDouble(readUnsigned),
  'fcvt.s.d': narrow,
  'fcvt.d.s': widen,
};
