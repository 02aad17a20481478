/** The file systems at boot: init/main.c's mounts and what populates /dev; and the host's way to put files in. */
import { EINVAL, type Errno } from '../abi/errno.ts';
import { AT_FDCWD, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../abi/fcntl.ts';
import { NSFS_MAGIC, S_IFCHR, S_ISVTX, TMPFS_MAGIC, PIPEFS_MAGIC } from '../abi/stat.ts';
import type { HostBytes } from '../mm/addressSpace.ts';
import type { Timespec } from '../mm/context.ts';
import { fput } from '../mm/fileRef.ts';
import type { FsContext, VfsState } from './context.ts';
import { DEV_NODES } from './devices.ts';
import type { File, FsStruct } from './file.ts';
import { SuperBlock, type Dentry } from './inode.ts';
import { iovIterAdvance, kernelIter } from './iovIter.ts';
import { doMkdirat } from './namei.ts';
import { filpOpen } from './open.ts';
import { newProc } from './proc.ts';
import { vfsRead, vfsWrite } from './readWrite.ts';
import { shmemFillLater } from './shmemPages.ts';
import { newTmpfs } from './tmpfs.ts';
import { isWait } from './wait.ts';
import { walk } from './walk.ts';

/** Device minors of the mounts; the segments' mount is 0:1, as in Linux. */
const DEV_SHMMNT = 1;
const DEV_ROOT = 2;
const DEV_DEVTMPFS = 5;
const DEV_NSFS = 4;
const DEV_PIPE = 13;
const DEV_PROC = 20;
const DEV_DEVSHM = 21;
const DEV_TMP = 22;

/** The VFS before anything is mounted below the root; `vfsPopulate` does the rest once there is a kernel to do it with. */
export function vfsInit(now: Timespec): VfsState {
  const { root } = newTmpfs('tmpfs', TMPFS_MAGIC, DEV_ROOT, 0o755, 0, now);
  if (root === null) throw new Error('a file system without a root');
  return {
    root,
    shmMnt: new SuperBlock('tmpfs', TMPFS_MAGIC, DEV_SHMMNT),
    pipeMnt: new SuperBlock('pipefs', PIPEFS_MAGIC, DEV_PIPE),
    nsfs: new SuperBlock('nsfs', NSFS_MAGIC, DEV_NSFS),
    proc: newProc(DEV_PROC, now),
    nextFileId: 1,
  };
}

/** The fs_struct of the first process. */
export function initFsStruct(vfs: VfsState): FsStruct {
  return { root: vfs.root, pwd: vfs.root, umask: 0o022 };
}

function must<T>(result: T | Errno, what: string): T {
  if (typeof result === 'number') throw new Error(`boot: ${what} failed: ${result}`);
  return result;
}

/** do_mount() of a fresh file system. */
function mount(ctx: FsContext, path: string, sb: SuperBlock): void {
  const at = must<Dentry>(walk(ctx, ctx.vfs.root, path, true), path);
  sb.mountpoint = at;
  at.dMounted = sb.root;
}

/** mkdir by the directory's own operation: no path has to be taken apart. */
function makeDir(ctx: FsContext, dir: Dentry, name: string): Dentry {
  return must<Dentry>(dir.dInode.iOp.mkdir?.(ctx, dir, name, 0o755) ?? -EINVAL, name);
}

/** Makes /dev, /proc, /tmp, /bin and the mounts. `ctx.current` is root's, with the root directory as cwd. */
export function vfsPopulate(ctx: FsContext, now: Timespec): void {
  // The programs of the host lie in the root file system: RAM is its size.
  ctx.vfs.root.dInode.iSb.maxInodes = ctx.memMap.totalFrames;
  const half = Math.floor(ctx.memMap.totalFrames / 2);
  const { root } = ctx.vfs;
  for (const name of ['bin', 'dev', 'etc', 'home', 'proc', 'root', 'tmp']) makeDir(ctx, root, name);
  makeDir(ctx, makeDir(ctx, root, 'usr'), 'bin');
  makeDir(ctx, makeDir(ctx, root, 'var'), 'tmp');
  makeDir(ctx, root, 'run');
  mount(ctx, '/proc', ctx.vfs.proc.sb);
  mount(ctx, '/tmp', newTmpfs('tmpfs', TMPFS_MAGIC, DEV_TMP, S_ISVTX | 0o777, half, now));
  mount(ctx, '/dev', newTmpfs('devtmpfs', TMPFS_MAGIC, DEV_DEVTMPFS, 0o755, half, now));
  const dev = must<Dentry>(walk(ctx, root, '/dev', true), '/dev');
  makeDir(ctx, dev, 'shm');
  mount(ctx, '/dev/shm', newTmpfs('tmpfs', TMPFS_MAGIC, DEV_DEVSHM, S_ISVTX | 0o777, half, now));
  const { mknod, symlink } = dev.dInode.iOp;
  for (const [name, mode, rdev] of DEV_NODES) mknod?.(ctx, dev, name, S_IFCHR | mode, rdev);
  const links: readonly (readonly [string, string])[] = [
    ['fd', '/proc/self/fd'],
    ['stdin', '/proc/self/fd/0'],
    ['stdout', '/proc/self/fd/1'],
    ['stderr', '/proc/self/fd/2'],
  ];
  for (const [name, target] of links) symlink?.(ctx, dev, name, target);
}

/** An open empty file, with the directories on the way; permissions are exactly `mode`. */
function createGuestFile(ctx: FsContext, path: string, mode: number): File | Errno {
  if (!path.startsWith('/')) return -EINVAL;
  const names = path.split('/').filter((name) => name !== '');
  for (let i = 1; i < names.length; i++) doMkdirat(ctx, AT_FDCWD, `/${names.slice(0, i).join('/')}`, 0o755);
  const file = filpOpen(ctx, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (typeof file !== 'number') file.fInode.iMode = (file.fInode.iMode & ~0o7777) | mode;
  return file;
}

/** Puts a file of the host into the guest, with the directories on the way; permissions are exactly `mode`. */
export function writeGuestFile(ctx: FsContext, path: string, bytes: Uint8Array, mode: number): 0 | Errno {
  const file = createGuestFile(ctx, path, mode);
  if (typeof file === 'number') return file;
  let result = 0;
  for (let at = 0; at < bytes.length && result >= 0; at += result) {
    const iter = kernelIter(bytes);
    iovIterAdvance(iter, at);
    const written = vfsWrite(ctx, file, iter);
    result = isWait(written) ? -EINVAL : written;
  }
  fput(ctx, file);
  return Math.min(result, 0);
}

/** The same for a new file whose bytes nobody changes any more: they are copied when somebody wants them (shmemFillLater). */
export function placeGuestFile(
  ctx: FsContext,
  path: string,
  bytes: HostBytes,
  mode: number,
  atOnce?: number,
): 0 | Errno {
  const file = createGuestFile(ctx, path, mode);
  if (typeof file === 'number') return file;
  const result = shmemFillLater(ctx, file.fInode, bytes, atOnce);
  fput(ctx, file);
  return result;
}

/** Reads a whole file of the guest. */
export function readGuestFile(ctx: FsContext, path: string): Uint8Array | Errno {
  const file = filpOpen(ctx, path, O_RDONLY, 0);
  if (typeof file === 'number') return file;
  const parts: Uint8Array[] = [];
  let total = 0;
  let result: number;
  do {
    const part = new Uint8Array(65536);
    const got = vfsRead(ctx, file, kernelIter(part));
    result = isWait(got) ? -EINVAL : got;
    if (result > 0) {
      parts.push(part.subarray(0, result));
      total += result;
    }
  } while (result > 0);
  fput(ctx, file);
  if (result < 0) return result;
  const out = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
