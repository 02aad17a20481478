/**
 * The fast loop: `run` of interpreter.ts, its handlers, one for each row in each variant and for each fused sequence (fast.ts),
 * and those micro-ops that are no rows.
 *
 * What V8 makes of it decides its form. V8 keeps the loop's locals in registers as long as calls stand only where hints say that hardly
 * anything goes, and as long as no loop lies within the loop, in front of which it would load constants. What two handlers compute alike
 * from locals, were it IP + 8, it computes once ahead of every dispatch: so handlers leave constants for the loop's head to add, and
 * whatever has to do with pcs goes by memory. The operation is loaded by whoever goes on, so that it can be dispatched without its mark.
 */
import * as layout from '../layout.ts';
import { compressedInstructions, instructions, type Instruction } from '../isa/table.ts';
import { get, i32const, loadState, Locals, memoryOp, set, storeState } from '../codegen/emitter.ts';
import { afterRegion, entryCode, markEntry, markLanding } from './entries.ts';
import { FastEmitter, type LoopLabels } from './fast.ts';
import {
  N,
  IP,
  ADVANCE,
  COUNT,
  NEXT_PC,
  STATUS_LOCAL,
  OPERATION,
  MARK,
  FIRST_FREE,
  loopLocals,
  currentPc,
  loadBases,
  fetchEntry,
  setAnchor,
} from './loopLocals.ts';
import { FUNCTION, STATUS } from './step.ts';
import { FIRST_FUSED_OP, mostParts, type Fusion } from './fusion.ts';
import {
  COMPRESSED,
  ENTRY,
  FAR,
  FIRST_ROW_OP,
  OP_NEXT_PAGE,
  OP_STRADDLE,
  UOP_BYTES,
  UOP_SCALE,
} from './uop.ts';
import { byte, uleb, type Code, type FunctionBody, type FunctionType } from '../wasm/encode.ts';
import { OP, VOID } from '../wasm/opcodes.ts';

/** Leaves for the loop's head: at the micro-op at IP, nothing to be counted. */
const arrive =
  i32const(0) +
  set(ADVANCE) +
  i32const(0) +
  set(COUNT) +
  get(IP) +
  memoryOp(OP.i32_load16_u, 1, 0) +
  set(OPERATION);

function lookup(): Code {
  return (
    fetchEntry(get(NEXT_PC)) +
    OP.local_tee +
    uleb(IP) +
    OP.i32_eqz +
    OP.if +
    VOID +
    storeState(layout.PC, get(NEXT_PC)) +
    storeState(layout.BUDGET, get(N)) +
    i32const(STATUS.fetchMiss) +
    OP.return +
    OP.end +
    get(IP) +
    get(NEXT_PC) +
    i32const(0xffe) +
    OP.i32_and +
    i32const(2) +
    OP.i32_shl +
    OP.i32_add +
    set(IP) +
    setAnchor(get(NEXT_PC)) +
    markLanding +
    arrive
  );
}

/** Notes that the micro-op at IP goes to NEXT_PC. */
function noteTarget(): Code {
  const siteBits = Math.log2(layout.PROFILE_TARGETS * 4);
  const site =
    get(IP) +
    i32const(siteBits - Math.log2(UOP_BYTES)) +
    OP.i32_shl +
    i32const((layout.PROFILE_SITES - 1) << siteBits) +
    OP.i32_and;
  const target =
    get(NEXT_PC) + i32const(1) + OP.i32_shl + i32const((layout.PROFILE_TARGETS - 1) << 2) + OP.i32_and;
  return site + target + OP.i32_or + get(NEXT_PC) + memoryOp(OP.i32_store, 2, layout.PROFILE);
}

function nextPageHandler(labels: LoopLabels): Code {
  return currentPc + set(NEXT_PC) + i32const(0) + set(MARK) + OP.br + uleb(labels.resume);
}

/**
 * The micro-op of a straddling instruction is kept in the header of its page, good for one following page:
 * if that is the page that follows now, go there; otherwise `step` reports it as special.
 */
function straddleHandler(labels: LoopLabels): Code {
  const toPage = 2047 * 8;
  const recorded =
    get(IP) + i32const(toPage - layout.STRADDLE_NEXT) + OP.i32_sub + memoryOp(OP.i32_load, 2, 0);
  const second = currentPc + i32const(2) + OP.i32_add;
  return (
    recorded +
    OP.local_tee +
    uleb(STATUS_LOCAL) +
    OP.i32_eqz +
    OP.br_if +
    uleb(labels.slow) +
    get(STATUS_LOCAL) +
    fetchEntry(second) +
    OP.i32_ne +
    OP.br_if +
    uleb(labels.slow) +
    currentPc +
    set(NEXT_PC) +
    get(IP) +
    i32const(toPage - layout.STRADDLE_UOP) +
    OP.i32_sub +
    set(IP) +
    setAnchor(get(NEXT_PC)) +
    arrive +
    OP.br +
    uleb(labels.next)
  );
}

const ecallRow = instructions.find((i) => i.row.name === 'ecall') as Instruction;

/**
 * Environment calls are frequent, so they are served without leaving the loop. What is behind one is an entry for tier 1: there a task
 * goes on that has slept, and a region that had to be left.
 */
function ecallHandler(labels: LoopLabels, unlikely: number[]): Code {
  const always = get(N);
  unlikely.push(always.length);
  return (
    always +
    OP.if +
    VOID +
    markEntry(4 * UOP_SCALE, loadState(layout.MARK)) +
    storeState(layout.PC, currentPc) +
    get(N) +
    i32const(1) +
    OP.i32_sub +
    i32const(0) +
    OP.call +
    uleb(FUNCTION.ecall) +
    set(STATUS_LOCAL) +
    afterRegion +
    OP.br +
    uleb(labels.resume + 1) +
    OP.end +
    OP.unreachable
  );
}

interface Handler {
  /** The operation that goes to it. */
  readonly op: number;
  readonly code: Code;
  /** Where conditional branches stand in it that are hardly ever taken. */
  readonly unlikely: readonly number[];
}

/** Handlers of the fast loop; each lies in the blocks of all that follow it. */
function fastHandlers(emitter: FastEmitter, fusions: readonly Fusion[]): Handler[] {
  const compressible = new Set(compressedInstructions.map((c) => c.expansion));
  type Maker = (labels: LoopLabels) => Code | null;
  const makers: { op: number; make: Maker }[] = [
    { op: OP_NEXT_PAGE, make: nextPageHandler },
    { op: OP_STRADDLE, make: straddleHandler },
    { op: FIRST_ROW_OP + ecallRow.index * 4, make: (l) => ecallHandler(l, emitter.unlikely) },
  ];
  for (const i of instructions) {
    if (i === ecallRow) continue;
    for (let variant = 0; variant < 4; variant++) {
      if (variant & COMPRESSED && !compressible.has(i)) continue;
      if (variant & FAR && !i.traits.relative) continue;
      const parts = [{ instruction: i, variant, forwards: 0 }];
      makers.push({ op: FIRST_ROW_OP + i.index * 4 + variant, make: (l) => emitter.handler(parts, l) });
    }
  }
  for (const { op, parts } of fusions) makers.push({ op, make: (l) => emitter.handler(parts, l) });
  // The last one first, since a handler's labels are as far away as there are handlers behind it.
  const handlers: Handler[] = [];
  for (const { op, make } of makers.reverse()) {
    const slow = handlers.length;
    emitter.unlikely = [];
    const code = make({
      slow,
      slowLater: slow + 1,
      jump: slow + 2,
      next: slow + 3,
      resume: slow + 4,
    });
    if (code !== null) handlers.push({ op, code, unlikely: emitter.unlikely });
  }
  return handlers.reverse();
}

/** A jump through the table of the operations below `targets.length`; all others go to the label `others`. */
const jumpTable = (selector: Code, targets: readonly number[], others: number): Code =>
  selector + OP.br_table + uleb(targets.length) + targets.map((t) => uleb(t)).join('') + uleb(others);

/** Little of the budget is left: if nothing, the loop ends; a sequence is executed one by one. `slow`: the label. */
function fewLeft(slow: number): Code {
  return (
    get(N) +
    OP.i32_eqz +
    OP.if +
    VOID +
    storeState(layout.PC, currentPc) +
    storeState(layout.BUDGET, i32const(0)) +
    i32const(STATUS.ok) +
    OP.return +
    OP.end +
    get(OPERATION) +
    i32const(ENTRY - 1) +
    OP.i32_and +
    i32const(FIRST_FUSED_OP) +
    OP.i32_ge_u +
    OP.br_if +
    uleb(slow)
  );
}

/** Goes on where the micro-op at IP + ADVANCE is, with what COUNT says counted. */
const goOn = get(IP) + get(ADVANCE) + OP.i32_add + set(IP) + get(N) + get(COUNT) + OP.i32_sub + set(N);

/** Executes the micro-op at IP + ADVANCE in `step`, with COUNT instructions before it, and leaves NEXT_PC. */
const stepCode =
  goOn +
  storeState(layout.IP, get(IP)) +
  storeState(layout.BUDGET, get(N) + i32const(1) + OP.i32_sub) +
  OP.call +
  uleb(FUNCTION.step) +
  OP.local_tee +
  uleb(STATUS_LOCAL) +
  OP.if +
  VOID +
  get(STATUS_LOCAL) +
  OP.return +
  OP.end +
  loadState(layout.BUDGET) +
  set(N) +
  loadBases +
  loadState(layout.PC) +
  set(NEXT_PC) +
  i32const(0) +
  set(MARK);

export function runFunction(fusions: readonly Fusion[]): FunctionBody {
  const locals = new Locals(1);
  for (let i = 1; i < FIRST_FREE; i++) locals.types.push('i32');
  const handlers = fastHandlers(new FastEmitter(locals, loopLocals), fusions);
  const count = handlers.length;
  // The label of what no handler is for is 0.
  const targets = Array<number>(FIRST_FUSED_OP + fusions.length * 2).fill(0);
  handlers.forEach(({ op }, index) => (targets[op] = index + 1));
  const hints: number[] = [];
  let code = loadState(layout.PC) + set(NEXT_PC) + loadBases;
  const addUnlikely = (condition: Code, then: Code): void => {
    code += condition;
    hints.push(code.length);
    code += then;
  };
  code += OP.loop + VOID; // resume: look NEXT_PC up
  code += lookup();
  code += OP.loop + VOID; // next
  code += goOn;
  code += OP.block + VOID; // jump
  code += OP.block + VOID; // slowLater
  code += OP.block + VOID; // slow
  addUnlikely(get(N) + i32const(mostParts(fusions)) + OP.i32_lt_u, OP.if + VOID + fewLeft(1) + OP.end);
  code += (OP.block + VOID).repeat(count);
  code += OP.block + VOID; // entry
  code += jumpTable(get(OPERATION), targets, 0) + OP.end;
  addUnlikely(get(OPERATION) + i32const(ENTRY) + OP.i32_and, OP.if + VOID + entryCode(count + 3) + OP.end);
  // Without the mark it is no row, or one that only `step` executes.
  addUnlikely(get(OPERATION) + i32const(ENTRY) + OP.i32_lt_u, OP.br_if + uleb(count) + OP.unreachable);
  for (const handler of handlers) {
    code += OP.end;
    for (const at of handler.unlikely) hints.push(code.length + at);
    code += handler.code;
  }
  code += OP.end; // slow
  code += i32const(0) + set(ADVANCE) + i32const(0) + set(COUNT);
  code += OP.end; // slowLater
  code += stepCode + OP.br + byte(2);
  code += OP.end; // jump
  code += goOn + noteTarget() + loadState(layout.MARK) + set(MARK) + OP.br + byte(1);
  code += OP.end + OP.end + OP.unreachable;
  const type: FunctionType = { params: ['i32'], results: ['i32'] };
  return { name: 'run', type, locals: locals.types, code, exported: true, unlikely: hints };
}
