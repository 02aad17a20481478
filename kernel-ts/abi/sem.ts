/**
 * Semaphores: include/uapi/linux/sem.h, asm-generic/sembuf.h. semid64_ds is that of a 32-bit architecture with 64-bit time: its
 * `*_high` words are what musl's semctl for riscv32 reads (offsets checked against its headers).
 */
import { IpcRoom, SIZEOF_IPC64_PERM, writeIpc64Perm, writeIpcTime, type Ipc64Perm } from './ipc.ts';

/** semop flag: undo the operation when the process exits. */
export const SEM_UNDO = 0x1000;

export const GETPID = 11;
export const GETVAL = 12;
export const GETALL = 13;
export const GETNCNT = 14;
export const GETZCNT = 15;
export const SETVAL = 16;
export const SETALL = 17;
export const SEM_STAT = 18;
export const SEM_INFO = 19;
export const SEM_STAT_ANY = 20;

/** Defaults of /proc/sys/kernel/sem: arrays, semaphores per array, semaphores in all, operations per call. */
export const SEMMNI = 32000;
export const SEMMSL = 32000;
export const SEMMNS = SEMMNI * SEMMSL;
export const SEMOPM = 500;
/** The greatest value of a semaphore. */
export const SEMVMX = 32767;
/** The greatest adjustment at exit; the least is -SEMAEM - 1. */
export const SEMAEM = 32767;
const SEMUME = SEMOPM;
const SEMMNU = SEMMNS;
const SEMMAP = SEMMNS;
const SEMUSZ = 20;

/** struct sembuf: sem_num, sem_op, sem_flg of 16 bits each. */
export const SIZEOF_SEMBUF = 6;

/** struct semid64_ds. */
export interface Semid64Ds {
  readonly semPerm: Ipc64Perm;
  /** Seconds since 1970; 0 is never. */
  readonly semOtime: number;
  readonly semCtime: number;
  readonly semNsems: number;
}

export const SIZEOF_SEMID64_DS = 64;

const semid64Ds = new IpcRoom(SIZEOF_SEMID64_DS);

export function encodeSemid64Ds(ds: Semid64Ds): Uint8Array {
  const { bytes, view } = semid64Ds;
  writeIpc64Perm(view, 0, ds.semPerm);
  writeIpcTime(view, SIZEOF_IPC64_PERM, ds.semOtime);
  writeIpcTime(view, 44, ds.semCtime);
  view.setUint32(52, ds.semNsems, true);
  return bytes;
}

/** struct seminfo; semusz and semaem are counts for SEM_INFO, constants (null) for IPC_INFO. */
export function encodeSeminfo(
  limits: { readonly msl: number; readonly mns: number; readonly opm: number; readonly mni: number },
  counts: { readonly arrays: number; readonly semaphores: number } | null,
): Uint8Array {
  const { msl, mns, opm, mni } = limits;
  const used = counts === null ? [SEMUSZ, SEMVMX, SEMAEM] : [counts.arrays, SEMVMX, counts.semaphores];
  const words = [SEMMAP, mni, mns, SEMMNU, msl, opm, SEMUME, ...used];
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setInt32(i * 4, word, true));
  return bytes;
}
