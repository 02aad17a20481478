/**
 * Identifiers and permissions of System V IPC: ipc/util.c, ipc/util.h, struct kern_ipc_perm.
 */
import { CAP_IPC_OWNER, CAP_SYS_ADMIN } from '../abi/capability.ts';
import { EACCES, EEXIST, EFAULT, EINVAL, ENOENT, ENOSPC, EPERM, type Errno } from '../abi/errno.ts';
import { IPC_CREAT, IPC_EXCL, IPC_PRIVATE, S_IRWXUGO, type Ipc64Perm } from '../abi/ipc.ts';
import { bug } from '../mm/bug.ts';
import type { Cred } from '../mm/cred.ts';
import { capable, inGroup } from '../mm/cred.ts';
import { Idr } from '../mm/idr.ts';
import { copyToUser } from '../mm/usercopy.ts';
import { KeyTable } from './keyTable.ts';
import type { IpcContext, IpcNamespace } from './namespace.ts';

/** IPCMNI: indexes are below this; an id is seq * IPCMNI + index. */
export const IPCMNI = 32768;
export const IPCMNI_SHIFT = 15;
/** ipcid_seq_max() = INT_MAX >> IPCMNI_SHIFT: a sequence number stays below it. */
export const IPCID_SEQ_MAX = 0xffff;
/** ipc_min_cycle (RADIX_TREE_MAP_SIZE): the least width of the cyclic window. */
export const IPC_MIN_CYCLE = 64;

/**
 * struct kern_ipc_perm. It is the beginning of each struct shmid_kernel, sem_array and msg_queue, and so the class of which theirs are made:
 * with thousands of them each further object is another cache miss. What every call looks at comes first.
 */
export class KernIpcPerm {
  /** The identifier; -1 before ipcAddid. */
  id = -1;
  /** Permissions; of segments SHM_DEST and SHM_LOCKED too. */
  mode: number;
  uid: number;
  readonly cuid: number;
  gid: number;
  readonly cgid: number;
  /** key_t as an unsigned number; 0 is IPC_PRIVATE. */
  key: number;
  seq = 0;
  /** Out of the table: lookups by a stale reference answer EIDRM. */
  deleted = false;
  /** khtnode: the next one in the table of keys (keyTable.ts). */
  khtNext: IpcObject | null = null;

  constructor(key: number, mode: number, cred: Cred) {
    this.key = key;
    this.mode = mode;
    this.uid = cred.euid;
    this.cuid = cred.euid;
    this.gid = cred.egid;
    this.cgid = cred.egid;
  }

  /** Of the object that it begins: what container_of() undoes in Linux. */
  get ipcPerm(): KernIpcPerm {
    return this;
  }
}

/** What has an identifier: struct shmid_kernel, sem_array, msg_queue. */
export interface IpcObject {
  /** Its shm_perm, sem_perm or q_perm. */
  readonly ipcPerm: KernIpcPerm;
}

/** struct ipc_ids. Invariant: entries, the bitmap, keys (of entries with a key) and inUse describe the same set. */
export class IpcIds<T extends IpcObject> {
  inUse = 0;
  seq = 0;
  /** Highest used index, -1 when empty. */
  maxIdx = -1;
  /** Index of the last allocation, -1 before the first. */
  lastIdx = -1;
  /** Where the next cyclic allocation starts to look (idr_next). */
  idrNext = 0;
  /** /proc/sys/kernel/{shm,sem,msg}_next_id: the id asked for, once; -1 for none. */
  nextId = -1;
  /** ipcs_idr: objects by index. */
  readonly entries = new Idr<T>();
  /** One bit per used index, so that free ones are found without a walk over the objects. */
  readonly bitmap = new Uint32Array(IPCMNI / 32);
  /** key_ht: objects by key, IPC_PRIVATE excepted. */
  readonly keys = new KeyTable<T>();
}

/** find_next_zero_bit(): the lowest free index in [from, end), or -1. */
function nextFree(bitmap: Uint32Array, from: number, end: number): number {
  for (let at = from; at < end;) {
    const free = ~((bitmap[at >>> 5] ?? 0) >>> (at & 31)) & (0xffff_ffff >>> (at & 31));
    if (free !== 0) {
      const found = at + (31 - Math.clz32(free & -free));
      return found < end ? found : -1;
    }
    at = (at | 31) + 1;
  }
  return -1;
}

/** ipc_search_maxidx(): the highest used index at or below `from`, or -1. */
function lastUsed(bitmap: Uint32Array, from: number): number {
  for (let word = from >>> 5; word >= 0; word--) {
    let bits = bitmap[word] ?? 0;
    if (word === from >>> 5) bits &= 0xffff_ffff >>> (31 - (from & 31));
    if (bits !== 0) return word * 32 + 31 - Math.clz32(bits);
  }
  return -1;
}

/** ipc_idr_alloc(): the index, with perm.seq and perm.id set; ENOSPC. */
function ipcIdrAlloc<T extends IpcObject>(ids: IpcIds<T>, perm: KernIpcPerm): number {
  const { nextId } = ids;
  ids.nextId = -1;
  let index: number;
  if (nextId < 0) {
    // Cyclic, so that a stale id is not valid again soon; the window keeps the table dense.
    const end = Math.min(Math.max(Math.floor((ids.inUse * 3) / 2), IPC_MIN_CYCLE), IPCMNI);
    index = nextFree(ids.bitmap, ids.idrNext, end);
    if (index < 0 && ids.idrNext > 0) index = nextFree(ids.bitmap, 0, end);
    if (index < 0) return -ENOSPC;
    ids.idrNext = index + 1;
    if (index <= ids.lastIdx) {
      ids.seq++;
      if (ids.seq >= IPCID_SEQ_MAX) ids.seq = 0;
    }
    ids.lastIdx = index;
    perm.seq = ids.seq;
  } else {
    perm.seq = nextId >>> IPCMNI_SHIFT;
    index = nextFree(ids.bitmap, nextId % IPCMNI, IPCMNI);
    if (index < 0) return -ENOSPC;
  }
  perm.id = perm.seq * IPCMNI + index;
  return index;
}

/** ipc_addid(): gives the object an identifier; the index, or ENOSPC when `limit` objects exist. */
export function ipcAddid<T extends IpcObject>(ids: IpcIds<T>, object: T, limit: number): number {
  if (ids.inUse >= Math.min(limit, IPCMNI)) return -ENOSPC;
  const perm = object.ipcPerm;
  const index = ipcIdrAlloc(ids, perm);
  if (index < 0) return index;
  ids.entries.set(index, object);
  ids.bitmap[index >>> 5] = (ids.bitmap[index >>> 5] ?? 0) | (1 << (index & 31));
  if (perm.key !== IPC_PRIVATE) ids.keys.add(object);
  ids.inUse++;
  if (index > ids.maxIdx) ids.maxIdx = index;
  return index;
}

/** ipc_rmid(): the identifier and the key are free again. */
export function ipcRmid<T extends IpcObject>(ids: IpcIds<T>, object: T): void {
  const perm = object.ipcPerm;
  const index = perm.id % IPCMNI;
  if (ids.entries.get(index) !== object) throw bug('this id is not in the table', perm.id);
  ids.entries.delete(index);
  ids.bitmap[index >>> 5] = (ids.bitmap[index >>> 5] ?? 0) & ~(1 << (index & 31));
  if (perm.key !== IPC_PRIVATE) ids.keys.delete(object);
  ids.inUse--;
  perm.deleted = true;
  if (index === ids.maxIdx) ids.maxIdx = lastUsed(ids.bitmap, index);
}

/** ipc_set_key_private(): lookups by key no longer find it. */
export function ipcSetKeyPrivate<T extends IpcObject>(ids: IpcIds<T>, object: T): void {
  if (object.ipcPerm.key !== IPC_PRIVATE) ids.keys.delete(object);
  object.ipcPerm.key = IPC_PRIVATE;
}

/** ipc_obtain_object_idr(): by the index bits of `id` alone. */
export function ipcObtainObjectIdr<T extends IpcObject>(ids: IpcIds<T>, id: number): T | Errno {
  return ids.entries.get(id % IPCMNI) ?? -EINVAL;
}

/** ipc_obtain_object_check(): the sequence number must be right too. */
export function ipcObtainObjectCheck<T extends IpcObject>(ids: IpcIds<T>, id: number): T | Errno {
  const object = ipcObtainObjectIdr(ids, id);
  return typeof object === 'number' || object.ipcPerm.id === id ? object : -EINVAL;
}

/** ipcperms(): true when some class of `flag`'s bits is not granted to the caller and CAP_IPC_OWNER does not help. */
export function ipcperms(cred: Cred, perm: KernIpcPerm, flag: number): boolean {
  const requested = (flag >> 6) | (flag >> 3) | flag;
  let granted = perm.mode;
  if (cred.euid === perm.cuid || cred.euid === perm.uid) granted >>= 6;
  else if (inGroup(cred, perm.cgid) || inGroup(cred, perm.gid)) granted >>= 3;
  return (requested & ~granted & 7) !== 0 && !capable(cred, CAP_IPC_OWNER);
}

/** What ipcget needs of its kind of object: struct ipc_ops; a module-level constant. `size`: bytes, or semaphores. */
export interface IpcOps<T> {
  /** Makes one; its id or an Errno. */
  readonly getnew: (ctx: IpcContext, ns: IpcNamespace, key: number, size: number, flag: number) => number;
  /** more_checks(): 0 or an Errno for an existing one. */
  readonly moreChecks: (object: T, size: number) => 0 | Errno;
}

/** ipcget(): ENOENT, EEXIST, the object's own checks, EACCES, in this order. */
export function ipcget<T extends IpcObject>(
  ctx: IpcContext,
  ids: IpcIds<T>,
  ops: IpcOps<T>,
  key: number,
  size: number,
  flag: number,
): number {
  const { cred, ipcNs } = ctx.current;
  if (key === IPC_PRIVATE) return ops.getnew(ctx, ipcNs, key, size, flag);
  const object = ids.keys.get(key);
  // "No segment exists for the given key, and IPC_CREAT was not specified."
  if (object === undefined)
    return (flag & IPC_CREAT) === 0 ? -ENOENT : ops.getnew(ctx, ipcNs, key, size, flag);
  // "IPC_CREAT and IPC_EXCL were specified, but a segment already exists for key."
  if ((flag & (IPC_CREAT | IPC_EXCL)) === (IPC_CREAT | IPC_EXCL)) return -EEXIST;
  const error = ops.moreChecks(object, size);
  if (error < 0) return error;
  return ipcperms(cred, object.ipcPerm, flag) ? -EACCES : object.ipcPerm.id;
}

/** ipcctl_obtain_check(): for IPC_SET and IPC_RMID. EPERM unless owner, creator or CAP_SYS_ADMIN. */
export function ipcctlObtainCheck<T extends IpcObject>(ids: IpcIds<T>, cred: Cred, id: number): T | Errno {
  const object = ipcObtainObjectCheck(ids, id);
  if (typeof object === 'number') return object;
  const { uid, cuid } = object.ipcPerm;
  return cred.euid === cuid || cred.euid === uid || capable(cred, CAP_SYS_ADMIN) ? object : -EPERM;
}

/** ipc_update_perm(): uid, gid and the low nine mode bits. EINVAL for the id -1. */
export function ipcUpdatePerm(
  perm: KernIpcPerm,
  change: { readonly uid: number; readonly gid: number; readonly mode: number },
): 0 | Errno {
  if (change.uid === 0xffff_ffff || change.gid === 0xffff_ffff) return -EINVAL;
  perm.uid = change.uid;
  perm.gid = change.gid;
  perm.mode = (perm.mode & ~S_IRWXUGO) | (change.mode & S_IRWXUGO);
  return 0;
}

/** kernel_to_ipc64_perm(). */
export function kernelToIpc64Perm(perm: KernIpcPerm): Ipc64Perm {
  const { key, uid, gid, cuid, cgid, mode, seq } = perm;
  return { key, uid, gid, cuid, cgid, mode, seq };
}

/** ipc_get_maxidx() as IPC_INFO and its kin return it: the highest used index, 0 when none is. */
export function ipcMaxIndex<T extends IpcObject>(ids: IpcIds<T>): number {
  return Math.max(0, ids.maxIdx);
}

/** A line of /proc/sysvipc: each value in a column of at least that width, a blank between. */
export function ipcColumns(
  ...columns: readonly (readonly [value: number | string, width: number])[]
): string {
  return `${columns.map(([value, width]) => String(value).padStart(width)).join(' ')}\n`;
}

/** The objects by index: /proc/sysvipc and inspection. */
export function ipcSorted<T extends IpcObject>(ids: IpcIds<T>): T[] {
  return [...ids.entries.values()];
}

/** What a control call answers: copies `bytes` out; EFAULT takes precedence over `value`. */
export function answer(ctx: IpcContext, buf: number, bytes: Uint8Array, value: number): number {
  const { mm } = ctx.current;
  return mm === null || copyToUser(ctx, mm, buf, bytes) < 0 ? -EFAULT : value;
}
