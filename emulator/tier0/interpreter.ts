/** The interpreter as TypeScript sees it: what it asks and offers, and its links to a machine. Its code is interpreterModule.ts's. */
import * as layout from '../layout.ts';
import type { Bulk } from '../memory.ts';
import type { PageDecoder } from './codeCache.ts';
import { interpreterModule } from './interpreterModule.ts';
import { prebuiltInterpreter } from './prebuilt.ts';

/**
 * What the interpreter asks of TypeScript. All return STATUS, but `translate` a host address or 0. All take two numbers, wanted or not
 * (interpreterModule.ts says why).
 */
export interface InterpreterImports {
  /** Reads 1, 2, 4 or 8 bytes of virtual memory into SCRATCH, zero-extended. */
  load(va: number, size: number): number;
  /** Writes the low bytes of SCRATCH to virtual memory. */
  store(va: number, size: number): number;
  /** The host address of an aligned word in RAM. */
  translate(va: number, write: number): number;
  /** Executes the floating-point instruction of that table index; operands in the micro-op at IP. */
  fp(index: number, unused: number): number;
  /** Executes a row's TypeScript helper. */
  helper(index: number, insn: number): number;
  /** Delivers the trap of the ECALL at PC: an ECALL, which says how code goes on. */
  ecall(unused: number, unusedToo: number): number;
  /** Calls the region in that slot of the table, where layout.TIMED wants it. */
  region(budget: number, slot: number): number;
}

export interface Interpreter extends Bulk, PageDecoder {
  readonly run: (budget: number) => number;
  readonly step: () => number;
  /** For regions: see lookUp.ts. */
  readonly lookUp: WebAssembly.ExportValue;
  /** What a slot without a region holds: returns the budget as it came. */
  readonly stub: (budget: number, depth: number) => number;
  /** What regions call for an ECALL. */
  readonly ecall: (budget: number, depth: number) => number;
}

/**
 * Emitting the module costs more than all else in making a machine, so it is done once for each kind of machine (with memory that is shared
 * or not, with sequences or not), or by the build.
 */
const compiled = new Map<string, WebAssembly.Module>();

/** Links the interpreter; compiles it for the first machine. `fused` (interpreterModule.ts) is a wish: a build may have decided. */
export function instantiateInterpreter(
  memory: WebAssembly.Memory,
  table: WebAssembly.Table,
  imports: InterpreterImports,
  fused: boolean,
): Interpreter {
  const shared = layout.isShared(memory);
  const kind = `${String(shared)} ${String(fused)}`;
  let module = compiled.get(kind);
  if (module === undefined) {
    module = prebuiltInterpreter(shared) ?? new WebAssembly.Module(interpreterModule(shared, fused));
    compiled.set(kind, module);
  }
  const instance = new WebAssembly.Instance(module, { env: { memory, table, ...imports } });
  return instance.exports as unknown as Interpreter;
}
