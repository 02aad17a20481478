/**
 * What every shim needs to get arguments out of guest memory and results into it (Linux: get_timespec64, strndup_user
 * and their kin). Each answers EFAULT for memory that cannot be used; none throws.
 */
import { E2BIG, EFAULT, EINVAL, type Errno } from '../abi/errno.ts';
import type { SignalSet } from '../abi/signal.ts';
import { bug } from '../mm/bug.ts';
import type { MmStruct } from '../mm/mm.ts';
import {
  accessOk,
  copyFromUser,
  copyToUser,
  getUser32,
  getUser64,
  putUser32,
  putUser64,
  strncpyFromUser,
  userPhys,
} from '../mm/usercopy.ts';
import type { Kernel } from '../process/kernel.ts';
import { sigset } from '../process/signalSet.ts';
import type { Task } from '../process/task.ts';

/** Bytes of a path, its zero included. */
export const PATH_MAX = 4096;

/** The address space of a task that makes a system call: it has one. */
export function userMm(task: Task): MmStruct {
  if (task.mm === null) throw bug('a system call of a task without an address space', task.pid);
  return task.mm;
}

/** getname(): a path. ENAMETOOLONG from PATH_MAX on. */
export function userPath(kernel: Kernel, task: Task, address: number): string | Errno {
  return strncpyFromUser(kernel, userMm(task), address >>> 0, PATH_MAX);
}

/** A string of at most `max` bytes with its zero. */
export function userString(kernel: Kernel, task: Task, address: number, max: number): string | Errno {
  return strncpyFromUser(kernel, userMm(task), address >>> 0, max);
}

export function readUser(kernel: Kernel, task: Task, address: number, length: number): DataView | Errno {
  const bytes = copyFromUser(kernel, userMm(task), address >>> 0, length);
  return typeof bytes === 'number' ? bytes : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * copy_struct_from_user(): a struct that grows from version to version, `known` bytes of it. E2BIG for bytes behind it that are
 * not 0, or for more than a page; EINVAL for less than the first version has.
 */
export function copyStructFromUser(
  kernel: Kernel,
  task: Task,
  address: number,
  size: number,
  first: number,
  known: number,
): DataView | Errno {
  if (size > 4096) return -E2BIG;
  if (size < first) return -EINVAL;
  const given = readUser(kernel, task, address, size);
  if (typeof given === 'number') return given;
  const bytes = new Uint8Array(known);
  for (let i = 0; i < size; i++) {
    const byte = given.getUint8(i);
    if (i < known) bytes[i] = byte;
    else if (byte !== 0) return -E2BIG;
  }
  return new DataView(bytes.buffer);
}

export function writeUser(kernel: Kernel, task: Task, address: number, bytes: Uint8Array): 0 | Errno {
  return copyToUser(kernel, userMm(task), address >>> 0, bytes);
}

/** Writes consecutive u32 words. */
export function writeWords(kernel: Kernel, task: Task, address: number, words: readonly number[]): 0 | Errno {
  const mm = userMm(task);
  if (!accessOk(address, words.length * 4)) return -EFAULT;
  // Word by word: a buffer of bytes and views of it would be by far the largest objects of many a call.
  for (let i = 0; i < words.length; i++)
    if (putUser32(kernel, mm, (address + 4 * i) | 0, words[i] as number) < 0) return -EFAULT;
  return 0;
}

/** A signed 64-bit argument of two registers; beyond 2^53 it keeps its sign and size, not its last bits. */
export function int64(low: number, high: number): number {
  return high * 2 ** 32 + (low >>> 0);
}

/** sizeof(sigset_t) */
export const SIGSET_SIZE = 8;

/** A signal set. EINVAL: of another size; EFAULT. */
export function readSet(
  kernel: Kernel,
  task: Task,
  address: number,
  size = SIGSET_SIZE,
): Readonly<SignalSet> | Errno {
  if (size !== SIGSET_SIZE) return -EINVAL;
  const mm = userMm(task);
  if ((address & 7) === 0) {
    // In one page: no number on the way that V8 would box. fork alone comes here four times.
    const pa = userPhys(kernel, mm, address, 'read');
    return pa === 0 ? -EFAULT : sigset(kernel.ram.read32(pa) | 0, kernel.ram.read32(pa + 4) | 0);
  }
  const lo = getUser32(kernel, mm, address >>> 0);
  const hi = getUser32(kernel, mm, (address >>> 0) + 4);
  return lo === null || hi === null ? -EFAULT : sigset(lo | 0, hi | 0);
}

/** Writes a signal set. */
export function writeSet(kernel: Kernel, task: Task, address: number, lo: number, hi: number): 0 | Errno {
  return accessOk(address, SIGSET_SIZE) ? putUser64(kernel, userMm(task), address, lo, hi) : -EFAULT;
}

export interface UserTimespec {
  readonly sec: number;
  readonly nsec: number;
}

/** get_timespec64(): struct __kernel_timespec, not yet judged. A 32-bit kernel looks at the low word of tv_nsec. */
export function readTimespec(kernel: Kernel, task: Task, address: number): UserTimespec | Errno {
  const mm = userMm(task);
  const sec = getUser64(kernel, mm, address >>> 0);
  const nsec = getUser64(kernel, mm, (address + 8) >>> 0);
  if (sec === null || nsec === null) return -EFAULT;
  return { sec: int64(sec.lo, sec.hi | 0), nsec: nsec.lo | 0 };
}

/** timespec64_valid(). */
export function validTimespec(t: UserTimespec): boolean {
  return t.sec >= 0 && t.nsec >= 0 && t.nsec < 1e9;
}

/** A timespec that must be valid: EINVAL otherwise. */
export function readValidTimespec(kernel: Kernel, task: Task, address: number): UserTimespec | Errno {
  const t = readTimespec(kernel, task, address);
  return typeof t === 'number' || validTimespec(t) ? t : -EINVAL;
}

/** put_timespec64(). */
export function writeTimespec(
  kernel: Kernel,
  task: Task,
  address: number,
  sec: number,
  nsec: number,
): 0 | Errno {
  return writeWords(kernel, task, address, [sec, Math.floor(sec / 2 ** 32), nsec, 0]);
}
