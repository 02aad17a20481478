/**
 * Memory of the kernel's own objects, and fault injection: mm/slab.h, mm/failslab.c, lib/fault-inject.c, as far as it has to end
 * somewhere. They live in the host's memory and take no guest frames, so a budget stands for the memory that Linux would run out of: whoever
 * makes an object for a guest asks here first, charges its size or counts it, and answers ENOMEM when there is no room.
 */
import type { MmContext } from './context.ts';
import type { MapleCache } from './mapleNode.ts';
import type { VmArea } from './vma.ts';

/** struct fault_attr, as fail-nth uses it. */
export interface FaultAttr {
  /** The call that is to fail, counted from the next one, which is 1; 0 for none. Only that one fails. */
  nth: number;
  /** Calls that failed so. */
  injected: number;
}

/** should_fail(). */
export function shouldFail(attr: FaultAttr): boolean {
  if (attr.nth === 0 || --attr.nth > 0) return false;
  attr.injected++;
  return true;
}

/**
 * Caches whose objects are counted instead of charged: each object ends at one place, and the invariant checker finds those that leak. By
 * number: every fork and exit comes here for each of its areas, and V8 looks long for a property whose name varies.
 */
export const KMEM_CACHES = ['vm_area_struct', 'mm_struct', 'filp', 'shmid_kernel', 'ipc_namespace'] as const;

/** A cache: its place in KMEM_CACHES. */
export type KmemCache = 0 | 1 | 2 | 3 | 4;

export const VM_AREA_CACHEP: KmemCache = 0;
export const MM_CACHEP: KmemCache = 1;
export const FILP_CACHEP: KmemCache = 2;
export const SHM_CACHEP: KmemCache = 3;
export const IPC_NS_CACHEP: KmemCache = 4;

/** Invariants: 0 <= used <= limit; freeAreas.length <= maxFreeAreas, and nothing refers to a free area, nor it to anything. */
export interface SlabState {
  /** Bytes charged. */
  used: number;
  readonly limit: number;
  readonly fault: FaultAttr;
  /** Objects that are there, by cache. */
  readonly live: number[];
  /** vm_area_cachep's free objects, the last one last (vma.ts). */
  readonly freeAreas: VmArea[];
  readonly maxFreeAreas: number;
  readonly mapleNodes: MapleCache;
}

/** ARCH_KMALLOC_MINALIGN of RISC-V: every object takes whole lines. */
const LINE = 64;
/** Bytes of guest RAM for each area that is kept free: they take a sixteenth of as much, so many fit the host that fits the guest. */
const RAM_PER_FREE_AREA = 2048;

/** A quarter of RAM. */
export function initSlab(ramBytes: number): SlabState {
  const maxFreeAreas = Math.floor(ramBytes / RAM_PER_FREE_AREA);
  return {
    used: 0,
    limit: ramBytes / 4,
    fault: { nth: 0, injected: 0 },
    live: KMEM_CACHES.map(() => 0),
    freeAreas: [],
    maxFreeAreas,
    // Half full, as they are after many splits.
    mapleNodes: { free: [], limit: maxFreeAreas / 8 },
  };
}

/** The bytes that an object of this size is charged with. */
export function ksize(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / LINE)) * LINE;
}

/**
 * slab_pre_alloc_hook(), the gate that every object passes: false when this one is to fail. Called alone for what goes with another
 * object and is neither charged nor counted.
 */
export function slabMay({ slab }: MmContext): boolean {
  return slab.fault.nth === 0 || !shouldFail(slab.fault);
}

/** kmem_cache_alloc(): false when it fails. */
export function kmemCacheAlloc(ctx: MmContext, cache: KmemCache): boolean {
  if (!slabMay(ctx)) return false;
  kmemCacheAllocNofail(ctx, cache);
  return true;
}

/** The same for what the host makes, which does not fail. */
export function kmemCacheAllocNofail({ slab }: MmContext, cache: KmemCache): void {
  slab.live[cache] = (slab.live[cache] as number) + 1;
}

/** kmem_cache_free(). */
export function kmemCacheFree({ slab }: MmContext, cache: KmemCache): void {
  slab.live[cache] = (slab.live[cache] as number) - 1;
}

/** kmalloc(): false when there is no room. */
export function kmalloc(ctx: MmContext, bytes: number): boolean {
  const { slab } = ctx;
  if (!slabMay(ctx)) return false;
  const size = ksize(bytes);
  if (slab.used + size > slab.limit) return false;
  slab.used += size;
  return true;
}

/** kfree() of an object that was charged with `bytes`. */
export function kfree(ctx: MmContext, bytes: number): void {
  ctx.slab.used -= ksize(bytes);
}
