/**
 * The pages of a file of shmem, in the page cache: made, filled and taken away (mm/shmem.c). What reads, writes and maps them is shmem.ts.
 */
import { ENOMEM, ENOSPC, type Errno } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/mman.ts';
import {
  addToPageCache,
  cachedPage,
  deleteFromPageCache,
  findGetPage,
  type HostBytes,
} from '../mm/addressSpace.ts';
import type { MmContext } from '../mm/context.ts';
import {
  allocPage,
  clearPageFlag,
  pagesFor,
  pageToPhys,
  PG_DIRTY,
  PG_FALLOCATED,
  PG_UNREAD,
  putPage,
  setPageFlag,
  type Page,
} from '../mm/page.ts';
import type { Inode } from './inode.ts';

/**
 * shmem_get_folio(): the page of the file at `index`, made when it is a hole; count raised. A new page is zeroed unless the
 * caller overwrites all of it.
 *
 * @returns ENOSPC when the file system is full, ENOMEM when RAM is.
 */
export function shmemGetPage(ctx: MmContext, inode: Inode, index: number, zero = true): Page | Errno {
  const cached = findGetPage(ctx, inode.iMapping, index);
  if (cached !== null) {
    clearPageFlag(ctx.memMap, cached, PG_FALLOCATED);
    return cached;
  }
  if (index >= unplacedFrom(inode)) {
    const failed = shmemFillRest(ctx, inode);
    return failed < 0 ? failed : shmemGetPage(ctx, inode, index, zero);
  }
  return newPage(ctx, inode, index, zero);
}

/** A page where the file has none. */
function newPage(ctx: MmContext, inode: Inode, index: number, zero: boolean): Page | Errno {
  const sb = inode.iSb;
  if (sb.maxBlocks > 0 && sb.usedBlocks >= sb.maxBlocks) return -ENOSPC;
  const before = index > 0 ? inode.iMapping.iPages.get(index - 1) : undefined;
  const pages = pagesFor(inode.iSize);
  const page = allocPage(ctx, 0, zero, { pfn: before === undefined ? 0 : before + 1, index, pages });
  if (page === null) return -ENOMEM;
  sb.usedBlocks++;
  addToPageCache(ctx, inode.iMapping, page, index);
  return page;
}

/** The first page of the file that is to get its frame later. */
export function unplacedFrom(inode: Inode): number {
  return inode.iMapping.contents?.unplaced ?? Infinity;
}

/**
 * Fills an empty file, as writing `bytes` to it does, but each page only when somebody wants what is in it: an image is for the
 * most part symbols. Pages behind the first `atOnce` bytes get their frames when somebody looks there. The bytes must not change any more.
 *
 * @returns ENOSPC or ENOMEM when it does not fit; the file then ends where there was no room
 */
export function shmemFillLater(
  ctx: MmContext,
  inode: Inode,
  bytes: HostBytes,
  atOnce: number = bytes.length,
): 0 | Errno {
  const end = pagesFor(atOnce);
  inode.iMapping.contents = { bytes, unplaced: Infinity };
  const failed = fillPages(ctx, inode, bytes, 0, end);
  if (failed < 0 || inode.iSize === bytes.length) return failed;
  const { maxBlocks, usedBlocks } = inode.iSb;
  const rest = pagesFor(bytes.length) - end;
  if (rest > ctx.memMap.freeFrames) return -ENOMEM;
  if (maxBlocks > 0 && rest > maxBlocks - usedBlocks) return -ENOSPC;
  inode.iMapping.contents.unplaced = end;
  inode.iSize = bytes.length;
  return 0;
}

/** Frames for the pages [first, end) of what the file is to hold. */
function fillPages(
  ctx: MmContext,
  inode: Inode,
  { length }: HostBytes,
  first: number,
  end: number,
): 0 | Errno {
  for (let index = first; index < end; index++) {
    const page = newPage(ctx, inode, index, false);
    if (page < 0) return page as Errno;
    setPageFlag(ctx.memMap, page, PG_DIRTY | PG_UNREAD);
    putPage(ctx, page);
    inode.iSize = Math.max(inode.iSize, Math.min(length, (index + 1) * PAGE_SIZE));
  }
  return 0;
}

/** Gives the rest of such a file its frames: before anything is changed, and when somebody looks behind what had them at once. */
export function shmemFillRest(ctx: MmContext, inode: Inode): 0 | Errno {
  const { contents } = inode.iMapping;
  if (contents === null || contents.unplaced === Infinity) return 0;
  const end = pagesFor(contents.bytes.length);
  while (contents.unplaced < end) {
    const failed = fillPages(ctx, inode, contents.bytes, contents.unplaced, contents.unplaced + 1);
    if (failed < 0) return failed;
    contents.unplaced++;
  }
  contents.unplaced = Infinity;
  return 0;
}

/** Pages that count for the file: those it has, and those it is to get. */
export function shmemPages(inode: Inode): number {
  const { contents, nrpages } = inode.iMapping;
  return contents === null || contents.unplaced === Infinity ? nrpages : pagesFor(contents.bytes.length);
}

/** Takes the pages [first, end) out of the page cache; they are mapped nowhere. */
export function removePages(ctx: MmContext, inode: Inode, first: number, end: number): void {
  inode.iMapping.iPages.forRange(first, end, (page) => removePage(ctx, inode, page));
}

export function removePage(ctx: MmContext, inode: Inode, page: Page): void {
  inode.iSb.usedBlocks--;
  deleteFromPageCache(ctx, page);
}

/** Zeroes the bytes [from, to) of one page, if it is there, which so is dirty (shmem_get_partial_folio). */
export function zeroPartial(ctx: MmContext, inode: Inode, from: number, to: number): void {
  if (from >= to) return;
  const page = cachedPage(ctx, inode.iMapping, Math.floor(from / PAGE_SIZE));
  if (page === undefined) return;
  ctx.ram.zero(pageToPhys(page) + (from % PAGE_SIZE), to - from);
  setPageFlag(ctx.memMap, page, PG_DIRTY);
}
