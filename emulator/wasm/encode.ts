/** Encoding of WebAssembly modules (core specification, chapter 5), as far as this project needs it. */
import { OP, TYPE } from './opcodes.ts';

/**
 * Binary code, a byte in each character. Strings, because whoever generates code puts pieces together all the time: V8 joins two in one
 * step, even while it interprets JavaScript, where arrays are copied number by number.
 */
export type Code = string;

const BYTES: readonly Code[] = Array.from({ length: 0x100 }, (_b, value) => String.fromCharCode(value));

/** A byte. */
export const byte = (value: number): Code => BYTES[value] as Code;

/** Unsigned LEB128 of an integer below 2^32. */
export function uleb(value: number): Code {
  let rest = value >>> 0;
  let out = '';
  for (; rest > 0x7f; rest >>>= 7) out += BYTES[(rest & 0x7f) | 0x80];
  return out + BYTES[rest];
}

/** Signed LEB128 of a 32-bit integer. */
export function sleb(value: number): Code {
  let rest = value | 0;
  let out = '';
  for (; rest < -0x40 || rest > 0x3f; rest >>= 7) out += BYTES[(rest & 0x7f) | 0x80];
  return out + BYTES[rest & 0x7f];
}

/** The same code in one piece: V8 keeps what was put together as a tree of all its parts until a character is asked for. */
export function flat(code: Code): Code {
  void code.charCodeAt(0);
  return code;
}

/** Writes eight bytes of a code. In a function of its own, which V8 compiles after some calls, not a loop, which it goes on interpreting. */
function putEight(bytes: Uint8Array, code: Code, at: number): void {
  bytes[at] = code.charCodeAt(at);
  bytes[at + 1] = code.charCodeAt(at + 1);
  bytes[at + 2] = code.charCodeAt(at + 2);
  bytes[at + 3] = code.charCodeAt(at + 3);
  bytes[at + 4] = code.charCodeAt(at + 4);
  bytes[at + 5] = code.charCodeAt(at + 5);
  bytes[at + 6] = code.charCodeAt(at + 6);
  bytes[at + 7] = code.charCodeAt(at + 7);
}

/** The bytes of a code. */
function bytesOf(code: Code): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(code.length);
  const whole = code.length & ~7;
  for (let at = 0; at < whole; at += 8) putEight(bytes, code, at);
  for (let at = whole; at < code.length; at++) bytes[at] = code.charCodeAt(at);
  return bytes;
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
  readonly code: Code;
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

/** Items with their number in front. */
function vector(items: readonly Code[]): Code {
  return uleb(items.length) + items.join('');
}

/** Code with its length in front. */
function sized(code: Code): Code {
  return uleb(code.length) + code;
}

/** Runs of equal types, as the local declarations want them. */
function locals(types: readonly ValueType[]): Code {
  const runs: Code[] = [];
  for (let at = 0, end = 0; at < types.length; at = end) {
    const type = types[at] as ValueType;
    while (types[end] === type) end++;
    runs.push(uleb(end - at) + TYPE[type]);
  }
  return vector(runs);
}

function functionType(type: FunctionType): Code {
  return `\x60${vector(type.params.map((p) => TYPE[p]))}${vector(type.results.map((r) => TYPE[r]))}`;
}

/** A hint, a byte: not taken. */
const UNLIKELY: Code = '\x01\x00';

/** The branch hints of all functions; offsets count from the function's local declarations. */
function branchHints(parts: ModuleParts, heads: readonly Code[]): Code {
  return vector(
    parts.functions.map((f, index) => {
      const head = (heads[index] as Code).length;
      const places = f.unlikely ?? [];
      let hints = uleb(index + parts.imports.length) + uleb(places.length);
      for (let i = 0; i < places.length; i++) hints += uleb(head + (places[i] as number)) + UNLIKELY;
      return hints;
    }),
  );
}

/** What is imported as `env.<name>`. */
function imported(name: string, descriptor: Code): Code {
  return sized('env') + sized(name) + descriptor;
}

function section(id: number, content: Code): Code {
  return byte(id) + sized(content);
}

/** Assembles a module. The result is plain bytes, ready for `new WebAssembly.Module`. Names are ASCII. */
export function encodeModule(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const { functions, memory } = parts;
  const indirect = parts.indirect === undefined ? [] : [parts.indirect];
  const types = [...indirect, ...parts.imports.map((i) => i.type), ...functions.map((f) => f.type)];
  const firstType = indirect.length;
  const firstFunction = parts.imports.length;
  const imports = parts.imports.map(({ name }, index) => imported(name, `\x00${uleb(firstType + index)}`));
  if (parts.table !== undefined) imports.push(imported('table', `\x01\x70\x00${uleb(parts.table)}`));
  const limits = `${memory.shared ? '\x03' : '\x01'}${uleb(memory.initial)}${uleb(memory.maximum)}`;
  imports.push(imported('memory', `\x02${limits}`));

  let module = '\0asm\x01\0\0\0';
  module += section(1, vector(types.map(functionType)));
  module += section(2, vector(imports));
  module += section(3, vector(functions.map((_f, index) => uleb(firstType + index + firstFunction))));
  const exported = functions.flatMap((f, index) =>
    f.exported ? [`${sized(f.name)}\x00${uleb(index + firstFunction)}`] : [],
  );
  module += section(7, vector(exported));
  if (parts.slots !== undefined) {
    const slots = parts.slots.map(
      (slot, index) => `\x00${OP.i32_const}${sleb(slot)}${OP.end}\x01${uleb(index + firstFunction)}`,
    );
    module += section(9, vector(slots));
  }
  const heads = functions.map((f) => locals(f.locals));
  if (functions.some((f) => f.unlikely !== undefined)) {
    module += section(0, sized('metadata.code.branch_hint') + branchHints(parts, heads));
  }
  module += section(10, vector(functions.map((f, index) => sized(heads[index] + f.code + OP.end))));
  // Profilers show the functions by these names.
  const names = functions.map((f, index) => uleb(index + firstFunction) + sized(f.name));
  module += section(0, `${sized('name')}\x01${sized(vector(names))}`);
  return bytesOf(module);
}
