/**
 * Identifiers and permissions of System V IPC: ipc/util.c, ipc/util.h, struct kern_ipc_perm.
 */
import { CAP_IPC_OWNER } from '../abi/capability.ts';
import { EINVAL, ENOSPC, type Errno } from '../abi/errno.ts';
import type { Cred } from '../mm/cred.ts';
import { capable, inGroup } from '../mm/cred.ts';

/** IPCMNI: indexes are below this; an id is seq * IPCMNI + index. */
export const IPCMNI = 32768;
export const IPCMNI_SHIFT = 15;
/** ipc_max_seq - 1 = INT_MAX / IPCMNI: the largest sequence number before it wraps to 0. */
export const IPCID_SEQ_MAX = 0xffff;
/** ipc_min_cycle (RADIX_TREE_MAP_SIZE): the least width of the cyclic window. */
export const IPC_MIN_CYCLE = 64;

/** struct kern_ipc_perm. */
export class KernIpcPerm {
  /** key_t as an unsigned number; 0 is IPC_PRIVATE. */
  key: number;
  /** The identifier; -1 before ipcAddid. */
  id = -1;
  uid: number;
  gid: number;
  readonly cuid: number;
  readonly cgid: number;
  /** Permissions and SHM_DEST, SHM_LOCKED. */
  mode: number;
  seq = 0;
  /** Out of the table: lookups by a stale reference answer EIDRM. */
  deleted = false;

  constructor(key: number, mode: number, cred: Cred) {
    this.key = key;
    this.mode = mode;
    this.uid = cred.euid;
    this.cuid = cred.euid;
    this.gid = cred.egid;
    this.cgid = cred.egid;
  }
}

/** struct ipc_ids over objects that carry a KernIpcPerm. */
export class IpcIds<T> {
  inUse = 0;
  seq = 0;
  /** Highest used index, -1 when empty. */
  maxIdx = -1;
  /** Index of the last allocation, -1 before the first. */
  lastIdx = -1;
  /** Where the next cyclic allocation starts to look (idr_next). */
  idrNext = 0;
  /** /proc/sys/kernel/shm_next_id: the id asked for, once; -1 for none. */
  nextId = -1;
  /** ipcs_idr: objects by index. */
  readonly entries = new Map<number, T>();
  /** key_ht: keys other than IPC_PRIVATE. */
  readonly keys = new Map<number, T>();
}
