/**
 * The part of the picture that POSIX programs see: files of /dev/shm (shm_open, sem_open), memfds and shared anonymous memory,
 * with who has them open and mapped.
 */
import { F_SEAL_SEAL } from '../abi/fcntl.ts';
import { S_IFMT, S_IFREG } from '../abi/stat.ts';
import type { Dentry, Inode } from '../fs/inode.ts';
import { dPath } from '../fs/namei.ts';
import type { Kernel } from '../process/kernel.ts';
import type { SharedObjectPicture } from './picture.ts';

/** What is found of one object while looking at names, descriptors and mappings. */
export interface SharedObject {
  readonly kind: SharedObjectPicture['kind'];
  readonly inode: Inode;
  readonly path: string;
  readonly openBy: { readonly pid: number; readonly fd: number }[];
  readonly mappedBy: { readonly pid: number; readonly vmStart: number }[];
}

/** The root of what is mounted on /dev/shm, or null. */
function devShm(kernel: Kernel): Dentry | null {
  const dev = kernel.vfs.root.dChildren?.get('dev')?.dMounted;
  return dev?.dChildren?.get('shm')?.dMounted ?? null;
}

/** Pages of such a file are all worth a look, mapped or not. */
export function isSharedMemory(kernel: Kernel, inode: Inode): boolean {
  return inode.iSb === kernel.vfs.shmMnt || inode.iSb === devShm(kernel)?.dInode.iSb;
}

function kindOf(kernel: Kernel, dentry: Dentry, shm: Dentry | null): SharedObject['kind'] | null {
  const { iSb, iMode } = dentry.dInode;
  if ((iMode & S_IFMT) !== S_IFREG) return null;
  if (iSb === shm?.dInode.iSb) return 'shm';
  if (iSb !== kernel.vfs.shmMnt) return null;
  if (dentry.dName.startsWith('/memfd:')) return 'memfd';
  return dentry.dName === '/dev/zero' ? 'anonymous' : null;
}

/** Every object that has a name, a descriptor or a mapping, in the order in which they are found: names first, then by pid. */
export function findSharedObjects(kernel: Kernel): SharedObject[] {
  const shm = devShm(kernel);
  const found = new Map<Inode, SharedObject>();
  const note = (dentry: Dentry): SharedObject | null => {
    const known = found.get(dentry.dInode);
    if (known !== undefined) return known;
    const kind = kindOf(kernel, dentry, shm);
    if (kind === null) return null;
    const object = { kind, inode: dentry.dInode, path: dPath(dentry), openBy: [], mappedBy: [] };
    found.set(dentry.dInode, object);
    return object;
  };
  const directories = shm === null ? [] : [shm];
  for (let dir = directories.pop(); dir !== undefined; dir = directories.pop()) {
    for (const child of dir.dChildren?.values() ?? []) {
      note(child);
      if (child.dChildren !== null) directories.push(child);
    }
  }
  for (const task of [...kernel.tasks.values()].sort((a, b) => a.pid - b.pid)) {
    if (!task.isLeader) continue;
    task.files?.fd.forEach((file, fd) => {
      if (file !== null) note(file.fPath)?.openBy.push({ pid: task.pid, fd });
    });
    for (const { vmFile, vmStart } of task.mm?.mmap ?? []) {
      if (vmFile !== null) note(vmFile.fPath)?.mappedBy.push({ pid: task.pid, vmStart });
    }
  }
  return [...found.values()];
}

/** `number` gives the inode's number in the picture. */
export function sharedObjectPicture(object: SharedObject, number: number): SharedObjectPicture {
  const { kind, path, inode, openBy, mappedBy } = object;
  return {
    kind,
    path,
    inode: number,
    iMode: inode.iMode,
    iUid: inode.iUid,
    iGid: inode.iGid,
    iNlink: inode.iNlink,
    seals: inode.seals ?? F_SEAL_SEAL,
    openBy,
    mappedBy,
  };
}
