/** Resource limits: include/uapi/asm-generic/resource.h. RLIM_INFINITY is Infinity here; the ABI shows ~0. */

export const RLIMIT_FSIZE = 1;
export const RLIMIT_DATA = 2;
export const RLIMIT_STACK = 3;
export const RLIMIT_CORE = 4;
export const RLIMIT_NPROC = 6;
export const RLIMIT_NOFILE = 7;
export const RLIMIT_MEMLOCK = 8;
export const RLIMIT_AS = 9;
export const RLIMIT_SIGPENDING = 11;
export const RLIMIT_MSGQUEUE = 12;
export const RLIMIT_NICE = 13;
export const RLIMIT_RTPRIO = 14;
export const RLIM_NLIMITS = 16;

export const RLIM_INFINITY = Infinity;

/** struct rlimit64: bytes or counts; Infinity for no limit. Never changed, so that processes share what they inherit. */
export interface Rlimit {
  readonly rlimCur: number;
  readonly rlimMax: number;
}

/** signal_struct.rlim: one row per RLIMIT_*, indexed by its number. */
export type Rlimits = readonly Rlimit[];

/** INIT_RLIMITS (include/asm-generic/resource.h); the counts that depend on the size of RAM are fixed. */
export function initRlimits(): Rlimit[] {
  const limits: Rlimit[] = [];
  for (let i = 0; i < RLIM_NLIMITS; i++) limits.push({ rlimCur: RLIM_INFINITY, rlimMax: RLIM_INFINITY });
  const set = (index: number, rlimCur: number, rlimMax: number): void => {
    limits[index] = { rlimCur, rlimMax };
  };
  set(RLIMIT_STACK, 8 * 1024 * 1024, RLIM_INFINITY);
  set(RLIMIT_CORE, 0, RLIM_INFINITY);
  set(RLIMIT_NPROC, 4096, 4096);
  set(RLIMIT_NOFILE, 1024, 4096);
  set(RLIMIT_MEMLOCK, 8 * 1024 * 1024, 8 * 1024 * 1024);
  set(RLIMIT_SIGPENDING, 4096, 4096);
  set(RLIMIT_MSGQUEUE, 819200, 819200);
  set(RLIMIT_NICE, 0, 0);
  set(RLIMIT_RTPRIO, 0, 0);
  return limits;
}

/** Whether a value is not above the soft limit of one row. V8 boxes what rlimit() answers: this is for what happens often. */
export function withinRlimit(limits: Rlimits, index: number, value: number): boolean {
  const row = limits[index];
  return row === undefined || value <= row.rlimCur;
}

/** rlimit(): the soft limit of one row. */
export function rlimit(limits: Rlimits, index: number): number {
  return limits[index]?.rlimCur ?? RLIM_INFINITY;
}
