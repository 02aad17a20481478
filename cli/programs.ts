/** The programs named on a command line: `prog args -- prog2 args`, each an ELF file or one C source. */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { inMemory, type HostBytes } from '../kernel-ts/index.ts';
import type { CompileOptions, CompileResult } from '../guest/toolchain.ts';
import { CliError, fileError } from './errors.ts';
import { printErr } from './io.ts';

export interface Program {
  /** As written on the command line; becomes argv[0]. */
  readonly path: string;
  readonly args: readonly string[];
  /** Name in the guest: the file's name without ".c". */
  readonly name: string;
  readonly image: HostBytes;
}

/** A compiler that takes longer than this is probably building musl. */
const PATIENCE = 2500;

/** Splits at `--`; a missing program between two of them is an error. */
export function splitPrograms(words: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = [[]];
  for (const word of words) {
    if (word === '--') groups.push([]);
    else groups.at(-1)?.push(word);
  }
  if (groups.some((group) => group.length === 0)) throw new CliError("a program is missing beside '--'");
  return groups;
}

export async function loadPrograms(words: readonly string[]): Promise<readonly Program[]> {
  const programs: Program[] = [];
  for (const [path = '', ...args] of splitPrograms(words)) {
    const image = path.endsWith('.c') ? inMemory(await compileSource(path)) : openImage(path);
    programs.push({ path, args, image, name: basename(path).replace(/\.c$/, '') });
  }
  return programs;
}

/** Bytes that are read at a time. */
const CHUNK = 32 * 1024;

/** A regular file, open for as long as the command runs: most of a program is symbols, which few runs want. */
class ProgramFile implements HostBytes {
  readonly length: number;
  readonly #path: string;
  readonly #fd: number;
  /** What was read last, from #at on. */
  #chunk = new Uint8Array(0);
  #at = 0;

  constructor(path: string, fd: number, length: number) {
    this.#path = path;
    this.#fd = fd;
    this.length = length;
  }

  /** @throws {CliError} the host cannot read its file any more */
  read(offset: number, length: number): Uint8Array {
    const end = Math.min(offset + length, this.length);
    if (offset < this.#at || end > this.#at + this.#chunk.length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(Math.max(length, CHUNK), this.length - offset)));
      try {
        for (let done = 0, got = 1; done < bytes.length && got > 0; done += got)
          got = readSync(this.#fd, bytes, done, bytes.length - done, offset + done);
      } catch (error) {
        throw fileError('read', this.#path, error);
      }
      this.#chunk = bytes;
      this.#at = offset;
    }
    return this.#chunk.subarray(offset - this.#at, end - this.#at);
  }
}

function openImage(path: string): HostBytes {
  try {
    const fd = openSync(path, 'r');
    const stat = fstatSync(fd);
    if (stat.isFile() && stat.size > 0) return new ProgramFile(path, fd, stat.size);
    try {
      return inMemory(readFileSync(fd));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw fileError('run', path, error);
  }
}

/** Compiles one C file for the guest. Warnings go to stderr as the compiler printed them. */
export async function compileSource(path: string): Promise<Uint8Array> {
  // Asked for first, so that a missing file is our one line and not the compiler's.
  try {
    readFileSync(path);
  } catch (error) {
    throw fileError('run', path, error);
  }
  return (await compileC([path])).bytes;
}

/** `compile` of the toolchain with its failures turned into errors of the command. */
export async function compileC(
  sources: readonly string[],
  options: CompileOptions = {},
): Promise<CompileResult> {
  // Loaded on demand: whoever runs finished ELF files needs neither execa nor a compiler.
  const { compile, CompileError, ToolchainError } = await import('../guest/toolchain.ts');
  const notice = setTimeout(() => {
    // For the person who waits; in a file it would only be noise that depends on how busy the machine is.
    if (process.stderr.isTTY)
      printErr('sameframe: still compiling (the first compile of a kind builds musl, up to a minute)\n');
  }, PATIENCE);
  try {
    const result = await compile(sources, options);
    if (result.output !== '' && !result.cached) printErr(result.output);
    return result;
  } catch (error) {
    if (error instanceof CompileError) throw new CliError(error.message, { before: error.output });
    if (error instanceof ToolchainError || error instanceof RangeError) throw new CliError(error.message);
    throw error;
  } finally {
    clearTimeout(notice);
  }
}
