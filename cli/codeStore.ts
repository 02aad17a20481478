/**
 * Compiled guest code between runs: a file for each program, in a folder of the user's, with what tier 1 has made of its hot code
 * (emulator/jit/codeMemory.ts), and with V8's optimised machine code of that, as far as there was any when the run ended.
 *
 * A file says which build of ours and which Node it is for, has a CRC-32, and what that is of: V8's serialization of the batches. Another's
 * file, or a damaged one, is as good as none. Its name is a CRC-32 too, of the programs: should two have the same, the answers in the file
 * tell them apart (answers.ts). Better hashes are not worth node:crypto, which takes 5 ms to load. Without files, or where they cannot be
 * written, everything is compiled as usual.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import type { CodeMemory, HostBytes, RememberedBatch } from '../kernel-ts/index.ts';
import { KEEPS_CODE, native, type Native } from './moduleCache.ts';

/** The build's, a hash of all its code; the bundler sets it, so from source there is none. */
declare const BUILD_ID: string | undefined;

/** What a file begins with; the CRC-32 of the rest follows, little-endian. */
const HEAD = Buffer.from(
  `sameframe ${typeof BUILD_ID === 'undefined' ? '' : BUILD_ID} ${process.version} ${process.arch}\n`,
);
const CRC_BYTES = 4;
/** Batches in a file at most: a program with more hot places than that compiles the rest each time. */
const MAX_BATCHES = 128;
/** Files in the folder at most, and their bytes; the ones not used for longest go. */
const MAX_FILES = 64;
const MAX_BYTES = 64 << 20;
const SUFFIX = '.code';

interface Stored {
  readonly batch: RememberedBatch;
  /** What V8 made of its module; null: nothing yet. */
  code: Uint8Array<ArrayBuffer> | null;
}

interface Used {
  readonly stored: Stored;
  readonly module: WebAssembly.Module;
  readonly functions: readonly unknown[];
}

/**
 * Where files are by default, as the XDG base directory specification has it; null: nowhere, without a home. (Not by node:os, which
 * takes longer to load than a small program to run.)
 */
export function defaultFolder(): string | null {
  const { XDG_CACHE_HOME: cache, HOME: home } = process.env;
  if (cache?.startsWith('/')) return join(cache, 'sameframe');
  return home?.startsWith('/') ? join(home, '.cache/sameframe') : null;
}

export class CodeStore implements CodeMemory {
  readonly #folder: string;
  readonly #images: readonly HostBytes[];
  #path: string | null = null;
  /** By pc; null: nobody has asked yet. */
  #kept: Map<number, Stored[]> | null = null;
  #again = false;
  readonly #used = new Map<RememberedBatch, Used>();
  #count = 0;
  #changed = false;

  /** `images`: the programs that run, in their order. Files are looked at when there is something to compile, and not before. */
  constructor(folder: string, images: readonly HostBytes[]) {
    this.#folder = folder;
    this.#images = images;
  }

  /**
   * By what the user said: a folder, `off`, or nothing. Null: there is to be none, there is no place for it, or we run from source, where
   * code may change from one run to the next.
   */
  static open(choice: string | undefined, images: readonly HostBytes[]): CodeStore | null {
    const folder = choice === 'off' ? null : (choice ?? defaultFolder());
    return folder === null || typeof BUILD_ID === 'undefined' ? null : new CodeStore(folder, images);
  }

  get #ending(): string {
    return `-${String(this.#images.reduce((sum, { length }) => sum + length, 0))}${SUFFIX}`;
  }

  get path(): string {
    const lengths = this.#images.map(({ length }) => length);
    this.#path ??= join(
      this.#folder,
      this.#images
        .reduce(
          (sum, image) => crc32(image.read(0, image.length), sum),
          crc32(`${HEAD.toString()}${lengths.join()}`),
        )
        .toString(16)
        .padStart(8, '0') + this.#ending,
    );
    return this.#path;
  }

  get #known(): Map<number, Stored[]> {
    if (this.#kept !== null) return this.#kept;
    this.#kept = new Map();
    // Most programs have no file, which is seen without the CRC-32: to load that takes longer than to look.
    const found = this.#hasSuch() ? read(this.path) : null;
    this.#again = found !== null;
    for (const stored of found ?? []) this.#know(stored);
    return this.#kept;
  }

  /** Some program of that length has a file. */
  #hasSuch(): boolean {
    try {
      return readdirSync(this.#folder).some((name) => name.endsWith(this.#ending));
    } catch {
      return false;
    }
  }

  readonly ready = KEEPS_CODE;

  get again(): boolean {
    void this.#known;
    return this.#again;
  }

  #know(stored: Stored): void {
    this.#count++;
    const { pc } = stored.batch;
    const others = this.#known.get(pc);
    if (others === undefined) this.#known.set(pc, [stored]);
    else others.push(stored);
  }

  recall(pc: number): readonly RememberedBatch[] {
    return this.#known.get(pc)?.map(({ batch }) => batch) ?? [];
  }

  #stored(batch: RememberedBatch): Stored | undefined {
    return this.#known.get(batch.pc)?.find((stored) => stored.batch === batch);
  }

  module(batch: RememberedBatch): WebAssembly.Module {
    const used = this.#used.get(batch);
    if (used !== undefined) return used.module;
    const code = this.#stored(batch)?.code ?? null;
    const module = code === null ? null : natives().deserialize?.(code.slice().buffer, batch.bytes);
    return module instanceof WebAssembly.Module ? module : new WebAssembly.Module(batch.bytes);
  }

  used(batch: RememberedBatch, module: WebAssembly.Module, functions: readonly unknown[]): void {
    let stored = this.#stored(batch);
    if (stored === undefined) {
      if (this.#count >= MAX_BATCHES) return;
      stored = { batch, code: null };
      this.#know(stored);
      this.#changed = true;
    }
    this.#used.set(batch, { stored, module, functions });
  }

  /** Writes what is new, if anything is. At the end of a run. */
  save(): void {
    if (this.#used.size > 0) this.#takeCode();
    if (!this.#changed) return;
    const payload = serialize([...this.#known.values()].flat());
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      write(this.path, payload);
      prune(this.#folder);
    } catch {
      // A full disk or a folder that cannot be written: the next run compiles again.
    }
  }

  /** The machine code of what V8 has optimised meanwhile. */
  #takeCode(): void {
    const { serializeModule, isOptimised } = natives();
    for (const { stored, module, functions } of this.#used.values()) {
      // V8 ends the process when it is to serialize a module without optimised code.
      if (stored.code !== null || !isOptimised || !functions.some((f) => isOptimised(f))) continue;
      stored.code = new Uint8Array(serializeModule?.(module) as ArrayBuffer);
      this.#changed = true;
    }
  }
}

interface Natives {
  readonly serializeModule: Native | null;
  readonly deserialize: Native | null;
  readonly isOptimised: Native | null;
}

let known: Natives | undefined;

/** What V8 offers to its tests; Node 26 no longer has it. */
function natives(): Natives {
  known ??= {
    serializeModule: native('SerializeWasmModule', 'module'),
    deserialize: native('DeserializeWasmModule', 'code', 'bytes'),
    isOptimised: native('IsTurboFanFunction', 'f'),
  };
  return known;
}

/** Null: there is no file, or none that can be trusted. */
function read(path: string): Stored[] | null {
  try {
    const file = readFileSync(path);
    const payload = file.subarray(HEAD.length + CRC_BYTES);
    if (!file.subarray(0, HEAD.length).equals(HEAD) || file.readUInt32LE(HEAD.length) !== crc32(payload))
      return null;
    const now = new Date();
    utimesSync(path, now, now);
    return deserialize(payload) as Stored[];
  } catch {
    return null;
  }
}

function write(path: string, payload: Buffer): void {
  const unfinished = `${path}.${String(process.pid)}`;
  const crc = Buffer.alloc(CRC_BYTES);
  crc.writeUInt32LE(crc32(payload));
  try {
    writeFileSync(unfinished, Buffer.concat([HEAD, crc, payload]), { mode: 0o600 });
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

function prune(folder: string): void {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => ({ path: join(folder, name), ...statOf(join(folder, name)) }))
    .sort((a, b) => b.mtimeMs - a.mtimeMs);
  let bytes = 0;
  for (const [index, { path, size }] of files.entries()) {
    bytes += size;
    if (index >= MAX_FILES || bytes > MAX_BYTES) rmSync(path, { force: true });
  }
}

function statOf(path: string): { size: number; mtimeMs: number } {
  const { size, mtimeMs } = statSync(path);
  return { size, mtimeMs };
}
