/**
 * The rows of the system-call table (table.ts) that a C library calls for nearly every program: to begin, print, have memory and end. The
 * built command has them at hand and loads the others with the first call of one of those (lookUp.ts).
 */
import * as exit from './exit.ts';
import * as io from './io.ts';
import * as memory from './memory.ts';
import { row, type SyscallRow } from './row.ts';

const address = { result: 'address' } as const;
const noReturn = { result: 'none' } as const;

export const LIBC_ROWS: readonly SyscallRow[] = [
  row(29, 'ioctl', 'fd:fd cmd:IOCTL arg:ptr', io.sysIoctl, { note: 'no terminal: ENOTTY' }),
  row(63, 'read', 'fd:fd buf:out@ret count:size', io.sysRead),
  row(64, 'write', 'fd:fd buf:buf@2 count:size', io.sysWrite),
  row(65, 'readv', 'fd:fd iov:iovout@2 iovcnt:int', io.sysReadv),
  row(66, 'writev', 'fd:fd iov:iov@2 iovcnt:int', io.sysWritev),
  row(93, 'exit', 'status:int', exit.sysExit, noReturn),
  row(94, 'exit_group', 'status:int', exit.sysExitGroup, noReturn),
  row(96, 'set_tid_address', 'tidptr:ptr', exit.sysSetTidAddress),
  row(214, 'brk', 'addr:ptr', memory.sysBrk, address),
  row(215, 'munmap', 'addr:ptr length:size', memory.sysMunmap),
  row(222, 'mmap2', 'addr:ptr length:size prot:PROT flags:MAP fd:fd pgoffset:hex', memory.sysMmap2, {
    ...address,
    note: 'no huge pages',
  }),
  row(226, 'mprotect', 'addr:ptr length:size prot:PROT', memory.sysMprotect),
];
