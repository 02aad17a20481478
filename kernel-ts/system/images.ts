/**
 * Symbols of the programs that tasks run, read from the guest's own files when somebody asks for the first time.
 * A cache, not state: it can be thrown away at any moment.
 */
import { isElfProblem, NO_SYMBOLS, readSymbols, type SymbolTable } from '../../emulator/index.ts';
import { ELF_ET_DYN_BASE, pageAlignDown, TASK_SIZE } from '../abi/mman.ts';
import type { Inode } from '../fs/inode.ts';
import { kernelReadFile } from '../fs/readWrite.ts';
import { readElf } from '../process/elfImage.ts';
import type { Kernel } from '../process/kernel.ts';
import type { Task } from '../process/task.ts';

/** The symbols of an image and where it is loaded. */
export interface ImageSymbols {
  readonly symbols: SymbolTable;
  /** Added to an address of the file to get the one in memory. */
  readonly bias: number;
}

const NOTHING: ImageSymbols = { symbols: NO_SYMBOLS, bias: 0 };

export class ImageCache {
  private readonly byInode = new WeakMap<Inode, ImageSymbols>();

  /** What the task runs; no symbols when it runs nothing (a zombie) or the file is damaged. */
  of(kernel: Kernel, task: Task): ImageSymbols {
    const file = task.mm?.exeFile ?? null;
    if (file === null) return NOTHING;
    const known = this.byInode.get(file.fInode);
    if (known !== undefined) return known;
    const bytes = kernelReadFile(kernel, file, 0, file.fInode.iSize);
    const image = typeof bytes === 'number' ? null : this.parse(bytes);
    this.byInode.set(file.fInode, image ?? NOTHING);
    return image ?? NOTHING;
  }

  private parse(bytes: Uint8Array): ImageSymbols | null {
    const image = readElf(bytes, TASK_SIZE, Infinity);
    if (isElfProblem(image)) return null;
    const first = image.segments[0]?.vaddr ?? 0;
    return { symbols: readSymbols(bytes), bias: image.pie ? ELF_ET_DYN_BASE - pageAlignDown(first) : 0 };
  }

  /** "main+0x1c", or "" when unknown. */
  nameAt(kernel: Kernel, task: Task, pc: number): string {
    const { symbols, bias } = this.of(kernel, task);
    return symbols.nameAt(pc - bias);
  }

  /** Address in the task's memory, or null. */
  addressOf(kernel: Kernel, task: Task, name: string): number | null {
    const { symbols, bias } = this.of(kernel, task);
    const address = symbols.addressOf(name);
    return address === null ? null : (address + bias) >>> 0;
  }
}
