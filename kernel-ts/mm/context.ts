/**
 * What mm needs of the machine and of the kernel around it: the hardware as an interface, Linux's `current`,
 * the clock and the sysctls as data. The Kernel object of process/ extends MmContext.
 */
import type { Rlimits } from '../abi/resource.ts';
import type { Cred } from './cred.ts';
import type { MmStruct } from './mm.ts';
import type { MemMap, Page } from './page.ts';
import type { SlabState } from './slab.ts';

/**
 * Guest RAM. Every write of the kernel goes through it, so that decoded code is invalidated. Addresses are physical, and may be int32: those are
 * negative, and V8 boxes positive ones wherever they are handed on.
 */
export interface PhysicalMemory {
  readonly base: number;
  readonly size: number;
  contains(pa: number, len?: number): boolean;
  read8(pa: number): number;
  read16(pa: number): number;
  read32(pa: number): number;
  /** Reads the words at the first `count` of some aligned addresses into `words`. */
  gather32(addresses: Int32Array, count: number, words: Int32Array): void;
  /** Of the `count` words from `pa` on, how many are 0 before the first that is not. */
  zeroWords(pa: number, count: number): number;
  write8(pa: number, value: number): void;
  write16(pa: number, value: number): void;
  write32(pa: number, value: number): void;
  /** A copy. */
  readBytes(pa: number, len: number): Uint8Array;
  /** The same into a place that is there. */
  readInto(pa: number, len: number, target: Uint8Array, at: number): void;
  /** The live bytes; read only by convention. */
  view(pa: number, len: number): Uint8Array;
  writeBytes(pa: number, src: Uint8Array): void;
  zero(pa: number, len: number): void;
  copy(dst: number, src: number, len: number): void;
}

/** The part of a hart that concerns translation and time. */
export interface TlbControl {
  /** Instructions retired since power-on; 1 instruction is 1 ns of virtual time. */
  readonly retired: number;
  flushTlbPage(satp: number, va: number): void;
  flushTlbAll(satp: number): void;
  /** The root table is about to be freed. */
  dropAddressSpace(satp: number): void;
}

/** Virtual time as data. */
export interface Clock {
  /** Seconds since 1970 at boot. */
  epoch: number;
  /** Nanoseconds that passed while no task could run. */
  idle: number;
}

/** Linux's `current`, as far as mm, fs and ipc look at it; process/task.ts extends it. */
export interface CurrentTask {
  /** Thread group id: what getpid(2) returns. */
  readonly tgid: number;
  readonly pid: number;
  readonly comm: string;
  readonly cred: Cred;
  readonly rlim: Rlimits;
  /** null once the task has exited, and for the kernel's own work before the first process. */
  readonly mm: MmStruct | null;
}

/** Tunables of /proc/sys/vm and counters of mm that belong to no process. */
export interface VmSysctl {
  /** vm.max_map_count: VMAs per process. Linux's default is 65530. */
  maxMapCount: number;
  /** vm.mmap_min_addr: mapping below needs CAP_SYS_RAWIO. */
  mmapMinAddr: number;
  /** vm.overcommit_memory: 0 refuses only what can never fit, 1 never refuses. */
  overcommitMemory: number;
  /** Serial number of the next MmStruct. */
  nextMmId: number;
  /** The frame of every [vdso], once anybody has touched one; it is never freed. */
  vdsoPage: Page | null;
  /** ZERO_PAGE: what reads find in private memory that nobody has written; made at the first such read and never freed. */
  zeroPage: Page | null;
}

export interface MmContext {
  readonly ram: PhysicalMemory;
  readonly hart: TlbControl;
  readonly memMap: MemMap;
  readonly slab: SlabState;
  readonly clock: Clock;
  readonly vm: VmSysctl;
  /** The task on whose behalf the kernel runs. */
  readonly current: CurrentTask;
}

/** The defaults of a fresh kernel. */
export function initVmSysctl(): VmSysctl {
  return {
    maxMapCount: 65530,
    mmapMinAddr: 4096,
    overcommitMemory: 0,
    nextMmId: 1,
    vdsoPage: null,
    zeroPage: null,
  };
}

/** ktime_get(): virtual nanoseconds since boot. */
export function ktimeGet(ctx: MmContext): number {
  return ctx.hart.retired + ctx.clock.idle;
}

/** ktime_get_real_seconds(): seconds since 1970 of the virtual clock. */
export function ktimeGetRealSeconds(ctx: MmContext): number {
  return ctx.clock.epoch + Math.floor(ktimeGet(ctx) / 1e9);
}

/** struct timespec64. */
export interface Timespec {
  readonly tvSec: number;
  readonly tvNsec: number;
}

/** ktime_get_real_ts64(). */
export function ktimeGetRealTs(ctx: MmContext): Timespec {
  const now = ktimeGet(ctx);
  const seconds = Math.floor(now / 1e9);
  return { tvSec: ctx.clock.epoch + seconds, tvNsec: now - seconds * 1e9 };
}
