/**
 * The builder: the vocabulary in which a row writes its semantics, once, for every execution tier.
 *
 * A row's `exec` is called at code-generation time, never at run time. Tier 0 gives it a builder whose
 * operands are read from the micro-op; a compiler gives it one whose operands are constants and locals.
 * Values are pure expressions and may be used once; `let` makes one that may be used often. The calls
 * that return nothing are effects, and happen in the order in which they are written.
 *
 * Names and meanings of the operators are those of the WebAssembly specification, except that shifts take
 * RISC-V's view of their amount only because both use the low five bits.
 */
import type { Code } from '../wasm/encode.ts';

export type Type = 'i32' | 'i64' | 'f32' | 'f64';

/** An expression of a WebAssembly type. `code` is its encoding; `constant` is set when an i32 is known. */
export interface Value<T extends Type> {
  readonly type: T;
  readonly code: Code;
  readonly constant?: number;
}

export type I32 = Value<'i32'>;
export type I64 = Value<'i64'>;

/** Sizes of integer memory accesses in bytes. */
export type Size = 1 | 2 | 4;

/** i32 operators that take two operands. */
export type Binary32 =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div_s'
  | 'div_u'
  | 'rem_s'
  | 'rem_u'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr_s'
  | 'shr_u'
  | 'rotl'
  | 'rotr'
  | 'eq'
  | 'ne'
  | 'lt_s'
  | 'lt_u'
  | 'gt_s'
  | 'gt_u'
  | 'le_s'
  | 'le_u'
  | 'ge_s'
  | 'ge_u';

export interface Builder {
  /** x[rs1]. */
  readonly rs1: I32;
  /** x[rs2]. */
  readonly rs2: I32;
  /** The immediate, sign- or zero-extended as the pattern says. */
  readonly imm: I32;
  /** The address of this instruction. */
  readonly pc: I32;
  /** The address of the instruction after this one. */
  readonly nextPc: I32;

  i32(value: number): I32;
  op(operator: Binary32, a: I32, b: I32): I32;
  clz(a: I32): I32;
  ctz(a: I32): I32;
  popcnt(a: I32): I32;
  eqz(a: I32): I32;
  extend8(a: I32): I32;
  extend16(a: I32): I32;
  /** `condition ? a : b`; both are evaluated. */
  select(condition: I32, a: I32, b: I32): I32;
  /** The 64-bit product's high half; each operand signed or not. */
  mulh(a: I32, aSigned: boolean, b: I32, bSigned: boolean): I32;
  /** Evaluates now, and may be used often. */
  let<T extends Type>(value: Value<T>): Value<T>;

  /** x[rd] = value. */
  setRd(value: I32): void;
  /** Loads from virtual memory; may fault, so nothing may have been written before. */
  load(size: Size, signed: boolean, address: I32): I32;
  /** Stores to virtual memory; may fault. */
  store(size: Size, address: I32, value: I32): void;
  /** Atomically: old = mem32[address]; mem32[address] = update(old); rd = old. */
  amo(address: I32, update: (old: I32) => I32): void;
  /** LR.W: loads, sets rd and the reservation. */
  loadReserved(address: I32): void;
  /** SC.W: stores if the reservation holds; rd = 0 on success, 1 on failure; the reservation ends. */
  storeConditional(address: I32, value: I32): void;

  /** Goes to pc + imm when the condition holds. */
  branch(condition: I32): void;
  /** Goes to pc + imm always. */
  jumpRelative(): void;
  /** Goes to an address known at run time; bit 0 is ignored. */
  jump(target: I32): void;

  /** FLW, FLD: f[rd] = mem[address], NaN-boxed for 4 bytes. Needs FS. */
  loadFloat(size: 4 | 8, address: I32): void;
  /** FSW, FSD. Needs FS. */
  storeFloat(size: 4 | 8, address: I32): void;
  /** A floating-point operation of the helper table; a tier may know a faster way. Needs FS. */
  fp(name: string): void;

  /** The row is executed by the named helper in TypeScript (CSRs, traps, fences). */
  helper(name: string): void;
}
