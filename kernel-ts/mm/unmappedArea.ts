/**
 * Where a mapping goes: mm/mmap.c (__get_unmapped_area, arch_get_unmapped_area_topdown), mm/util.c
 * (arch_pick_mmap_layout). No randomisation: an address is a function of the mappings alone.
 */
import { CAP_SYS_RAWIO } from '../abi/capability.ts';
import { EINVAL, ENOMEM, EPERM } from '../abi/errno.ts';
import {
  MAP_FIXED,
  PAGE_SHIFT,
  PAGE_SIZE,
  pageAlignDown,
  pageAlignUp,
  STACK_TOP,
  TASK_SIZE,
  TASK_UNMAPPED_BASE,
} from '../abi/mman.ts';
import { RLIMIT_STACK, rlimit } from '../abi/resource.ts';
import type { MmContext } from './context.ts';
import { capable } from './cred.ts';
import type { MmStruct } from './mm.ts';
import { STACK_GUARD_GAP, vmStartGap } from './vmaTree.ts';

const GAP_MIN = 128 * 1024 * 1024;

/** arch_pick_mmap_layout(): the top-down area begins below the room that RLIMIT_STACK leaves to the stack. */
export function archPickMmapLayout(ctx: MmContext, mm: MmStruct): void {
  const gapMax = pageAlignDown(Math.floor(TASK_SIZE / 6) * 5);
  const gap = rlimit(ctx.current.rlim, RLIMIT_STACK) + STACK_GUARD_GAP;
  const mmapBase = pageAlignUp(STACK_TOP - Math.min(Math.max(gap, GAP_MIN), gapMax));
  mm.layout = { ...mm.layout, mmapBase };
}

/** round_hint_to_min(). */
export function roundHintToMin(ctx: MmContext, hint: number): number {
  const address = pageAlignDown(hint);
  return address !== 0 && address < ctx.vm.mmapMinAddr ? pageAlignUp(ctx.vm.mmapMinAddr) : address;
}

/**
 * __get_unmapped_area(): where `len` bytes (page aligned) go, honouring a hint or MAP_FIXED. The number of the first page, since V8 boxes
 * addresses that it hands on; or an Errno.
 */
export function getUnmappedArea(
  ctx: MmContext,
  mm: MmStruct,
  hint: number,
  len: number,
  flags: number,
): number {
  if (len > TASK_SIZE - ctx.vm.mmapMinAddr) return -ENOMEM;
  const fixed = (flags & MAP_FIXED) !== 0;
  const page = fixed ? hint >>> PAGE_SHIFT : searchUnmappedArea(ctx, mm, hint, len);
  if (page < 0) return page;
  const addr = fixed ? hint : page * PAGE_SIZE;
  if (addr > TASK_SIZE - len) return -ENOMEM;
  if (addr % PAGE_SIZE !== 0) return -EINVAL;
  // security_mmap_addr(): low addresses catch null pointers of the kernel.
  if (addr < ctx.vm.mmapMinAddr && !capable(ctx.current.cred, CAP_SYS_RAWIO)) return -EPERM;
  return page;
}

function searchUnmappedArea(ctx: MmContext, mm: MmStruct, hint: number, len: number): number {
  if (hint !== 0) {
    const addr = pageAlignUp(hint);
    const vma = mm.mmap.find(addr);
    const prev = mm.mmap.before(addr);
    const fits = TASK_SIZE - len >= addr && addr >= ctx.vm.mmapMinAddr;
    if (fits && (vma === null || addr + len <= vmStartGap(vma)) && (prev === null || addr >= prev.vmEnd))
      return addr >>> PAGE_SHIFT;
  }
  const pages = len >>> PAGE_SHIFT;
  const low = pageAlignUp(Math.max(PAGE_SIZE, ctx.vm.mmapMinAddr)) >>> PAGE_SHIFT;
  const top = mm.mmap.unmappedTopDown(pages, low, mm.layout.mmapBase >>> PAGE_SHIFT);
  if (top >= 0) return top;
  const bottom = mm.mmap.unmappedBottomUp(pages, TASK_UNMAPPED_BASE >>> PAGE_SHIFT, TASK_SIZE >>> PAGE_SHIFT);
  return bottom >= 0 ? bottom : -ENOMEM;
}
