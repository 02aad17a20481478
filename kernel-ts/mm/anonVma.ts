/**
 * anon_vma: which areas have private pages, and which of them may become one area. mm/rmap.c (anon_vma_prepare, anon_vma_fork),
 * mm/vma.c (is_mergeable_anon_vma, dup_anon_vma). What Linux has them for, finding the entries that map a page, nobody asks
 * here; but what they allow shows in /proc/PID/maps. Missing: the reuse of a dead parent's (anon_vma_clone), which cannot be seen.
 */
import { PAGE_SIZE } from '../abi/mman.ts';
import { VM_ACCESS_FLAGS, type VmArea } from './vma.ts';

/** struct anon_vma: areas that share one are pieces of one area. Compared by identity. */
export interface AnonVma {
  readonly kind: 'anon_vma';
}

/** vma_had_uncowed_parents(): it came from a fork, and pages of its ancestors may be in it. */
function hadUncowedParents(vma: VmArea | null): boolean {
  return vma !== null && vma.anonVma !== null && !vma.anonSingular;
}

/** anon_vma_compatible(): apart from their access rights two neighbours could be one. */
function anonVmaCompatible(a: VmArea, b: VmArea): boolean {
  if (a.vmEnd !== b.vmStart || a.vmFile !== b.vmFile) return false;
  if (((a.vmFlags ^ b.vmFlags) & ~VM_ACCESS_FLAGS) !== 0) return false;
  return b.vmPgoff === a.vmPgoff + (b.vmStart - a.vmStart) / PAGE_SIZE;
}

/** reusable_anon_vma(): a neighbour's, in the hope that mprotect makes one area of the two. */
function reusable(from: VmArea | null, a: VmArea | null, b: VmArea | null): AnonVma | null {
  if (from === null || a === null || b === null || !anonVmaCompatible(a, b)) return null;
  return from.anonSingular ? from.anonVma : null;
}

/** anon_vma_prepare(): the area is about to have its first private page. */
export function anonVmaPrepare(vma: VmArea): void {
  if (vma.anonVma !== null) return;
  const prev = vma.vmMm.mmap.prev(vma);
  const next = vma.vmMm.mmap.next(vma);
  vma.anonVma = reusable(next, vma, next) ?? reusable(prev, prev, vma) ?? { kind: 'anon_vma' };
  vma.anonSingular = true;
}

/** anon_vma_fork(): a child's area has one of its own beside its parent's. */
export function anonVmaFork(child: VmArea, parent: VmArea): void {
  child.anonVma = parent.anonVma === null ? null : { kind: 'anon_vma' };
  child.anonSingular = false;
}

/** dup_anon_vma(): `dst` is to have pages of `src`. */
export function dupAnonVma(dst: VmArea, src: VmArea): void {
  if (dst.anonVma !== null || src.anonVma === null) return;
  dst.anonVma = src.anonVma;
  dst.anonSingular = src.anonSingular;
}

/**
 * is_mergeable_anon_vma(): whether `target` may grow over pages that have `anonVma`: those of the neighbour `middle`, or those that
 * are moved here out of `copiedFrom`.
 */
export function isMergeableAnonVma(
  target: VmArea,
  anonVma: AnonVma | null,
  middle: VmArea | null,
  copiedFrom: VmArea | null,
): boolean {
  if (target.anonVma === null && anonVma !== null)
    return !hadUncowedParents(middle) && !hadUncowedParents(copiedFrom);
  if (target.anonVma !== null && anonVma === null) return !hadUncowedParents(target);
  return target.anonVma === anonVma;
}

/** are_anon_vmas_compatible(): each may merge with what lies between them; whether they may with each other. */
export function areAnonVmasCompatible(a: VmArea, b: VmArea): boolean {
  return a.anonVma === null || b.anonVma === null || a.anonVma === b.anonVma;
}
