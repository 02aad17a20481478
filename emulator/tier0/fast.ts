/** The code generator of tier 0's fast loop: a handler for each row and for each sequence of fusion.ts, no calls. */
import type { I32 } from '../isa/builder.ts';
import { get, i32const, loadState, memoryOp, set, storeState, type Locals } from '../codegen/emitter.ts';
import type { FloatHost, SourceNumber } from '../codegen/floatCode.ts';
import { InlineEmitter, SlowOnly } from '../codegen/inlineEmitter.ts';
import { RegisterFile } from '../codegen/registerFile.ts';
import * as layout from '../layout.ts';
import type { Part } from './fusion.ts';
import { currentPc, VALUE } from './loopLocals.ts';
import { UopOperands } from './operands.ts';
import { COMPRESSED, FAR, UOP_SCALE } from './uop.ts';
import { uleb, type Code } from '../wasm/encode.ts';
import { OP, VOID } from '../wasm/opcodes.ts';

/** The loop's own locals. */
export interface LoopLocals {
  readonly ip: number;
  readonly advance: number;
  readonly count: number;
  readonly operation: number;
  readonly nextPc: number;
  readonly read: number;
  readonly write: number;
}

/** Branch depths, counted from a handler's own level, to the loop's exits. */
export interface LoopLabels {
  /** Next instruction. */
  readonly next: number;
  /** Looks up the local nextPc, where a jump lands. */
  readonly jump: number;
  /** The same for what is no jump; with the local that marks landings cleared. */
  readonly resume: number;
  /** Executes the micro-op at IP in `step`. */
  readonly slow: number;
  /** The same for one further on. */
  readonly slowLater: number;
}

export class FastEmitter extends InlineEmitter<UopOperands> {
  protected readonly floatHost: FloatHost;
  readonly #loop: LoopLocals;
  #labels!: LoopLabels;
  #variant = 0;
  /** Of the parts before the one under way: bytes of guest code, and how many they are. */
  #before = 0;
  #done = 0;
  #left = false;
  /** Conditional branches of the handler that are hardly ever taken: where they stand in its code. */
  unlikely: number[] = [];

  constructor(locals: Locals, loop: LoopLocals) {
    super(locals, new UopOperands(loop.ip, VALUE), loop);
    this.#loop = loop;
    const { operands } = this;
    this.floatHost = new RegisterFile({
      source: (n: SourceNumber): Code =>
        n === 1 ? operands.fieldB : n === 2 ? operands.fieldRs2 : operands.fieldRs3,
      get destination() {
        return operands.fieldA;
      },
      get integer() {
        return operands.rs1.code;
      },
      get rm() {
        return operands.fieldRm;
      },
      setInteger: (value) => (this.out += operands.setRd(value)),
      take: (type) => this.locals.take(type),
      emit: (code) => (this.out += code),
      expectNot: () => this.unlikely.push(this.out.length),
      bailIf: (condition, depth) => {
        this.bailIf(condition, depth);
      },
    });
  }

  /**
   * The handler of instructions that follow each other, most often one, with its way out. null: the fast loop does not execute it.
   */
  handler(parts: readonly Part[], labels: LoopLabels): Code | null {
    this.#labels = labels;
    this.out = '';
    this.unlikely = [];
    this.#before = 0;
    this.#done = 0;
    this.#left = false;
    const { operands } = this;
    try {
      for (const { instruction, variant, forwards } of parts) {
        if (this.#left) throw new Error('nothing follows a jump');
        if (this.#done > 0) this.out += this.#leaving(this.#before, this.#done);
        operands.instruction = instruction;
        operands.offset = this.#before * UOP_SCALE;
        operands.forwards = forwards;
        operands.keeps = (parts[this.#done + 1]?.forwards ?? 0) !== 0;
        this.#variant = variant;
        instruction.row.exec(this);
        this.locals.release();
        if (this.#left) continue;
        this.#before += this.#length;
        this.#done++;
      }
    } catch (e) {
      if (e instanceof SlowOnly) return null;
      throw e;
    } finally {
      this.locals.release();
    }
    if (!this.#left) this.#advance(this.#before);
    return this.out;
  }

  /** The instruction's length in bytes of guest code. */
  get #length(): number {
    return this.#variant & COMPRESSED ? 2 : 4;
  }

  get pc(): I32 {
    return this.op('add', { type: 'i32', code: currentPc }, this.i32(this.#before));
  }

  get nextPc(): I32 {
    return this.op('add', { type: 'i32', code: currentPc }, this.i32(this.#before + this.#length));
  }

  #br(label: number, depth: number): Code {
    return OP.br + uleb(label + depth);
  }

  /** Says how far behind IP the loop goes on, in bytes of guest code, and how many instructions are done. */
  #leaving(bytes: number, done: number): Code {
    return i32const(bytes * UOP_SCALE) + set(this.#loop.advance) + i32const(done) + set(this.#loop.count);
  }

  /** Goes on in the same page, `bytes` further. */
  #advance(bytes: number): void {
    const advance = bytes * UOP_SCALE;
    this.out +=
      this.#leaving(bytes, this.#done) +
      get(this.#loop.ip) +
      memoryOp(OP.i32_load16_u, 1, advance) +
      set(this.#loop.operation) +
      this.#br(this.#labels.next, 0);
    this.#left = true;
  }

  #jump(target: Code, depth: number): Code {
    return (
      target +
      set(this.#loop.nextPc) +
      this.#leaving(this.#before, this.#done + 1) +
      this.#br(this.#labels.jump, depth)
    );
  }

  #relative(depth: number): Code {
    if (this.#variant & FAR) return this.#jump(this.op('add', this.pc, this.imm).code, depth);
    const offset = this.#before * UOP_SCALE;
    return (
      i32const(this.#done + 1) +
      set(this.#loop.count) +
      this.operands.fieldImm +
      OP.local_tee +
      uleb(this.#loop.advance) +
      get(this.#loop.ip) +
      OP.i32_add +
      memoryOp(OP.i32_load16_u, 1, offset) +
      set(this.#loop.operation) +
      (offset === 0
        ? ''
        : get(this.#loop.advance) + i32const(offset) + OP.i32_add + set(this.#loop.advance)) +
      this.#br(this.#labels.next, depth)
    );
  }

  branch(condition: I32): void {
    this.out += condition.code + OP.if + VOID + this.#relative(1) + OP.end;
    this.#done++;
    this.#advance(this.#before + this.#length);
  }

  jumpRelative(): void {
    this.out += this.#relative(0);
    this.#left = true;
  }

  jump(target: I32): void {
    this.out += this.#jump(target.code + i32const(-2) + OP.i32_and, 0);
    this.#left = true;
  }

  protected bailIf(condition: Code, depth = 0): void {
    this.out += condition;
    this.unlikely.push(this.out.length);
    const label = this.#done === 0 ? this.#labels.slow : this.#labels.slowLater;
    this.out += OP.br_if + uleb(label + depth);
  }

  protected needFs(): void {
    this.bailIf(loadState(layout.FS) + OP.i32_eqz);
  }

  protected dirtyFs(): void {
    this.out += storeState(layout.FS, i32const(3));
  }
}
