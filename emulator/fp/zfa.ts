/**
 * What the rows of Zfa compute. Specification: RISC-V Unprivileged ISA, chapter "Zfa", version 1.0.
 * None of these is frequent, so they have no inline path. Missing: the forms for half and quad precision.
 */
import { roundToIntegral } from './convert.ts';
import { Flag, Rm } from './format.ts';
import {
  CANONICAL_NAN_32,
  CANONICAL_NAN_64_HIGH,
  readSingle,
  roundingMode,
  toNumber,
  toPattern,
  writeSingle,
} from './state.ts';
import type { FpHelper, FpState } from './state.ts';

/** "Immediate values for fli": index 1 is the format's smallest normal number, 31 its canonical NaN. */
const CONSTANTS: readonly number[] = [
  -1,
  NaN,
  2 ** -16,
  2 ** -15,
  2 ** -8,
  2 ** -7,
  0.0625,
  0.125,
  0.25,
  0.3125,
  0.375,
  0.4375,
  0.5,
  0.625,
  0.75,
  0.875,
  1,
  1.25,
  1.5,
  1.75,
  2,
  2.5,
  3,
  4,
  8,
  16,
  128,
  256,
  2 ** 15,
  2 ** 16,
  Infinity,
  NaN,
];
const SMALLEST_NORMAL = 1;
const QUIET_NAN = 31;

/** How assembly writes the constant of that index. */
export function constantName(index: number): string {
  if (index === SMALLEST_NORMAL) return 'min';
  if (index === QUIET_NAN) return 'nan';
  const value = CONSTANTS[index] as number;
  if (value === Infinity) return 'inf';
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** One format as these operations see it. */
interface Layout {
  value(s: FpState, r: number): number;
  isSignaling(s: FpState, r: number): boolean;
  isNegative(s: FpState, r: number): boolean;
  /** Writes a number; it is not NaN. */
  write(s: FpState, rd: number, value: number): void;
  writeNaN(s: FpState, rd: number): void;
  readonly smallestNormal: number;
}

const single: Layout = {
  value: (s, r) => toNumber(readSingle(s, r)),
  isSignaling(s, r) {
    const bits = readSingle(s, r);
    return (bits & 0x7fc0_0000) === 0x7f80_0000 && (bits & 0x003f_ffff) !== 0;
  },
  isNegative: (s, r) => readSingle(s, r) >>> 31 === 1,
  write: (s, rd, value) => writeSingle(s, rd, toPattern(value)),
  writeNaN: (s, rd) => writeSingle(s, rd, CANONICAL_NAN_32),
  smallestNormal: 2 ** -126,
};

const double: Layout = {
  value: (s, r) => s.f64[r],
  isSignaling(s, r) {
    const high = s.f[2 * r + 1];
    return (high & 0x7ff8_0000) === 0x7ff0_0000 && ((high & 0x0007_ffff) | s.f[2 * r]) !== 0;
  },
  isNegative: (s, r) => s.f[2 * r + 1] >>> 31 === 1,
  write(s, rd, value) {
    s.f64[rd] = value;
  },
  writeNaN(s, rd) {
    s.f[2 * rd] = 0;
    s.f[2 * rd + 1] = CANONICAL_NAN_64_HIGH;
  },
  smallestNormal: 2 ** -1022,
};

/** The rs1 field is the index. */
function loadConstant(l: Layout): FpHelper {
  return (s, rd, index) => {
    if (index === QUIET_NAN) l.writeNaN(s, rd);
    else l.write(s, rd, index === SMALLEST_NORMAL ? l.smallestNormal : (CONSTANTS[index] as number));
    return true;
  };
}

/** IEEE 754-2019 minimum and maximum: any NaN makes the result the canonical NaN; -0 < +0. */
function extremum(l: Layout, wantsLess: boolean): FpHelper {
  return (s, rd, rs1, rs2) => {
    const a = l.value(s, rs1);
    const b = l.value(s, rs2);
    if (l.isSignaling(s, rs1) || l.isSignaling(s, rs2)) s.fcsr |= Flag.NV;
    if (a !== a || b !== b) l.writeNaN(s, rd);
    else l.write(s, rd, wantsLess ? Math.min(a, b) : Math.max(a, b));
    return true;
  };
}

/** To an integral number of the same format; a zero result has the operand's sign. */
function rounding(l: Layout, raisesInexact: boolean): FpHelper {
  return (s, rd, rs1, _rs2, _rs3, rm) => {
    const mode = roundingMode(s, rm);
    if (mode < 0) return false;
    const x = l.value(s, rs1);
    if (x !== x) {
      if (l.isSignaling(s, rs1)) s.fcsr |= Flag.NV;
      l.writeNaN(s, rd);
      return true;
    }
    const magnitude = Math.abs(x) === Infinity ? Infinity : Math.abs(roundToIntegral(x, mode));
    const integral = l.isNegative(s, rs1) ? -magnitude : magnitude;
    if (raisesInexact && integral !== x) s.fcsr |= Flag.NX;
    l.write(s, rd, integral);
    return true;
  };
}

/** Quiet comparisons: only a signaling NaN raises NV. */
function quietOrder(l: Layout, orEqual: boolean): FpHelper {
  return (s, rd, rs1, rs2) => {
    const a = l.value(s, rs1);
    const b = l.value(s, rs2);
    if (l.isSignaling(s, rs1) || l.isSignaling(s, rs2)) s.fcsr |= Flag.NV;
    s.x[rd] = a < b || (orEqual && a === b) ? 1 : 0;
    return true;
  };
}

/**
 * ECMAScript's ToInt32: truncates, then reduces modulo 2^32; infinities and NaN give 0. "Floating-point exception flags
 * are raised the same as they would be for FCVT.W.D with the same input operand."
 */
const moduloConversion: FpHelper = (s, rd, rs1) => {
  const x = s.f64[rs1];
  const integral = roundToIntegral(x, Rm.RTZ);
  if (!(integral >= -(2 ** 31) && integral <= 2 ** 31 - 1)) s.fcsr |= Flag.NV;
  else if (integral !== x) s.fcsr |= Flag.NX;
  s.x[rd] = integral | 0;
  return true;
};

function helpersOf(l: Layout, suffix: string): Record<string, FpHelper> {
  return {
    [`fli.${suffix}`]: loadConstant(l),
    [`fminm.${suffix}`]: extremum(l, true),
    [`fmaxm.${suffix}`]: extremum(l, false),
    [`fround.${suffix}`]: rounding(l, false),
    [`froundnx.${suffix}`]: rounding(l, true),
    [`fleq.${suffix}`]: quietOrder(l, true),
    [`fltq.${suffix}`]: quietOrder(l, false),
  };
}

/** The helpers of this file by row name. */
export const additional: Readonly<Record<string, FpHelper>> = {
  ...helpersOf(single, 's'),
  ...helpersOf(double, 'd'),
  'fcvtmod.w.d': moduloConversion,
  'fmvh.x.d': (s, rd, rs1) => {
    s.x[rd] = s.f[2 * rs1 + 1];
    return true;
  },
  'fmvp.d.x': (s, rd, rs1, rs2) => {
    s.f[2 * rd] = s.x[rs1];
    s.f[2 * rd + 1] = s.x[rs2];
    return true;
  },
};
