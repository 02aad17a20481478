/** nsfs: fs/nsfs.c. The files that stand for namespaces; what an open file holds is its owner's. Missing: the ioctls. */
import { S_IFREG } from '../abi/stat.ts';
import { ktimeGetRealTs } from '../mm/context.ts';
import type { FsContext } from './context.ts';
import type { FileOperations } from './file.ts';
import { Dentry, Inode, type InodeOperations } from './inode.ts';

const nsfsInodeOperations: InodeOperations = { name: 'nsfs_inode_operations' };

/** ns_get_path(): a file named "kind:[number]", made for this lookup; `owner` is what it stands for (iPrivate). */
export function nsDentry(
  ctx: FsContext,
  name: string,
  ino: number,
  fOp: FileOperations,
  owner: unknown,
): Dentry {
  const inode = new Inode(ctx.vfs.nsfs, S_IFREG | 0o444, nsfsInodeOperations, fOp, ktimeGetRealTs(ctx), ino);
  inode.iPrivate = owner;
  return new Dentry(name, null, inode);
}
