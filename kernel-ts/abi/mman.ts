/**
 * Memory mapping constants: include/uapi/asm-generic/mman-common.h, mman.h; include/uapi/linux/mman.h;
 * page geometry of Sv32 and the address-space layout of a riscv32 process (arch/riscv/include/asm/pgtable.h).
 */

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;

/** First address above user space (riscv32, 6.x: FIXADDR_START). */
export const TASK_SIZE = 0x9dc0_0000;
/** The stack ends here. */
export const STACK_TOP = 0x9dc0_0000;
/** Where bottom-up placement starts when the top-down area is full: PAGE_ALIGN(TASK_SIZE / 3). */
export const TASK_UNMAPPED_BASE = Math.ceil(TASK_SIZE / 3 / PAGE_SIZE) * PAGE_SIZE;
/** Where a PIE is loaded: TASK_SIZE / 3 * 2, page aligned (ELF_ET_DYN_BASE). */
export const ELF_ET_DYN_BASE = Math.floor(((TASK_SIZE / 3) * 2) / PAGE_SIZE) * PAGE_SIZE;

export const PROT_NONE = 0x0;
export const PROT_READ = 0x1;
export const PROT_WRITE = 0x2;
export const PROT_EXEC = 0x4;
export const PROT_SEM = 0x8;
export const PROT_GROWSDOWN = 0x0100_0000;
export const PROT_GROWSUP = 0x0200_0000;

export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_SHARED_VALIDATE = 0x03;
export const MAP_TYPE = 0x0f;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_GROWSDOWN = 0x0100;
export const MAP_DENYWRITE = 0x0800;
export const MAP_EXECUTABLE = 0x1000;
export const MAP_LOCKED = 0x2000;
export const MAP_NORESERVE = 0x4000;
export const MAP_POPULATE = 0x8000;
export const MAP_NONBLOCK = 0x1_0000;
export const MAP_STACK = 0x2_0000;
export const MAP_HUGETLB = 0x4_0000;
export const MAP_SYNC = 0x8_0000;
export const MAP_FIXED_NOREPLACE = 0x10_0000;

export const MREMAP_MAYMOVE = 1;
export const MREMAP_FIXED = 2;
export const MREMAP_DONTUNMAP = 4;

export const MS_ASYNC = 1;
export const MS_INVALIDATE = 2;
export const MS_SYNC = 4;

export const MCL_CURRENT = 1;
export const MCL_FUTURE = 2;
export const MCL_ONFAULT = 4;
export const MLOCK_ONFAULT = 1;

export const MADV_NORMAL = 0;
export const MADV_RANDOM = 1;
export const MADV_SEQUENTIAL = 2;
export const MADV_WILLNEED = 3;
export const MADV_DONTNEED = 4;
export const MADV_FREE = 8;
export const MADV_REMOVE = 9;
export const MADV_DONTFORK = 10;
export const MADV_DOFORK = 11;
export const MADV_DONTDUMP = 16;
export const MADV_DODUMP = 17;
export const MADV_WIPEONFORK = 18;
export const MADV_KEEPONFORK = 19;
export const MADV_COLD = 20;
export const MADV_PAGEOUT = 21;
export const MADV_POPULATE_READ = 22;
export const MADV_POPULATE_WRITE = 23;
export const MADV_DONTNEED_LOCKED = 24;

/** offset_in_page(). Not `%`: of numbers beyond 2^31, as addresses of stacks are, that is a division of floats. */
export function offsetInPage(address: number): number {
  return address & (PAGE_SIZE - 1);
}

/** Rounds a byte address or length down to a page; stays exact above 2^31. */
export function pageAlignDown(value: number): number {
  return value - offsetInPage(value);
}

/** Rounds up to a page; not truncated to 32 bits, so an overflow is visible as a value above 0xffffffff. */
export function pageAlignUp(value: number): number {
  return Math.ceil(value / PAGE_SIZE) * PAGE_SIZE;
}
