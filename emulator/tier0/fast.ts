/**
 * The code generator of tier 0's fast loop: memory through the inline TLB, no calls. What it does not know,
 * and every TLB miss, branches to the loop's slow exit before anything has changed; `step` then executes
 * the same micro-op with the same row.
 */
import * as layout from '../layout.ts';
import type { I32, Size } from '../isa/builder.ts';
import type { Instruction } from '../isa/table.ts';
import { OP } from '../wasm/opcodes.ts';
import { uleb } from '../wasm/encode.ts';
import { Emitter, get, i32const, loadState, memoryOp, set, storeState, type Locals } from './emitter.ts';
import { inlineFloat } from './inlineFloat.ts';
import { COMPRESSED, FAR, UOP_SCALE } from './uop.ts';

/** The loop's own locals. */
export interface LoopLocals {
  readonly ip: number;
  readonly delta: number;
  readonly nextPc: number;
  readonly read: number;
  readonly write: number;
}

/** Branch depths, counted from a handler's own level, to the loop's exits. */
export interface LoopLabels {
  /** Next instruction. */
  readonly next: number;
  /** Looks up the local nextPc. */
  readonly jump: number;
  /** Executes the micro-op in `step`. */
  readonly slow: number;
}

/** Thrown at code generation by a row that only `step` executes. */
export class SlowOnly extends Error {}

const LOADS: Readonly<Record<string, number>> = {
  '1true': OP.i32_load8_s,
  '1false': OP.i32_load8_u,
  '2true': OP.i32_load16_s,
  '2false': OP.i32_load16_u,
  '4true': OP.i32_load,
  '4false': OP.i32_load,
};

export class FastEmitter extends Emitter {
  readonly #loop: LoopLocals;
  #labels!: LoopLabels;
  #variant = 0;
  #left = false;

  constructor(locals: Locals, loop: LoopLocals) {
    super(locals, loop.ip);
    this.#loop = loop;
  }

  /** The handler of a row in a variant, with its way out. null: the fast loop does not execute it. */
  handler(instruction: Instruction, variant: number, labels: LoopLabels): number[] | null {
    this.instruction = instruction;
    this.#variant = variant;
    this.#labels = labels;
    this.#left = false;
    this.out = [];
    try {
      instruction.row.exec(this);
    } catch (e) {
      if (e instanceof SlowOnly) return null;
      throw e;
    } finally {
      this.locals.release();
    }
    if (!this.#left) this.#advance();
    return this.out;
  }

  get #length(): number {
    return this.#variant & COMPRESSED ? 2 : 4;
  }

  get pc(): I32 {
    return {
      type: 'i32',
      code: [...get(this.#loop.delta), ...get(this.ip), ...i32const(2), OP.i32_shr_u, OP.i32_add],
    };
  }

  get nextPc(): I32 {
    return this.op('add', this.pc, this.i32(this.#length));
  }

  #br(label: number, depth = 0): number[] {
    return [OP.br, ...uleb(label + depth)];
  }

  #advance(): void {
    this.out.push(...get(this.ip), ...i32const(this.#length * UOP_SCALE), OP.i32_add, ...set(this.ip));
    this.out.push(...this.#br(this.#labels.next));
    this.#left = true;
  }

  #relative(depth: number): number[] {
    if (this.#variant & FAR) {
      const target = this.op('add', this.pc, this.imm);
      return [...target.code, ...set(this.#loop.nextPc), ...this.#br(this.#labels.jump, depth)];
    }
    return [
      ...get(this.ip),
      ...this.fieldImm,
      OP.i32_add,
      ...set(this.ip),
      ...this.#br(this.#labels.next, depth),
    ];
  }

  branch(condition: I32): void {
    this.out.push(...condition.code, OP.if, 0x40, ...this.#relative(1), OP.end);
    this.#advance();
  }

  jumpRelative(): void {
    this.out.push(...this.#relative(0));
    this.#left = true;
  }

  jump(target: I32): void {
    this.out.push(...target.code, ...i32const(-2), OP.i32_and, ...set(this.#loop.nextPc));
    this.out.push(...this.#br(this.#labels.jump));
    this.#left = true;
  }

  /** The TLB test: see mmu/tlb.ts. */
  protected hostAddress(size: number, address: I32, write: boolean): number {
    const va = this.let(address);
    const host = this.locals.take('i32');
    const table = write ? this.#loop.write : this.#loop.read;
    const index = [...va.code, ...i32const(10), OP.i32_shr_u, ...i32const(0x3f_fffc), OP.i32_and];
    const entry = [...get(table), ...index, OP.i32_add, ...memoryOp(OP.i32_load, 2, 0)];
    this.out.push(...entry, ...i32const(-1), OP.i32_add, OP.local_tee, ...uleb(host));
    if (size > 1) this.out.push(...va.code, OP.i32_or);
    this.out.push(...i32const((size - 1) | 1), OP.i32_and, OP.br_if, ...uleb(this.#labels.slow));
    this.out.push(...get(host), ...va.code, OP.i32_xor, ...set(host));
    return host;
  }

  load(size: Size, signed: boolean, address: I32): I32 {
    const host = this.hostAddress(size, address, false);
    const opcode = LOADS[`${size}${signed}`] as number;
    return { type: 'i32', code: [...get(host), ...memoryOp(opcode, 0, 0)] };
  }

  store(size: Size, address: I32, value: I32): void {
    const host = this.hostAddress(size, address, true);
    const opcode = size === 1 ? OP.i32_store8 : size === 2 ? OP.i32_store16 : OP.i32_store;
    this.out.push(...get(host), ...value.code, ...memoryOp(opcode, 0, 0));
  }

  #needFs(): void {
    this.out.push(...loadState(layout.FS), OP.i32_eqz, OP.br_if, ...uleb(this.#labels.slow));
  }

  loadFloat(size: 4 | 8, address: I32): void {
    this.#needFs();
    const host = this.hostAddress(size, address, false);
    this.out.push(...storeState(layout.FS, i32const(3)));
    this.out.push(...this.fieldA);
    if (size === 8) this.out.push(...get(host), ...memoryOp(OP.i64_load, 0, 0));
    else {
      this.out.push(...get(host), ...memoryOp(OP.i64_load32_u, 0, 0));
      this.out.push(OP.i64_const, 0x80, 0x80, 0x80, 0x80, 0x70, OP.i64_or);
    }
    this.out.push(...memoryOp(OP.i64_store, 3, layout.F));
  }

  storeFloat(size: 4 | 8, address: I32): void {
    this.#needFs();
    const host = this.hostAddress(size, address, true);
    const [load, store] = size === 8 ? [OP.i64_load, OP.i64_store] : [OP.i32_load, OP.i32_store];
    this.out.push(...get(host), ...this.fieldRs2, ...memoryOp(load, 2, layout.F), ...memoryOp(store, 0, 0));
  }

  fp(name: string): void {
    const sources = [this.fieldB, this.fieldRs2, this.fieldRs3];
    const known = inlineFloat(name, {
      source: (n) => sources[n - 1],
      destination: this.fieldA,
      integer: this.rs1.code,
      rm: this.fieldRm,
      take: (type) => this.locals.take(type),
      emit: (code) => this.out.push(...code),
      bailIf: (condition, depth = 0) =>
        this.out.push(...condition, OP.br_if, ...uleb(this.#labels.slow + depth)),
    });
    if (!known) throw new SlowOnly();
  }

  helper(_name: string): void {
    throw new SlowOnly();
  }
}
