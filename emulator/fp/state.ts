/**
 * The register state that a floating-point helper works on, and how single precision lies in it.
 * Specification: RISC-V Unprivileged ISA, "NaN Boxing of Narrower Values" and the F chapter on dynamic rounding.
 */
import { F64, Rm } from './format.ts';
import type { Rounded } from './softfloat.ts';

/** The parts of a hart that floating point reads and writes. Views into the machine's memory. */
export interface FpState {
  /** 33 entries: x0..x31 and, at 32, a slot for results whose destination is x0. */
  readonly x: Int32Array;
  /** 64 words: f0 low, f0 high, f1 low, ... */
  readonly f: Uint32Array;
  /** The same 32 registers as doubles. Never a way to move a NaN: an engine may change its payload. */
  readonly f64: Float64Array;
  /** frm << 5 | fflags. */
  fcsr: number;
}

/**
 * Executes one instruction on `s`. `rm` is the instruction's rm field (ignored where the instruction has none).
 * Returns false when the instruction is illegal because of a reserved rounding mode; nothing is then changed.
 */
export type FpHelper = (s: FpState, rd: number, rs1: number, rs2: number, rs3: number, rm: number) => boolean;

/** The rounding mode in force, or -1 when the rm field, or frm that it refers to, is reserved. */
export function roundingMode(s: FpState, rm: number): number {
  const mode = rm === Rm.DYN ? (s.fcsr >>> 5) & 7 : rm;
  return mode <= Rm.RMM ? mode : -1;
}

export const CANONICAL_NAN_32 = 0x7fc0_0000;
export const CANONICAL_NAN_64_HIGH = 0x7ff8_0000;
const BOX = 0xffff_ffff;

/** The pattern of a single-precision operand, unsigned; a register that is not NaN-boxed reads as canonical NaN. */
export function readSingle(s: FpState, r: number): number {
  return s.f[2 * r + 1] === BOX ? s.f[2 * r] : CANONICAL_NAN_32;
}

/** Writes a single-precision pattern, NaN-boxed. */
export function writeSingle(s: FpState, r: number, bits: number): void {
  s.f[2 * r] = bits;
  s.f[2 * r + 1] = BOX;
}

export function readDouble(s: FpState, r: number): bigint {
  return (BigInt(s.f[2 * r + 1]) << 32n) | BigInt(s.f[2 * r]);
}

/** Stores the outcome of the general path and accrues its flags. Returns true, the helper's success. */
export function settleSingle(s: FpState, r: number, result: Rounded): true {
  writeSingle(s, r, Number(result.bits));
  s.fcsr |= result.flags;
  return true;
}

/** As `settleSingle`, for double precision. */
export function settleDouble(s: FpState, r: number, result: Rounded): true {
  s.f[2 * r] = Number(result.bits & 0xffff_ffffn);
  s.f[2 * r + 1] = Number(result.bits >> 32n);
  s.fcsr |= result.flags;
  return true;
}

/** Flips the sign of a double pattern when `negate`. */
export function negateIf(negate: boolean, bits: bigint): bigint {
  return negate ? bits ^ F64.signBit : bits;
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The number that a single-precision pattern stands for. */
export function toNumber(bits: number): number {
  word[0] = bits;
  return float[0];
}

/** The single-precision pattern of `Math.fround(value)`; `value` is not NaN. */
export function toPattern(value: number): number {
  float[0] = value;
  return word[0];
}
