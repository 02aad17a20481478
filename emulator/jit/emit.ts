/**
 * The code generator of tier 1: a region becomes one WebAssembly function (budget, depth) -> budget.
 *
 * x registers live in locals. The function begins by seeing whether it may run at all: the pc is its entry, its pages are
 * still the ones it was made from, and the budget suffices for the longest path to the next look at it. If not, it returns
 * the budget as it came. Whatever it cannot do leaves it with the registers written back and PC at the instruction, for the
 * interpreter to go on. A guest call is a WebAssembly call; a guest return stores PC and returns, and the caller sees whether
 * it came back where it wanted.
 */
import { get, i32const, loadState, Locals, memoryOp, set, storeState } from '../codegen/emitter.ts';
import { either, type FloatHost, type SourceNumber } from '../codegen/floatCode.ts';
import { jumpCacheEntry } from '../codegen/jumpCache.ts';
import { RegisterFile, type FileUser } from '../codegen/registerFile.ts';
import type { Binary32, I32 } from '../isa/builder.ts';
import * as layout from '../layout.ts';
import { ENTRY } from '../tier0/uop.ts';
import type { Checks } from './checks.ts';
import { ECALL_SLOT, REGION_TYPE } from './convention.ts';
import { exitMasks, Exits } from './exits.ts';
import { isExpected, type Flow, type FlowBlock } from './flow.ts';
import { DEPTH, EXIT, FETCH, KnownOperands, N, READ, SCRATCH, TARGET, WRITE, x } from './frame.ts';
import { LocalFloats } from './localFloats.ts';
import { LookupEmitter, type Look, type LookContext } from './lookups.ts';
import { isEcall, type Edge, type RegionCode } from './region.ts';
import { NONE, union, without, written, type Regs } from './registers.ts';
import { RegisterLocals } from './registerLocals.ts';
import { byte, uleb, type Code, type FunctionBody } from '../wasm/encode.ts';
import { OP, VOID } from '../wasm/opcodes.ts';

const REFUND_BITS = 11;

/** What the generator must know of the world around the region. */
export interface RegionContext extends LookContext {
  /** The address of the micro-ops from which each of the region's pages is fetched. */
  decoded(page: number): number;
  /** The slot for calls to that address; -1: there is none. */
  slotFor(target: number): number;
}

/** Operators that leave their first operand as it is when the second is zero; and the second when the first is. */
const NEUTRAL: ReadonlySet<Binary32> = new Set<Binary32>([
  'add',
  'sub',
  'or',
  'xor',
  'shl',
  'shr_s',
  'shr_u',
]);
const NEUTRAL_FIRST: ReadonlySet<Binary32> = new Set<Binary32>(['add', 'or', 'xor']);

/** `truth`: what is not zero either when the value is not, and takes less code. */
interface Truth extends I32 {
  readonly truth?: Code;
}

/** An `if` among the scopes, which is no block's label. */
const NO_LABEL = -1;

class RegionEmitter extends LookupEmitter {
  #floatHost: FloatHost | null = null;
  readonly #entry: number;
  readonly #blocks: readonly FlowBlock[];
  readonly #checks: Checks;
  protected readonly lookContext: LookContext;
  readonly #context: RegionContext;
  readonly #exits: Exits;
  /** What is open, by the block that it leads to: loops, blocks whose end is a merge, and NO_LABEL. */
  readonly #scopes: number[] = [];
  readonly #registers: RegisterLocals;
  /** Of the instruction under way. */
  #dirty = NONE;
  #refund = 0;
  #condition: Code = '';
  /** Places of branches that are hardly ever taken. */
  readonly unlikely: number[] = [];

  constructor(code: RegionCode, flow: Flow, context: RegionContext, locals: Locals) {
    super(locals, new KnownOperands(), { read: READ, write: WRITE });
    this.lookContext = context;
    this.#checks = flow.checks;
    this.#entry = code.entry;
    this.#blocks = flow.blocks;
    this.#context = context;
    this.#registers = new RegisterLocals(flow, locals);
    this.#exits = new Exits(exitMasks(flow.blocks), (regs) => this.#registers.store(regs));
  }

  /** Most regions have no use for it. */
  protected get floatHost(): FloatHost {
    return (this.#floatHost ??= this.#registers.assumes
      ? new LocalFloats(this.#fileUser(), this.#registers.floats, () => this.operands.insn)
      : new RegisterFile(this.#fileUser()));
  }

  #fileUser(): FileUser {
    const { operands } = this;
    return {
      source: (n: SourceNumber): Code => {
        const { rs1, rs2, rs3 } = operands.insn.fields;
        return i32const(8 * (n === 1 ? rs1 : n === 2 ? rs2 : rs3));
      },
      get destination() {
        return i32const(8 * operands.insn.fields.rd);
      },
      get integer() {
        return operands.rs1.code;
      },
      get rm() {
        return i32const(operands.insn.fields.rm);
      },
      setInteger: (value) => (this.out += operands.setRd(value)),
      take: (type) => this.locals.take(type),
      emit: (part) => (this.out += part),
      expectNot: () => this.unlikely.push(this.out.length),
      bailIf: (condition, depth) => {
        this.bailIf(condition, depth);
      },
    };
  }

  // Builder

  get pc(): I32 {
    return this.i32(this.operands.insn.pc);
  }

  get nextPc(): I32 {
    return this.i32(this.operands.insn.pc + this.operands.insn.length);
  }

  override op(operator: Binary32, a: I32, b: I32): Truth {
    if (b.constant === 0) {
      if (NEUTRAL.has(operator)) return a;
      if (operator === 'eq') return this.eqz(a);
      if (operator === 'ne') return { type: 'i32', code: a.code + b.code + OP.i32_ne, truth: a.code };
    }
    return a.constant === 0 && NEUTRAL_FIRST.has(operator) ? b : super.op(operator, a, b);
  }

  branch({ code, truth }: Truth): void {
    this.#condition = truth ?? code;
  }

  jumpRelative(): void {}

  jump(target: I32): void {
    this.out += target.code + i32const(-2) + OP.i32_and + set(TARGET);
  }

  protected needFs(): void {
    if (!this.#registers.assumes) this.bailIf(loadState(layout.FS) + OP.i32_eqz);
  }

  protected dirtyFs(): void {
    if (!this.#registers.assumes) this.out += storeState(layout.FS, i32const(3));
  }

  protected bailIf(condition: Code, depth = 0): void {
    this.#leaveIf(condition, this.operands.insn.pc, this.#refund, this.#dirty, depth);
  }

  #leaveIf(condition: Code, pc: number, refund: number, dirty: Regs, depth: number): void {
    const info = ((pc - this.#entry) << REFUND_BITS) | refund;
    const label = this.#scopes.length + this.#exits.label(dirty) + depth;
    this.out += i32const(info) + set(EXIT) + condition;
    this.unlikely.push(this.out.length);
    this.out += OP.br_if + uleb(label);
  }

  protected ifUnlikely(condition: Code, then: () => void): void {
    this.out += condition;
    this.unlikely.push(this.out.length);
    this.out += OP.if + VOID;
    then();
    this.out += OP.end;
  }

  // Blocks

  /** The block's instructions; what its last one decides is left in #condition or TARGET. */
  #straight(index: number): void {
    const block = this.#blocks[index];
    if (block.isLoop)
      this.#leaveIf(get(N) + i32const(block.need) + OP.i32_lt_s, block.pc, 0, block.dirtyIn, 0);
    if (block.count > 0) this.out += get(N) + i32const(block.count) + OP.i32_sub + set(N);
    this.#dirty = block.dirtyIn;
    this.loop = block.loop;
    const planned = this.#checks.accesses[index];
    const remade = this.#checks.remade[index];
    this.forget(remade[0]);
    const { insns } = block;
    for (let i = 0; i < insns.length; i++) {
      const insn = insns[i];
      this.operands.insn = insn;
      this.access = planned[i];
      this.#refund = block.count - i;
      if (!isEcall(insn)) insn.instruction.row.exec(this);
      this.locals.release();
      if (insn.floats || (insn.writes & ~this.#dirty.x) !== 0)
        this.#dirty = union(this.#dirty, written(insn, this.#registers.types));
      this.forget(remade[i + 1]);
    }
  }

  #returnTo(pc: Code, dirty: Regs): void {
    this.out += this.#registers.store(dirty) + storeState(layout.PC, pc) + get(N) + OP.return;
  }

  /** Branch depth of a loop's begin or of the end of the block in front of a merge. */
  #label(block: number): number {
    return this.#scopes.length - 1 - this.#scopes.lastIndexOf(block);
  }

  /** True when the way to the block is a branch to a label. */
  #isLabel(from: number, to: number): boolean {
    return to <= from || this.#blocks[to].forward > 1;
  }

  #follow(from: number, edge: Edge): void {
    if (edge.block < 0) {
      this.out += storeState(layout.LANDING, i32const(ENTRY));
      this.#returnTo(i32const(edge.pc), this.#blocks[from].dirtyOut);
    } else if (this.#isLabel(from, edge.block)) this.out += OP.br + uleb(this.#label(edge.block));
    else this.#tree(edge.block);
  }

  #branchIf(condition: Code, index: number, taken: Edge): void {
    if (taken.block >= 0 && this.#isLabel(index, taken.block)) {
      this.out += condition + OP.br_if + uleb(this.#label(taken.block));
    } else {
      this.out += condition + OP.if + VOID;
      this.#scopes.push(NO_LABEL);
      this.#follow(index, taken);
      this.#scopes.pop();
      this.out += OP.end;
    }
  }

  /** The slot that a call goes through; -1: it is known when it runs, or there is none. */
  #slotOf(target: number | 'ecall' | null): number {
    if (target === 'ecall') return ECALL_SLOT;
    return target === null ? -1 : this.#context.slotFor(target);
  }

  #call(index: number, target: number | 'ecall' | null, back: Edge): void {
    const block = this.#blocks[index];
    const known = this.#slotOf(target);
    const at = target === 'ecall' ? this.operands.insn.pc : target;
    this.out += this.#registers.store(block.dirtyOut);
    this.out += storeState(layout.PC, at === null ? get(TARGET) : i32const(at));
    if (target !== null && known < 0) {
      this.out += get(N) + OP.return;
      return;
    }
    const giveUp = (condition: Code): void => {
      this.ifUnlikely(condition, () => (this.out += get(N) + OP.return));
    };
    if (target !== 'ecall') giveUp(get(DEPTH) + OP.i32_eqz);
    if (target === null) {
      this.out += jumpCacheEntry(get(TARGET), get(FETCH)) + set(SCRATCH);
      giveUp(get(SCRATCH) + memoryOp(OP.i32_load, 2, layout.JUMP_CACHE) + get(TARGET) + OP.i32_ne);
      const slot = get(SCRATCH) + memoryOp(OP.i32_load, 2, layout.JUMP_CACHE + 4) + get(FETCH) + OP.i32_xor;
      giveUp(slot + OP.local_tee + uleb(SCRATCH) + i32const(layout.TABLE_BYTES) + OP.i32_ge_u);
    }
    const slot = target === null ? get(SCRATCH) : i32const(known);
    this.out += get(N) + get(DEPTH) + i32const(1) + OP.i32_sub + slot + OP.call_indirect + byte(0) + byte(0);
    this.out += set(N);
    if (back.block < 0) {
      this.out += get(N) + OP.return;
      return;
    }
    const next = this.#blocks[back.block];
    giveUp(get(N) + i32const(next.need) + OP.i32_lt_s);
    const landed = loadState(layout.PC) + i32const(back.pc) + OP.i32_xor;
    // What the callee has preserved is still in its local, and with it all that is known of addresses.
    const kept = next.liveIn.x & this.#checks.kept;
    const rest = without(next.liveIn, { x: kept, f: 0 });
    giveUp(this.#registers.orOtherFloats(this.#registers.orChanged(landed, kept), rest));
    this.out += this.#registers.load(rest);
    this.forget(this.#checks.remade[index][block.count + 1]);
    this.#follow(index, back);
  }

  #terminate(index: number): void {
    const { end } = this.#blocks[index];
    if (end.kind === 'jump') this.#follow(index, end.to);
    else if (end.kind === 'branch') {
      this.#branchIf(this.#condition, index, end.taken);
      this.#follow(index, end.fall);
    } else if (end.kind === 'call') this.#call(index, end.target, end.back);
    else this.#indirect(index, end.targets, end.otherwise);
  }

  #indirect(index: number, targets: readonly Edge[], otherwise: Edge | null): void {
    const { dirtyOut } = this.#blocks[index];
    if (isExpected(this.#blocks[index].end)) {
      // The interpreter executes it where it goes anywhere else.
      this.#leaveIf(get(TARGET) + i32const(targets[0].pc) + OP.i32_ne, this.operands.insn.pc, 1, dirtyOut, 0);
      this.#follow(index, targets[0]);
      return;
    }
    for (const target of targets) {
      this.#branchIf(get(TARGET) + i32const(target.pc) + OP.i32_eq, index, target);
    }
    if (otherwise === null) this.#returnTo(get(TARGET), dirtyOut);
    else this.#follow(index, otherwise);
  }

  /**
   * A block and all that it dominates. Where control meets again, a block's end stands in front: Ramsey, "Beyond Relooper"
   * (ICFP 2022).
   */
  #tree(index: number): void {
    const block = this.#blocks[index];
    const { children } = block;
    const isMerge = (child: number): boolean => this.#blocks[child].forward > 1;
    if (block.isLoop) {
      this.out += OP.loop + VOID;
      this.#scopes.push(index);
    }
    for (let i = children.length - 1; i >= 0; i--) {
      if (!isMerge(children[i])) continue;
      this.out += OP.block + VOID;
      this.#scopes.push(children[i]);
    }
    this.#straight(index);
    this.#terminate(index);
    for (let i = 0; i < children.length; i++) {
      if (!isMerge(children[i])) continue;
      this.#scopes.pop();
      this.out += OP.end;
      this.#tree(children[i]);
    }
    if (block.isLoop) {
      this.#scopes.pop();
      this.out += OP.end;
    }
  }

  // The function

  #prologue(pages: readonly number[]): void {
    const refuse = (condition: Code): void => {
      this.ifUnlikely(condition, () => (this.out += get(N) + OP.return));
    };
    const entry = this.#blocks[0];
    refuse(get(N) + i32const(entry.need) + OP.i32_lt_s);
    this.out += loadState(layout.TLB_FETCH) + set(FETCH);
    let others = loadState(layout.PC) + i32const(this.#entry) + OP.i32_xor;
    for (const page of pages) {
      const fetched = get(FETCH) + memoryOp(OP.i32_load, 2, page * 4);
      others = either(others, fetched + i32const(this.#context.decoded(page)) + OP.i32_xor);
    }
    refuse(this.#registers.orOtherFloats(others, entry.liveIn));
    if (this.readsTables)
      this.out += loadState(layout.TLB_READ) + set(READ) + loadState(layout.TLB_WRITE) + set(WRITE);
    this.out += this.#registers.load(entry.liveIn);
  }

  generate(pages: readonly number[]): Code {
    this.out = '';
    // One block more than there are exits: its end is where they meet.
    for (let i = 0; i <= this.#exits.size; i++) this.out += OP.block + VOID;
    this.#tree(0);
    this.out += OP.unreachable;
    for (const code of this.#exits.code()) this.out += OP.end + code;
    this.out += OP.end;
    const pc = get(EXIT) + i32const(REFUND_BITS) + OP.i32_shr_s + i32const(this.#entry) + OP.i32_add;
    this.out += storeState(layout.PC, pc);
    const refund = get(EXIT) + i32const((1 << REFUND_BITS) - 1) + OP.i32_and;
    this.out += get(N) + refund + OP.i32_add;
    return this.#behindPrologue(this.out, pages);
  }

  /** What is needed of the prologue is known in the end. */
  #behindPrologue(code: Code, pages: readonly number[]): Code {
    const places = this.unlikely.splice(0);
    this.out = '';
    this.#prologue(pages);
    for (let i = 0; i < places.length; i++) this.unlikely.push(this.out.length + places[i]);
    return this.out + code;
  }
}

/** The function of a region, and its looks at the TLB. */
export function regionFunction(
  code: RegionCode,
  flow: Flow,
  context: RegionContext,
): { body: FunctionBody; looks: readonly Look[] } {
  const locals = new Locals(REGION_TYPE.params.length);
  for (let local = REGION_TYPE.params.length; local < x(32); local++) locals.types.push('i32');
  const emitter = new RegionEmitter(code, flow, context, locals);
  const instructions = emitter.generate(code.pages);
  const name = `region_${code.entry.toString(16)}`;
  const { unlikely, looks } = emitter;
  const body = {
    name,
    type: REGION_TYPE,
    locals: locals.types,
    code: instructions,
    exported: false,
    unlikely,
  };
  return { body, looks };
}
