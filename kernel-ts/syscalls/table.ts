/**
 * The system-call table of riscv32 Linux (include/uapi/asm-generic/unistd.h without the time32 calls,
 * arch/riscv/include/uapi/asm/unistd.h): one row per call. A new call is one row here and one handler; those of nearly every program are
 * in libcRows.ts.
 *
 * Calls that Linux has and this kernel has not are listed by number in `UNSUPPORTED`, so that the log can name them.
 */
import { ENOSYS } from '../abi/errno.ts';
import { log } from '../process/kernel.ts';
import * as capability from './capability.ts';
import * as clone from './clone.ts';
import * as files from './files.ts';
import * as ipc from './ipc.ts';
import {
  sysCopyFileRange,
  sysLlseek,
  sysPread64,
  sysPreadv,
  sysPwrite64,
  sysPwritev,
  sysSendfile64,
} from './io.ts';
import { LIBC_ROWS } from './libcRows.ts';
import * as misc from './misc.ts';
import * as pages from './pages.ts';
import * as poll from './poll.ts';
import * as proc from './process.ts';
import { row, type Handler, type SyscallRow } from './row.ts';
import * as signals from './signals.ts';
import * as futex from './futex.ts';
import * as timers from './timers.ts';
import * as timing from './timing.ts';

const address = { result: 'address' } as const;

/** Every supported call. */
export const SYSCALL_ROWS: readonly SyscallRow[] = [
  ...LIBC_ROWS,
  row(17, 'getcwd', 'buf:str! size:size', files.sysGetcwd),
  row(23, 'dup', 'fd:fd', files.sysDup),
  row(24, 'dup3', 'oldfd:fd newfd:fd flags:O', files.sysDup3),
  row(25, 'fcntl64', 'fd:fd cmd:FCNTL arg:hex', files.sysFcntl64, {
    note: 'no record locks between processes, no leases',
  }),
  row(33, 'mknodat', 'dirfd:dirfd path:path mode:mode dev:hex', files.sysMknodat),
  row(34, 'mkdirat', 'dirfd:dirfd path:path mode:mode', files.sysMkdirat),
  row(35, 'unlinkat', 'dirfd:dirfd path:path flags:AT', files.sysUnlinkat),
  row(36, 'symlinkat', 'target:path dirfd:dirfd path:path', files.sysSymlinkat),
  row(37, 'linkat', 'olddirfd:dirfd oldpath:path newdirfd:dirfd newpath:path flags:AT', files.sysLinkat),
  row(43, 'statfs64', 'path:path size:size buf:ptr', files.sysStatfs64),
  row(44, 'fstatfs64', 'fd:fd size:size buf:ptr', files.sysFstatfs64),
  row(45, 'truncate64', 'path:path length:off64', files.sysTruncate64),
  row(46, 'ftruncate64', 'fd:fd length:off64', files.sysFtruncate64),
  row(47, 'fallocate', 'fd:fd mode:hex offset:off64 length:off64', files.sysFallocate),
  row(48, 'faccessat', 'dirfd:dirfd path:path mode:ACCESS', files.sysFaccessat),
  row(49, 'chdir', 'path:path', files.sysChdir),
  row(50, 'fchdir', 'fd:fd', files.sysFchdir),
  row(51, 'chroot', 'path:path', files.sysChroot),
  row(52, 'fchmod', 'fd:fd mode:mode', files.sysFchmod),
  row(53, 'fchmodat', 'dirfd:dirfd path:path mode:mode', files.sysFchmodat),
  row(54, 'fchownat', 'dirfd:dirfd path:path uid:id gid:id flags:AT', files.sysFchownat),
  row(55, 'fchown', 'fd:fd uid:id gid:id', files.sysFchown),
  row(56, 'openat', 'dirfd:dirfd path:path flags:O mode:mode?2&0x400040', files.sysOpenat),
  row(57, 'close', 'fd:fd', files.sysClose),
  row(59, 'pipe2', 'pipefd:pipefd! flags:O', files.sysPipe2),
  row(61, 'getdents64', 'fd:fd dirp:ptr count:size', files.sysGetdents64),
  row(62, '_llseek', 'fd:fd high:int low:uint result:loff! whence:SEEK', sysLlseek),
  row(67, 'pread64', 'fd:fd buf:out@ret count:size offset:off64', sysPread64),
  row(68, 'pwrite64', 'fd:fd buf:buf@2 count:size offset:off64', sysPwrite64),
  row(69, 'preadv', 'fd:fd iov:iovout@2 iovcnt:int offset:off64', sysPreadv),
  row(70, 'pwritev', 'fd:fd iov:iov@2 iovcnt:int offset:off64', sysPwritev),
  row(71, 'sendfile64', 'out_fd:fd in_fd:fd offset:loff count:size', sysSendfile64),
  row(78, 'readlinkat', 'dirfd:dirfd path:path buf:out@ret size:size', files.sysReadlinkat),
  row(81, 'sync', '', files.sysSync),
  row(82, 'fsync', 'fd:fd', files.sysFsync),
  row(83, 'fdatasync', 'fd:fd', files.sysFsync),
  row(90, 'capget', 'header:ptr data:ptr', capability.sysCapget, { note: 'numbers 0 to 31' }),
  row(91, 'capset', 'header:ptr data:ptr', capability.sysCapset, { note: 'numbers 0 to 31' }),
  row(92, 'personality', 'persona:hex', proc.sysPersonality, { note: 'stored, without effect' }),
  row(95, 'waitid', 'idtype:P id:int infop:childinfo! options:WAIT rusage:rusage!', proc.sysWaitid, {
    note: 'no P_PIDFD',
  }),
  row(97, 'unshare', 'flags:CLONE', clone.sysUnshare, {
    note: 'of namespaces ipc alone',
  }),
  row(99, 'set_robust_list', 'head:ptr len:size', futex.sysSetRobustList),
  row(100, 'get_robust_list', 'pid:int head:uint32! len:uint32!', futex.sysGetRobustList),
  row(102, 'getitimer', 'which:ITIMER curr_value:itimerval!', timers.sysGetitimer),
  row(103, 'setitimer', 'which:ITIMER new_value:itimerval old_value:itimerval!', timers.sysSetitimer),
  row(107, 'timer_create', 'clockid:CLOCK sevp:sigevent timerid:int32!', timers.sysTimerCreate, {
    note: 'no CPU-time clocks',
  }),
  row(109, 'timer_getoverrun', 'timerid:int', timers.sysTimerGetoverrun),
  row(111, 'timer_delete', 'timerid:int', timers.sysTimerDelete),
  row(118, 'sched_setparam', 'pid:int param:int32', proc.sysSchedSetparam, { note: 'SCHED_OTHER alone' }),
  row(119, 'sched_setscheduler', 'pid:int policy:SCHED param:int32', proc.sysSchedSetscheduler, {
    note: 'SCHED_OTHER alone',
  }),
  row(120, 'sched_getscheduler', 'pid:int', proc.sysSchedGetscheduler),
  row(121, 'sched_getparam', 'pid:int param:int32!', proc.sysSchedGetparam),
  row(122, 'sched_setaffinity', 'pid:int len:size mask:uint32', proc.sysSchedSetaffinity, {
    note: 'one hart',
  }),
  row(123, 'sched_getaffinity', 'pid:int len:size mask:uint32!', proc.sysSchedGetaffinity),
  row(124, 'sched_yield', '', proc.sysSchedYield),
  row(125, 'sched_get_priority_max', 'policy:SCHED', proc.sysSchedPriorityMax),
  row(126, 'sched_get_priority_min', 'policy:SCHED', proc.sysSchedPriorityMin),
  row(129, 'kill', 'pid:int sig:sig', signals.sysKill),
  row(130, 'tkill', 'tid:int sig:sig', signals.sysTkill),
  row(131, 'tgkill', 'tgid:int tid:int sig:sig', signals.sysTgkill),
  row(132, 'sigaltstack', 'ss:stack old_ss:stack!', signals.sysSigaltstack),
  row(133, 'rt_sigsuspend', 'mask:sigset size:size', signals.sysRtSigsuspend),
  row(134, 'rt_sigaction', 'sig:sig act:sigaction oldact:sigaction! size:size', signals.sysRtSigaction),
  row(135, 'rt_sigprocmask', 'how:SIGHOW set:sigset oldset:sigset! size:size', signals.sysRtSigprocmask),
  row(136, 'rt_sigpending', 'set:sigset! size:size', signals.sysRtSigpending),
  row(138, 'rt_sigqueueinfo', 'tgid:int sig:sig info:siginfo', signals.sysRtSigqueueinfo),
  row(139, 'rt_sigreturn', 'frame:sigframe', signals.sysRtSigreturn),
  row(140, 'setpriority', 'which:PRIO who:int prio:int', proc.sysSetpriority, { note: 'without effect' }),
  row(141, 'getpriority', 'which:PRIO who:int', proc.sysGetpriority, { note: 'always nice 0' }),
  row(143, 'setregid', 'rgid:id egid:id', proc.sysSetregid),
  row(144, 'setgid', 'gid:id', proc.sysSetgid),
  row(145, 'setreuid', 'ruid:id euid:id', proc.sysSetreuid),
  row(146, 'setuid', 'uid:id', proc.sysSetuid),
  row(147, 'setresuid', 'ruid:id euid:id suid:id', proc.sysSetresuid),
  row(148, 'getresuid', 'ruid:int32! euid:int32! suid:int32!', proc.sysGetresuid),
  row(149, 'setresgid', 'rgid:id egid:id sgid:id', proc.sysSetresgid),
  row(150, 'getresgid', 'rgid:int32! egid:int32! sgid:int32!', proc.sysGetresgid),
  row(151, 'setfsuid', 'fsuid:id', proc.sysSetfsuid),
  row(152, 'setfsgid', 'fsgid:id', proc.sysSetfsgid),
  row(153, 'times', 'buf:ptr', proc.sysTimes),
  row(154, 'setpgid', 'pid:int pgid:int', proc.sysSetpgid),
  row(155, 'getpgid', 'pid:int', proc.sysGetpgid),
  row(156, 'getsid', 'pid:int', proc.sysGetsid),
  row(157, 'setsid', '', proc.sysSetsid),
  row(158, 'getgroups', 'size:int list:ptr', proc.sysGetgroups),
  row(159, 'setgroups', 'size:int list:ptr', proc.sysSetgroups),
  row(160, 'uname', 'buf:utsname!', misc.sysUname),
  row(161, 'sethostname', 'name:buf@1 len:size', misc.sysSethostname),
  row(165, 'getrusage', 'who:RUSAGE usage:rusage!', proc.sysGetrusage, {
    note: 'user time, faults and memory alone',
  }),
  row(166, 'umask', 'mask:mode', files.sysUmask),
  row(167, 'prctl', 'option:PRCTL arg2:hex arg3:hex arg4:hex arg5:hex', proc.sysPrctl, {
    note: 'name, dumpable, pdeathsig (stored), no_new_privs',
  }),
  row(168, 'getcpu', 'cpu:uint32! node:uint32! unused:ptr', proc.sysGetcpu),
  row(172, 'getpid', '', proc.sysGetpid),
  row(173, 'getppid', '', proc.sysGetppid),
  row(174, 'getuid', '', proc.sysGetuid),
  row(175, 'geteuid', '', proc.sysGeteuid),
  row(176, 'getgid', '', proc.sysGetgid),
  row(177, 'getegid', '', proc.sysGetegid),
  row(178, 'gettid', '', proc.sysGettid),
  row(179, 'sysinfo', 'info:ptr', misc.sysSysinfo, { note: 'no load averages' }),
  row(186, 'msgget', 'key:key msgflg:IPCGET', ipc.sysMsgget),
  row(187, 'msgctl', 'msqid:int cmd:MSGCTL buf:msqid!', ipc.sysMsgctl),
  row(188, 'msgrcv', 'msqid:int msgp:msgrcv! msgsz:size msgtyp:int msgflg:MSGFLG', ipc.sysMsgrcv),
  row(189, 'msgsnd', 'msqid:int msgp:msgsnd msgsz:size msgflg:MSGFLG', ipc.sysMsgsnd),
  row(190, 'semget', 'key:key nsems:int semflg:IPCGET', ipc.sysSemget),
  row(191, 'semctl', 'semid:int semnum:int cmd:SEMCTL arg:semun!', ipc.sysSemctl),
  row(193, 'semop', 'semid:int sops:sembuf nsops:uint', ipc.sysSemop),
  row(194, 'shmget', 'key:key size:size shmflg:SHMGET', ipc.sysShmget),
  row(195, 'shmctl', 'shmid:int cmd:SHMCTL buf:shmid!', ipc.sysShmctl),
  row(196, 'shmat', 'shmid:int shmaddr:ptr shmflg:SHMAT', ipc.sysShmat, address),
  row(197, 'shmdt', 'shmaddr:ptr', ipc.sysShmdt),
  row(
    216,
    'mremap',
    'old_addr:ptr old_size:size new_size:size flags:MREMAP new_addr:ptr',
    pages.sysMremap,
    address,
  ),
  row(
    220,
    'clone',
    'flags:CLONE stack:ptr parent_tid:ptr?0&0x100000 tls:ptr?0&0x80000 child_tid:ptr?0&0x1200000',
    clone.sysClone,
    {
      note: 'of namespaces ipc alone, no pidfd, no ptrace',
    },
  ),
  row(221, 'execve', 'path:path argv:argv envp:envp', proc.sysExecve, {
    note: 'static programs and scripts',
  }),
  row(227, 'msync', 'addr:ptr length:size flags:MS', pages.sysMsync),
  row(228, 'mlock', 'addr:ptr length:size', pages.sysMlock),
  row(229, 'munlock', 'addr:ptr length:size', pages.sysMunlock),
  row(230, 'mlockall', 'flags:MCL', pages.sysMlockall),
  row(231, 'munlockall', '', pages.sysMunlockall),
  row(232, 'mincore', 'addr:ptr length:size vec:ptr', pages.sysMincore),
  row(233, 'madvise', 'addr:ptr length:size advice:MADV', pages.sysMadvise),
  row(234, 'remap_file_pages', 'addr:ptr size:size prot:PROT pgoff:hex flags:MAP', pages.sysRemapFilePages),
  row(240, 'rt_tgsigqueueinfo', 'tgid:int tid:int sig:sig info:siginfo', signals.sysRtTgsigqueueinfo),
  row(259, 'riscv_flush_icache', 'start:ptr end:ptr flags:hex', misc.sysRiscvFlushIcache),
  row(261, 'prlimit64', 'pid:int resource:RLIMIT new_limit:rlimit old_limit:rlimit!', proc.sysPrlimit64),
  row(
    270,
    'process_vm_readv',
    'pid:int local_iov:iovout@2 liovcnt:int remote_iov:ptr riovcnt:int flags:hex',
    pages.sysProcessVmReadv,
  ),
  row(
    271,
    'process_vm_writev',
    'pid:int local_iov:iov@2 liovcnt:int remote_iov:ptr riovcnt:int flags:hex',
    pages.sysProcessVmWritev,
  ),
  row(
    276,
    'renameat2',
    'olddirfd:dirfd oldpath:path newdirfd:dirfd newpath:path flags:RENAME',
    files.sysRenameat2,
  ),
  row(268, 'setns', 'fd:fd nstype:CLONE', clone.sysSetns, {
    note: 'files of ipc namespaces alone',
  }),
  row(278, 'getrandom', 'buf:ptr count:size flags:GRND', misc.sysGetrandom),
  row(279, 'memfd_create', 'name:str flags:MFD', files.sysMemfdCreate),
  row(283, 'membarrier', 'cmd:MEMBARRIER flags:hex cpu_id:int', misc.sysMembarrier),
  row(284, 'mlock2', 'addr:ptr length:size flags:hex', pages.sysMlock2),
  row(
    285,
    'copy_file_range',
    'fd_in:fd off_in:loff fd_out:fd off_out:loff len:size flags:hex',
    sysCopyFileRange,
  ),
  row(291, 'statx', 'dirfd:dirfd path:path flags:AT mask:STATX buf:statx!', files.sysStatx),
  row(403, 'clock_gettime64', 'clockid:CLOCK tp:timespec!', timing.sysClockGettime64),
  row(404, 'clock_settime64', 'clockid:CLOCK tp:timespec', timing.sysClockSettime64, {
    note: 'EPERM: time is virtual',
  }),
  row(406, 'clock_getres_time64', 'clockid:CLOCK res:timespec!', timing.sysClockGetres64),
  row(
    407,
    'clock_nanosleep_time64',
    'clockid:CLOCK flags:TIMER rqtp:timespec rmtp:ptr',
    timing.sysClockNanosleep64,
  ),
  row(408, 'timer_gettime64', 'timerid:int curr_value:itimerspec!', timers.sysTimerGettime64),
  row(
    409,
    'timer_settime64',
    'timerid:int flags:TIMER new_value:itimerspec old_value:itimerspec!',
    timers.sysTimerSettime64,
  ),
  row(412, 'utimensat_time64', 'dirfd:dirfd path:path times:ptr flags:AT', files.sysUtimensat),
  row(413, 'pselect6_time64', 'n:int inp:ptr outp:ptr exp:ptr timeout:timespec sig:ptr', poll.sysPselect6),
  row(414, 'ppoll_time64', 'fds:ptr nfds:uint timeout:timespec sigmask:sigset size:size', poll.sysPpoll),
  row(
    421,
    'rt_sigtimedwait_time64',
    'set:sigset info:siginfo! timeout:timespec size:size',
    signals.sysRtSigtimedwait,
  ),
  row(422, 'futex_time64', 'uaddr:ptr op:FUTEX val:uint timeout:ptr uaddr2:ptr val3:hex', futex.sysFutex, {
    note: 'no FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI; FUTEX_LOCK_PI changes no priority',
  }),
  row(420, 'semtimedop_time64', 'semid:int sops:sembuf nsops:uint timeout:timespec', ipc.sysSemtimedop64),
  row(435, 'clone3', 'cl_args:ptr size:size', clone.sysClone3, {
    note: 'as clone; no set_tid, no cgroup',
  }),
  row(436, 'close_range', 'first:uint last:uint flags:hex', files.sysCloseRange),
  row(439, 'faccessat2', 'dirfd:dirfd path:path mode:ACCESS flags:AT', files.sysFaccessat2),
  row(
    449,
    'futex_waitv',
    'waiters:ptr nr_futexes:uint flags:hex timeout:timespec clockid:CLOCK',
    futex.sysFutexWaitv,
  ),
  row(452, 'fchmodat2', 'dirfd:dirfd path:path mode:mode flags:AT', files.sysFchmodat2),
];

/** What Linux has and we have not: runs of names from a first number on. Each answers ENOSYS and a line in the log. */
const UNSUPPORTED: readonly (readonly [number, string])[] = [
  [0, 'io_setup io_destroy io_submit io_cancel'],
  [
    5,
    'setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr',
  ],
  [15, 'lremovexattr fremovexattr'],
  [19, 'eventfd2 epoll_create1 epoll_ctl epoll_pwait'],
  [26, 'inotify_init1 inotify_add_watch inotify_rm_watch'],
  [30, 'ioprio_set ioprio_get flock'],
  [39, 'umount2 mount pivot_root nfsservctl'],
  [58, 'vhangup'],
  [60, 'quotactl'],
  [74, 'signalfd4 vmsplice splice tee'],
  [84, 'sync_file_range timerfd_create'],
  [89, 'acct'],
  [104, 'kexec_load init_module delete_module'],
  [116, 'syslog ptrace'],
  [128, 'restart_syscall'],
  [142, 'reboot'],
  [162, 'setdomainname'],
  [180, 'mq_open mq_unlink'],
  [184, 'mq_notify mq_getsetattr'],
  [
    198,
    'socket socketpair bind listen accept connect getsockname getpeername sendto recvfrom setsockopt getsockopt',
  ],
  [210, 'shutdown sendmsg recvmsg readahead'],
  [217, 'add_key request_key keyctl'],
  [223, 'fadvise64_64 swapon swapoff'],
  [235, 'mbind get_mempolicy set_mempolicy migrate_pages move_pages'],
  [241, 'perf_event_open accept4'],
  [258, 'riscv_hwprobe'],
  [262, 'fanotify_init fanotify_mark name_to_handle_at open_by_handle_at'],
  [267, 'syncfs'],
  [269, 'sendmmsg'],
  [272, 'kcmp finit_module sched_setattr sched_getattr'],
  [277, 'seccomp'],
  [280, 'bpf execveat userfaultfd'],
  [286, 'preadv2 pwritev2 pkey_mprotect pkey_alloc pkey_free'],
  [293, 'rseq kexec_file_load'],
  [405, 'clock_adjtime64'],
  [410, 'timerfd_gettime64 timerfd_settime64'],
  [416, 'io_pgetevents_time64 recvmmsg_time64 mq_timedsend_time64 mq_timedreceive_time64'],
  [
    423,
    'sched_rr_get_interval_time64 pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree move_mount',
  ],
  [430, 'fsopen fsconfig fsmount fspick pidfd_open'],
  [437, 'openat2 pidfd_getfd'],
  [
    440,
    'process_madvise epoll_pwait2 mount_setattr quotactl_fd landlock_create_ruleset landlock_add_rule landlock_restrict_self',
  ],
  [447, 'memfd_secret process_mrelease'],
  [450, 'set_mempolicy_home_node cachestat'],
  [
    453,
    'map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount lsm_get_self_attr lsm_set_self_attr',
  ],
  [
    461,
    'lsm_list_modules mseal setxattrat getxattrat listxattrat removexattrat open_tree_attr file_getattr file_setattr',
  ],
];

/** The handler of everything unsupported: it reads its number from a7. */
const sysNotImplemented: Handler = (kernel, task) => {
  const number = kernel.hart.x[17] ?? 0;
  const known = syscallByNumber(number);
  const name = known === null ? `system call ${number >>> 0}` : `${known.name} (${number})`;
  log(kernel, `pid ${task.pid} (${task.comm}): ${name} is not supported: ENOSYS`);
  return -ENOSYS;
};

const missing = (number: number, name: string): SyscallRow =>
  row(number, name, 'a0:hex a1:hex a2:hex a3:hex a4:hex a5:hex', sysNotImplemented, { support: 'none' });

/** SYSCALL_ROWS, for who may not have loaded them yet. */
export function supportedRows(): readonly SyscallRow[] {
  return SYSCALL_ROWS;
}

/** Rows of what is declared as missing; made anew at each call. */
export function unsupportedRows(): readonly SyscallRow[] {
  return UNSUPPORTED.flatMap(([first, names]) => names.split(' ').map((name, i) => missing(first + i, name)));
}

const UNKNOWN_ROW: SyscallRow = missing(-1, 'syscall');

/** What a number that Linux does not know runs: always the same row. */
export function unknownRow(): SyscallRow {
  return UNKNOWN_ROW;
}

/** The row of a number that Linux knows, or null. */
export function syscallByNumber(number: number): SyscallRow | null {
  return [...SYSCALL_ROWS, ...unsupportedRows()].find((one) => one.number === number) ?? null;
}

/** Whether riscv32 Linux has a system call of that name (supported or not). */
export function isSystemCall(name: string): boolean {
  return [...SYSCALL_ROWS, ...unsupportedRows()].some((one) => one.name === name);
}
