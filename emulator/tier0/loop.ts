/**
 * The fast loop: `run` of interpreter.ts, its handlers one for each row in each variant (fast.ts), and those micro-ops that are
 * no rows.
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
import { COMPRESSED, ENTRY, FAR, FIRST_ROW_OP, OP_NEXT_PAGE, OP_STRADDLE, UOP_SCALE } from './uop.ts';
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
  const site = get(IP) + i32const(3) + OP.i32_shl + i32const((layout.PROFILE_SITES - 1) << 6) + OP.i32_and;
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

interface Handlers {
  readonly codes: readonly Code[];
  /** The handler that each operation goes to, or -1. */
  readonly targets: readonly number[];
  /** Of each handler: where conditional branches stand that are hardly ever taken. */
  readonly unlikely: readonly (readonly number[])[];
}

/** Handlers of the fast loop, and which of them an operation goes to. */
function fastHandlers(emitter: FastEmitter): Handlers {
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
      makers.push({ op: FIRST_ROW_OP + i.index * 4 + variant, make: (l) => emitter.handler(i, variant, l) });
    }
  }
  const probe: LoopLabels = { slow: 0, far: 0, jump: 0, next: 0, resume: 0 };
  const known = makers.filter((m) => m.make(probe) !== null);
  const targets = Array<number>(FIRST_ROW_OP + instructions.length * 4).fill(-1);
  const unlikely: number[][] = [];
  const codes = known.map((m, index) => {
    targets[m.op] = index;
    const slow = known.length - 1 - index;
    emitter.unlikely = [];
    const code = m.make({ slow, far: slow + 1, jump: slow + 2, next: slow + 3, resume: slow + 4 }) as Code;
    unlikely.push(emitter.unlikely);
    return code;
  });
  return { codes, targets, unlikely };
}

/** A jump through the table of the operations below `targets.length`; all others go to the label `others`. */
const jumpTable = (selector: Code, targets: readonly number[], others: number): Code =>
  selector + OP.br_table + uleb(targets.length) + targets.map((t) => uleb(t)).join('') + uleb(others);

export function runFunction(): FunctionBody {
  const locals = new Locals(1);
  for (let i = 1; i < FIRST_FREE; i++) locals.types.push('i32');
  const { codes, targets, unlikely } = fastHandlers(new FastEmitter(locals, loopLocals));
  const count = codes.length;
  let code =
    loadState(layout.PC) +
    set(NEXT_PC) +
    loadBases +
    OP.loop + // resume: look NEXT_PC up
    VOID +
    lookup() +
    OP.loop + // next
    VOID +
    get(IP) +
    get(ADVANCE) +
    OP.i32_add +
    set(IP) +
    get(N) +
    get(COUNT) +
    OP.i32_sub +
    OP.local_tee +
    uleb(N) +
    OP.i32_eqz +
    OP.if +
    VOID +
    storeState(layout.PC, currentPc) +
    storeState(layout.BUDGET, i32const(0)) +
    i32const(STATUS.ok) +
    OP.return +
    OP.end +
    OP.block + // jump
    VOID +
    OP.block + // far
    VOID +
    OP.block + // slow
    VOID;
  for (let i = 0; i < count; i++) code += OP.block + VOID;
  code +=
    OP.block + // entry
    VOID +
    jumpTable(
      get(OPERATION),
      targets.map((t) => t + 1),
      0,
    ) +
    OP.end;
  const hints: number[] = [];
  code += get(OPERATION) + i32const(ENTRY) + OP.i32_and;
  hints.push(code.length);
  code += OP.if + VOID + entryCode(count + 3) + OP.end;
  code += get(OPERATION) + i32const(ENTRY) + OP.i32_lt_u;
  hints.push(code.length);
  code += OP.br_if + uleb(count) + OP.unreachable;
  for (let i = 0; i < count; i++) {
    code += OP.end;
    for (const at of unlikely[i]) hints.push(code.length + at);
    code += codes[i];
  }
  code +=
    OP.end + // slow
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
    set(MARK) +
    OP.br +
    byte(3) +
    OP.end + // far
    currentPc +
    get(IP) +
    memoryOp(OP.i32_load, 2, 4) +
    OP.i32_add +
    set(NEXT_PC) +
    OP.end + // jump
    noteTarget() +
    loadState(layout.MARK) +
    set(MARK) +
    get(N) +
    get(COUNT) +
    OP.i32_sub +
    set(N) +
    OP.br +
    byte(1) +
    OP.end +
    OP.end +
    OP.unreachable;
  const type: FunctionType = { params: ['i32'], results: ['i32'] };
  return { name: 'run', type, locals: locals.types, code, exported: true, unlikely: hints };
}
