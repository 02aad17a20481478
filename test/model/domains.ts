/**
 * The values that arguments of the model test's operations take, as fast-check arbitraries of the words that the driver reads
 * (guest/coordinator.c), and how they are shown to people.
 *
 * Domains are small, so that steps meet: four workers, four variables for ids, six for addresses, three for files, a few keys and
 * users.
 */
import fc from 'fast-check';
import { formatNamed, nameTables, type NameTableKey } from '../../kernel-ts/syscalls/flagNames.ts';

/** The values of an argument and how one is shown. */
export interface Domain {
  readonly words: fc.Arbitrary<string>;
  readonly show: (word: string) => string;
}

const plain = (word: string): string => word;

/** Values and how often each is taken. */
function weighted(...values: readonly (readonly [number, string | number])[]): fc.Arbitrary<string> {
  return fc.oneof(...values.map(([weight, value]) => ({ weight, arbitrary: fc.constant(String(value)) })));
}

export const among = (...values: readonly (string | number)[]): fc.Arbitrary<string> =>
  fc.constantFrom(...values.map(String));

export const domain = (words: fc.Arbitrary<string>, show: (word: string) => string = plain): Domain => ({
  words,
  show,
});

/** A domain whose values have names in strace. */
export const named = (words: fc.Arbitrary<string>, table: NameTableKey): Domain =>
  domain(words, (word) => formatNamed(nameTables()[table], Number(word)));

/** The bits of a word, each there or not, with a chance of `one` in `of`; numbers may be any mask. */
const bits = (
  ...chances: readonly (readonly [mask: number, one: number, of: number])[]
): fc.Arbitrary<string> =>
  fc
    .tuple(
      ...chances.map(([mask, one, of]) =>
        fc.integer({ min: 0, max: of - 1 }).map((n) => (n >= of - one ? mask : 0)),
      ),
    )
    .map((masks) => String(masks.reduce((word, mask) => word | mask, 0)));

const octal = (word: string): string => `0${Number(word).toString(8)}`;

// Identifiers

const VARIABLES = [0, 1, 2] as const;
export const segmentVariable = domain(among(...VARIABLES), (word) => `s${word}`);
export const segment = domain(
  weighted([30, 's0'], [20, 's1'], [12, 's2'], [1, -1], [1, 0], [1, 1], [1, 32768], [1, 0x7fffffff]),
);
/** Indices of SHM_STAT. */
export const index = domain(weighted([5, 0], [4, 1], [2, 2], [1, 3], [1, -1], [1, 32768]));
export const key = domain(weighted([4, 0x5a], [2, 0x5b], [2, 0]), (word) =>
  word === '0' ? 'IPC_PRIVATE' : `0x${Number(word).toString(16)}`,
);
/** Without SHM_HUGETLB: what it answers is a matter of configuration. */
export const size = domain(
  weighted([4, 8192], [4, 4096], [3, 16384], [2, 5000], [1, 1], [1, 0], [1, 0xff00_0000]),
);
const permission = weighted(
  [6, 0o600],
  [4, 0o666],
  [3, 0o644],
  [2, 0o640],
  [2, 0o400],
  [2, 0o200],
  [2, 0o777],
  [1, 0o060],
  [1, 0o006],
  [1, 0],
);
export const shmgetFlags = named(
  fc
    .tuple(permission, bits([0o1000, 3, 4], [0o2000, 1, 8], [0o10000, 1, 20]))
    .map(([mode, flags]) => String(Number(mode) | Number(flags))),
  'SHMGET',
);
export const mode = domain(
  fc
    .tuple(permission, bits([0o1000, 1, 12], [0o2000, 1, 12]))
    .map(([low, high]) => String(Number(low) | Number(high))),
  octal,
);

// Addresses

export const addressVariable = domain(among(0, 1, 2), (word) => `a${word}`);
const offset = (words: fc.Arbitrary<string>, unit: number): fc.Arbitrary<string> =>
  words.map((pages) => (pages === '0' ? '' : `+${Number(pages) * unit}`));
const variablePlus = fc
  .tuple(weighted([6, 'a0'], [4, 'a1'], [2, 'a2']), offset(weighted([8, 0], [4, 1], [2, 2], [1, 3]), 4096))
  .map((parts) => parts.join(''));
export const arenaPage = fc.integer({ min: 0, max: 11 }).map((page) => `@${page}`);
const unaligned = fc.tuple(fc.oneof(variablePlus, arenaPage), among(1, 16, 4095)).map(([at, n]) => {
  const [base, more] = at.split('+');
  return `${base}+${Number(more ?? 0) + Number(n)}`;
});
/** Somewhere in or near what is mapped, at the start of a page but for a few. */
export const address = domain(
  fc.oneof(
    { weight: 30, arbitrary: variablePlus },
    { weight: 12, arbitrary: arenaPage },
    { weight: 2, arbitrary: unaligned },
    { weight: 1, arbitrary: fc.constant('0') },
  ),
);
export const attachAddress = domain(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant('0') },
    { weight: 10, arbitrary: arenaPage },
    { weight: 4, arbitrary: variablePlus },
    { weight: 2, arbitrary: unaligned },
    { weight: 1, arbitrary: among(1, 0x1000, 0x1001) },
  ),
);
/** A word of memory: the first, the last or another of a page. */
export const wordAddress = domain(
  fc
    .tuple(
      fc.oneof({ weight: 5, arbitrary: variablePlus }, { weight: 1, arbitrary: arenaPage }),
      weighted([4, 0], [1, 4092], [1, 904]),
    )
    .map(([at, n]) => {
      const [base, more] = at.split('+');
      return `${base}+${Number(more ?? 0) + Number(n)}`;
    }),
);
export const pages = domain(weighted([6, 1], [4, 2], [2, 3], [2, 4], [1, 8], [1, 0]));
export const value = domain(fc.integer({ min: 1, max: 999 }).map(String));
export const valueOrRead = domain(fc.oneof(fc.constant('0'), value.words));
/** Without PROT_EXEC alone, which makes memory readable on x86. */
export const protection = named(weighted([4, 3], [4, 1], [2, 0], [1, 5], [1, 7], [1, 2]), 'PROT');
export const shmatFlags = named(
  bits([0o10000, 1, 3], [0o20000, 1, 3], [0o40000, 1, 3], [0o100000, 1, 8]),
  'SHMAT',
);
export const mremapFlags = named(weighted([4, 1], [2, 0], [3, 3], [1, 2], [1, 5], [1, 7]), 'MREMAP');
export const advice = named(
  weighted(
    [5, 4],
    [1, 0],
    [1, 1],
    [1, 2],
    [1, 3],
    [1, 8],
    [2, 9],
    [2, 10],
    [1, 11],
    [1, 16],
    [1, 17],
    [1, 18],
    [1, 20],
    [1, 21],
    [1, 22],
    [1, 23],
    [1, 99],
  ),
  'MADV',
);
/** MLOCK_ONFAULT, none, and one that is none. */
export const mlockFlags = domain(weighted([4, 1], [2, 0], [1, 2]));
/** MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT. */
export const mclFlags = domain(
  weighted([3, 1], [2, 2], [2, 3], [2, 5], [1, 6], [1, 7], [1, 4], [1, 0], [1, 8]),
);
/** What remap_file_pages wants, mostly. */
export const noProtection = domain(weighted([8, 0], [1, 1]));
export const mmapFlags = named(
  fc
    .tuple(among(0x02, 0x01), weighted([6, 0x10], [2, 0], [1, 0x10_0010]))
    .map(([kind, fixed]) => String(Number(kind) | Number(fixed))),
  'MAP',
);

// Processes and users

export const target = domain(among(1, 2, 3, 0), (word) => `w${word}`);
export const targetPid = domain(among('p1', 'p2', 'p0', 'p3'), (word) => `w${word.slice(1)}`);
/** SIGUSR1 and SIGUSR2 have handlers, with and without SA_RESTART; of the others SIGKILL and SIGTERM end a worker. */
export const signal = domain(weighted([3, 9], [1, 0], [1, 15], [1, 99], [3, 10], [3, 12]));
export const status = domain(among(0, 3));
export const user = domain(weighted([4, 1000], [3, 1001], [2, 0], [2, -1]));
export const owner = domain(weighted([4, 1000], [3, 1001], [3, 0], [1, -1]));
export const groupCount = domain(among(0, 1, 2));

// Limits

const CAPABILITIES: Readonly<Record<string, string>> = {
  1: 'CAP_DAC_OVERRIDE',
  3: 'CAP_FOWNER',
  5: 'CAP_KILL',
  6: 'CAP_SETGID',
  7: 'CAP_SETUID',
  14: 'CAP_IPC_LOCK',
  15: 'CAP_IPC_OWNER',
  21: 'CAP_SYS_ADMIN',
};
const sysctls = [
  'shmmax',
  'shmall',
  'shmmni',
  'shm_rmid_forced',
  'shm_next_id',
  'msgmax',
  'msgmnb',
  'msgmni',
  'msg_next_id',
  'sem_next_id',
];
export const sysctl = domain(
  weighted(...sysctls.map((_name, number): [number, number] => [1, number])),
  (word) => sysctls[Number(word)] ?? word,
);
export const limit = domain(
  weighted(
    [3, 1],
    [2, 0],
    [2, 2],
    [2, 3],
    [1, 8192],
    [1, 4096],
    [1, 5],
    [1, -1],
    [1, 32768],
    [1, 32769],
    [1, 65540],
  ),
);
/** One of SEMMSL, SEMMNS, SEMOPM and SEMMNI. */
export const semLimit = domain(
  weighted([3, 3], [3, 32000], [2, 1], [1, 2], [1, 0], [1, 8], [1, 32769], [1, -1]),
);
/** Without CAP_SYS_RESOURCE, which root has not in every container. */
export const capability = domain(
  weighted([2, 1], [1, 3], [1, 5], [1, 6], [1, 7], [4, 14], [5, 15], [4, 21]),
  (word) => CAPABILITIES[word] ?? word,
);
export const memlock = domain(weighted([1, 0], [1, 4096], [1, 8192], [1, 16384], [1, 65536], [1, 131072]));
export const statCommand = named(among(2, 13, 15), 'SHMCTL');
export const badCommand = named(
  weighted([3, 2], [2, 1], [1, 3], [1, 14], [1, 13], [1, 15], [1, 0], [1, 11], [2, 99], [1, -1]),
  'SHMCTL',
);
export const badPointer = domain(weighted([1, 0], [1, 8], [1, 0xffff_fff0], [1, '@63']));

// Futexes

/** Where a futex may be: a word of a page, sometimes none. */
export const futex = domain(
  fc
    .tuple(
      fc.oneof(
        { weight: 4, arbitrary: fc.constant('a0') },
        { weight: 2, arbitrary: among('a1', '@0', '@1') },
      ),
      weighted([12, 0], [3, 4096], [1, 904], [1, 2]),
    )
    .map(([base, more]) => (more === '0' ? base : `${base}+${more}`)),
);
/** What a word holds, mostly. */
export const futexValue = domain(weighted([12, 0], [1, 1]));
export const isPrivate = domain(weighted([3, 0], [1, 1]), (word) => (word === '0' ? 'shared' : 'private'));
export const futexBits = domain(weighted([8, 0xffff_ffff], [2, 1], [2, 2], [1, 0]));
export const futexCount = domain(weighted([6, 1], [2, 0], [2, 2], [2, 0x7fff_ffff], [1, -1]));
export const requeueValue = domain(weighted([3, -1], [3, 0], [1, 1]));
/** FUTEX_OP_SET, ADD, OR, ANDN, XOR of 1, with comparisons to 0 and 1; an operation and a comparison that are none. */
export const wakeOperation = domain(
  weighted(
    [3, 0x0000_1000],
    [2, 0x1000_1000],
    [1, 0x2100_1001],
    [1, 0x3200_1000],
    [1, 0x4300_1001],
    [1, 0x8400_3000],
    [1, 0x0500_1001],
    [1, 0x5000_1000],
    [1, 0x0600_1000],
  ),
  (word) => `0x${Number(word).toString(16)}`,
);

// Semaphores and messages

export const semaphoreVariable = domain(among(4, 5), (word) => `e${Number(word) - 4}`);
export const set = domain(weighted([30, 'e0'], [12, 'e1'], [1, -1], [1, 0], [1, 32768]));
export const queueVariable = domain(among(8, 9), (word) => `q${Number(word) - 8}`);
export const queue = domain(weighted([30, 'q0'], [12, 'q1'], [1, -1], [1, 0], [1, 32768]));
export const getFlags = named(
  fc
    .tuple(permission, bits([0o1000, 3, 4], [0o2000, 1, 8]))
    .map(([low, flags]) => String(Number(low) | Number(flags))),
  'SHMGET',
);
export const count = domain(weighted([4, 3], [3, 1], [1, 0], [1, 2]));
export const number = domain(weighted([6, 0], [4, 1], [2, 2], [1, 3]));
export const operationOfSem = domain(weighted([4, -1], [4, 1], [2, 0], [2, -2], [2, 2], [1, 32767]));
export const semFlags = domain(weighted([3, 0], [3, 0o4000], [2, 0o10000], [2, 0o14000]), octal);
export const semCommand = domain(
  weighted([3, 16], [2, 12], [1, 11], [2, 14], [2, 15], [2, 0], [1, 99]),
  (word) =>
    ({ 16: 'SETVAL', 12: 'GETVAL', 11: 'GETPID', 14: 'GETNCNT', 15: 'GETZCNT', 0: 'IPC_RMID' })[
      Number(word)
    ] ?? word,
);
export const semValue = domain(weighted([3, 1], [3, 0], [2, 2], [1, 32767], [1, 32768], [1, -1]));
export const times = domain(weighted([5, 1], [4, 2], [1, 0]));
export const statOf = (stat: number): Domain =>
  domain(among(2, stat), (word) => (word === '2' ? 'IPC_STAT' : 'STAT'));
/** None to wait; too many nanoseconds, a time before, fewer than none. */
export const timeout = domain(weighted([5, 0], [1, 1], [1, 2], [1, 3]));
export const infoOf = (info: number): Domain =>
  domain(among(3, info), (word) => (word === '3' ? 'IPC_INFO' : 'INFO'));
export const type = domain(weighted([4, 1], [3, 2], [2, 3], [1, 0], [1, -1]));
export const wantedType = domain(weighted([4, 0], [3, 1], [2, 2], [2, -2], [1, -1], [1, -3]));
export const messageSize = domain(weighted([4, 8], [2, 0], [2, 100], [2, 8192], [1, 8193], [1, 4000]));
export const receiveSize = domain(weighted([5, 8192], [3, 8], [1, 0], [1, 50]));
export const nowait = domain(weighted([1, 0], [1, 0o4000]), octal);
export const receiveFlags = domain(
  bits([0o4000, 1, 2], [0o10000, 1, 3], [0o20000, 1, 5], [0o40000, 1, 8]),
  octal,
);
/** Up to msgmnb: more needs CAP_SYS_RESOURCE, which root has not in every container. */
export const bytes = domain(weighted([2, 16384], [2, 100], [1, 0]));

// Files that are shared memory

export const file = domain(weighted([16, 0], [4, 1], [1, 2]), (word) => `f${word}`);
export const fileName = domain(weighted([3, 0], [1, 1]), (word) => `"/model-${word}"`);
export const memfdFlags = named(weighted([6, 2], [2, 0], [1, 8], [1, 1], [1, 0x80]), 'MFD');
/** O_CREAT mostly; with O_EXCL or O_TRUNC, for reading alone or for writing alone. */
export const openFlags = named(
  fc
    .tuple(weighted([8, 2], [2, 0], [1, 1]), bits([0o100, 4, 5], [0o200, 1, 6], [0o1000, 1, 6]))
    .map(([access, more]) => String(Number(access) | Number(more))),
  'O',
);
export const createMode = domain(permission, octal);
export const fileSize = domain(
  weighted([4, 8192], [3, 4096], [3, 16384], [2, 0], [2, 5000], [1, 1], [1, 12288], [1, 4097], [1, -1]),
);
export const fileOffset = domain(
  weighted([5, 0], [3, 4096], [2, 8192], [1, 904], [1, 4094], [1, 4999], [1, 12288], [1, 16384], [1, -1]),
);
/** FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE with and without it, and what tmpfs has not. */
export const fallocateMode = domain(weighted([6, 3], [4, 0], [2, 1], [1, 2], [1, 8], [1, 16], [1, 0x200]));
export const length = domain(
  weighted([5, 4096], [3, 8192], [2, 100], [2, 5000], [1, 16384], [1, 0], [1, -1]),
);
/** F_SEAL_SEAL, SHRINK, GROW, WRITE, FUTURE_WRITE, EXEC. */
export const seals = domain(
  weighted([2, 2], [2, 4], [3, 8], [3, 16], [1, 6], [1, 1], [1, 32], [1, 0], [1, 64]),
);
export const whence = named(weighted([3, 3], [3, 4], [1, 0], [1, 1], [1, 2], [1, 5]), 'SEEK');
/** Shared mostly; MAP_SHARED_VALIDATE and no kind at all too. */
export const mapFileFlags = named(
  fc
    .tuple(
      weighted([9, 0x01], [4, 0x02], [1, 0x03], [1, 0x00]),
      weighted([6, 0x10], [3, 0], [1, 0x10_0010], [1, 0x8010], [1, 0x4010]),
    )
    .map(([kind, more]) => String(Number(kind) | Number(more))),
  'MAP',
);
export const filePage = domain(weighted([6, 0], [3, 1], [2, 2], [1, 3], [1, 8]));
export const syncFlags = named(weighted([3, 4], [2, 1], [1, 2], [1, 6], [1, 5], [1, 0], [1, 8]), 'MS');
