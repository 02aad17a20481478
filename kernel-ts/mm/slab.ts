/**
 * Memory of the kernel's own objects: mm/slab.h, as far as it has to end somewhere. They live in the host's memory and take no guest
 * frames, so a budget stands for the memory that Linux would run out of: whoever makes an object for a guest charges its size here
 * first, and answers ENOMEM when there is no room.
 */
import type { MmContext } from './context.ts';

/** Invariant: 0 <= used <= limit. */
export interface SlabState {
  /** Bytes charged. */
  used: number;
  readonly limit: number;
}

/** ARCH_KMALLOC_MINALIGN of RISC-V: every object takes whole lines. */
const LINE = 64;

/** A quarter of RAM. */
export function initSlab(ramBytes: number): SlabState {
  return { used: 0, limit: ramBytes / 4 };
}

/** The bytes that an object of this size is charged with. */
export function ksize(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / LINE)) * LINE;
}

/** kmalloc(): false when there is no room. */
export function kmalloc(ctx: MmContext, bytes: number): boolean {
  const { slab } = ctx;
  const size = ksize(bytes);
  if (slab.used + size > slab.limit) return false;
  slab.used += size;
  return true;
}

/** kfree() of an object that was charged with `bytes`. */
export function kfree(ctx: MmContext, bytes: number): void {
  ctx.slab.used -= ksize(bytes);
}
