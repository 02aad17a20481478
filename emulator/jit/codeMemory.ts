/** Compiled code that outlives a run: who runs the same program again need not compile it again. Files are the host's business. */
import type { Compiled } from './batch.ts';

/** What was compiled at once, and all that it depends on. */
export interface RememberedBatch {
  /** The hot entry. */
  readonly pc: number;
  readonly answers: Int32Array<ArrayBuffer>;
  readonly regions: readonly Compiled[];
  /** Their module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * For one build of the emulator and one configuration of the machine: nobody asks again for its extensions, or who serves misaligned
 * accesses.
 */
export interface CodeMemory {
  /**
   * An earlier run of these programs was long enough to compile: there is something to recall, and what is compiled now will be of use again,
   * so it need not wait.
   */
  readonly again: boolean;
  /**
   * What `recall` gives runs at once, since the host's machine code of it is kept too. Else it is taken when the machine would compile, and
   * no sooner: the host has to compile it each time, and a program that ends soon is interpreted in less.
   */
  readonly ready: boolean;
  /** What was compiled for that entry, the likeliest first. */
  recall(pc: number): readonly RememberedBatch[];
  /** The module of something that `recall` gave and that is to be used now. */
  module(batch: RememberedBatch): WebAssembly.Module;
  /** `batch` has been compiled, or its module taken, and runs: that module, and its functions. */
  used(batch: RememberedBatch, module: WebAssembly.Module, functions: readonly unknown[]): void;
}
