/**
 * Tier 0: the interpreter, a WebAssembly module made from the rows at start-up. It exports
 *
 *     run(budget) -> STATUS   the fast loop: executes up to `budget` instructions from PC
 *     step() -> STATUS        executes the micro-op at IP
 *     ecall(budget, depth)    delivers the trap of an ECALL for regions
 *     decode(page, ...)       writes micro-ops (decoder.ts)
 *     fuse(...), separate(...)  find sequences of micro-ops that have one handler together (fuser.ts)
 *     stub(budget, depth)     stands in the table where there is no region
 *
 * `run` keeps the micro-op pointer `ip` instead of a pc: micro-ops of a page lie in a row, one for each
 * halfword, so the pc is as far from that of another one in the page as ip >>> 2 is, and a jump within it only moves ip.
 */
import * as layout from '../layout.ts';
import { instructions } from '../isa/table.ts';
import { get, i32const, loadState, Locals, set, storeState } from '../codegen/emitter.ts';
import { ECALL, FUNCTION, IMPORT, STATUS, StepEmitter } from './step.ts';
import { decodeFunction } from './decoder.ts';
import { dispatch } from './dispatch.ts';
import { fuseAtFunction, fuseFunction, separateFunction } from './fuser.ts';
import { fusions, type Part } from './fusion.ts';
import { runFunction } from './loop.ts';
import { lookUpFunction } from './lookUp.ts';
import { bulkFunctions } from './bulk.ts';
import { ECALL_SLOT, REGION_TYPE } from '../jit/convention.ts';
import { ENTRY, FIRST_ROW_OP } from './uop.ts';
import { byte, encodeModule, uleb, type FunctionBody, type FunctionType } from '../wasm/encode.ts';
import { OP, VOID } from '../wasm/opcodes.ts';

function stepFunction(): FunctionBody {
  const locals = new Locals(0);
  const ip = locals.types.push('i32') - 1;
  const op = locals.types.push('i32') - 1;
  const emitter = new StepEmitter(locals, ip, op);
  const handlers = instructions.map((i) => emitter.handler(i));
  const targets = Array<number>(FIRST_ROW_OP / 2).fill(-1);
  for (const i of instructions) targets.push(i.index, i.index);
  for (const { parts } of fusions) targets.push((parts[0] as Part).instruction.index);
  const selector = get(op) + i32const(1) + OP.i32_shr_u;
  const code =
    emitter.loadUop() +
    emitter.storeNextPc() +
    OP.block +
    VOID +
    dispatch(selector, targets, handlers) +
    OP.end +
    i32const(STATUS.special);
  return { name: 'step', type: { params: [], results: ['i32'] }, locals: locals.types, code, exported: true };
}

/** What ECALL_SLOT holds (jit/convention.ts). The supervisor may have changed the budget. */
function ecallFunction(): FunctionBody {
  const [budget, status] = [0, 2];
  const code =
    storeState(layout.BUDGET, get(budget)) +
    i32const(0) +
    i32const(0) +
    OP.call +
    byte(IMPORT.ecall) +
    set(status) +
    storeState(
      layout.REGION_RETIRED,
      loadState(layout.REGION_RETIRED) +
        get(budget) +
        OP.i32_sub +
        loadState(layout.BUDGET) +
        OP.local_tee +
        uleb(budget) +
        OP.i32_add,
    ) + // It has been counted and does not retire.
    get(status) +
    OP.if +
    VOID +
    storeState(layout.SERVED, get(status) + i32const(ECALL.leave) + OP.i32_eq) +
    i32const(-2) +
    get(budget) +
    OP.i32_sub +
    OP.return +
    OP.end +
    get(budget) +
    i32const(1) +
    OP.i32_add;
  return { name: 'ecall', type: REGION_TYPE, locals: ['i32'], code, exported: true };
}

const i32 = 'i32' as const;

/**
 * The bytes of the interpreter's module, good for every size of RAM.
 *
 * `fused`: with the sequences of fusion.ts. Where V8 compiles the module while the program runs, and tier 1 takes over what is hot, they
 * cost more than they save: the run of 10 M instructions on Node 26 took 1.06 times as long, the library's 1.15.
 */
export function interpreterModule(sharedMemory: boolean, fused: boolean): Uint8Array<ArrayBuffer> {
  const sequences = fused ? fusions : [];
  // All of one type: V8 compiles what leads from WebAssembly to JavaScript for each type, 0.3 ms before anything runs.
  const binary: FunctionType = { params: [i32, i32], results: [i32] };
  return encodeModule({
    memory: layout.memoryType(sharedMemory),
    imports: [
      { name: 'load', type: binary },
      { name: 'store', type: binary },
      { name: 'translate', type: binary },
      { name: 'fp', type: binary },
      { name: 'helper', type: binary },
      { name: 'ecall', type: binary },
      { name: 'region', type: binary },
    ],
    table: ECALL_SLOT + 1,
    indirect: REGION_TYPE,
    functions: [
      stepFunction(),
      runFunction(sequences),
      ecallFunction(),
      fuseAtFunction(sequences),
      fuseFunction(FUNCTION.fuseAt),
      separateFunction(sequences, FUNCTION.fuseAt),
      lookUpFunction(),
      decodeFunction(),
      ...bulkFunctions,
      {
        name: 'stub',
        type: REGION_TYPE,
        locals: [],
        code: storeState(layout.LANDING, i32const(ENTRY)) + get(0),
        exported: true,
      },
    ],
  });
}
