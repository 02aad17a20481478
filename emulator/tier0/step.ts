/**
 * The code generator of tier 0's `step`: one micro-op, memory and complicated rows through TypeScript.
 * It serves every slow path of the fast loop, single step and trace, so it must know every row.
 */
import * as layout from '../layout.ts';
import type { I32, Size } from '../isa/builder.ts';
import type { Instruction } from '../isa/table.ts';
import {
  Emitter,
  get,
  i32const,
  loadState,
  memoryOp,
  set,
  storeState,
  type Locals,
} from '../codegen/emitter.ts';
import { BOX } from '../codegen/floatCode.ts';
import { pcOf } from './loopLocals.ts';
import { UopOperands } from './operands.ts';
import { COMPRESSED, ENTRY, FAR } from './uop.ts';
import { byte, uleb, type Code } from '../wasm/encode.ts';
import { OP, VOID } from '../wasm/opcodes.ts';

/** What `run` and `step` return. */
export const STATUS = {
  /** step: done, PC is the next instruction. run: the budget is used up. */
  ok: 0,
  /** The instruction trapped (or may not go on); it has not retired. */
  trap: 1,
  /** The instruction has retired, and the hart must look at its state before going on. */
  leave: 2,
  /** A micro-op below FIRST_ROW_OP: nothing was executed. */
  special: 3,
  /** No fetch translation for PC. */
  fetchMiss: 4,
  /** The entry at PC, not yet executed, has been reached often enough for tier 1. */
  hot: 5,
} as const;

/** What the import `ecall` returns. */
export const ECALL = {
  /** Go on at PC. */
  goOn: 0,
  /** The same, but the TLB, its views or decoded code have changed. */
  changed: 1,
  /** Leave with STATUS.trap: the hart must look at its state. */
  leave: 2,
} as const;

/** Function indices of the imports. */
export const IMPORT = { load: 0, store: 1, translate: 2, fp: 3, helper: 4, ecall: 5, region: 6 } as const;
const IMPORT_COUNT = 7;
/** Function indices of the module's own, in the order of interpreterModule.ts. */
export const FUNCTION = {
  step: IMPORT_COUNT,
  run: IMPORT_COUNT + 1,
  ecall: IMPORT_COUNT + 2,
  fuseAt: IMPORT_COUNT + 3,
  fuse: IMPORT_COUNT + 4,
} as const;

export class StepEmitter extends Emitter<UopOperands> {
  /** Local that holds the address of the micro-op's copy. */
  readonly #ip: number;
  readonly #op: number;

  /** `op`: local that holds the operation. */
  constructor(locals: Locals, ip: number, op: number) {
    super(locals, new UopOperands(ip));
    this.#ip = ip;
    this.#op = op;
  }

  handler(instruction: Instruction): Code {
    this.operands.instruction = instruction;
    this.out = '';
    instruction.row.exec(this);
    this.locals.release();
    return this.out + i32const(STATUS.ok) + OP.return;
  }

  get pc(): I32 {
    return {
      type: 'i32',
      code: pcOf(loadState(layout.IP)),
    };
  }

  /** `step` has stored it in PC before it dispatches. */
  get nextPc(): I32 {
    return { type: 'i32', code: loadState(layout.PC) };
  }

  #returnIf(code: Code): void {
    const status = this.locals.take('i32');
    this.out += code + OP.local_tee + uleb(status) + OP.if + VOID + get(status) + OP.return + OP.end;
  }

  /** The target of a relative jump; near immediates are in bytes of micro-ops. */
  get #target(): Code {
    const far = get(this.#op) + i32const(FAR) + OP.i32_and;
    const near = this.operands.fieldImm + i32const(2) + OP.i32_shr_s;
    return this.pc.code + this.operands.fieldImm + near + far + OP.select + OP.i32_add;
  }

  branch(condition: I32): void {
    this.out += condition.code + OP.if + VOID + storeState(layout.PC, this.#target) + OP.end;
  }

  jumpRelative(): void {
    this.out += storeState(layout.PC, this.#target);
  }

  jump(target: I32): void {
    this.out += storeState(layout.PC, target.code + i32const(-2) + OP.i32_and);
  }

  protected hostAddress(_size: number, address: I32, write: boolean): number {
    const host = this.locals.take('i32');
    this.out += address.code + i32const(write ? 1 : 0) + OP.call + byte(IMPORT.translate);
    this.out +=
      OP.local_tee + uleb(host) + OP.i32_eqz + OP.if + VOID + i32const(STATUS.trap) + OP.return + OP.end;
    return host;
  }

  load(size: Size, signed: boolean, address: I32): I32 {
    this.#returnIf(address.code + i32const(size) + OP.call + byte(IMPORT.load));
    const value: I32 = { type: 'i32', code: loadState(layout.SCRATCH) };
    if (!signed || size === 4) return value;
    return size === 1 ? this.extend8(value) : this.extend16(value);
  }

  store(size: Size, address: I32, value: I32): void {
    this.out += storeState(layout.SCRATCH, value.code);
    this.#returnIf(address.code + i32const(size) + OP.call + byte(IMPORT.store));
  }

  /** With FS off, floating-point instructions are illegal; the hart finds the encoding. */
  #needFs(): void {
    this.out += loadState(layout.FS) + OP.i32_eqz + OP.if + VOID;
    this.out += i32const(STATUS.special) + OP.return + OP.end;
  }

  loadFloat(size: 4 | 8, address: I32): void {
    this.#needFs();
    this.#returnIf(address.code + i32const(size) + OP.call + byte(IMPORT.load));
    this.out += storeState(layout.FS, i32const(3)) + this.operands.fieldA;
    this.out += i32const(0) + memoryOp(OP.i64_load, 3, layout.SCRATCH);
    if (size === 4) this.out += BOX + OP.i64_or;
    this.out += memoryOp(OP.i64_store, 3, layout.F);
  }

  storeFloat(size: 4 | 8, address: I32): void {
    this.#needFs();
    this.out += i32const(0) + this.operands.fieldRs2 + memoryOp(OP.i64_load, 3, layout.F);
    this.out += memoryOp(OP.i64_store, 3, layout.SCRATCH);
    this.#returnIf(address.code + i32const(size) + OP.call + byte(IMPORT.store));
  }

  fp(_name: string): void {
    this.#needFs();
    this.#returnIf(i32const(this.operands.instruction.index) + i32const(0) + OP.call + byte(IMPORT.fp));
  }

  helper(_name: string): void {
    this.#returnIf(
      i32const(this.operands.instruction.index) + this.operands.fieldImm + OP.call + byte(IMPORT.helper),
    );
  }

  /** Code that stores the address of the following instruction in PC. */
  storeNextPc(): Code {
    const length = i32const(2) + i32const(4) + get(this.#op) + i32const(COMPRESSED) + OP.i32_and + OP.select;
    return storeState(layout.PC, this.pc.code + length + OP.i32_add);
  }

  /**
   * Code that loads the micro-op's operation, and has the operands read from a copy: what an instruction writes, and the A or D
   * bit that its walk sets, may lie in its own page, whose micro-ops then go.
   */
  loadUop(): Code {
    return (
      i32const(layout.SCRATCH_UOP) +
      OP.local_tee +
      uleb(this.#ip) +
      loadState(layout.IP) +
      memoryOp(OP.i64_load, 3, 0) +
      memoryOp(OP.i64_store, 3, 0) +
      get(this.#ip) +
      memoryOp(OP.i32_load16_u, 1, 0) +
      i32const(ENTRY - 1) +
      OP.i32_and +
      set(this.#op)
    );
  }
}
