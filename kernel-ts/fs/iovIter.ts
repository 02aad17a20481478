/**
 * struct iov_iter: lib/iov_iter.c. A list of user ranges, or one kernel buffer, that file operations fill or empty piece by
 * piece; `count` is what is left.
 */
import { EFAULT, EINVAL, type Errno } from '../abi/errno.ts';
import { IOV_MAX, MAX_RW_COUNT } from '../abi/fcntl.ts';
import type { MmContext } from '../mm/context.ts';
import type { MmStruct } from '../mm/mm.ts';
import { accessOk, copyFromUser, copyFromUserPartial, copyToUserPartial } from '../mm/usercopy.ts';

/** struct iovec. */
export interface Iovec {
  readonly base: number;
  readonly len: number;
}

/** struct iov_iter. */
export class IovIter {
  /** null: `buffer` is the data. */
  readonly mm: MmStruct | null;
  readonly buffer: Uint8Array | null;
  /** The current range. */
  base: number;
  len: number;
  /** Those behind it, from the `next`-th of `segments` on. */
  readonly segments: readonly Iovec[];
  next: number;
  /** Bytes left. */
  count: number;
  /** Bytes of the current range that are done. */
  offset = 0;

  constructor(
    mm: MmStruct | null,
    buffer: Uint8Array | null,
    base: number,
    len: number,
    segments: readonly Iovec[],
  ) {
    this.mm = mm;
    this.buffer = buffer;
    this.base = base;
    this.len = len;
    this.segments = segments;
    this.next = 1;
    let count = len;
    for (let n = 1; n < segments.length; n++) count += (segments[n] as Iovec).len;
    this.count = Math.min(count, MAX_RW_COUNT);
  }
}

const NO_SEGMENTS: readonly Iovec[] = [];

/** import_ubuf(): one user range. No list of one: most calls have no more. */
export function userIter(mm: MmStruct, base: number, len: number): IovIter {
  return new IovIter(mm, null, base, len, NO_SEGMENTS);
}

/** Several user ranges. */
export function userIovIter(mm: MmStruct, segments: readonly Iovec[]): IovIter {
  const first = segments[0];
  return new IovIter(mm, null, first?.base ?? 0, first?.len ?? 0, segments);
}

/** A buffer of the kernel or the host. */
export function kernelIter(buffer: Uint8Array): IovIter {
  return new IovIter(null, buffer, 0, buffer.length, NO_SEGMENTS);
}

/** Goes on to the next range; false when there is none. */
function nextSegment(iter: IovIter): boolean {
  const segment = iter.segments[iter.next];
  if (segment === undefined) return false;
  iter.next++;
  iter.base = segment.base;
  iter.len = segment.len;
  iter.offset = 0;
  return true;
}

/** iovec_from_user(): reads `nrSegs` struct iovec. EINVAL (too many, negative length), EFAULT. */
export function iovecFromUser(ctx: MmContext, mm: MmStruct, va: number, nrSegs: number): Iovec[] | Errno {
  if (nrSegs > IOV_MAX) return -EINVAL;
  const bytes = copyFromUser(ctx, mm, va, nrSegs * 8);
  if (typeof bytes === 'number') return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const segments: Iovec[] = [];
  for (let i = 0; i < nrSegs; i++) {
    const base = view.getUint32(i * 8, true);
    const len = view.getUint32(i * 8 + 4, true);
    if (len > 0x7fff_ffff) return -EINVAL;
    segments.push({ base, len });
  }
  return segments;
}

/** import_iovec(): ranges of the caller's memory. EINVAL (too many, negative length), EFAULT. */
export function importIovec(ctx: MmContext, mm: MmStruct, va: number, nrSegs: number): IovIter | Errno {
  const segments = iovecFromUser(ctx, mm, va, nrSegs);
  if (typeof segments === 'number') return segments;
  for (const { base, len } of segments) if (!accessOk(base, len)) return -EFAULT;
  return userIovIter(mm, segments);
}

/** Goes forward by `bytes` within the iterator. */
export function iovIterAdvance(iter: IovIter, bytes: number): void {
  iter.count -= bytes;
  let left = bytes;
  for (;;) {
    const step = Math.min(left, iter.len - iter.offset);
    iter.offset += step;
    left -= step;
    if (left === 0) return;
    if (!nextSegment(iter)) throw new Error('iov_iter_advance beyond the end');
  }
}

/** copy_to_iter(): gives `bytes` to the iterator; the number taken, less only at a fault or at the end. */
export function copyToIter(ctx: MmContext, bytes: Uint8Array, iter: IovIter): number {
  let done = 0;
  while (done < bytes.length && iter.count > 0) {
    const chunk = Math.min(bytes.length - done, iter.len - iter.offset, iter.count);
    if (chunk === 0) {
      if (nextSegment(iter)) continue;
      break;
    }
    const part = bytes.subarray(done, done + chunk);
    let copied = chunk;
    if (iter.mm === null) iter.buffer?.set(part, iter.offset);
    else copied = copyToUserPartial(ctx, iter.mm, iter.base + iter.offset, part);
    iovIterAdvance(iter, copied);
    done += copied;
    if (copied < chunk) break;
  }
  return done;
}

/** copy_from_iter(): takes up to `max` bytes; fewer only at a fault or at the end. */
export function copyFromIter(ctx: MmContext, iter: IovIter, max: number): Uint8Array {
  if (iter.mm === null && iter.buffer !== null) {
    // The kernel's own bytes do not change under us: no copy.
    const from = iter.offset;
    const len = Math.min(max, iter.count);
    iovIterAdvance(iter, len);
    return iter.buffer.subarray(from, from + len);
  }
  const out = new Uint8Array(Math.min(max, iter.count));
  let done = 0;
  while (done < out.length) {
    const chunk = Math.min(out.length - done, iter.len - iter.offset);
    if (chunk === 0) {
      if (nextSegment(iter)) continue;
      break;
    }
    const part =
      iter.mm === null
        ? (iter.buffer ?? out).subarray(iter.offset, iter.offset + chunk)
        : copyFromUserPartial(ctx, iter.mm, iter.base + iter.offset, chunk);
    out.set(part, done);
    iovIterAdvance(iter, part.length);
    done += part.length;
    if (part.length < chunk) break;
  }
  return done === out.length ? out : out.subarray(0, done);
}
