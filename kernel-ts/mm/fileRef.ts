/**
 * References to struct file and struct inode (fs/file_table.c: get_file, fput; fs/inode.c: iput). They stand in mm because
 * a VMA holds its file; what a file does at its end is reached through its operation tables, so mm imports nothing of fs.
 */
import type { FsContext } from '../fs/context.ts';
import type { File } from '../fs/file.ts';
import type { Inode } from '../fs/inode.ts';
import { bug } from './bug.ts';
import type { MmContext } from './context.ts';
import { FMODE_WRITE } from './fmode.ts';
import { FILP_CACHEP, kmemCacheFree } from './slab.ts';

/** The kernel is one object: whoever runs mm has the file systems too. File operations get it by this door. */
export function fsContext(ctx: MmContext): FsContext {
  return ctx as FsContext;
}

/** get_file(): one more holder. */
export function getFile(file: File): File {
  file.count++;
  return file;
}

/** fput(): the last holder's release closes the file. */
export function fput(ctx: MmContext, file: File): void {
  if (file.count <= 0) throw bug('fput of a closed file', file.id);
  file.count--;
  if (file.count > 0) return;
  file.fOp.release?.(fsContext(ctx), file);
  if (file.writeCounted && (file.fMode & FMODE_WRITE) !== 0) file.fInode.iWritecount--;
  iput(ctx, file.fInode);
  kmemCacheFree(ctx, FILP_CACHEP);
}

/** ihold(). */
export function ihold(inode: Inode): void {
  inode.iCount++;
}

/** iput(): drops a user; an inode without users and names is evicted. */
export function iput(ctx: MmContext, inode: Inode): void {
  inode.iCount--;
  if (inode.iCount === 0 && inode.iNlink === 0) inode.iOp.evictInode?.(fsContext(ctx), inode);
}
