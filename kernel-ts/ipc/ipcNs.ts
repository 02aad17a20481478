/**
 * The life of IPC namespaces: ipc/namespace.c, and their files /proc/PID/ns/ipc.
 * Missing: user namespaces that own them (there is one), so the limit on their number counts all users together.
 */
import { CAP_SYS_ADMIN } from '../abi/capability.ts';
import { ENOENT, ENOMEM, ENOSPC, EPERM, type Errno } from '../abi/errno.ts';
import type { FsContext, FsTask } from '../fs/context.ts';
import type { File, FileOperations } from '../fs/file.ts';
import type { Dentry } from '../fs/inode.ts';
import { nsDentry } from '../fs/nsfs.ts';
import { capable, type Cred } from '../mm/cred.ts';
import { IPC_NS_CACHEP, kmemCacheAlloc, kmemCacheFree } from '../mm/slab.ts';
import {
  getIpcNs,
  IpcNamespace,
  putIpcNs,
  type IpcContext,
  type IpcNsOperations,
  type IpcState,
  type IpcTask,
} from './namespace.ts';
import { msgExitNs } from './msg.ts';
import { semExitNs } from './sem.ts';
import { shmExitNs } from './shmctl.ts';

/** PROC_IPC_INIT_INO and PROC_DYNAMIC_FIRST. */
const INIT_INUM = 0xefff_ffff;
const FIRST_INUM = 0xf000_0000;
/** Linux: half of the tasks that may exist. */
const MAX_IPC_NAMESPACES = 2048;

/** free_ipc_ns(). */
function freeIpcNs(ctx: IpcContext, ns: IpcNamespace): void {
  semExitNs(ctx, ns);
  msgExitNs(ctx, ns);
  shmExitNs(ctx, ns);
  ctx.ipc.namespaces.delete(ns.inum);
  kmemCacheFree(ctx, IPC_NS_CACHEP);
}

const ipcNsOperations: IpcNsOperations = { free: freeIpcNs };

/** init_ipc_ns, and no other namespace. */
export function initIpcState(): { readonly ipc: IpcState; readonly ipcNs: IpcNamespace } {
  const ipcNs = new IpcNamespace('init_ipc_ns', INIT_INUM, ipcNsOperations);
  const ipc: IpcState = {
    namespaces: new Map([[ipcNs.inum, ipcNs]]),
    nextInum: FIRST_INUM,
    maxIpcNamespaces: MAX_IPC_NAMESPACES,
    lockedShm: new Map(),
    wakeQ: { first: null, last: null },
  };
  return { ipc, ipcNs };
}

/** copy_ipcs() with CLONE_NEWIPC: an empty namespace with the default limits, held once. ENOSPC when there are too many, ENOMEM. */
export function createIpcNs(ctx: IpcContext): IpcNamespace | Errno {
  const { ipc } = ctx;
  // init_ipc_ns is not counted.
  if (ipc.namespaces.size > ipc.maxIpcNamespaces) return -ENOSPC;
  if (!kmemCacheAlloc(ctx, IPC_NS_CACHEP)) return -ENOMEM;
  const inum = ipc.nextInum++;
  const ns = new IpcNamespace(`ipc:[${inum}]`, inum, ipcNsOperations);
  ipc.namespaces.set(inum, ns);
  return ns;
}

/** ipcns_install(): whether setns(2) may enter `ns`, or EPERM. */
export function ipcnsInstall(cred: Cred): 0 | Errno {
  return capable(cred, CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/** ns_file_operations: an open file holds its namespace. */
const nsFileOperations: FileOperations = {
  name: 'ns_file_operations',
  open: (_ctx, file) => {
    getIpcNs(file.fInode.iPrivate as IpcNamespace);
    return 0;
  },
  release: (ctx, file) => putIpcNs(ctx, file.fInode.iPrivate as IpcNamespace),
};

/** get_proc_ns() of an open file: the IPC namespace, or null when it is none. */
export function ipcNsOfFile(file: File): IpcNamespace | null {
  return file.fOp === nsFileOperations ? (file.fInode.iPrivate as IpcNamespace) : null;
}

/** proc_ns_get_link(): the target of /proc/PID/ns/ipc. ENOENT for a dead task. */
export function ipcNsLink(ctx: FsContext, task: FsTask): Dentry | Errno {
  // A dead task has no mm, and has left its namespace.
  if (task.mm === null) return -ENOENT;
  const { ipcNs } = task as IpcTask;
  return nsDentry(ctx, `ipc:[${ipcNs.inum}]`, ipcNs.inum, nsFileOperations, ipcNs);
}
