/** shmctl(2) and the text of /proc/sysvipc/shm: ipc/shm.c. */
import { CAP_IPC_LOCK } from '../abi/capability.ts';
import { EACCES, EFAULT, EINVAL, ENOMEM, EPERM, type Errno } from '../abi/errno.ts';
import {
  decodeIpcPermSet,
  IPC_INFO,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  LIBC_TIME64,
  S_IRUGO,
  type IpcPermSet,
} from '../abi/ipc.ts';
import { PAGE_SIZE } from '../abi/mman.ts';
import { RLIMIT_MEMLOCK, rlimit } from '../abi/resource.ts';
import {
  encodeShmid64Ds,
  encodeShmInfo,
  encodeShminfo64,
  SHM_DEST,
  SHM_INFO,
  SHM_LOCK,
  SHM_LOCKED,
  SHM_STAT,
  SHM_STAT_ANY,
  SHM_UNLOCK,
  SIZEOF_SHMID64_DS,
} from '../abi/shm.ts';
import { ktimeGetRealSeconds, type MmContext } from '../mm/context.ts';
import { capable } from '../mm/cred.ts';
import { pagesFor } from '../mm/page.ts';
import { copyFromUser } from '../mm/usercopy.ts';
import type { IpcContext, IpcNamespace } from './namespace.ts';
import { shmDestroy, shmUncharge, type ShmidKernel } from './shm.ts';
import {
  answer,
  ipcctlObtainCheck,
  ipcMaxIndex,
  ipcObtainObjectCheck,
  ipcObtainObjectIdr,
  ipcperms,
  ipcSetKeyPrivate,
  ipcSorted,
  ipcUpdatePerm,
  kernelToIpc64Perm,
} from './util.ts';

const LIBC_STAT_COMMANDS: ReadonlySet<number> = new Set(
  [IPC_STAT, SHM_STAT, SHM_STAT_ANY].map((cmd) => cmd | LIBC_TIME64),
);

/**
 * shmctl(2): `shmid` and `cmd` signed, `buf` a user address.
 *
 * @returns 0; the highest index for IPC_INFO and SHM_INFO, the id for SHM_STAT and SHM_STAT_ANY; EINVAL, EFAULT, EACCES, EPERM, ENOMEM.
 */
export function sysShmctl(ctx: IpcContext, shmid: number, cmd: number, buf: number): number {
  const ns = ctx.current.ipcNs;
  if (cmd < 0 || shmid < 0) return -EINVAL;
  switch (LIBC_STAT_COMMANDS.has(cmd) ? cmd - LIBC_TIME64 : cmd) {
    case IPC_INFO:
      return answer(
        ctx,
        buf,
        encodeShminfo64(ns.shmCtlmax, ns.shmCtlmni, ns.shmCtlall),
        ipcMaxIndex(ns.shmIds),
      );
    case SHM_INFO:
      return answer(ctx, buf, encodeShmInfo(ns.shmIds.inUse, ns.shmTot, shmRss(ns)), ipcMaxIndex(ns.shmIds));
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
      return shmctlStat(ctx, ns, shmid, cmd & ~LIBC_TIME64, buf);
    case IPC_SET: {
      const { mm } = ctx.current;
      const bytes = mm === null ? -EFAULT : copyFromUser(ctx, mm, buf, SIZEOF_SHMID64_DS);
      return typeof bytes === 'number' ? bytes : shmctlSet(ctx, ns, shmid, decodeIpcPermSet(bytes));
    }
    case IPC_RMID: {
      const shp = ipcctlObtainCheck(ns.shmIds, ctx.current.cred, shmid);
      if (typeof shp === 'number') return shp;
      doShmRmid(ctx, ns, shp);
      return 0;
    }
    case SHM_LOCK:
    case SHM_UNLOCK:
      return shmctlDoLock(ctx, ns, shmid, cmd);
    default:
      return -EINVAL;
  }
}

/** shm_get_stat(): resident pages of all segments. */
function shmRss(ns: IpcNamespace): number {
  let pages = 0;
  for (const shp of ns.shmIds.entries.values()) pages += shp.shmFile.fInode.iMapping.nrpages;
  return pages;
}

function shmctlStat(ctx: IpcContext, ns: IpcNamespace, shmid: number, cmd: number, buf: number): number {
  const shp =
    cmd === IPC_STAT ? ipcObtainObjectCheck(ns.shmIds, shmid) : ipcObtainObjectIdr(ns.shmIds, shmid);
  if (typeof shp === 'number') return shp;
  if (cmd !== SHM_STAT_ANY && ipcperms(ctx.current.cred, shp.shmPerm, S_IRUGO)) return -EACCES;
  const bytes = encodeShmid64Ds({
    shmPerm: kernelToIpc64Perm(shp.shmPerm),
    shmSegsz: shp.shmSegsz,
    shmAtime: shp.shmAtim,
    shmDtime: shp.shmDtim,
    shmCtime: shp.shmCtim,
    shmCpid: shp.shmCprid,
    shmLpid: shp.shmLprid,
    shmNattch: shp.shmNattch,
  });
  return answer(ctx, buf, bytes, cmd === IPC_STAT ? 0 : shp.shmPerm.id);
}

function shmctlSet(ctx: IpcContext, ns: IpcNamespace, shmid: number, change: IpcPermSet): 0 | Errno {
  const shp = ipcctlObtainCheck(ns.shmIds, ctx.current.cred, shmid);
  if (typeof shp === 'number') return shp;
  const error = ipcUpdatePerm(shp.shmPerm, change);
  if (error === 0) shp.shmCtim = ktimeGetRealSeconds(ctx);
  return error;
}

/** do_shm_rmid(): destroyed at once, or marked and hidden from lookups by key while it is attached. */
export function doShmRmid(ctx: MmContext, ns: IpcNamespace, shp: ShmidKernel): void {
  if (shp.shmNattch === 0) {
    shmDestroy(ctx, ns, shp);
    return;
  }
  shp.shmPerm.mode |= SHM_DEST;
  ipcSetKeyPrivate(ns.shmIds, shp);
}

/** shmctl_do_lock(). Nothing is ever swapped out; the bit, the permissions and the limit are Linux's. */
function shmctlDoLock(ctx: IpcContext, ns: IpcNamespace, shmid: number, cmd: number): 0 | Errno {
  const shp = ipcObtainObjectCheck(ns.shmIds, shmid);
  if (typeof shp === 'number') return shp;
  const { cred, rlim } = ctx.current;
  const limit = rlimit(rlim, RLIMIT_MEMLOCK);
  const privileged = capable(cred, CAP_IPC_LOCK);
  if (!privileged) {
    if (cred.euid !== shp.shmPerm.uid && cred.euid !== shp.shmPerm.cuid) return -EPERM;
    if (cmd === SHM_LOCK && limit === 0) return -EPERM;
  }
  const inode = shp.shmFile.fInode;
  if (cmd === SHM_UNLOCK) {
    if ((shp.shmPerm.mode & SHM_LOCKED) === 0) return 0;
    shmUncharge(ctx, shp);
    shp.shmPerm.mode &= ~SHM_LOCKED;
    return 0;
  }
  if (inode.locked) return 0;
  // user_shm_lock(): counted per user, over all segments and namespaces.
  const { lockedShm } = ctx.ipc;
  const charged = (lockedShm.get(cred.uid) ?? 0) + pagesFor(shp.shmSegsz);
  if (charged > Math.floor(limit / PAGE_SIZE) && !privileged) return -ENOMEM;
  lockedShm.set(cred.uid, charged);
  shp.mlockUid = cred.uid;
  inode.locked = true;
  shp.shmPerm.mode |= SHM_LOCKED;
  return 0;
}

/** shm_exit_ns(): the namespace goes with its segments. None is attached: an attach would hold the namespace. */
export function shmExitNs(ctx: MmContext, ns: IpcNamespace): void {
  for (const shp of ipcSorted(ns.shmIds)) doShmRmid(ctx, ns, shp);
}

const PROC_HEADER =
  '       key      shmid perms       size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime        rss       swap\n';

/** sysvipc_shm_proc_show() with the columns of a 32-bit kernel. */
export function sysvipcShmText(ns: IpcNamespace): string {
  let text = PROC_HEADER;
  const pad = (value: number, width: number): string => String(value).padStart(width);
  for (const shp of ipcSorted(ns.shmIds)) {
    const { key, id, mode, uid, gid, cuid, cgid } = shp.shmPerm;
    const rss = shp.shmFile.fInode.iMapping.nrpages * PAGE_SIZE;
    text += `${pad(key | 0, 10)} ${pad(id, 10)}  ${mode.toString(8).padStart(4)} ${pad(shp.shmSegsz, 10)} `;
    text += `${pad(shp.shmCprid, 5)} ${pad(shp.shmLprid, 5)}  ${pad(shp.shmNattch, 5)} `;
    text += `${pad(uid, 5)} ${pad(gid, 5)} ${pad(cuid, 5)} ${pad(cgid, 5)} `;
    text += `${pad(shp.shmAtim, 10)} ${pad(shp.shmDtim, 10)} ${pad(shp.shmCtim, 10)} ${pad(rss, 10)} ${pad(0, 10)}\n`;
  }
  return text;
}
