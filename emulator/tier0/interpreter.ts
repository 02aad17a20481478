/**
 * Tier 0: the interpreter, a WebAssembly module made from the rows at start-up. It exports
 *
 *     run(budget) -> STATUS   the fast loop: executes up to `budget` instructions from PC
 *     runFull(budget)         the same with the rows of all extensions in the loop (common.ts says why)
 *     step() -> STATUS        executes the micro-op at IP
 *     ecall(budget, depth)    delivers the trap of an ECALL for regions
 *     stub(budget, depth)     stands in the table where there is no region
 *
 * `run` keeps the micro-op pointer `ip` instead of a pc: micro-ops of a page lie in a row, one for each
 * halfword, so pc = delta + (ip >>> 2) all through the page, and a jump within it only moves ip.
 */
import * as layout from '../layout.ts';
import { compressedInstructions, instructions, type Instruction } from '../isa/table.ts';
import { encodeModule, uleb, type FunctionBody, type FunctionType } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';
import { get, i32const, loadState, Locals, memoryOp, set, storeState } from '../codegen/emitter.ts';
import { isCommon } from './common.ts';
import { FastEmitter, type LoopLabels } from './fast.ts';
import { ECALL, IMPORT, IMPORT_COUNT, STATUS, StepEmitter } from './step.ts';
import { lookUpFunction } from './lookUp.ts';
import { prebuiltInterpreter } from './prebuilt.ts';
import { MAX_DEPTH, REGION_TYPE, TABLE_SIZE } from '../jit/convention.ts';
import { jumpCacheEntry } from '../codegen/jumpCache.ts';
import { COMPRESSED, ENTRY, FAR, FIRST_ROW_OP, OP_NEXT_PAGE, OP_STRADDLE, UOP_SCALE } from './uop.ts';

const VOID = 0x40;
const TYPE_I32 = 0x7f;

/** Index of `ecall` among the module's functions. */
const ECALL_FUNCTION = 3;

/** A block nest around `br_table`: `targets[op]` is a handler's index, or -1 for the block outside. */
function dispatch(
  selector: readonly number[],
  targets: readonly number[],
  handlers: readonly number[][],
): number[] {
  const count = handlers.length;
  const code: number[] = [];
  for (let i = 0; i < count; i++) code.push(OP.block, VOID);
  code.push(...selector, OP.br_table, ...uleb(targets.length));
  for (const t of targets) code.push(...uleb(t < 0 ? count : t));
  code.push(...uleb(count));
  for (const h of handlers) {
    code.push(OP.end);
    for (const byte of h) code.push(byte);
  }
  return code;
}

function stepFunction(): FunctionBody {
  const locals = new Locals(0);
  const ip = locals.types.push('i32') - 1;
  const op = locals.types.push('i32') - 1;
  const emitter = new StepEmitter(locals, ip, op);
  const handlers = instructions.map((i) => emitter.handler(i));
  const targets = [...Array<number>(FIRST_ROW_OP / 4).fill(-1), ...instructions.map((i) => i.index)];
  const selector = [...get(op), ...i32const(2), OP.i32_shr_u];
  const code = [
    ...emitter.loadUop(),
    ...emitter.storeNextPc(),
    OP.block,
    VOID,
    ...dispatch(selector, targets, handlers),
    OP.end,
    ...i32const(STATUS.special),
  ];
  return { name: 'step', type: { params: [], results: ['i32'] }, locals: locals.types, code, exported: true };
}

/** Locals of `run`; parameter 0 is the budget that is left. */
const N = 0;
const IP = 1;
const DELTA = 2;
const NEXT_PC = 3;
const READ = 4;
const WRITE = 5;
const FETCH = 6;
const STATUS_LOCAL = 7;
/** The operation being dispatched. */
const OPERATION = 8;
/** What the landing of the jump under way is marked with: ENTRY or 0. */
const MARK = 9;
const FIRST_FREE = 10;

const loopLocals = { ip: IP, delta: DELTA, nextPc: NEXT_PC, read: READ, write: WRITE };

const currentPc = [...get(DELTA), ...get(IP), ...i32const(2), OP.i32_shr_u, OP.i32_add];
const loadBases = [
  ...loadState(layout.TLB_READ),
  ...set(READ),
  ...loadState(layout.TLB_WRITE),
  ...set(WRITE),
  ...loadState(layout.TLB_FETCH),
  ...set(FETCH),
];

/** An instruction that was counted but is not to be executed. */
const uncount = [...get(N), ...i32const(1), OP.i32_add, ...set(N)];

/** fetch[va >>> 12]: the decoded page's address, 0 when there is none. */
function fetchEntry(va: readonly number[]): number[] {
  const index = [...va, ...i32const(10), OP.i32_shr_u, ...i32const(0x3f_fffc), OP.i32_and];
  return [...get(FETCH), ...index, OP.i32_add, ...memoryOp(OP.i32_load, 2, 0)];
}

const setDelta = (pc: readonly number[]): number[] => [
  ...pc,
  ...get(IP),
  ...i32const(2),
  OP.i32_shr_u,
  OP.i32_sub,
  ...set(DELTA),
];

function lookup(): number[] {
  return [
    ...fetchEntry(get(NEXT_PC)),
    OP.local_tee,
    ...uleb(IP),
    OP.i32_eqz,
    OP.if,
    VOID,
    ...storeState(layout.PC, get(NEXT_PC)),
    ...storeState(layout.BUDGET, get(N)),
    ...i32const(STATUS.fetchMiss),
    OP.return,
    OP.end,
    ...get(IP),
    ...get(NEXT_PC),
    ...i32const(0xffe),
    OP.i32_and,
    ...i32const(2),
    OP.i32_shl,
    OP.i32_add,
    ...set(IP),
    ...setDelta(get(NEXT_PC)),
    ...markLanding,
  ];
}

/** Makes the row at IP + `offset` an entry for tier 1, if it is a row; `mark`: ENTRY, or 0 without tier 1. */
const markEntry = (offset: number, mark: readonly number[]): number[] => [
  ...get(IP),
  ...memoryOp(OP.i32_load16_u, 1, offset),
  OP.local_tee,
  ...uleb(OPERATION),
  ...i32const(FIRST_ROW_OP),
  OP.i32_ge_u,
  OP.if,
  VOID,
  ...get(IP),
  ...get(OPERATION),
  ...mark,
  OP.i32_or,
  ...memoryOp(OP.i32_store16, 1, offset),
  OP.end,
];

/** A row that a jump has landed on is an entry for tier 1. */
const markLanding = [...get(MARK), OP.if, VOID, ...markEntry(0, get(MARK)), OP.end];

/** The budget that STATUS_LOCAL holds, or the complement of which it holds (REGION_TYPE). */
const budgetLeft = [...get(STATUS_LOCAL), ...get(STATUS_LOCAL), ...i32const(31), OP.i32_shr_s, OP.i32_xor];

/**
 * Goes on after a region, or an ECALL, which is a region without instructions: STATUS_LOCAL holds what it returned. That is negative
 * when the views must be looked at, or the loop be left.
 */
const afterRegion = [
  ...storeState(layout.REGION_RETIRED, [
    ...loadState(layout.REGION_RETIRED),
    ...get(N),
    OP.i32_add,
    ...budgetLeft,
    OP.i32_sub,
  ]),
  ...budgetLeft,
  ...set(N),
  ...get(STATUS_LOCAL),
  ...i32const(0),
  OP.i32_lt_s,
  OP.if,
  VOID,
  ...loadState(layout.SERVED),
  OP.if,
  VOID,
  ...i32const(STATUS.trap),
  OP.return,
  OP.end,
  ...loadBases,
  OP.end,
  ...loadState(layout.PC),
  ...set(NEXT_PC),
  ...loadState(layout.LANDING),
  ...set(MARK),
  ...storeState(layout.LANDING, i32const(0)),
];

/**
 * The operation has the ENTRY bit. Enters the region that the jump cache has for this place, or counts; where there is
 * none, or it did nothing, the operation is dispatched again without the bit.
 */
function entryCode(): number[] {
  const heat = [
    ...get(IP),
    ...i32const(1),
    OP.i32_shr_u,
    ...i32const((layout.HEAT_SIZE - 1) << 2),
    OP.i32_and,
    ...set(STATUS_LOCAL),
    ...get(STATUS_LOCAL),
    ...get(STATUS_LOCAL),
    ...memoryOp(OP.i32_load, 2, layout.HEAT),
    ...i32const(1),
    OP.i32_add,
    ...memoryOp(OP.i32_store, 2, layout.HEAT),
    ...get(STATUS_LOCAL),
    ...memoryOp(OP.i32_load, 2, layout.HEAT),
    ...loadState(layout.THRESHOLD),
    OP.i32_eq,
    OP.if,
    VOID,
    ...storeState(layout.BUDGET, get(N)),
    ...i32const(STATUS.hot),
    OP.return,
    OP.end,
  ];
  const ample = [...get(N), ...loadState(layout.AMPLE), OP.i32_gt_u, OP.if, VOID, ...heat, OP.end];
  return [
    ...get(OPERATION),
    ...i32const(ENTRY),
    OP.i32_and,
    OP.if,
    VOID,
    ...uncount,
    ...currentPc,
    ...set(NEXT_PC),
    ...storeState(layout.PC, get(NEXT_PC)),
    ...jumpCacheEntry(get(NEXT_PC), get(FETCH)),
    ...set(STATUS_LOCAL),
    ...get(STATUS_LOCAL),
    ...memoryOp(OP.i32_load, 2, layout.JUMP_CACHE),
    ...get(NEXT_PC),
    OP.i32_eq,
    ...get(STATUS_LOCAL),
    ...memoryOp(OP.i32_load, 2, layout.JUMP_CACHE + 4),
    ...get(FETCH),
    OP.i32_xor,
    OP.local_tee,
    ...uleb(STATUS_LOCAL),
    ...i32const(layout.TABLE_BYTES),
    OP.i32_lt_u,
    OP.i32_and,
    OP.if,
    VOID,
    ...loadState(layout.TIMED),
    OP.if,
    TYPE_I32,
    ...get(N),
    ...get(STATUS_LOCAL),
    OP.call,
    IMPORT.region,
    OP.else,
    ...get(N),
    ...i32const(MAX_DEPTH),
    ...get(STATUS_LOCAL),
    OP.call_indirect,
    0,
    0,
    OP.end,
    OP.local_tee,
    ...uleb(STATUS_LOCAL),
    ...get(N),
    OP.i32_ne,
    ...loadState(layout.PC),
    ...get(NEXT_PC),
    OP.i32_ne,
    OP.i32_or,
    OP.if,
    VOID,
    ...afterRegion,
    OP.br,
    ...uleb(6),
    OP.end,
    OP.end,
    ...ample,
    ...get(N),
    ...i32const(1),
    OP.i32_sub,
    ...set(N),
    ...get(OPERATION),
    ...i32const(ENTRY - 1),
    OP.i32_and,
    ...set(OPERATION),
    OP.br,
    1,
    OP.end,
  ];
}

/** Notes that the micro-op at IP goes to NEXT_PC. */
function noteTarget(): number[] {
  const site = [
    ...get(IP),
    ...i32const(3),
    OP.i32_shl,
    ...i32const((layout.PROFILE_SITES - 1) << 6),
    OP.i32_and,
  ];
  const target = [
    ...get(NEXT_PC),
    ...i32const(1),
    OP.i32_shl,
    ...i32const((layout.PROFILE_TARGETS - 1) << 2),
    OP.i32_and,
  ];
  return [...site, ...target, OP.i32_or, ...get(NEXT_PC), ...memoryOp(OP.i32_store, 2, layout.PROFILE)];
}

function nextPageHandler(labels: LoopLabels): number[] {
  return [
    ...uncount,
    ...currentPc,
    ...set(NEXT_PC),
    ...i32const(0),
    ...set(MARK),
    OP.br,
    ...uleb(labels.resume),
  ];
}

/**
 * The micro-op of a straddling instruction is kept in the header of its page, good for one following page:
 * if that is the page that follows now, go there; otherwise `step` reports it as special.
 */
function straddleHandler(labels: LoopLabels): number[] {
  const toPage = 2047 * 8;
  const recorded = [
    ...get(IP),
    ...i32const(toPage - layout.STRADDLE_NEXT),
    OP.i32_sub,
    ...memoryOp(OP.i32_load, 2, 0),
  ];
  const second = [...currentPc, ...i32const(2), OP.i32_add];
  return [
    ...recorded,
    OP.local_tee,
    ...uleb(STATUS_LOCAL),
    OP.i32_eqz,
    OP.br_if,
    ...uleb(labels.slow),
    ...get(STATUS_LOCAL),
    ...fetchEntry(second),
    OP.i32_ne,
    OP.br_if,
    ...uleb(labels.slow),
    ...uncount,
    ...currentPc,
    ...set(NEXT_PC),
    ...get(IP),
    ...i32const(toPage - layout.STRADDLE_UOP),
    OP.i32_sub,
    ...set(IP),
    ...setDelta(get(NEXT_PC)),
    OP.br,
    ...uleb(labels.next),
  ];
}

const ecallRow = instructions.find((i) => i.row.name === 'ecall') as Instruction;

/**
 * Environment calls are frequent, so they are served without leaving the loop. What is behind one is an entry for tier 1: there a task
 * goes on that has slept, and a region that had to be left.
 */
function ecallHandler(labels: LoopLabels): number[] {
  return [
    ...markEntry(4 * UOP_SCALE, loadState(layout.MARK)),
    ...storeState(layout.PC, currentPc),
    ...get(N),
    ...i32const(0),
    OP.call,
    ...uleb(IMPORT_COUNT + ECALL_FUNCTION),
    ...set(STATUS_LOCAL),
    ...uncount,
    ...afterRegion,
    OP.br,
    ...uleb(labels.resume),
  ];
}

/** What ECALL_SLOT holds (jit/convention.ts). The supervisor may have changed the budget. */
function ecallFunction(): FunctionBody {
  const [budget, status] = [0, 2];
  const code = [
    ...storeState(layout.BUDGET, get(budget)),
    OP.call,
    IMPORT.ecall,
    ...set(status),
    ...storeState(layout.REGION_RETIRED, [
      ...loadState(layout.REGION_RETIRED),
      ...get(budget),
      OP.i32_sub,
      ...loadState(layout.BUDGET),
      OP.local_tee,
      ...uleb(budget),
      OP.i32_add,
    ]),
    // It has been counted and does not retire.
    ...get(status),
    OP.if,
    VOID,
    ...storeState(layout.SERVED, [...get(status), ...i32const(ECALL.leave), OP.i32_eq]),
    ...i32const(-2),
    ...get(budget),
    OP.i32_sub,
    OP.return,
    OP.end,
    ...get(budget),
    ...i32const(1),
    OP.i32_add,
  ];
  return { name: 'ecall', type: REGION_TYPE, locals: ['i32'], code, exported: true };
}

/** Handlers of the fast loop, and which of them an operation goes to. */
function fastHandlers(
  emitter: FastEmitter,
  holds: (instruction: Instruction, compressed: boolean) => boolean,
): { handlers: number[][]; targets: number[] } {
  const compressible = new Set(compressedInstructions.map((c) => c.expansion));
  type Maker = (labels: LoopLabels) => number[] | null;
  const makers: { op: number; make: Maker }[] = [
    { op: OP_NEXT_PAGE, make: nextPageHandler },
    { op: OP_STRADDLE, make: straddleHandler },
    { op: FIRST_ROW_OP + ecallRow.index * 4, make: ecallHandler },
  ];
  for (const i of instructions) {
    if (i === ecallRow) continue;
    for (let variant = 0; variant < 4; variant++) {
      if (variant & COMPRESSED && !compressible.has(i)) continue;
      if (variant & FAR && !i.traits.relative) continue;
      if (!holds(i, (variant & COMPRESSED) !== 0)) continue;
      makers.push({ op: FIRST_ROW_OP + i.index * 4 + variant, make: (l) => emitter.handler(i, variant, l) });
    }
  }
  const probe: LoopLabels = { slow: 0, jump: 0, next: 0, resume: 0 };
  const known = makers.filter((m) => m.make(probe) !== null);
  const targets = Array<number>(FIRST_ROW_OP + instructions.length * 4).fill(-1);
  const handlers = known.map((m, index) => {
    targets[m.op] = index;
    const slow = known.length - 1 - index;
    return m.make({ slow, jump: slow + 2, next: slow + 3, resume: slow + 4 }) as number[];
  });
  return { handlers, targets };
}

function runFunction(
  name: 'run' | 'runFull',
  stepIndex: number,
  holds: (instruction: Instruction, compressed: boolean) => boolean,
): FunctionBody {
  const locals = new Locals(1);
  for (let i = 1; i < FIRST_FREE; i++) locals.types.push('i32');
  const { handlers, targets } = fastHandlers(new FastEmitter(locals, loopLocals), holds);
  const code = [
    ...loadState(layout.PC),
    ...set(NEXT_PC),
    ...loadBases,
    OP.loop, // resume: look NEXT_PC up
    VOID,
    ...lookup(),
    OP.loop, // next
    VOID,
    ...get(N),
    OP.i32_eqz,
    OP.if,
    VOID,
    ...storeState(layout.PC, currentPc),
    ...storeState(layout.BUDGET, i32const(0)),
    ...i32const(STATUS.ok),
    OP.return,
    OP.end,
    ...get(N),
    ...i32const(1),
    OP.i32_sub,
    ...set(N),
    ...get(IP),
    ...memoryOp(OP.i32_load16_u, 1, 0),
    ...set(OPERATION),
    OP.block,
    VOID,
    OP.loop, // dispatch again
    VOID,
    OP.block,
    VOID,
    ...dispatch(get(OPERATION), targets, handlers),
    OP.end, // slow
    ...entryCode(),
    ...storeState(layout.IP, get(IP)),
    ...storeState(layout.DELTA, get(DELTA)),
    ...storeState(layout.BUDGET, get(N)),
    OP.call,
    ...uleb(stepIndex),
    OP.local_tee,
    ...uleb(STATUS_LOCAL),
    OP.if,
    VOID,
    ...get(STATUS_LOCAL),
    OP.return,
    OP.end,
    ...loadState(layout.BUDGET),
    ...set(N),
    ...loadBases,
    ...loadState(layout.PC),
    ...set(NEXT_PC),
    ...i32const(0),
    ...set(MARK),
    OP.br,
    3,
    OP.end,
    OP.end, // jump
    ...noteTarget(),
    ...loadState(layout.MARK),
    ...set(MARK),
    OP.br,
    1,
    OP.end,
    OP.end,
    OP.unreachable,
  ];
  const type: FunctionType = { params: ['i32'], results: ['i32'] };
  return { name, type, locals: locals.types, code, exported: true };
}

const i32 = 'i32' as const;

/** The bytes of the interpreter's module, good for every size of RAM. */
export function interpreterModule(): Uint8Array<ArrayBuffer> {
  const binary: FunctionType = { params: [i32, i32], results: [i32] };
  return encodeModule({
    memory: { initial: layout.memoryPages(0), maximum: 0x1_0000 },
    imports: [
      { name: 'load', type: binary },
      { name: 'store', type: binary },
      { name: 'translate', type: binary },
      { name: 'fp', type: { params: [i32], results: [i32] } },
      { name: 'helper', type: binary },
      { name: 'ecall', type: { params: [], results: [i32] } },
      { name: 'region', type: binary },
    ],
    table: TABLE_SIZE,
    indirect: REGION_TYPE,
    functions: [
      stepFunction(),
      runFunction('run', IMPORT_COUNT, isCommon),
      runFunction('runFull', IMPORT_COUNT, () => true),
      ecallFunction(),
      lookUpFunction(),
      {
        name: 'stub',
        type: REGION_TYPE,
        locals: [],
        code: [...storeState(layout.LANDING, i32const(ENTRY)), ...get(0)],
        exported: true,
      },
    ],
  });
}

/** What the interpreter asks of TypeScript. All return STATUS, but `translate` a host address or 0. */
export interface InterpreterImports {
  /** Reads 1, 2, 4 or 8 bytes of virtual memory into SCRATCH, zero-extended. */
  load(va: number, size: number): number;
  /** Writes the low bytes of SCRATCH to virtual memory. */
  store(va: number, size: number): number;
  /** The host address of an aligned word in RAM. */
  translate(va: number, write: number): number;
  /** Executes the floating-point instruction of that table index; operands in the micro-op at IP. */
  fp(index: number): number;
  /** Executes a row's TypeScript helper. */
  helper(index: number, insn: number): number;
  /** Delivers the trap of the ECALL at PC: an ECALL, which says how code goes on. */
  ecall(): number;
  /** Calls the region in that slot of the table, where layout.TIMED wants it. */
  region(budget: number, slot: number): number;
}

export interface Interpreter {
  readonly run: (budget: number) => number;
  /** `run` with every row in the loop; right for any code, faster for code that uses uncommon rows. */
  readonly runFull: (budget: number) => number;
  readonly step: () => number;
  /** For regions: see lookUp.ts. */
  readonly lookUp: WebAssembly.ExportValue;
  /** What a slot without a region holds: returns the budget as it came. */
  readonly stub: (budget: number, depth: number) => number;
  /** What regions call for an ECALL. */
  readonly ecall: (budget: number, depth: number) => number;
}

/** Emitting the module costs more than all else in making a machine, so it is done once, or by the build. */
let compiled: WebAssembly.Module | null = null;

/** Links the interpreter; compiles it for the first machine. */
export function instantiateInterpreter(
  memory: WebAssembly.Memory,
  table: WebAssembly.Table,
  imports: InterpreterImports,
): Interpreter {
  compiled ??= new WebAssembly.Module(prebuiltInterpreter() ?? interpreterModule());
  const instance = new WebAssembly.Instance(compiled, { env: { memory, table, ...imports } });
  return instance.exports as unknown as Interpreter;
}
