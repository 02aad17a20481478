/**
 * What all code generators share: expressions, locals, atomics. Where an instruction's operands are is the
 * business of `Operands`: tier 0 reads them from the micro-op, tier 1 knows them.
 */
import * as layout from '../layout.ts';
import type { Binary32, Builder, I32, I64, Size, Type, Value } from '../isa/builder.ts';
import { byte, uleb, sleb, type Code, type ValueType } from '../wasm/encode.ts';
import { OP, VOID } from '../wasm/opcodes.ts';

/** Folds an operator on constants; undefined when it cannot be known. */
function fold(operator: Binary32, a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (operator === 'add') return (a + b) | 0;
  if (operator === 'sub') return (a - b) | 0;
  if (operator === 'and') return a & b;
  if (operator === 'or') return a | b;
  if (operator === 'shl') return a << b;
  return undefined;
}

const BINARY: Readonly<Record<Binary32, Code>> = {
  add: OP.i32_add,
  sub: OP.i32_sub,
  mul: OP.i32_mul,
  div_s: OP.i32_div_s,
  div_u: OP.i32_div_u,
  rem_s: OP.i32_rem_s,
  rem_u: OP.i32_rem_u,
  and: OP.i32_and,
  or: OP.i32_or,
  xor: OP.i32_xor,
  shl: OP.i32_shl,
  shr_s: OP.i32_shr_s,
  shr_u: OP.i32_shr_u,
  rotl: OP.i32_rotl,
  rotr: OP.i32_rotr,
  eq: OP.i32_eq,
  ne: OP.i32_ne,
  lt_s: OP.i32_lt_s,
  lt_u: OP.i32_lt_u,
  gt_s: OP.i32_gt_s,
  gt_u: OP.i32_gt_u,
  le_s: OP.i32_le_s,
  le_u: OP.i32_le_u,
  ge_s: OP.i32_ge_s,
  ge_u: OP.i32_ge_u,
};

/** Locals of one function, shared by all its rows: a row gives back what it took. */
export class Locals {
  readonly types: ValueType[] = [];
  readonly #free = new Map<ValueType, number[]>();
  readonly #first: number;
  readonly #taken: number[] = [];

  /** `first`: index of the first local beyond the parameters. */
  constructor(first: number) {
    this.#first = first;
  }

  take(type: ValueType): number {
    const index = this.#free.get(type)?.pop() ?? this.keep(type);
    this.#taken.push(index);
    return index;
  }

  /** A local that is never free again. */
  keep(type: ValueType): number {
    return this.#first + this.types.push(type) - 1;
  }

  /** Everything taken since the last call is free again. */
  release(): void {
    for (let index = this.#taken.pop(); index !== undefined; index = this.#taken.pop()) {
      const type = this.types[index - this.#first] as ValueType;
      const free = this.#free.get(type);
      if (free === undefined) this.#free.set(type, [index]);
      else free.push(index);
    }
  }
}

const GETS = Array.from({ length: 128 }, (_code, local) => OP.local_get + uleb(local));
const SETS = Array.from({ length: 128 }, (_code, local) => OP.local_set + uleb(local));

export const get = (local: number): Code => GETS[local] ?? OP.local_get + uleb(local);
export const set = (local: number): Code => SETS[local] ?? OP.local_set + uleb(local);
/** The code is no more than a local's value. */
export const isGet = (code: Code): boolean => code.length === 2 && code.startsWith(OP.local_get);
const SMALL = Array.from({ length: 128 }, (_code, n) => OP.i32_const + sleb(n - 64));
export const i32const = (value: number): Code =>
  value >= -64 && value < 64 ? (SMALL[value + 64] as Code) : OP.i32_const + sleb(value);

/** A memory instruction with its alignment hint and constant offset. */
export function memoryOp(opcode: Code, alignLog2: number, offset: number): Code {
  return opcode + byte(alignLog2) + uleb(offset);
}

const ZERO = i32const(0);
const LOAD_STATE = ZERO + memoryOp(OP.i32_load, 2, 0).slice(0, 2);
const STORE_STATE = memoryOp(OP.i32_store, 2, 0).slice(0, 2);

/** Loads a word of the machine's state. */
export const loadState = (offset: number): Code => LOAD_STATE + uleb(offset);
/** Stores a word of the machine's state. */
export const storeState = (offset: number, value: Code): Code => ZERO + value + STORE_STATE + uleb(offset);

/** An address in the WebAssembly memory: a local's value and a constant that is added to it. */
export interface HostPlace {
  readonly local: number;
  readonly offset: number;
}

/** The operands of the instruction that is being generated. */
export interface Operands {
  readonly rs1: I32;
  readonly rs2: I32;
  readonly imm: I32;
  /** Code that sets x[rd]; nothing when rd is known to be x0. */
  setRd(value: Code): Code;
}

export abstract class Emitter<O extends Operands = Operands> implements Builder {
  protected readonly locals: Locals;
  protected readonly operands: O;
  /** Code of the row being generated. */
  protected out: Code = '';

  constructor(locals: Locals, operands: O) {
    this.locals = locals;
    this.operands = operands;
  }

  get rs1(): I32 {
    return this.operands.rs1;
  }

  get rs2(): I32 {
    return this.operands.rs2;
  }

  get imm(): I32 {
    return this.operands.imm;
  }

  abstract get pc(): I32;
  abstract get nextPc(): I32;

  // Expressions

  i32(value: number): I32 {
    return { type: 'i32', code: i32const(value), constant: value | 0 };
  }

  op(operator: Binary32, a: I32, b: I32): I32 {
    const known = fold(operator, a.constant, b.constant);
    if (known !== undefined) return this.i32(known);
    return { type: 'i32', code: a.code + b.code + BINARY[operator] };
  }

  #unary(opcode: Code, a: I32): I32 {
    return { type: 'i32', code: a.code + opcode };
  }

  clz(a: I32): I32 {
    return this.#unary(OP.i32_clz, a);
  }

  ctz(a: I32): I32 {
    return this.#unary(OP.i32_ctz, a);
  }

  popcnt(a: I32): I32 {
    return this.#unary(OP.i32_popcnt, a);
  }

  eqz(a: I32): I32 {
    return this.#unary(OP.i32_eqz, a);
  }

  extend8(a: I32): I32 {
    return this.#unary(OP.i32_extend8_s, a);
  }

  extend16(a: I32): I32 {
    return this.#unary(OP.i32_extend16_s, a);
  }

  select(condition: I32, a: I32, b: I32): I32 {
    return { type: 'i32', code: a.code + b.code + condition.code + OP.select };
  }

  mulh(a: I32, aSigned: boolean, b: I32, bSigned: boolean): I32 {
    const extend = (signed: boolean): Code => (signed ? OP.i64_extend_i32_s : OP.i64_extend_i32_u);
    const product: I64 = {
      type: 'i64',
      code: a.code + extend(aSigned) + b.code + extend(bSigned) + OP.i64_mul,
    };
    return { type: 'i32', code: product.code + OP.i64_const + byte(32) + OP.i64_shr_u + OP.i32_wrap_i64 };
  }

  let<T extends Type>(value: Value<T>): Value<T> {
    if (value.constant !== undefined) return value;
    const local = this.locals.take(value.type);
    this.out += value.code + set(local);
    return { type: value.type, code: get(local) };
  }

  // Effects

  setRd(value: I32): void {
    this.out += this.operands.setRd(value.code);
  }

  abstract load(size: Size, signed: boolean, address: I32): I32;
  abstract store(size: Size, address: I32, value: I32): void;
  abstract branch(condition: I32): void;
  abstract jumpRelative(): void;
  abstract jump(target: I32): void;
  abstract fp(name: string): void;
  abstract helper(name: string): void;
  abstract loadFloat(size: 4 | 8, address: I32): void;
  abstract storeFloat(size: 4 | 8, address: I32): void;

  /** Leaves the host address of an aligned word that may be read (or written) in a local, as atomics want it. */
  protected abstract hostAddress(size: number, address: I32, write: boolean): number;

  amo(address: I32, update: (old: I32) => I32): void {
    const host = this.hostAddress(4, address, true);
    const old = this.let<'i32'>({ type: 'i32', code: get(host) + memoryOp(OP.i32_load, 2, 0) });
    const updated = update(old).code;
    this.out += get(host) + updated + memoryOp(OP.i32_store, 2, 0);
    this.setRd(old);
  }

  loadReserved(address: I32): void {
    const host = this.hostAddress(4, address, false);
    this.out += storeState(layout.RESERVATION, get(host));
    this.setRd({ type: 'i32', code: get(host) + memoryOp(OP.i32_load, 2, 0) });
  }

  storeConditional(address: I32, value: I32): void {
    const operand = this.let(value);
    const host = this.hostAddress(4, address, true);
    const failed = this.let<'i32'>({
      type: 'i32',
      code: loadState(layout.RESERVATION) + get(host) + OP.i32_ne,
    });
    this.out += failed.code + OP.i32_eqz + OP.if + VOID;
    this.out += get(host) + operand.code + memoryOp(OP.i32_store, 2, 0) + OP.end;
    this.out += storeState(layout.RESERVATION, i32const(0));
    this.setRd(failed);
  }
}
