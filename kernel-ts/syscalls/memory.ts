/** Shims of address spaces: mmap(2), munmap(2), mprotect(2), brk(2); what changes pages of theirs is in pages.ts. */
import { ksysMmapPgoff } from '../fs/mmapFile.ts';
import { doBrk, doMunmap } from '../mm/mmap.ts';
import { doMprotect } from '../mm/mprotect.ts';
import type { Handler } from './row.ts';
import { userMm } from './user.ts';

/** The offset of mmap2 is in units of 4096 bytes. */
export const sysMmap2: Handler = (kernel, _task, addr, length, prot, flags, fd, pgoff) =>
  ksysMmapPgoff(kernel, addr >>> 0, length >>> 0, prot >>> 0, flags >>> 0, fd, pgoff >>> 0);

export const sysMunmap: Handler = (kernel, task, addr, length) =>
  doMunmap(kernel, userMm(task), addr >>> 0, length >>> 0);

export const sysMprotect: Handler = (kernel, task, addr, length, prot) =>
  doMprotect(kernel, userMm(task), addr >>> 0, length >>> 0, prot >>> 0);

export const sysBrk: Handler = (kernel, task, addr) => doBrk(kernel, userMm(task), addr >>> 0);
