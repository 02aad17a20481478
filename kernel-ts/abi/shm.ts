/**
 * Shared memory: include/uapi/linux/shm.h, asm-generic/shmbuf.h. Layouts are those of a 32-bit architecture with 64-bit time:
 * shmid64_ds has `*_high` words, which is what musl's shmctl for riscv32 reads (offsets checked against its headers).
 */
import { IpcRoom, SIZEOF_IPC64_PERM, writeIpc64Perm, writeIpcTime, type Ipc64Perm } from './ipc.ts';

export const SHMMIN = 1;
export const SHMMNI = 4096;
/** ULONG_MAX - (1UL << 24). */
export const SHMMAX = 0xfeff_ffff;
export const SHMALL = 0xfeff_ffff;

export const SHM_HUGETLB = 0o4000;
export const SHM_NORESERVE = 0o10000;

export const SHM_RDONLY = 0o10000;
export const SHM_RND = 0o20000;
export const SHM_REMAP = 0o40000;
export const SHM_EXEC = 0o100000;
/** One page on RISC-V. */
export const SHMLBA = 4096;

export const SHM_LOCK = 11;
export const SHM_UNLOCK = 12;
export const SHM_STAT = 13;
export const SHM_INFO = 14;
export const SHM_STAT_ANY = 15;

/** Bits of shm_perm.mode: destroy when nattch reaches 0; unevictable. */
export const SHM_DEST = 0o1000;
export const SHM_LOCKED = 0o2000;

/** struct shmid64_ds. */
export interface Shmid64Ds {
  readonly shmPerm: Ipc64Perm;
  readonly shmSegsz: number;
  /** Seconds since 1970. */
  readonly shmAtime: number;
  readonly shmDtime: number;
  readonly shmCtime: number;
  readonly shmCpid: number;
  readonly shmLpid: number;
  readonly shmNattch: number;
}

export const SIZEOF_SHMID64_DS = 84;

const shmid64Ds = new IpcRoom(SIZEOF_SHMID64_DS);

export function encodeShmid64Ds(ds: Shmid64Ds): Uint8Array {
  const { bytes, view } = shmid64Ds;
  writeIpc64Perm(view, 0, ds.shmPerm);
  view.setUint32(SIZEOF_IPC64_PERM, ds.shmSegsz, true);
  writeIpcTime(view, 40, ds.shmAtime);
  writeIpcTime(view, 48, ds.shmDtime);
  writeIpcTime(view, 56, ds.shmCtime);
  view.setInt32(64, ds.shmCpid, true);
  view.setInt32(68, ds.shmLpid, true);
  view.setUint32(72, ds.shmNattch, true);
  return bytes;
}

/** struct shminfo64: shmmax, shmmin, shmmni, shmseg, shmall and four unused words. */
export function encodeShminfo64(shmmax: number, shmmni: number, shmall: number): Uint8Array {
  const bytes = new Uint8Array(36);
  const view = new DataView(bytes.buffer);
  [shmmax, SHMMIN, shmmni, shmmni, shmall].forEach((value, i) => {
    view.setUint32(i * 4, value, true);
  });
  return bytes;
}

/** struct shm_info: used_ids, shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes. */
export function encodeShmInfo(usedIds: number, shmTot: number, shmRss: number): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, usedIds, true);
  view.setUint32(4, shmTot, true);
  view.setUint32(8, shmRss, true);
  return bytes;
}
