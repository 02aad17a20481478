/**
 * Finds the sequences of fusion.ts among decoded micro-ops; WebAssembly, as the decoder is.
 *
 *     fuse(from, to, start)   lets the micro-ops from address `from` to `to`, and those that go on there, begin sequences
 *     separate(at, start)     lets none reach the micro-op at that address
 *
 * `start` is where the page's micro-ops begin.
 */
import { get, i32const, memoryOp, set } from '../codegen/emitter.ts';
import { FIRST_FUSED_OP, mostParts, RS1, RS2, singleOp, type Fusion, type Part } from './fusion.ts';
import { COMPRESSED, ENTRY, UOP_BYTES, UOP_SCALE } from './uop.ts';
import { uleb, type Code, type FunctionBody } from '../wasm/encode.ts';
import { OP, VOID } from '../wasm/opcodes.ts';

/** Parameters and locals of `fuseAt`. */
const [AT, FOUND, LENGTH, FIRST_OP] = [0, 1, 2, 3] as const;

const bytesOf = ({ variant }: Part): number => (variant & COMPRESSED ? 2 : 4) * UOP_SCALE;

const opAt = (offset: number): Code => get(AT) + memoryOp(OP.i32_load16_u, 1, offset);
const fieldAt = (offset: number, field: number): Code =>
  get(AT) + memoryOp(OP.i32_load8_u, 0, offset + field);

/** Whether the part at `offset` reads what the one at `before` writes, as it says. */
function reads({ instruction, forwards }: Part, before: number, offset: number): Code {
  const written = fieldAt(before, 2);
  let code: Code = '';
  if (forwards & RS1) code += written + fieldAt(offset, 3) + OP.i32_eq + OP.i32_and;
  if (forwards & RS2)
    code += written + fieldAt(offset, instruction.rd === '' ? 2 : 4) + OP.i32_eq + OP.i32_and;
  return code;
}

/** Sequences whose parts up to `depth` have been found: what of them ends there, and how they go on. */
function descend(
  group: readonly Part[][],
  ops: ReadonlyMap<Part[], number>,
  depth: number,
  at: number,
  before: number,
): Code {
  let code: Code = '';
  const next = new Map<string, Part[][]>();
  for (const parts of group) {
    const part = parts[depth];
    if (part === undefined) {
      // Of sequences of one length those that forward come last.
      code += get(LENGTH) + i32const(depth) + OP.i32_le_u + OP.if + VOID;
      code += i32const(ops.get(parts) as number) + set(FOUND) + i32const(depth) + set(LENGTH) + OP.end;
    } else {
      const key = `${String(part.forwards)} ${String(singleOp(part))}`;
      next.set(key, [...(next.get(key) ?? []), parts]);
    }
  }
  for (const key of [...next.keys()].sort()) {
    const all = next.get(key) as Part[][];
    const part = (all[0] as Part[])[depth] as Part;
    code += opAt(at) + i32const(singleOp(part)) + OP.i32_eq + reads(part, before, at) + OP.if + VOID;
    code += descend(all, ops, depth + 1, at + bytesOf(part), at) + OP.end;
  }
  return code;
}

/** Lets the micro-op at an address begin the longest sequence that there is for what follows, up to what tier 1 may want to see. */
export function fuseAtFunction(fusions: readonly Fusion[]): FunctionBody {
  const ops = new Map(fusions.map(({ parts, op }) => [parts as Part[], op]));
  const groups = new Map<number, Part[][]>();
  for (const { parts } of fusions) {
    const op = singleOp(parts[0] as Part);
    groups.set(op, [...(groups.get(op) ?? []), parts as Part[]]);
  }
  let code: Code = opAt(0) + i32const(ENTRY - 1) + OP.i32_and + set(FIRST_OP);
  for (const [op, group] of groups) {
    const first = (group[0] as Part[])[0] as Part;
    code += get(FIRST_OP) + i32const(op) + OP.i32_eq + OP.if + VOID;
    code += descend(group, ops, 1, bytesOf(first), 0) + OP.end;
  }
  code += get(LENGTH) + OP.if + VOID;
  code += get(AT) + opAt(0) + i32const(ENTRY) + OP.i32_and + get(FOUND) + OP.i32_or;
  code += memoryOp(OP.i32_store16, 1, 0) + OP.end;
  return {
    name: 'fuseAt',
    type: { params: ['i32'], results: [] },
    locals: ['i32', 'i32', 'i32'],
    code,
    exported: false,
  };
}

/** Calls `fuseAt`, a function's index. */
export function fuseFunction(fuseAt: number): FunctionBody {
  const [from, to, start, op] = [0, 1, 2, 3];
  const call = (back: number): Code => get(from) + i32const(back) + OP.i32_sub + OP.call + uleb(fuseAt);
  // What ends where this begins: an instruction of two bytes, or one of four.
  const before = (length: number, compressed: number): Code =>
    get(from) +
    get(start) +
    OP.i32_sub +
    i32const(length * UOP_SCALE) +
    OP.i32_ge_u +
    OP.if +
    VOID +
    get(from) +
    i32const(length * UOP_SCALE) +
    OP.i32_sub +
    memoryOp(OP.i32_load16_u, 1, 0) +
    i32const(COMPRESSED) +
    OP.i32_and +
    i32const(compressed) +
    OP.i32_eq +
    OP.if +
    VOID +
    call(length * UOP_SCALE) +
    OP.end +
    OP.end;
  const code =
    before(2, COMPRESSED) +
    before(4, 0) +
    OP.block +
    VOID +
    OP.loop +
    VOID +
    get(from) +
    get(to) +
    OP.i32_ge_u +
    OP.br_if +
    uleb(1) +
    call(0) +
    get(from) +
    memoryOp(OP.i32_load16_u, 1, 0) +
    set(op) +
    get(from) +
    i32const(2 * UOP_SCALE) +
    i32const(4 * UOP_SCALE) +
    get(op) +
    i32const(COMPRESSED) +
    OP.i32_and +
    OP.select +
    OP.i32_add +
    set(from) +
    OP.br +
    uleb(0) +
    OP.end +
    OP.end;
  return {
    name: 'fuse',
    type: { params: ['i32', 'i32', 'i32'], results: [] },
    locals: ['i32'],
    code,
    exported: true,
  };
}

/** Sequences that begin before the micro-op at `at` and may reach it become single instructions, or shorter sequences. */
export function separateFunction(fusions: readonly Fusion[], fuseAt: number): FunctionBody {
  const [at, start, first, op] = [0, 1, 2, 3];
  let single: Code = '';
  for (const fusion of fusions) {
    single += get(op) + i32const(fusion.op) + OP.i32_eq + OP.if + VOID;
    single += i32const(singleOp(fusion.parts[0] as Part)) + set(op) + OP.end;
  }
  const reach = (mostParts(fusions) - 1) * 4 * UOP_SCALE;
  const code =
    get(at) +
    set(first) +
    OP.block +
    VOID +
    OP.loop +
    VOID +
    get(first) +
    i32const(UOP_BYTES) +
    OP.i32_sub +
    OP.local_tee +
    uleb(first) +
    get(start) +
    OP.i32_lt_u +
    get(first) +
    i32const(reach) +
    OP.i32_add +
    get(at) +
    OP.i32_lt_u +
    OP.i32_or +
    OP.br_if +
    uleb(1) +
    get(first) +
    memoryOp(OP.i32_load16_u, 1, 0) +
    i32const(ENTRY - 1) +
    OP.i32_and +
    OP.local_tee +
    uleb(op) +
    i32const(FIRST_FUSED_OP) +
    OP.i32_ge_u +
    OP.if +
    VOID +
    single +
    get(first) +
    get(first) +
    memoryOp(OP.i32_load16_u, 1, 0) +
    i32const(ENTRY) +
    OP.i32_and +
    get(op) +
    OP.i32_or +
    memoryOp(OP.i32_store16, 1, 0) +
    get(first) +
    OP.call +
    uleb(fuseAt) +
    OP.end +
    OP.br +
    uleb(0) +
    OP.end +
    OP.end;
  return {
    name: 'separate',
    type: { params: ['i32', 'i32'], results: [] },
    locals: ['i32', 'i32'],
    code,
    exported: true,
  };
}
