/**
 * Reading and writing user memory: lib/usercopy.c, lib/strncpy_from_user.c, mm/gup.c. Every access walks the Sv32 tables as the
 * MMU would in S mode with SUM, and faults pages in; nothing else of the kernel reads user memory. Addresses may be int32, as registers hold
 * them: V8 boxes those of the upper half otherwise.
 */
import { EFAULT, ENAMETOOLONG, type Errno } from '../abi/errno.ts';
import { offsetInPage, PAGE_SIZE, TASK_SIZE } from '../abi/mman.ts';
import type { MmContext } from './context.ts';
import { doPageFault, ptePermits } from './memory.ts';
import type { MmStruct } from './mm.ts';
import { pageToPhys, type Page } from './page.ts';
import { PTE_A, PTE_D, PTE_R, PTE_V, PTE_W, ptePfn, pteOffset, setPte } from './pgtable.ts';
import { FaultCode, type Access } from './vma.ts';
import { pageOfPte } from './zap.ts';

/** What the kernel does in user memory. */
type UserAccess = Exclude<Access, 'exec'>;

/** access_ok(): the range lies in user space. */
export function accessOk(addr: number, len: number): boolean {
  return (addr >>> 0) + len <= TASK_SIZE;
}

/** The PTE of a page that may be accessed so, faulted in when need be; 0 when it cannot be. */
function userPte(ctx: MmContext, mm: MmStruct, va: number, access: UserAccess): number {
  if (va >>> 0 >= TASK_SIZE) return 0;
  const pteAddress = pteOffset(ctx, mm, va);
  if (pteAddress !== 0) {
    const pte = ctx.ram.read32(pteAddress);
    const used = PTE_V | PTE_A | (access === 'write' ? PTE_W | PTE_D : PTE_R);
    // As the MMU left it when the program touched the page.
    if ((pte & used) === used) return pte;
  }
  return faultIn(ctx, mm, va, access);
}

/** The rest of it: a page that is not there, or was not used so before. */
function faultIn(ctx: MmContext, mm: MmStruct, va: number, access: UserAccess): number {
  // A second round is needed at most after a fault that was handled.
  for (let round = 0; round < 3; round++) {
    const pteAddress = pteOffset(ctx, mm, va);
    const pte = pteAddress === 0 ? 0 : ctx.ram.read32(pteAddress);
    if (ptePermits(pte, access)) {
      const used = pte | PTE_A | (access === 'write' ? PTE_D : 0);
      // Setting A and D takes no right away: no flush.
      if (used >>> 0 !== pte) setPte(ctx, pteAddress, used >>> 0);
      return pte;
    }
    if (doPageFault(ctx, mm, va, access) !== FaultCode.Handled) return 0;
  }
  throw new Error(`a handled fault at 0x${(va >>> 0).toString(16)} changed nothing`);
}

/** Physical address of a user byte as an int32, or 0, which is none of RAM's. Valid up to the end of its page and until the tables change. */
export function userPhys(ctx: MmContext, mm: MmStruct, va: number, access: UserAccess): number {
  const pte = userPte(ctx, mm, va, access);
  return pte === 0 ? 0 : pageToPhys(ptePfn(pte)) | offsetInPage(va);
}

/** get_user_pages() of one page, without a reference: its frame, or EFAULT. */
export function userPage(ctx: MmContext, mm: MmStruct, va: number, access: UserAccess): Page | Errno {
  const pte = userPte(ctx, mm, va, access);
  return pte === 0 ? -EFAULT : pageOfPte(ctx, pte);
}

/** Fills `out` from user memory as far as that can be read; the bytes that could be. */
function fillFromUser(ctx: MmContext, mm: MmStruct, va: number, out: Uint8Array): number {
  let done = 0;
  while (done < out.length) {
    const address = va + done;
    const chunk = Math.min(out.length - done, PAGE_SIZE - offsetInPage(address));
    const pa = userPhys(ctx, mm, address, 'read');
    if (pa === 0) return done;
    ctx.ram.readInto(pa, chunk, out, done);
    done += chunk;
  }
  return done;
}

/** Copies from user memory as far as it can be read; returns the bytes that could be. */
export function copyFromUserPartial(ctx: MmContext, mm: MmStruct, va: number, len: number): Uint8Array {
  const out = new Uint8Array(len);
  const done = fillFromUser(ctx, mm, va, out);
  return done === len ? out : out.subarray(0, done);
}

/** copy_from_user() into a buffer of the kernel: 0, or EFAULT. */
export function copyFromUserTo(ctx: MmContext, mm: MmStruct, out: Uint8Array, va: number): 0 | Errno {
  return accessOk(va, out.length) && fillFromUser(ctx, mm, va, out) === out.length ? 0 : -EFAULT;
}

/** copy_from_user(): all bytes, or EFAULT. */
export function copyFromUser(ctx: MmContext, mm: MmStruct, va: number, len: number): Uint8Array | Errno {
  // Refused before a buffer of a nonsensical length is made.
  if (!accessOk(va, len)) return -EFAULT;
  const bytes = copyFromUserPartial(ctx, mm, va, len);
  return bytes.length === len ? bytes : -EFAULT;
}

/** Copies to user memory as far as it can be written; returns the number of bytes copied. */
export function copyToUserPartial(ctx: MmContext, mm: MmStruct, va: number, bytes: Uint8Array): number {
  let done = 0;
  while (done < bytes.length) {
    const address = va + done;
    const chunk = Math.min(bytes.length - done, PAGE_SIZE - offsetInPage(address));
    const pa = userPhys(ctx, mm, address, 'write');
    if (pa === 0) return done;
    ctx.ram.writeBytes(pa, chunk === bytes.length ? bytes : bytes.subarray(done, done + chunk));
    done += chunk;
  }
  return done;
}

/** copy_to_user(): 0, or EFAULT after what could be written was. */
export function copyToUser(ctx: MmContext, mm: MmStruct, va: number, bytes: Uint8Array): 0 | Errno {
  if (!accessOk(va, bytes.length)) return -EFAULT;
  return copyToUserPartial(ctx, mm, va, bytes) === bytes.length ? 0 : -EFAULT;
}

/** clear_user(): 0, or EFAULT. */
export function clearUser(ctx: MmContext, mm: MmStruct, va: number, len: number): 0 | Errno {
  if (!accessOk(va, len)) return -EFAULT;
  for (let done = 0; done < len;) {
    const chunk = Math.min(len - done, PAGE_SIZE - offsetInPage(va + done));
    const pa = userPhys(ctx, mm, va + done, 'write');
    if (pa === 0) return -EFAULT;
    ctx.ram.zero(pa, chunk);
    done += chunk;
  }
  return 0;
}

/** get_user() of a byte; null is EFAULT. */
export function getUser8(ctx: MmContext, mm: MmStruct, va: number): number | null {
  const pa = userPhys(ctx, mm, va, 'read');
  return pa === 0 ? null : ctx.ram.read8(pa);
}

/** get_user() of a 32-bit word, unsigned; null is EFAULT. */
export function getUser32(ctx: MmContext, mm: MmStruct, va: number): number | null {
  if ((va & 3) === 0) {
    const pa = userPhys(ctx, mm, va, 'read');
    return pa === 0 ? null : ctx.ram.read32(pa) >>> 0;
  }
  const bytes = copyFromUser(ctx, mm, va, 4);
  return typeof bytes === 'number' ? null : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

/** get_user() of a 64-bit word as two unsigned halves; null is EFAULT. */
export function getUser64(ctx: MmContext, mm: MmStruct, va: number): { lo: number; hi: number } | null {
  const lo = getUser32(ctx, mm, va);
  const hi = getUser32(ctx, mm, va + 4);
  return lo === null || hi === null ? null : { lo, hi };
}

/** put_user() of a byte. */
export function putUser8(ctx: MmContext, mm: MmStruct, va: number, value: number): 0 | Errno {
  const pa = userPhys(ctx, mm, va, 'write');
  if (pa === 0) return -EFAULT;
  ctx.ram.write8(pa, value & 0xff);
  return 0;
}

/** put_user() of a 32-bit word. */
export function putUser32(ctx: MmContext, mm: MmStruct, va: number, value: number): 0 | Errno {
  if ((va & 3) === 0) {
    const pa = userPhys(ctx, mm, va, 'write');
    if (pa === 0) return -EFAULT;
    ctx.ram.write32(pa, value >>> 0);
    return 0;
  }
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0, true);
  return copyToUser(ctx, mm, va, bytes);
}

/** put_user() of a 64-bit word. */
export function putUser64(ctx: MmContext, mm: MmStruct, va: number, lo: number, hi: number): 0 | Errno {
  const error = putUser32(ctx, mm, va, lo);
  return error < 0 ? error : putUser32(ctx, mm, va + 4, hi);
}

/** strncpy_from_user() as bytes, without the NUL: ENAMETOOLONG when there is none within `max` bytes, EFAULT. */
export function strnBytesFromUser(ctx: MmContext, mm: MmStruct, va: number, max: number): Uint8Array | Errno {
  const parts: Uint8Array[] = [];
  let total = 0;
  while (total < max) {
    const address = va + total;
    const chunk = Math.min(max - total, PAGE_SIZE - offsetInPage(address));
    const pa = userPhys(ctx, mm, address, 'read');
    if (pa === 0) return -EFAULT;
    const bytes = ctx.ram.view(pa, chunk);
    const end = bytes.indexOf(0);
    if (end >= 0) {
      parts.push(bytes.slice(0, end));
      return join(parts);
    }
    parts.push(bytes.slice());
    total += chunk;
  }
  return -ENAMETOOLONG;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  let total = 0;
  for (const part of parts) total += part.length;
  const out = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const decoder = new TextDecoder();

/** strncpy_from_user() as text (UTF-8; bytes that are none become U+FFFD). */
export function strncpyFromUser(ctx: MmContext, mm: MmStruct, va: number, max: number): string | Errno {
  const bytes = strnBytesFromUser(ctx, mm, va, max);
  return typeof bytes === 'number' ? bytes : decoder.decode(bytes);
}
