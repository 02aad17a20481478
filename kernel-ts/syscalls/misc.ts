/** Shims that belong to no subsystem: uname(2), sysinfo(2), getrandom(2), membarrier(2), riscv_flush_icache(2). */
import { EFAULT, EINVAL, EPERM } from '../abi/errno.ts';
import { CAP_SYS_ADMIN } from '../abi/capability.ts';
import { encodeUtsname } from '../abi/utsname.ts';
import { randomBytes } from '../fs/random.ts';
import { ktimeGet } from '../mm/context.ts';
import { capable } from '../mm/cred.ts';
import type { Handler } from './row.ts';
import { readUser, writeUser } from './user.ts';

export const sysUname: Handler = (kernel, task, buf) =>
  writeUser(kernel, task, buf, encodeUtsname(kernel.hostname));

const HOST_NAME_MAX = 64;

export const sysSethostname: Handler = (kernel, task, name, length) => {
  if (!capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  if (length < 0 || length > HOST_NAME_MAX) return -EINVAL;
  const raw = readUser(kernel, task, name, length);
  if (typeof raw === 'number') return raw;
  kernel.hostname = new TextDecoder().decode(raw).split('\0')[0] ?? '';
  return 0;
};

/** struct sysinfo of a 32-bit kernel: 64 bytes, memory in units of one byte. */
export const sysSysinfo: Handler = (kernel, task, info) => {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(ktimeGet(kernel) / 1e9), true);
  view.setUint32(16, kernel.memMap.totalFrames * 4096, true);
  view.setUint32(20, kernel.memMap.freeFrames * 4096, true);
  view.setUint16(40, Math.min(kernel.tasks.size, 0xffff), true);
  view.setUint32(52, 1, true);
  return writeUser(kernel, task, info, bytes);
};

/** Longest answer of one call (Linux: get_random_bytes_user is bounded by INT_MAX; ours keeps a call short). */
const GETRANDOM_MAX = 33554431;
const CHUNK = 65536;

export const sysGetrandom: Handler = (kernel, task, buf, count, flags) => {
  // EINVAL: unknown flags, or GRND_RANDOM together with GRND_INSECURE.
  if ((flags & ~7) !== 0 || (flags & 6) === 6) return -EINVAL;
  const total = Math.min(count >>> 0, GETRANDOM_MAX);
  for (let done = 0; done < total;) {
    const length = Math.min(CHUNK, total - done);
    if (writeUser(kernel, task, buf + done, randomBytes(kernel.random, length)) < 0)
      return done > 0 ? done : -EFAULT;
    done += length;
  }
  return total;
};

const MEMBARRIER_SUPPORTED = 1 | 2 | 4 | 8 | 16;

/** One hart runs one task at a time: every barrier has happened. */
export const sysMembarrier: Handler = (_kernel, _task, cmd, flags) => {
  if (flags !== 0) return -EINVAL;
  if (cmd === 0) return MEMBARRIER_SUPPORTED;
  return (MEMBARRIER_SUPPORTED & cmd) !== 0 && (cmd & (cmd - 1)) === 0 ? 0 : -EINVAL;
};

/** Translated code follows every store, so there is nothing to flush. EINVAL: unknown flags. */
export const sysRiscvFlushIcache: Handler = (kernel, _task, _start, _end, flags) => {
  if ((flags & ~1) !== 0) return -EINVAL;
  kernel.hart.fenceI();
  return 0;
};
