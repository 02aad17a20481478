/** The code generator of tier 0's fast loop: a handler for each row, no calls. */
import type { I32 } from '../isa/builder.ts';
import type { Instruction } from '../isa/table.ts';
import { get, i32const, loadState, memoryOp, set, storeState, type Locals } from '../codegen/emitter.ts';
import type { FloatHost, SourceNumber } from '../codegen/floatCode.ts';
import { InlineEmitter, SlowOnly } from '../codegen/inlineEmitter.ts';
import { RegisterFile } from '../codegen/registerFile.ts';
import * as layout from '../layout.ts';
import { currentPc } from './loopLocals.ts';
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
  /** Goes to pc + immediate, in bytes of guest code. */
  readonly far: number;
  /** Looks up the local nextPc, where a jump lands. */
  readonly jump: number;
  /** The same for what is no jump; with the local that marks landings cleared. */
  readonly resume: number;
  /** Executes the micro-op in `step`. */
  readonly slow: number;
}

export class FastEmitter extends InlineEmitter<UopOperands> {
  protected readonly floatHost: FloatHost;
  readonly #loop: LoopLocals;
  #labels!: LoopLabels;
  #variant = 0;
  #left = false;
  /** Conditional branches of the handler that are hardly ever taken: where they stand in its code. */
  unlikely: number[] = [];

  constructor(locals: Locals, loop: LoopLocals) {
    super(locals, new UopOperands(loop.ip), loop);
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

  /** The handler of a row in a variant, with its way out. null: the fast loop does not execute it. */
  handler(instruction: Instruction, variant: number, labels: LoopLabels): Code | null {
    this.operands.instruction = instruction;
    this.#variant = variant;
    this.#labels = labels;
    this.#left = false;
    this.out = '';
    this.unlikely = [];
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
    return { type: 'i32', code: currentPc };
  }

  get nextPc(): I32 {
    return this.op('add', this.pc, this.i32(this.#length));
  }

  #br(label: number, depth = 0): Code {
    return OP.br + uleb(label + depth);
  }

  #count(): Code {
    return i32const(1) + set(this.#loop.count);
  }

  #advance(): void {
    const advance = this.#length * UOP_SCALE;
    this.out +=
      this.#count() +
      i32const(advance) +
      set(this.#loop.advance) +
      get(this.#loop.ip) +
      memoryOp(OP.i32_load16_u, 1, advance) +
      set(this.#loop.operation) +
      this.#br(this.#labels.next);
    this.#left = true;
  }

  #relative(depth: number): Code {
    if (this.#variant & FAR) return this.#count() + this.#br(this.#labels.far, depth);
    return (
      this.#count() +
      get(this.#loop.ip) +
      this.operands.fieldImm +
      OP.local_tee +
      uleb(this.#loop.advance) +
      OP.i32_add +
      memoryOp(OP.i32_load16_u, 1, 0) +
      set(this.#loop.operation) +
      this.#br(this.#labels.next, depth)
    );
  }

  branch(condition: I32): void {
    this.out += condition.code + OP.if + VOID + this.#relative(1) + OP.end;
    this.#advance();
  }

  jumpRelative(): void {
    this.out += this.#relative(0);
    this.#left = true;
  }

  jump(target: I32): void {
    this.out += target.code + i32const(-2) + OP.i32_and + set(this.#loop.nextPc) + this.#count();
    this.out += this.#br(this.#labels.jump);
    this.#left = true;
  }

  protected bailIf(condition: Code, depth = 0): void {
    this.out += condition;
    this.unlikely.push(this.out.length);
    this.out += OP.br_if + uleb(this.#labels.slow + depth);
  }

  protected needFs(): void {
    this.bailIf(loadState(layout.FS) + OP.i32_eqz);
  }

  protected dirtyFs(): void {
    this.out += storeState(layout.FS, i32const(3));
  }
}
