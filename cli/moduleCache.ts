/**
 * Files with a WebAssembly module and the machine code that V8's optimising compiler made of it, so that it need not be compiled
 * again. V8 offers that to embedders alone; its own tests reach it from JavaScript through natives, which stand behind a flag and which
 * Node 26 no longer has. V8 itself refuses code of another version, of other flags or for another processor; like all code caches, it
 * trusts the rest. Without code, or where it is refused, the module is compiled as usual.
 *
 * A file: two words, the lengths of the module and of the code, little-endian; the module; the code.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

const HEADER = 8;

/** The optimising compiler at once and for all functions; and the defaults again, on which the code depends otherwise. */
const OPTIMISE = ['--no-liftoff', '--no-wasm-lazy-compilation'] as const;
const AS_BEFORE = ['--liftoff', '--wasm-dynamic-tiering', '--wasm-lazy-compilation'] as const;

/**
 * V8's budget for a function before it optimises it, in bytes that are executed, as it is by default; and one for the interpreter, whose
 * loop is so large that some 300 guest instructions use up the usual one. Optimising takes 10 ms, more than most short programs.
 */
const BUDGET = Number(process.versions.node.split('.')[0]) < 22 ? 1_800_000 : 13_000_000;
const PATIENT_BUDGET = 2_000_000_000;

/** V8 gives its machine code to JavaScript, and takes it back: up to Node 24. */
export const KEEPS_CODE = Number(process.versions.node.split('.')[0]) < 26;

export type Native = (...values: unknown[]) => unknown;

/** A function of V8's; null: it has none of that name. */
export function native(name: string, ...parameters: readonly string[]): Native | null {
  setFlagsFromString('--allow-natives-syntax');
  try {
    const list = parameters.join(',');
    return new Function(list, `return %${name}(${list})`) as Native;
  } catch {
    return null;
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}

/** Optimises the module of these bytes and writes it, with its code if this V8 can give it. */
export function writeModule(path: string, bytes: Uint8Array<ArrayBuffer>): void {
  const serialize = native('SerializeWasmModule', 'module');
  let code = new ArrayBuffer(0);
  if (serialize !== null) {
    for (const flag of OPTIMISE) setFlagsFromString(flag);
    const module = new WebAssembly.Module(bytes);
    for (const flag of AS_BEFORE) setFlagsFromString(flag);
    code = serialize(module) as ArrayBuffer;
  }
  const lengths = Buffer.alloc(HEADER);
  lengths.writeUInt32LE(bytes.length, 0);
  lengths.writeUInt32LE(code.byteLength, 4);
  const unfinished = `${path}.${String(process.pid)}`;
  writeFileSync(unfinished, Buffer.concat([lengths, bytes, Buffer.from(code)]));
  renameSync(unfinished, path);
}

/** `optimised`: with its code. Null: there is no such file, or it is damaged. */
export function readModule(
  path: string,
): { readonly module: WebAssembly.Module; readonly optimised: boolean } | null {
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch {
    return null;
  }
  if (file.length < HEADER) return null;
  const middle = HEADER + file.readUInt32LE(0);
  if (file.length !== middle + file.readUInt32LE(4)) return null;
  const bytes = new Uint8Array(file.subarray(HEADER, middle));
  if (file.length > middle) {
    const code = new Uint8Array(file.subarray(middle)).buffer;
    const module = native('DeserializeWasmModule', 'code', 'bytes')?.(code, bytes);
    if (module instanceof WebAssembly.Module) return { module, optimised: true };
  }
  setFlagsFromString(`--wasm-tiering-budget=${String(PATIENT_BUDGET)}`);
  try {
    return { module: new WebAssembly.Module(bytes), optimised: false };
  } catch {
    return null;
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${String(BUDGET)}`);
  }
}
