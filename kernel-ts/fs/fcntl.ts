/** fcntl(2) as a whole: fs/fcntl.c. No other process ever holds a record lock: F_GETLK finds none, F_SETLK succeeds. */
import { EBADF, EFAULT, EINVAL } from '../abi/errno.ts';
import {
  F_GETLK,
  F_GETLK64,
  F_GETPIPE_SZ,
  F_SETLK,
  F_SETLK64,
  F_SETLKW,
  F_SETLKW64,
  F_SETPIPE_SZ,
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_SETFD,
  F_UNLCK,
} from '../abi/fcntl.ts';
import { copyFromUser, copyToUser } from '../mm/usercopy.ts';
import type { FsContext } from './context.ts';
import { fcntlFd, fgetRaw } from './fdtable.ts';
import { FMODE_PATH } from './file.ts';
import { pipeCapacity, setPipeCapacity } from './pipe.ts';

/** What an O_PATH descriptor allows. */
const PATH_COMMANDS: readonly number[] = [F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL];

/** fcntl64(2). */
export function doFcntl(ctx: FsContext, fd: number, cmd: number, arg: number): number {
  const file = fgetRaw(ctx, fd);
  if (file === null) return -EBADF;
  if ((file.fMode & FMODE_PATH) !== 0 && !PATH_COMMANDS.includes(cmd)) return -EBADF;
  const result = fcntlFd(ctx, fd, file, cmd, arg);
  if (result !== null) return result;
  switch (cmd) {
    case F_GETPIPE_SZ:
      return pipeCapacity(file) ?? -EBADF;
    case F_SETPIPE_SZ:
      return pipeCapacity(file) === null ? -EBADF : setPipeCapacity(ctx, file, arg);
    case F_GETLK:
    case F_GETLK64: {
      const { mm } = ctx.current;
      // l_type is the first field of struct flock and of struct flock64.
      if (mm === null || typeof copyFromUser(ctx, mm, arg, 2) === 'number') return -EFAULT;
      return copyToUser(ctx, mm, arg, Uint8Array.of(F_UNLCK, 0));
    }
    case F_SETLK:
    case F_SETLK64:
    case F_SETLKW:
    case F_SETLKW64: {
      const { mm } = ctx.current;
      return mm === null || typeof copyFromUser(ctx, mm, arg, 2) === 'number' ? -EFAULT : 0;
    }
    default:
      return -EINVAL;
  }
}
