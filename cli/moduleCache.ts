/**
 * Files with a WebAssembly module and the machine code that V8's optimising compiler made of it, so that it need not be compiled
 * again. V8 offers that to embedders alone; its own tests reach it from JavaScript through natives, which stand behind a flag and which
 * Node 26 no longer has. V8 itself refuses code of another version, of other flags or for another processor; like all code caches, it
 * trusts the rest. Without code, or where it is refused, the module is compiled as usual.
 *
 * A file: two words, the lengths of the module and of the code, little-endian; the module; the code.
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { setV8Flag } from './v8Flags.ts';

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
  setV8Flag('--allow-natives-syntax');
  try {
    const list = parameters.join(',');
    return new Function(list, `return %${name}(${list})`) as Native;
  } catch {
    return null;
  } finally {
    setV8Flag('--no-allow-natives-syntax');
  }
}

/** Optimises the module of these bytes and writes it, with its code if this V8 can give it. */
export function writeModule(path: string, bytes: Uint8Array<ArrayBuffer>): void {
  const serialize = native('SerializeWasmModule', 'module');
  let code = new ArrayBuffer(0);
  if (serialize !== null) {
    for (const flag of OPTIMISE) setV8Flag(flag);
    const module = new WebAssembly.Module(bytes);
    for (const flag of AS_BEFORE) setV8Flag(flag);
    code = serialize(module) as ArrayBuffer;
  }
  const lengths = Buffer.alloc(HEADER);
  lengths.writeUInt32LE(bytes.length, 0);
  lengths.writeUInt32LE(code.byteLength, 4);
  const unfinished = `${path}.${String(process.pid)}`;
  writeFileSync(unfinished, Buffer.concat([lengths, bytes, Buffer.from(code)]));
  renameSync(unfinished, path);
}

/** The bytes of a file in arrays of those lengths; null: it has not so many. */
function readParts(fd: number, lengths: readonly number[]): Uint8Array<ArrayBuffer>[] | null {
  const parts = lengths.map((length) => new Uint8Array(length));
  return parts.every((part) => readSync(fd, part) === part.length) ? parts : null;
}

/** The module's bytes and the machine code of such a file; null: it is damaged. */
function readFrom(fd: number): Uint8Array<ArrayBuffer>[] | null {
  const [header] = readParts(fd, [HEADER]) ?? [];
  if (header === undefined) return null;
  const lengths = new DataView(header.buffer);
  const [bytes, code] = [lengths.getUint32(0, true), lengths.getUint32(4, true)];
  return fstatSync(fd).size === HEADER + bytes + code ? readParts(fd, [bytes, code]) : null;
}

/** `optimised`: with its code. Null: there is no such file, or it is damaged. */
export function readModule(
  path: string,
): { readonly module: WebAssembly.Module; readonly optimised: boolean } | null {
  let parts: Uint8Array<ArrayBuffer>[] | null;
  try {
    const fd = openSync(path, 'r');
    try {
      parts = readFrom(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
  if (parts === null) return null;
  const [bytes, code] = parts as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  if (code.length > 0) {
    const module = native('DeserializeWasmModule', 'code', 'bytes')?.(code.buffer, bytes);
    if (module instanceof WebAssembly.Module) return { module, optimised: true };
  }
  setV8Flag(`--wasm-tiering-budget=${String(PATIENT_BUDGET)}`);
  try {
    return { module: new WebAssembly.Module(bytes), optimised: false };
  } catch {
    return null;
  } finally {
    setV8Flag(`--wasm-tiering-budget=${String(BUDGET)}`);
  }
}
