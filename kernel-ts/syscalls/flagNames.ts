/**
 * Symbolic names of flag words and small numbers, for strace output and nothing else (values: Linux uapi headers,
 * asm-generic where an architecture may differ; riscv32 uses the generic ones).
 *
 * A name printed here is not a promise that the kernel supports it; the support level is in table.ts.
 */

/** Names for single bits, printed joined by `|`; what is left is printed in hexadecimal. */
export interface FlagWord {
  readonly kind: 'flags';
  readonly bits: readonly (readonly [number, string])[];
  /** A field of the word that is an enumeration (O_ACCMODE, the signal of clone). */
  readonly field?: { readonly mask: number; readonly names: Readonly<Record<number, string>> };
  /** What to print for 0. Default "0". */
  readonly zero?: string;
  /** Low bits printed in octal (shmget's permission bits). */
  readonly octalMask?: number;
}

/** Names for whole values. */
export interface NumberNames {
  readonly kind: 'names';
  readonly names: Readonly<Record<number, string>>;
  readonly otherwise: 'hex' | 'decimal';
}

export type NameTable = FlagWord | NumberNames;

const flags = (bits: FlagWord['bits'], more: Partial<Omit<FlagWord, 'kind' | 'bits'>> = {}): FlagWord => ({
  kind: 'flags',
  bits,
  ...more,
});

const names = (
  table: Readonly<Record<number, string>>,
  otherwise: 'hex' | 'decimal' = 'hex',
): NumberNames => ({
  kind: 'names',
  names: table,
  otherwise,
});

/** Consecutive names from `first`. */
function sequence(prefix: string, list: string, first = 0): Record<number, string> {
  const out: Record<number, string> = {};
  list.split(' ').forEach((n, i) => (out[first + i] = prefix + n));
  return out;
}

const AT_BITS: FlagWord['bits'] = [
  [0x100, 'AT_SYMLINK_NOFOLLOW'],
  [0x200, 'AT_REMOVEDIR'],
  [0x400, 'AT_SYMLINK_FOLLOW'],
  [0x800, 'AT_NO_AUTOMOUNT'],
  [0x1000, 'AT_EMPTY_PATH'],
  [0x2000, 'AT_STATX_FORCE_SYNC'],
  [0x4000, 'AT_STATX_DONT_SYNC'],
];

const makeTables = () =>
  ({
    /** open flags, asm-generic/fcntl.h */
    O: flags(
      [
        [0o100, 'O_CREAT'],
        [0o200, 'O_EXCL'],
        [0o400, 'O_NOCTTY'],
        [0o1000, 'O_TRUNC'],
        [0o2000, 'O_APPEND'],
        [0o4000, 'O_NONBLOCK'],
        [0o4010000, 'O_SYNC'],
        [0o10000, 'O_DSYNC'],
        [0o20000, 'O_ASYNC'],
        [0o40000, 'O_DIRECT'],
        [0o100000, 'O_LARGEFILE'],
        [0o20200000, 'O_TMPFILE'],
        [0o200000, 'O_DIRECTORY'],
        [0o400000, 'O_NOFOLLOW'],
        [0o1000000, 'O_NOATIME'],
        [0o2000000, 'O_CLOEXEC'],
        [0o10000000, 'O_PATH'],
      ],
      { field: { mask: 3, names: { 0: 'O_RDONLY', 1: 'O_WRONLY', 2: 'O_RDWR', 3: 'O_ACCMODE' } } },
    ),
    PROT: flags(
      [
        [1, 'PROT_READ'],
        [2, 'PROT_WRITE'],
        [4, 'PROT_EXEC'],
        [8, 'PROT_SEM'],
        [0x01000000, 'PROT_GROWSDOWN'],
        [0x02000000, 'PROT_GROWSUP'],
      ],
      { zero: 'PROT_NONE' },
    ),
    MAP: flags(
      [
        [0x10, 'MAP_FIXED'],
        [0x20, 'MAP_ANONYMOUS'],
        [0x100, 'MAP_GROWSDOWN'],
        [0x800, 'MAP_DENYWRITE'],
        [0x1000, 'MAP_EXECUTABLE'],
        [0x2000, 'MAP_LOCKED'],
        [0x4000, 'MAP_NORESERVE'],
        [0x8000, 'MAP_POPULATE'],
        [0x10000, 'MAP_NONBLOCK'],
        [0x20000, 'MAP_STACK'],
        [0x40000, 'MAP_HUGETLB'],
        [0x80000, 'MAP_SYNC'],
        [0x100000, 'MAP_FIXED_NOREPLACE'],
      ],
      {
        field: {
          mask: 15,
          names: { 0: 'MAP_FILE', 1: 'MAP_SHARED', 2: 'MAP_PRIVATE', 3: 'MAP_SHARED_VALIDATE' },
        },
      },
    ),
    MREMAP: flags([
      [1, 'MREMAP_MAYMOVE'],
      [2, 'MREMAP_FIXED'],
      [4, 'MREMAP_DONTUNMAP'],
    ]),
    MS: flags([
      [1, 'MS_ASYNC'],
      [2, 'MS_INVALIDATE'],
      [4, 'MS_SYNC'],
    ]),
    MADV: names({
      ...sequence('MADV_', 'NORMAL RANDOM SEQUENTIAL WILLNEED DONTNEED'),
      ...sequence(
        'MADV_',
        'FREE REMOVE DONTFORK DOFORK MERGEABLE UNMERGEABLE HUGEPAGE NOHUGEPAGE DONTDUMP DODUMP',
        8,
      ),
      18: 'MADV_WIPEONFORK',
      19: 'MADV_KEEPONFORK',
      20: 'MADV_COLD',
      21: 'MADV_PAGEOUT',
      22: 'MADV_POPULATE_READ',
      23: 'MADV_POPULATE_WRITE',
      24: 'MADV_DONTNEED_LOCKED',
    }),
    MCL: flags([
      [1, 'MCL_CURRENT'],
      [2, 'MCL_FUTURE'],
      [4, 'MCL_ONFAULT'],
    ]),
    SHMGET: flags(
      [
        [0o1000, 'IPC_CREAT'],
        [0o2000, 'IPC_EXCL'],
        [0o4000, 'SHM_HUGETLB'],
        [0o10000, 'SHM_NORESERVE'],
      ],
      { octalMask: 0o777 },
    ),
    IPCGET: flags(
      [
        [0o1000, 'IPC_CREAT'],
        [0o2000, 'IPC_EXCL'],
        [0o4000, 'IPC_NOWAIT'],
      ],
      { octalMask: 0o777 },
    ),
    SEMCTL: names({
      0: 'IPC_RMID',
      1: 'IPC_SET',
      2: 'IPC_STAT',
      3: 'IPC_INFO',
      ...sequence(
        '',
        'GETPID GETVAL GETALL GETNCNT GETZCNT SETVAL SETALL SEM_STAT SEM_INFO SEM_STAT_ANY',
        11,
      ),
    }),
    /** sem_flg */
    SEMOP: flags([
      [0x1000, 'SEM_UNDO'],
      [0o4000, 'IPC_NOWAIT'],
    ]),
    MSGCTL: names({
      0: 'IPC_RMID',
      1: 'IPC_SET',
      2: 'IPC_STAT',
      3: 'IPC_INFO',
      ...sequence('', 'MSG_STAT MSG_INFO MSG_STAT_ANY', 11),
    }),
    MSGFLG: flags([
      [0o10000, 'MSG_NOERROR'],
      [0o20000, 'MSG_EXCEPT'],
      [0o40000, 'MSG_COPY'],
      [0o4000, 'IPC_NOWAIT'],
    ]),
    SHMAT: flags([
      [0o10000, 'SHM_RDONLY'],
      [0o20000, 'SHM_RND'],
      [0o40000, 'SHM_REMAP'],
      [0o100000, 'SHM_EXEC'],
    ]),
    SHMCTL: names({
      0: 'IPC_RMID',
      1: 'IPC_SET',
      2: 'IPC_STAT',
      3: 'IPC_INFO',
      11: 'SHM_LOCK',
      12: 'SHM_UNLOCK',
      13: 'SHM_STAT',
      14: 'SHM_INFO',
      15: 'SHM_STAT_ANY',
    }),
    CLONE: flags(
      [
        [0x100, 'CLONE_VM'],
        [0x200, 'CLONE_FS'],
        [0x400, 'CLONE_FILES'],
        [0x800, 'CLONE_SIGHAND'],
        [0x1000, 'CLONE_PIDFD'],
        [0x2000, 'CLONE_PTRACE'],
        [0x4000, 'CLONE_VFORK'],
        [0x8000, 'CLONE_PARENT'],
        [0x10000, 'CLONE_THREAD'],
        [0x20000, 'CLONE_NEWNS'],
        [0x40000, 'CLONE_SYSVSEM'],
        [0x80000, 'CLONE_SETTLS'],
        [0x100000, 'CLONE_PARENT_SETTID'],
        [0x200000, 'CLONE_CHILD_CLEARTID'],
        [0x400000, 'CLONE_DETACHED'],
        [0x800000, 'CLONE_UNTRACED'],
        [0x1000000, 'CLONE_CHILD_SETTID'],
        [0x2000000, 'CLONE_NEWCGROUP'],
        [0x4000000, 'CLONE_NEWUTS'],
        [0x8000000, 'CLONE_NEWIPC'],
        [0x10000000, 'CLONE_NEWUSER'],
        [0x20000000, 'CLONE_NEWPID'],
        [0x40000000, 'CLONE_NEWNET'],
        [0x80000000, 'CLONE_IO'],
      ],
      { field: { mask: 0xff, names: { 0: '', 17: 'SIGCHLD' } } },
    ),
    WAIT: flags([
      [1, 'WNOHANG'],
      [2, 'WSTOPPED'],
      [4, 'WEXITED'],
      [8, 'WCONTINUED'],
      [0x01000000, 'WNOWAIT'],
      [0x20000000, '__WNOTHREAD'],
      [0x40000000, '__WALL'],
      [0x80000000, '__WCLONE'],
    ]),
    P: names(sequence('P_', 'ALL PID PGID PIDFD')),
    CLD: names(sequence('CLD_', 'EXITED KILLED DUMPED TRAPPED STOPPED CONTINUED', 1)),
    CLOCK: names(
      sequence(
        'CLOCK_',
        'REALTIME MONOTONIC PROCESS_CPUTIME_ID THREAD_CPUTIME_ID MONOTONIC_RAW REALTIME_COARSE MONOTONIC_COARSE BOOTTIME',
      ),
    ),
    ITIMER: names({ 0: 'ITIMER_REAL', 1: 'ITIMER_VIRTUAL', 2: 'ITIMER_PROF' }),
    SIGEV: names({ 0: 'SIGEV_SIGNAL', 1: 'SIGEV_NONE', 2: 'SIGEV_THREAD', 4: 'SIGEV_THREAD_ID' }),
    SS: flags([
      [1, 'SS_ONSTACK'],
      [2, 'SS_DISABLE'],
      [0x80000000, 'SS_AUTODISARM'],
    ]),
    TIMER: flags([[1, 'TIMER_ABSTIME']]),
    FUTEX: flags(
      [
        [128, 'FUTEX_PRIVATE_FLAG'],
        [256, 'FUTEX_CLOCK_REALTIME'],
      ],
      {
        field: {
          mask: 127,
          names: sequence(
            'FUTEX_',
            'WAIT WAKE FD REQUEUE CMP_REQUEUE WAKE_OP LOCK_PI UNLOCK_PI TRYLOCK_PI WAIT_BITSET WAKE_BITSET ' +
              'WAIT_REQUEUE_PI CMP_REQUEUE_PI LOCK_PI2',
          ),
        },
      },
    ),
    AT: flags(AT_BITS),
    ACCESS: flags(
      [
        [4, 'R_OK'],
        [2, 'W_OK'],
        [1, 'X_OK'],
      ],
      { zero: 'F_OK' },
    ),
    SEEK: names(sequence('SEEK_', 'SET CUR END DATA HOLE')),
    FCNTL: names({
      ...sequence(
        'F_',
        'DUPFD GETFD SETFD GETFL SETFL GETLK SETLK SETLKW SETOWN GETOWN SETSIG GETSIG GETLK64 SETLK64 SETLKW64',
      ),
      1030: 'F_DUPFD_CLOEXEC',
      1031: 'F_SETPIPE_SZ',
      1032: 'F_GETPIPE_SZ',
      1033: 'F_ADD_SEALS',
      1034: 'F_GET_SEALS',
    }),
    IOCTL: names({
      0x5401: 'TCGETS',
      0x5402: 'TCSETS',
      0x540f: 'TIOCGPGRP',
      0x5410: 'TIOCSPGRP',
      0x5413: 'TIOCGWINSZ',
      0x541b: 'FIONREAD',
      0x5421: 'FIONBIO',
      0x5450: 'FIONCLEX',
      0x5451: 'FIOCLEX',
    }),
    SIGHOW: names(sequence('SIG_', 'BLOCK UNBLOCK SETMASK')),
    RLIMIT: names(
      sequence(
        'RLIMIT_',
        'CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME',
      ),
    ),
    RUSAGE: names({ 0: 'RUSAGE_SELF', [-1]: 'RUSAGE_CHILDREN', 1: 'RUSAGE_THREAD' }, 'decimal'),
    GRND: flags([
      [1, 'GRND_NONBLOCK'],
      [2, 'GRND_RANDOM'],
      [4, 'GRND_INSECURE'],
    ]),
    MFD: flags([
      [1, 'MFD_CLOEXEC'],
      [2, 'MFD_ALLOW_SEALING'],
      [4, 'MFD_HUGETLB'],
      [8, 'MFD_NOEXEC_SEAL'],
      [16, 'MFD_EXEC'],
    ]),
    RENAME: flags([
      [1, 'RENAME_NOREPLACE'],
      [2, 'RENAME_EXCHANGE'],
      [4, 'RENAME_WHITEOUT'],
    ]),
    STATX: flags([
      [0x7ff, 'STATX_BASIC_STATS'],
      [0x800, 'STATX_BTIME'],
      [1, 'STATX_TYPE'],
      [2, 'STATX_MODE'],
      [4, 'STATX_NLINK'],
      [8, 'STATX_UID'],
      [16, 'STATX_GID'],
      [32, 'STATX_ATIME'],
      [64, 'STATX_MTIME'],
      [128, 'STATX_CTIME'],
      [256, 'STATX_INO'],
      [512, 'STATX_SIZE'],
      [1024, 'STATX_BLOCKS'],
    ]),
    PRCTL: names({
      1: 'PR_SET_PDEATHSIG',
      2: 'PR_GET_PDEATHSIG',
      3: 'PR_GET_DUMPABLE',
      4: 'PR_SET_DUMPABLE',
      15: 'PR_SET_NAME',
      16: 'PR_GET_NAME',
      38: 'PR_SET_NO_NEW_PRIVS',
      39: 'PR_GET_NO_NEW_PRIVS',
      36: 'PR_SET_CHILD_SUBREAPER',
    }),
    MEMBARRIER: names({
      0: 'MEMBARRIER_CMD_QUERY',
      1: 'MEMBARRIER_CMD_GLOBAL',
      8: 'MEMBARRIER_CMD_PRIVATE_EXPEDITED',
      16: 'MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED',
    }),
    SCHED: names(sequence('SCHED_', 'OTHER FIFO RR BATCH ISO IDLE DEADLINE')),
    SA: flags([
      [1, 'SA_NOCLDSTOP'],
      [2, 'SA_NOCLDWAIT'],
      [4, 'SA_SIGINFO'],
      [0x04000000, 'SA_RESTORER'],
      [0x08000000, 'SA_ONSTACK'],
      [0x10000000, 'SA_RESTART'],
      [0x40000000, 'SA_NODEFER'],
      [0x80000000, 'SA_RESETHAND'],
    ]),
    PRIO: names(sequence('PRIO_', 'PROCESS PGRP USER')),
  }) as const satisfies Record<string, NameTable>;

type NameTables = ReturnType<typeof makeTables>;
export type NameTableKey = keyof NameTables;

let tables: NameTables | null = null;

/** All of them, by the type name that rows use; made when somebody asks first. */
export function nameTables(): NameTables {
  return (tables ??= makeTables());
}

/** One flag word or number as strace prints it: "O_RDONLY|O_CLOEXEC", "IPC_CREAT|0600", "0x40". */
export function formatNamed(table: NameTable, raw: number): string {
  if (table.kind === 'names') {
    const value = table.names[raw] ?? table.names[raw >>> 0];
    if (value !== undefined) return value;
    return table.otherwise === 'hex' ? `0x${(raw >>> 0).toString(16)}` : String(raw);
  }
  let rest = raw >>> 0;
  const parts: string[] = [];
  if (table.field !== undefined) {
    const value = rest & table.field.mask;
    const text = table.field.names[value] ?? `0x${value.toString(16)}`;
    if (text !== '') parts.push(text);
    rest = (rest & ~table.field.mask) >>> 0;
  }
  for (const [bit, text] of table.bits) {
    if ((rest & bit) >>> 0 !== bit >>> 0) continue;
    parts.push(text);
    rest = (rest & ~bit) >>> 0;
  }
  const octal = table.octalMask ?? 0;
  const low = rest & octal;
  rest = (rest & ~octal) >>> 0;
  if (rest !== 0) parts.push(`0x${rest.toString(16)}`);
  if (low !== 0) parts.push(`0${low.toString(8)}`);
  return parts.length === 0 ? (table.zero ?? '0') : parts.join('|');
}
