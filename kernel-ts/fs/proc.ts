/**
 * procfs: fs/proc/generic.c, base.c, proc_sysctl.c. A file of /proc is a row: a path and what it shows; upper layers register
 * theirs. Contents are made when a reader starts at offset 0. Missing: hidepid, per-thread directories.
 */
import { EACCES, EFAULT, EINVAL, EIO, ENOENT, ESRCH, type Errno } from '../abi/errno.ts';
import { dtypeOfMode } from '../abi/dirent.ts';
import { PROC_SUPER_MAGIC, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import { ktimeGetRealTs, type Timespec } from '../mm/context.ts';
import type { Cred } from '../mm/cred.ts';
import { ihold } from '../mm/fileRef.ts';
import type { FsContext, FsTask } from './context.ts';
import { FMODE_WRITE, type DirActor, type File, type FileOperations } from './file.ts';
import { Dentry, Inode, SuperBlock, type InodeOperations } from './inode.ts';
import { copyFromIter, copyToIter, type IovIter } from './iovIter.ts';
import { llseekWithin } from './llseek.ts';
import { isDumpable, ptraceMayAccess } from './ptrace.ts';
import { sysctlPerm } from './sysctl.ts';
import { parentDir } from './tmpfs.ts';
import { dPath } from './walk.ts';

/** One file of /proc. Module-level constants; `task` is the [pid]'s, or the caller's outside of one. */
export interface ProcRow {
  /** Below /proc: "/uptime", "/[pid]/maps", "/[pid]/fd/[fd]". */
  readonly path: string;
  /** Permissions; the type follows from show, link or list. */
  readonly mode: number;
  /** Permissions of a sysctl for somebody, where they are not `mode` (ctl_table_root.permissions). */
  readonly permissions?: (cred: Cred) => number;
  readonly show?: (ctx: FsContext, task: FsTask, kept: unknown) => string | Errno;
  /** A write from offset 0, as text: the bytes it took, or an Errno. */
  readonly write?: (ctx: FsContext, task: FsTask, text: string, kept: unknown) => number;
  /** A number of /proc/sys: a read from anywhere but offset 0 finds nothing. */
  readonly whole?: boolean;
  /** Only who may look into the task opens it or follows it: EACCES (proc_mem_open, proc_fd_access_allowed). */
  readonly guarded?: boolean;
  /** A directory that a process may always search itself, whoever owns it (proc_fd_permission). */
  readonly ownThreads?: boolean;
  /** What an open file keeps of the moment it was opened (seq_file.private): `kept` of show and write. */
  readonly keep?: (ctx: FsContext, task: FsTask) => unknown;
  /** The end of what was kept. */
  readonly drop?: (ctx: FsContext, kept: unknown) => void;
  /** A link: a text, or a dentry it jumps to. `name` is what stands for the pattern's last [..]. */
  readonly link?: (ctx: FsContext, task: FsTask, name: string) => string | Dentry | Errno;
  /** Names of a pattern's instances ("/[pid]/fd/[fd]"); [pid] itself is answered by ProcTasks. */
  readonly list?: (ctx: FsContext, task: FsTask) => readonly string[];
}

/** How proc finds processes; the process layer's, a module-level constant. */
export interface ProcTasks {
  /** Thread-group leaders, ascending. */
  readonly pids: (ctx: FsContext) => readonly number[];
  readonly find: (ctx: FsContext, pid: number) => FsTask | null;
}

/** A place in the tree of registered paths. */
export interface ProcNode {
  readonly name: string;
  /** Serial number, for inode numbers. */
  readonly serial: number;
  readonly children: Map<string, ProcNode>;
  row: ProcRow | null;
}

/** The mounted proc with its rows. */
export interface ProcRegistry {
  readonly sb: SuperBlock;
  /** Up to date once somebody has asked for children (childrenOf). */
  readonly tree: ProcNode;
  /** What has the rows that are not in the tree yet (module-level functions): most programs never look at /proc. */
  readonly pending: (() => readonly ProcRow[])[];
  nextSerial: number;
  tasks: ProcTasks;
}

/** What a proc inode stands for. */
interface ProcInfo {
  readonly node: ProcNode;
  /** The [pid] it is below, or null. */
  readonly pid: number | null;
  readonly name: string;
}

function infoOf(inode: Inode): ProcInfo {
  return inode.iPrivate as ProcInfo;
}

/** The task a proc file is about; ESRCH once it is gone. */
function taskOf(ctx: FsContext, info: ProcInfo): FsTask | Errno {
  if (info.pid === null) return ctx.current;
  return ctx.vfs.proc.tasks.find(ctx, info.pid) ?? -ESRCH;
}

const NO_TASKS: ProcTasks = { pids: () => [], find: () => null };

/** ptrace_may_access(PTRACE_MODE_READ_FSCREDS), for what tells of a process's memory and files. */
function mayReadTask(ctx: FsContext, task: FsTask): boolean {
  return ptraceMayAccess(ctx.current, task, 'fs');
}

/** task_dump_owner(): the files of a process that its user may not look into are root's; its directories for everybody stay. */
function setOwner(inode: Inode, task: FsTask): void {
  if (inode.iMode !== (S_IFDIR | 0o555) && !isDumpable(task)) return;
  inode.iUid = task.cred.euid;
  inode.iGid = task.cred.egid;
}

/** An empty /proc on device `dev`. */
export function newProc(dev: number, now: Timespec): ProcRegistry {
  const sb = new SuperBlock('proc', PROC_SUPER_MAGIC, dev);
  const tree: ProcNode = { name: '', serial: 1, children: new Map(), row: null };
  const inode = new Inode(sb, S_IFDIR | 0o555, procDirInodeOperations, procDirOperations, now);
  inode.iPrivate = { node: tree, pid: null, name: '' } satisfies ProcInfo;
  ihold(inode);
  sb.root = new Dentry('', null, inode);
  return { sb, tree, pending: [], nextSerial: 2, tasks: NO_TASKS };
}

/**
 * proc_create(): adds rows, which are asked for when somebody looks; directories on the way are made. A later row for the same path
 * replaces the earlier.
 */
export function registerProc(proc: ProcRegistry, rows: () => readonly ProcRow[]): void {
  proc.pending.push(rows);
}

function addRow(proc: ProcRegistry, row: ProcRow): void {
  let node = proc.tree;
  for (const name of row.path.split('/').slice(1)) {
    let child = node.children.get(name);
    if (child === undefined) {
      child = { name, serial: proc.nextSerial++, children: new Map(), row: null };
      node.children.set(name, child);
    }
    node = child;
  }
  node.row = row;
}

/** The children of a node, all that are registered. */
function childrenOf({ vfs: { proc } }: FsContext, node: ProcNode): ProcNode['children'] {
  if (proc.pending.length > 0) {
    for (const rows of proc.pending) for (const row of rows()) addRow(proc, row);
    proc.pending.length = 0;
  }
  return node.children;
}

function isPattern(node: ProcNode): boolean {
  return node.name.startsWith('[');
}

/** S_IFMT | permissions of a node. */
function modeOf(node: ProcNode): number {
  const { row } = node;
  if (node.children.size > 0 || row === null) return S_IFDIR | (row?.mode ?? 0o555);
  return (row.link !== undefined ? S_IFLNK : S_IFREG) | row.mode;
}

function inoOf(node: ProcNode, pid: number | null, name: string): number {
  const base = pid === null ? 0 : (pid + 1) * 0x1_0000;
  return base + node.serial * 64 + (isPattern(node) && node.name !== '[pid]' ? (Number(name) || 0) % 64 : 0);
}

function inodeOperationsOf({ row }: ProcNode, type: number): InodeOperations {
  if (type === S_IFDIR) return procDirInodeOperations;
  if (type === S_IFLNK) return procLinkInodeOperations;
  return row?.path.startsWith('/sys/') === true ? procSysInodeOperations : procFileInodeOperations;
}

/** proc_pid_make_inode() and d_splice: a dentry made for this lookup; it is not kept. */
function makeDentry(ctx: FsContext, dir: Dentry, node: ProcNode, pid: number | null, name: string): Dentry {
  const mode = modeOf(node);
  const type = mode & S_IFMT;
  const iFop = type === S_IFDIR ? procDirOperations : procFileOperations;
  const inode = new Inode(
    dir.dInode.iSb,
    mode,
    inodeOperationsOf(node, type),
    iFop,
    ktimeGetRealTs(ctx),
    inoOf(node, pid, name),
  );
  if (type === S_IFDIR) inode.iNlink = 2;
  const task = pid === null ? null : ctx.vfs.proc.tasks.find(ctx, pid);
  if (task !== null) setOwner(inode, task);
  inode.iPrivate = { node, pid, name } satisfies ProcInfo;
  return new Dentry(name, dir, inode);
}

/** The pattern child of a node, if it has one. */
function patternOf(ctx: FsContext, node: ProcNode): ProcNode | null {
  for (const child of childrenOf(ctx, node).values()) if (isPattern(child)) return child;
  return null;
}

function procLookup(ctx: FsContext, dir: Dentry, name: string): Dentry | null | Errno {
  const { node, pid } = infoOf(dir.dInode);
  const child = childrenOf(ctx, node).get(name);
  if (child !== undefined && !isPattern(child)) return makeDentry(ctx, dir, child, pid, name);
  const pattern = patternOf(ctx, node);
  if (pattern === null) return null;
  if (pattern.name === '[pid]') {
    if (!/^[1-9][0-9]{0,9}$/.test(name) || ctx.vfs.proc.tasks.find(ctx, Number(name)) === null) return null;
    return makeDentry(ctx, dir, pattern, Number(name), name);
  }
  const task = taskOf(ctx, infoOf(dir.dInode));
  if (typeof task === 'number') return task;
  return pattern.row?.list?.(ctx, task).includes(name) === true
    ? makeDentry(ctx, dir, pattern, pid, name)
    : null;
}

function followLink(ctx: FsContext, link: Dentry): string | Dentry | Errno {
  const info = infoOf(link.dInode);
  const task = taskOf(ctx, info);
  if (typeof task === 'number') return -ENOENT;
  if (info.node.row?.guarded === true && !mayReadTask(ctx, task)) return -EACCES;
  return info.node.row?.link?.(ctx, task, info.name) ?? -ENOENT;
}

function readlinkText(ctx: FsContext, link: Dentry): string | Errno {
  const target = followLink(ctx, link);
  return typeof target === 'object' ? dPath(target) : target;
}

function procDirPermission(ctx: FsContext, inode: Inode): 0 | null {
  const { node, pid } = infoOf(inode);
  if (node.row?.ownThreads !== true || pid === null) return null;
  return ctx.vfs.proc.tasks.find(ctx, pid)?.tgid === ctx.current.tgid ? 0 : null;
}

function procSysPermission(_ctx: FsContext, inode: Inode, mask: number, cred: Cred): 0 | Errno {
  const { row } = infoOf(inode).node;
  return sysctlPerm(cred, row?.permissions?.(cred) ?? inode.iMode, mask);
}

const procDirInodeOperations: InodeOperations = {
  name: 'proc_dir_inode_operations',
  lookup: procLookup,
  permission: procDirPermission,
};
const procLinkInodeOperations: InodeOperations = {
  name: 'proc_pid_link_inode_operations',
  getLink: followLink,
  readlink: readlinkText,
};
const procFileInodeOperations: InodeOperations = { name: 'proc_file_inode_operations', truncate: () => 0 };
const procSysInodeOperations: InodeOperations = {
  name: 'proc_sys_inode_operations',
  truncate: () => 0,
  permission: procSysPermission,
};

/** Names and nodes of a directory, in the order of the listing: rows, then processes. */
function entriesOf(ctx: FsContext, dir: Dentry): { name: string; node: ProcNode; pid: number | null }[] {
  const info = infoOf(dir.dInode);
  const entries: { name: string; node: ProcNode; pid: number | null }[] = [];
  for (const child of childrenOf(ctx, info.node).values()) {
    if (!isPattern(child)) entries.push({ name: child.name, node: child, pid: info.pid });
  }
  const pattern = patternOf(ctx, info.node);
  if (pattern?.name === '[pid]') {
    for (const pid of ctx.vfs.proc.tasks.pids(ctx)) entries.push({ name: String(pid), node: pattern, pid });
  } else if (pattern !== null) {
    const task = taskOf(ctx, info);
    const names = typeof task === 'number' ? [] : (pattern.row?.list?.(ctx, task) ?? []);
    for (const name of names) entries.push({ name, node: pattern, pid: info.pid });
  }
  return entries;
}

function iterateProc(ctx: FsContext, file: File, actor: DirActor): 0 | Errno {
  const dir = file.fPath;
  const dots: readonly [string, Dentry][] = [
    ['.', dir],
    ['..', parentDir(dir)],
  ];
  const entries = entriesOf(ctx, dir);
  for (; file.fPos < entries.length + 2; file.fPos++) {
    const dot = dots[file.fPos];
    const entry = entries[file.fPos - 2];
    const next = file.fPos + 1;
    if (dot !== undefined) {
      if (!actor(dot[0], next, dot[1].dInode.iIno, dtypeOfMode(dot[1].dInode.iMode))) return 0;
    } else if (entry !== undefined) {
      const ino = inoOf(entry.node, entry.pid, entry.name);
      if (!actor(entry.name, next, ino, dtypeOfMode(modeOf(entry.node)))) return 0;
    }
  }
  return 0;
}

const procDirOperations: FileOperations = {
  name: 'proc_dir_operations',
  iterateShared: iterateProc,
  llseek: (_ctx, file, offset, whence) => llseekWithin(file, offset, whence, 0),
};

const encoder = new TextEncoder();

/** struct seq_file: file.privateData of a file of /proc. */
interface SeqFile {
  text: Uint8Array | null;
  readonly kept: unknown;
}

function seqFileOf(file: File): SeqFile {
  return file.privateData as SeqFile;
}

/** seq_read(): the text is made at offset 0 and kept for the following reads. */
function procRead(ctx: FsContext, file: File, to: IovIter, pos: number): number {
  const seq = seqFileOf(file);
  if (pos > 0 && infoOf(file.fInode).node.row?.whole === true) return 0;
  if (pos === 0 || seq.text === null) {
    const info = infoOf(file.fInode);
    const task = taskOf(ctx, info);
    if (typeof task === 'number') return task;
    if (info.node.row?.show === undefined) return -EIO;
    const text = info.node.row.show(ctx, task, seq.kept);
    if (typeof text === 'number') return text;
    seq.text = encoder.encode(text);
  }
  const part = seq.text.subarray(pos, pos + to.count);
  if (part.length === 0) return 0;
  const copied = copyToIter(ctx, part, to);
  return copied > 0 ? copied : -EFAULT;
}

/** Longest text that a sysctl takes at once. */
const WRITE_MAX = 4096;

function procWrite(ctx: FsContext, file: File, from: IovIter, pos: number): number {
  const info = infoOf(file.fInode);
  const task = taskOf(ctx, info);
  if (typeof task === 'number') return task;
  if (info.node.row?.write === undefined) return -EIO;
  const { count } = from;
  if (count === 0) return 0;
  if (count > WRITE_MAX) return -EINVAL;
  const bytes = copyFromIter(ctx, from, count);
  if (bytes.length < count) return -EFAULT;
  // sysctl: a write that does not start at the beginning is ignored.
  if (pos > 0) return count;
  return info.node.row.write(ctx, task, new TextDecoder().decode(bytes), seqFileOf(file).kept);
}

function procOpen(ctx: FsContext, file: File): 0 | Errno {
  const info = infoOf(file.fInode);
  const { row } = info.node;
  // Root passes the mode bits; what has no handler cannot be written all the same.
  if (row?.write === undefined && (file.fMode & FMODE_WRITE) !== 0) return -EACCES;
  const task = taskOf(ctx, info);
  if (typeof task === 'number') return task;
  if (row?.guarded === true && !mayReadTask(ctx, task)) return -EACCES;
  file.privateData = { text: null, kept: row?.keep?.(ctx, task) ?? null } satisfies SeqFile;
  return 0;
}

const procFileOperations: FileOperations = {
  name: 'proc_reg_file_ops',
  open: procOpen,
  release: (ctx, file) => infoOf(file.fInode).node.row?.drop?.(ctx, seqFileOf(file).kept),
  readIter: procRead,
  writeIter: procWrite,
  llseek: (_ctx, file, offset, whence) => llseekWithin(file, offset, whence, 0),
};

/** The row of an open file of /proc and what it keeps; null for other files and for directories. */
export function keptOf(file: File): { readonly row: ProcRow; readonly kept: unknown } | null {
  if (file.fOp !== procFileOperations) return null;
  const { row } = infoOf(file.fInode).node;
  return row === null ? null : { row, kept: seqFileOf(file).kept };
}
