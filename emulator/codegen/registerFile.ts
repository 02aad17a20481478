/** Floating-point operands in the register file in memory, for `inlineFloat`. */
import * as layout from '../layout.ts';
import { get, i32const, loadState, memoryOp, type HostPlace } from './emitter.ts';
import { BOX, type FloatHost, type SourceNumber } from './floatCode.ts';
import { lane, splat } from './lanes.ts';
import type { Code, ValueType } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

/** Rounding mode fields. RNE is 0, so any mode in force that is not 0 is another. */
const RTZ = 1;
const DYN = 7;
const LAST_MODE = 4;

/** What the register file asks of the code generator around it. */
export interface FileUser {
  /** Byte offset of f[rsN] in the register file. */
  source(n: SourceNumber): Code;
  /** Byte offset of f[rd]. */
  readonly destination: Code;
  readonly integer: Code;
  /** The rm field. */
  readonly rm: Code;
  setInteger(value: Code): void;
  take(type: ValueType): number;
  emit(code: Code): void;
  /** The `if` that is emitted next is hardly ever taken. */
  expectNot(): void;
  bailIf(condition: Code, depth?: number): void;
}

export class RegisterFile implements FloatHost {
  readonly #user: FileUser;

  constructor(user: FileUser) {
    this.#user = user;
  }

  #load(n: SourceNumber, opcode: Code, align: number, offset = 0): Code {
    return this.#user.source(n) + memoryOp(opcode, align, layout.F + offset);
  }

  number(n: SourceNumber, type: 'f32' | 'f64'): Code {
    return type === 'f32' ? this.#load(n, OP.f32_load, 2) : this.#load(n, OP.f64_load, 3);
  }

  bits(n: SourceNumber): Code {
    return this.#load(n, OP.i64_load, 3);
  }

  low(n: SourceNumber): Code {
    return this.#load(n, OP.i32_load, 2);
  }

  high(n: SourceNumber): Code {
    return this.#load(n, OP.i32_load, 2, 4);
  }

  setNumber(type: 'f32' | 'f64', value: Code): void {
    if (type === 'f32') this.setBits(value + OP.i32_reinterpret_f32 + OP.i64_extend_i32_u + BOX + OP.i64_or);
    else this.emit(this.#user.destination + value + memoryOp(OP.f64_store, 3, layout.F));
  }

  lanes(n: SourceNumber, type: 'f32' | 'f64'): Code {
    return splat(type, this.number(n, type));
  }

  setLanes(type: 'f32' | 'f64', lanes: Code): void {
    this.setNumber(type, lane(type, lanes));
  }

  setBits(value: Code): void {
    this.emit(this.#user.destination + value + memoryOp(OP.i64_store, 3, layout.F));
  }

  load(size: 4 | 8, { local, offset }: HostPlace): void {
    if (size === 8) this.setBits(get(local) + memoryOp(OP.i64_load, 0, offset));
    else this.setBits(get(local) + memoryOp(OP.i64_load32_u, 0, offset) + BOX + OP.i64_or);
  }

  store(size: 4 | 8, { local, offset }: HostPlace): void {
    if (size === 8) this.emit(get(local) + this.bits(2) + memoryOp(OP.i64_store, 0, offset));
    else this.emit(get(local) + this.low(2) + memoryOp(OP.i32_store, 0, offset));
  }

  setInteger(value: Code): void {
    this.#user.setInteger(value);
  }

  get integer(): Code {
    return this.#user.integer;
  }

  get #mode(): Code {
    const { rm } = this.#user;
    const frm = loadState(layout.FCSR) + i32const(5) + OP.i32_shr_u;
    return frm + rm + rm + i32const(DYN) + OP.i32_eq + OP.select;
  }

  get notNearest(): Code {
    return this.#mode;
  }

  get reservedMode(): Code {
    return this.#mode + i32const(LAST_MODE) + OP.i32_gt_u;
  }

  get notTruncating(): Code {
    return this.#user.rm + i32const(RTZ) + OP.i32_xor;
  }

  get notDirty(): Code {
    return loadState(layout.FS) + i32const(3) + OP.i32_xor;
  }

  get inexactAccrued(): Code | undefined {
    return loadState(layout.FCSR) + i32const(1) + OP.i32_and;
  }

  get fuses(): boolean {
    return false;
  }

  take(type: ValueType): number {
    return this.#user.take(type);
  }

  emit(code: Code): void {
    this.#user.emit(code);
  }

  expectNot(): void {
    this.#user.expectNot();
  }

  bailIf(condition: Code, depth?: number): void {
    this.#user.bailIf(condition, depth);
  }
}
