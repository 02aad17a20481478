/** Seeking: fs/read_write.c (generic_file_llseek). */
import { EINVAL } from '../abi/errno.ts';
import { SEEK_CUR, SEEK_END, SEEK_SET } from '../abi/fcntl.ts';
import type { File } from './file.ts';

/** generic_file_llseek_size(): moves fPos within a file of `size` bytes; the new position or EINVAL. */
export function llseekWithin(file: File, offset: number, whence: number, size: number): number {
  let position: number;
  switch (whence) {
    case SEEK_SET:
      position = offset;
      break;
    case SEEK_CUR:
      position = file.fPos + offset;
      break;
    case SEEK_END:
      position = size + offset;
      break;
    default:
      return -EINVAL;
  }
  if (position < 0 || position > 0xffff_ffff * 4096) return -EINVAL;
  file.fPos = position;
  return position;
}
