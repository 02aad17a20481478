/** Encoding of WebAssembly modules (core specification, chapter 5), as far as this project needs it. */
import { OP, TYPE } from './opcodes.ts';

/** Unsigned LEB128 of an integer below 2^32. */
export function uleb(value: number): number[] {
  const out: number[] = [];
  let rest = value >>> 0;
  do {
    const byte = rest & 0x7f;
    rest >>>= 7;
    out.push(rest === 0 ? byte : byte | 0x80);
  } while (rest !== 0);
  return out;
}

/** Signed LEB128 of a 32-bit integer. */
export function sleb(value: number): number[] {
  const out: number[] = [];
  let rest = value | 0;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0);
    out.push(done ? byte : byte | 0x80);
    if (done) return out;
  }
}

export type ValueType = keyof Omit<typeof TYPE, 'void'>;

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export interface FunctionBody {
  readonly name: string;
  readonly type: FunctionType;
  /** Locals beyond the parameters. */
  readonly locals: readonly ValueType[];
  /** The body without its closing `end`. */
  readonly code: readonly number[] | Uint8Array;
  readonly exported: boolean;
  /** Conditional branches (if, br_if) that are hardly ever taken: where they stand in `code`, ascending. */
  readonly unlikely?: readonly number[];
}

/** The imported memory `env.memory`: its least initial and greatest maximum size, in 64 KiB pages. */
export interface MemoryType {
  readonly initial: number;
  readonly maximum: number;
  readonly shared: boolean;
}

export interface ModuleParts {
  /** Imported as `env.<name>`; they take the first function indices. */
  readonly imports: readonly { readonly name: string; readonly type: FunctionType }[];
  readonly functions: readonly FunctionBody[];
  /** Imports `env.table` of function references, with at least so many slots. */
  readonly table?: number;
  /** Type 0, for indirect calls. */
  readonly indirect?: FunctionType;
  /** Table slots that instantiation fills: the slot of each function, in their order. */
  readonly slots?: readonly number[];
  readonly memory: MemoryType;
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...uleb(items.length), ...items.flat()];
}

function text(name: string): number[] {
  const bytes = Array.from(name, (c) => c.charCodeAt(0));
  return [...uleb(bytes.length), ...bytes];
}

/** Runs of equal types, as the local declarations want them. */
function locals(types: readonly ValueType[]): number[] {
  const runs: { count: number; type: ValueType }[] = [];
  for (const type of types) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ count: 1, type });
  }
  return vector(runs.map((r) => [...uleb(r.count), TYPE[r.type]]));
}

function functionType(type: FunctionType): number[] {
  return [0x60, ...vector(type.params.map((p) => [TYPE[p]])), ...vector(type.results.map((r) => [TYPE[r]]))];
}

/** The branch hints of all functions; offsets count from the function's local declarations. */
function branchHints(parts: ModuleParts, heads: readonly (readonly number[])[]): number[] {
  return vector(
    parts.functions.map((f, index) => {
      const head = (heads[index] as readonly number[]).length;
      const hints = (f.unlikely ?? []).map((at) => [...uleb(head + at), 0x01, 0x00]);
      return [...uleb(index + parts.imports.length), ...vector(hints)];
    }),
  );
}

/** Assembles a module. The result is plain bytes, ready for `new WebAssembly.Module`. */
export function encodeModule(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const indirect = parts.indirect === undefined ? [] : [parts.indirect];
  const types = [...indirect, ...parts.imports.map((i) => i.type), ...parts.functions.map((f) => f.type)];
  const firstType = indirect.length;
  const imports = parts.imports.map((entry, index) => [
    ...text('env'),
    ...text(entry.name),
    0x00,
    ...uleb(firstType + index),
  ]);
  if (parts.table !== undefined)
    imports.push([...text('env'), ...text('table'), 0x01, 0x70, 0x00, ...uleb(parts.table)]);
  const memory = [
    ...text('env'),
    ...text('memory'),
    0x02,
    parts.memory.shared ? 0x03 : 0x01,
    ...uleb(parts.memory.initial),
    ...uleb(parts.memory.maximum),
  ];
  const exported = parts.functions
    .map((f, index) => ({ f, index: index + parts.imports.length }))
    .filter(({ f }) => f.exported)
    .map(({ f, index }) => [...text(f.name), 0x00, ...uleb(index)]);

  const chunks: (readonly number[] | Uint8Array)[] = [[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]];
  const section = (id: number, content: readonly number[]): void => {
    chunks.push([id, ...uleb(content.length)], content);
  };
  section(1, vector(types.map(functionType)));
  section(2, vector([...imports, memory]));
  section(3, vector(parts.functions.map((_f, index) => uleb(firstType + index + parts.imports.length))));
  section(7, vector(exported));
  if (parts.slots !== undefined) {
    section(
      9,
      vector(
        parts.slots.map((slot, index) => [
          0x00,
          OP.i32_const,
          ...sleb(slot),
          OP.end,
          ...uleb(1),
          ...uleb(index + parts.imports.length),
        ]),
      ),
    );
  }
  const heads = parts.functions.map((f) => locals(f.locals));
  if (parts.functions.some((f) => f.unlikely !== undefined)) {
    section(0, [...text('metadata.code.branch_hint'), ...branchHints(parts, heads)]);
  }
  const bodies = parts.functions.map((f, index) => {
    const head = heads[index] as number[];
    return [uleb(head.length + f.code.length + 1), head, f.code, [0x0b]];
  });
  const count = uleb(bodies.length);
  const size = bodies.reduce((sum, b) => sum + b.reduce((s, part) => s + part.length, 0), count.length);
  chunks.push([10, ...uleb(size)], count, ...bodies.flat());

  // Profilers show the functions by these names.
  const names = parts.functions.map((f, index) => [...uleb(index + parts.imports.length), ...text(f.name)]);
  const subsection = vector(names);
  section(0, [...text('name'), 0x01, ...uleb(subsection.length), ...subsection]);

  const bytes = new Uint8Array(chunks.reduce((sum, c) => sum + c.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
