/**
 * struct inode, struct dentry, struct super_block: include/linux/fs.h, dcache.h. A path is a dentry: there is one mount
 * namespace and a dentry is mounted over at most once. Missing: negative dentries.
 */
import type { Errno } from '../abi/errno.ts';
import { AddressSpace } from '../mm/addressSpace.ts';
import { ktimeGet, type MmContext, type Timespec } from '../mm/context.ts';
import type { Cred } from '../mm/cred.ts';
import type { Page } from '../mm/page.ts';
import type { FileOperations } from './file.ts';
import type { FsContext } from './context.ts';

/** struct inode_operations: module-level constants. Absent operations answer as Linux does (ENOTDIR, EPERM, EINVAL ...). */
export interface InodeOperations {
  readonly name: string;
  /** The child dentry (hashed or made for this lookup), or null when there is none. */
  readonly lookup?: (ctx: FsContext, dir: Dentry, name: string) => Dentry | null | Errno;
  /** Makes a regular file, device node or fifo `name` in `dir`; mode includes S_IFMT. */
  readonly mknod?: (ctx: FsContext, dir: Dentry, name: string, mode: number, rdev: number) => Dentry | Errno;
  readonly mkdir?: (ctx: FsContext, dir: Dentry, name: string, mode: number) => Dentry | Errno;
  readonly symlink?: (ctx: FsContext, dir: Dentry, name: string, target: string) => Dentry | Errno;
  readonly link?: (ctx: FsContext, old: Dentry, dir: Dentry, name: string) => Dentry | Errno;
  readonly unlink?: (ctx: FsContext, victim: Dentry) => 0 | Errno;
  readonly rmdir?: (ctx: FsContext, victim: Dentry) => 0 | Errno;
  readonly rename?: (ctx: FsContext, old: Dentry, dir: Dentry, name: string, flags: number) => 0 | Errno;
  /** get_link(): a text to walk, or a dentry to jump to (proc's magic links). */
  readonly getLink?: (ctx: FsContext, link: Dentry) => string | Dentry | Errno;
  /** readlink(2) where its text differs from what is walked. */
  readonly readlink?: (ctx: FsContext, link: Dentry) => string | Errno;
  /** Who may do what, where that is more than owner and mode say; null: they say it. */
  readonly permission?: (ctx: FsContext, inode: Inode, mask: number, cred: Cred) => 0 | Errno | null;
  /** release_folio(): the page cache loses a clean page that is mapped nowhere. */
  readonly releaseFolio?: (ctx: FsContext, inode: Inode, page: Page) => void;
  /** evict_inode(): no user and no name is left; frees the pages. */
  readonly evictInode?: (ctx: FsContext, inode: Inode) => void;
  /** Sets the size: ftruncate, O_TRUNC. */
  readonly truncate?: (ctx: FsContext, inode: Inode, size: number) => 0 | Errno;
}

/** struct super_block. */
export class SuperBlock {
  /** "tmpfs", "proc", "devtmpfs". */
  readonly sType: string;
  /** statfs f_type. */
  readonly sMagic: number;
  /** st_dev: minor number of an anonymous device. */
  readonly sDev: number;
  nextIno = 1;
  /** struct shmem_sb_info: pages and inodes that it may have, 0 for no limit; and those that it has. */
  maxBlocks = 0;
  usedBlocks = 0;
  maxInodes = 0;
  usedInodes = 0;
  root: Dentry | null = null;
  /** The dentry this file system is mounted on; null for the root. */
  mountpoint: Dentry | null = null;

  constructor(sType: string, sMagic: number, sDev: number) {
    this.sType = sType;
    this.sMagic = sMagic;
    this.sDev = sDev;
  }
}

/** struct inode. What an attach and a page fault look at comes first, behind the address_space. */
export class Inode extends AddressSpace {
  /** Bytes. */
  iSize = 0;
  /** i_atime, as numbers: each attach of a segment sets it. */
  iAtimeSec: number;
  iAtimeNsec: number;
  /** F_SEAL_* of a file of shmem; null for every other file. */
  seals: number | null = null;
  readonly iSb: SuperBlock;
  /** Open files and other users; with iNlink 0 the last one frees the pages. */
  iCount = 0;
  iNlink = 1;
  iOp: InodeOperations;
  iFop: FileOperations;
  /** Unique within its super block; the id of the segment for System V shared memory. */
  iIno: number;
  /** S_IFMT | permissions. */
  iMode: number;
  iUid: number;
  iGid: number;
  iMtime: Timespec;
  iCtime: Timespec;
  readonly iBtime: Timespec;
  /** Device number of a device node: major << 20 | minor (MKDEV). */
  iRdev = 0;
  /** Writers minus deniers: > 0 open for writing (exec answers ETXTBSY), < 0 being executed. */
  iWritecount = 0;
  /** What the file system keeps: link text, pipe, proc row. */
  iPrivate: unknown = null;
  /** SHM_LOCK: the pages are unevictable. */
  locked = false;

  constructor(
    iSb: SuperBlock,
    iMode: number,
    iOp: InodeOperations,
    iFop: FileOperations,
    now: Timespec,
    iIno?: number,
  ) {
    super();
    this.iSb = iSb;
    this.iIno = iIno ?? iSb.nextIno++;
    this.iMode = iMode;
    this.iUid = 0;
    this.iGid = 0;
    this.iOp = iOp;
    this.iFop = iFop;
    this.iAtimeSec = now.tvSec;
    this.iAtimeNsec = now.tvNsec;
    this.iMtime = now;
    this.iCtime = now;
    this.iBtime = now;
  }

  /** i_mapping. */
  get iMapping(): AddressSpace {
    return this;
  }

  get host(): Inode {
    return this;
  }
}

/** inode_get_atime(). */
export function inodeGetAtime({ iAtimeSec, iAtimeNsec }: Inode): Timespec {
  return { tvSec: iAtimeSec, tvNsec: iAtimeNsec };
}

/** inode_set_atime_to_ts(). */
export function inodeSetAtime(inode: Inode, { tvSec, tvNsec }: Timespec): void {
  inode.iAtimeSec = tvSec;
  inode.iAtimeNsec = tvNsec;
}

/** file_accessed(): i_atime is now. */
export function touchAtime(ctx: MmContext, inode: Inode): void {
  const now = ktimeGet(ctx);
  const seconds = Math.floor(now / 1e9);
  inode.iAtimeSec = ctx.clock.epoch + seconds;
  inode.iAtimeNsec = (now - seconds * 1e9) | 0;
}

/** struct dentry. In memory-backed file systems the children are the directory. */
export class Dentry {
  dName: string;
  dParent: Dentry | null;
  dInode: Inode;
  /** Children by name, in creation order; null unless a directory of a memory-backed file system. */
  dChildren: Map<string, Dentry> | null = null;
  /** Position in its directory's listing (simple_offset). */
  dOffset = 0;
  nextOffset = 3;
  /** Still reachable by name. */
  dHashed = true;
  /** The root of the file system mounted here. */
  dMounted: Dentry | null = null;

  constructor(dName: string, dParent: Dentry | null, dInode: Inode) {
    this.dName = dName;
    this.dParent = dParent;
    this.dInode = dInode;
  }
}
