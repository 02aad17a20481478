/**
 * What a sequence of the model test is made of: one row per operation, with its arguments (domains.ts) and with how it is
 * shown to people. A new operation is one row here and one function in guest/.
 */
import fc from 'fast-check';
import {
  address,
  addressVariable,
  advice,
  among,
  arenaPage,
  attachAddress,
  badCommand,
  badPointer,
  bytes,
  capability,
  count,
  createMode,
  domain,
  fallocateMode,
  file,
  fileName,
  fileOffset,
  filePage,
  fileSize,
  futex,
  futexBits,
  futexCount,
  futexValue,
  getFlags,
  groupCount,
  index,
  infoOf,
  isPrivate,
  key,
  length,
  limit,
  mapFileFlags,
  memfdFlags,
  mclFlags,
  memlock,
  messageSize,
  mlockFlags,
  mmapFlags,
  mode,
  mremapFlags,
  named,
  noProtection,
  nowait,
  number,
  openFlags,
  operationOfSem,
  owner,
  pages,
  protection,
  queue,
  queueVariable,
  receiveFlags,
  receiveSize,
  requeueValue,
  seals,
  segment,
  segmentVariable,
  semCommand,
  semFlags,
  semLimit,
  semValue,
  semaphoreVariable,
  set,
  shmatFlags,
  shmgetFlags,
  signal,
  size,
  statCommand,
  statOf,
  status,
  syncFlags,
  sysctl,
  target,
  targetPid,
  timeout,
  times,
  type,
  user,
  value,
  valueOrRead,
  wakeOperation,
  wantedType,
  whence,
  wordAddress,
  type Domain,
} from './domains.ts';

/** One step: a worker carries out an operation. */
export interface Step {
  readonly worker: number;
  readonly name: string;
  /** The driver's words. */
  readonly args: readonly string[];
}

export type Sequence = readonly Step[];

export interface Operation {
  readonly name: string;
  /** How often it is chosen, relative to the others. */
  readonly weight: number;
  readonly args: readonly Domain[];
  /** The step as C would say it; `a` are the shown arguments. */
  readonly show: (a: readonly string[]) => string;
}

const call =
  (name: string) =>
  (a: readonly string[]): string =>
    `${name}(${a.join(', ')})`;
const assigned =
  (name: string) =>
  ([variable, ...rest]: readonly string[]): string =>
    `${variable} = ${name}(${rest.join(', ')})`;

function operation(
  weight: number,
  name: string,
  args: readonly Domain[],
  show: (a: readonly string[]) => string = call(name),
): Operation {
  return { name, weight, args, show };
}

export const OPERATIONS: readonly Operation[] = [
  operation(10, 'shmget', [segmentVariable, key, size, shmgetFlags], assigned('shmget')),
  operation(14, 'shmat', [addressVariable, segment, attachAddress, shmatFlags], assigned('shmat')),
  operation(6, 'shmdt', [address]),
  operation(2, 'stat', [statCommand, segment], ([command, id]) => `shmctl(${id}, ${command})`),
  operation(2, 'stat', [statCommand, index], ([command, id]) => `shmctl(${id}, ${command})`),
  operation(
    4,
    'set',
    [segment, owner, owner, mode],
    (a) => `shmctl(${a[0]}, IPC_SET, ${a.slice(1).join(', ')})`,
  ),
  operation(4, 'control', [segment, named(fc.constant('0'), 'SHMCTL')], call('shmctl')),
  operation(4, 'control', [segment, named(among(11, 12), 'SHMCTL')], call('shmctl')),
  operation(1, 'bad_control', [segment, badCommand, badPointer], call('shmctl')),
  operation(1, 'ipc_info', []),
  operation(1, 'shm_info', []),
  operation(5, 'munmap', [address, pages]),
  operation(5, 'mprotect', [address, pages, protection]),
  operation(
    5,
    'mremap',
    [addressVariable, address, pages, pages, mremapFlags, domain(arenaPage)],
    assigned('mremap'),
  ),
  operation(3, 'madvise', [address, pages, advice]),
  operation(2, 'mlock', [address, pages]),
  operation(1, 'mlock2', [address, pages, mlockFlags]),
  operation(1, 'munlock', [address, pages]),
  operation(1, 'mlockall', [mclFlags]),
  operation(1, 'munlockall', []),
  operation(1, 'remap_file_pages', [address, pages, noProtection, filePage, mmapFlags]),
  operation(3, 'mmap', [addressVariable, address, pages, protection, mmapFlags], assigned('mmap')),
  operation(1, 'mincore', [address, pages]),
  operation(5, 'get', [wordAddress]),
  operation(6, 'put', [wordAddress, value]),
  operation(2, 'touch', [wordAddress, valueOrRead]),
  operation(3, 'probe', [wordAddress, valueOrRead]),
  operation(5, 'guard', [wordAddress, valueOrRead]),
  operation(6, 'futex_wait', [futex, futexValue, isPrivate, futexBits]),
  operation(6, 'futex_wake', [futex, futexCount, isPrivate, futexBits]),
  operation(2, 'futex_requeue', [futex, futexCount, futexCount, futex, requeueValue, isPrivate]),
  operation(1, 'futex_wake_op', [futex, futexCount, futex, futexCount, wakeOperation, isPrivate]),
  operation(8, 'fork', [target]),
  operation(1, 'fork_ipc', [target]),
  operation(2, 'exec', []),
  operation(2, 'exit', [status]),
  operation(3, 'kill', [targetPid, signal]),
  operation(5, 'resuid', [user, user, user], call('setresuid')),
  operation(2, 'resgid', [user, user, user], call('setresgid')),
  operation(1, 'groups', [groupCount, owner, owner], call('setgroups')),
  operation(2, 'drop_cap', [capability]),
  operation(1, 'memlock', [memlock]),
  operation(3, 'sysctl', [sysctl, limit], ([file, number]) => `echo ${number} > ${file}`),
  operation(1, 'sem_limits', [semLimit, semLimit, semLimit, semLimit], (a) => `echo ${a.join(' ')} > sem`),
  operation(1, 'read_sysctl', [sysctl], ([file]) => `cat ${file}`),
  operation(1, 'unshare', [], () => 'unshare(CLONE_NEWIPC)'),
  operation(5, 'semget', [semaphoreVariable, key, count, getFlags], assigned('semget')),
  operation(6, 'semctl', [set, number, semCommand, semValue]),
  operation(3, 'sem_all', [set], ([id]) => `semctl(${id}, 0, GETALL)`),
  operation(1, 'sem_setall', [set, semValue, semValue, semValue]),
  operation(1, 'sem_info', [infoOf(19)], ([command]) => `semctl(0, 0, ${command})`),
  operation(1, 'sem_stat', [statOf(18), set], ([command, id]) => `semctl(${id}, 0, ${command})`),
  operation(
    2,
    'sem_set',
    [set, owner, owner, mode],
    (a) => `semctl(${a[0]}, 0, IPC_SET, ${a.slice(1).join(', ')})`,
  ),
  operation(12, 'semop', [set, times, number, operationOfSem, semFlags, number, operationOfSem, semFlags]),
  operation(2, 'semtimedop', [set, number, operationOfSem, semFlags, timeout]),
  operation(4, 'msgget', [queueVariable, key, getFlags], assigned('msgget')),
  operation(7, 'msgsnd', [queue, type, messageSize, nowait]),
  operation(7, 'msgrcv', [queue, receiveSize, wantedType, receiveFlags]),
  operation(1, 'msgctl', [queue, named(fc.constant('0'), 'SHMCTL')]),
  operation(1, 'msg_info', [infoOf(12)], ([command]) => `msgctl(0, ${command})`),
  operation(1, 'msg_stat', [statOf(11), queue], ([command, id]) => `msgctl(${id}, ${command})`),
  operation(
    2,
    'msg_set',
    [queue, owner, owner, mode, bytes],
    (a) => `msgctl(${a[0]}, IPC_SET, ${a.slice(1).join(', ')})`,
  ),
  operation(3, 'maps', [], () => 'cat /proc/self/maps'),
  operation(3, 'smaps', [], () => 'cat /proc/self/smaps'),
  operation(4, 'memfd', [file, memfdFlags], assigned('memfd_create')),
  operation(5, 'shm_open', [file, fileName, openFlags, createMode], assigned('shm_open')),
  operation(2, 'shm_unlink', [fileName]),
  operation(1, 'close', [file]),
  operation(8, 'ftruncate', [file, fileSize]),
  operation(6, 'fallocate', [file, fallocateMode, fileOffset, length]),
  operation(4, 'add_seals', [file, seals], ([f, word]) => `fcntl(${f}, F_ADD_SEALS, ${word})`),
  operation(1, 'get_seals', [file], ([f]) => `fcntl(${f}, F_GET_SEALS)`),
  operation(4, 'fstat', [file]),
  operation(4, 'pread', [file, fileOffset]),
  operation(5, 'pwrite', [file, fileOffset, value]),
  operation(3, 'lseek', [file, fileOffset, whence]),
  operation(
    14,
    'map_file',
    [addressVariable, address, pages, protection, mapFileFlags, file, filePage],
    assigned('mmap'),
  ),
  operation(2, 'msync', [address, pages, syncFlags]),
];

/** The sequence as the driver reads it. */
export function encode(sequence: Sequence): string {
  return `sequence\n${sequence.map((step) => `${encodeStep(step)}\n`).join('')}end\n`;
}

export function encodeStep({ worker, name, args }: Step): string {
  return [worker, name, ...args].join(' ');
}

/** A step as a person reads it: `w0: s0 = shmget(0x5a, 8192, IPC_CREAT|0600)`. */
export function show({ worker, name, args }: Step): string {
  const rows = OPERATIONS.filter((row) => row.name === name && row.args.length === args.length);
  const [row] = rows;
  if (row === undefined) return `w${worker}: ${name} ${args.join(' ')}`;
  return `w${worker}: ${row.show(args.map((word, i) => row.args[i]?.show(word) ?? word))}`;
}

/** A step from its line. */
export function decodeStep(line: string): Step {
  const [worker, name, ...args] = line.split(' ');
  return { worker: Number(worker), name: name ?? '', args };
}
