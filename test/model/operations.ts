/**
 * What a sequence of the model test is made of: one row per operation, with its arguments as fast-check arbitraries of the
 * words that the driver reads (guest/coordinator.c), and with how they are shown to people. A new operation is one row
 * here and one function in guest/operations.c.
 *
 * Domains are small, so that steps meet: four workers, four variables for ids, six for addresses, a few keys and users.
 */
import fc from 'fast-check';
import { formatNamed, NAME_TABLES, type NameTableKey } from '../../kernel-ts/syscalls/flagNames.ts';

/** One step: a worker carries out an operation. */
export interface Step {
  readonly worker: number;
  readonly name: string;
  /** The driver's words. */
  readonly args: readonly string[];
}

export type Sequence = readonly Step[];

/** The values of an argument and how one is shown. */
interface Domain {
  readonly words: fc.Arbitrary<string>;
  readonly show: (word: string) => string;
}

interface Operation {
  readonly name: string;
  /** How often it is chosen, relative to the others. */
  readonly weight: number;
  readonly args: readonly Domain[];
  /** The step as C would say it; `a` are the shown arguments. */
  readonly show: (a: readonly string[]) => string;
}

const plain = (word: string): string => word;

/** Values and how often each is taken. */
function weighted(...values: readonly (readonly [number, string | number])[]): fc.Arbitrary<string> {
  return fc.oneof(...values.map(([weight, value]) => ({ weight, arbitrary: fc.constant(String(value)) })));
}

const among = (...values: readonly (string | number)[]): fc.Arbitrary<string> =>
  fc.constantFrom(...values.map(String));

const domain = (words: fc.Arbitrary<string>, show: (word: string) => string = plain): Domain => ({
  words,
  show,
});

/** A domain whose values have names in strace. */
const named = (words: fc.Arbitrary<string>, table: NameTableKey): Domain =>
  domain(words, (word) => formatNamed(NAME_TABLES[table], Number(word)));

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
const segmentVariable = domain(among(...VARIABLES), (word) => `s${word}`);
const segment = domain(
  weighted([30, 's0'], [20, 's1'], [12, 's2'], [1, -1], [1, 0], [1, 1], [1, 32768], [1, 0x7fffffff]),
);
/** Indices of SHM_STAT. */
const index = domain(weighted([5, 0], [4, 1], [2, 2], [1, 3], [1, -1], [1, 32768]));
const key = domain(weighted([4, 0x5a], [2, 0x5b], [2, 0]), (word) =>
  word === '0' ? 'IPC_PRIVATE' : `0x${Number(word).toString(16)}`,
);
/** Without SHM_HUGETLB: what it answers is a matter of configuration. */
const size = domain(weighted([4, 8192], [4, 4096], [3, 16384], [2, 5000], [1, 1], [1, 0], [1, 0xff00_0000]));
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
const shmgetFlags = named(
  fc
    .tuple(permission, bits([0o1000, 3, 4], [0o2000, 1, 8], [0o10000, 1, 20]))
    .map(([mode, flags]) => String(Number(mode) | Number(flags))),
  'SHMGET',
);
const mode = domain(
  fc
    .tuple(permission, bits([0o1000, 1, 12], [0o2000, 1, 12]))
    .map(([low, high]) => String(Number(low) | Number(high))),
  octal,
);

// Addresses

const addressVariable = domain(among(0, 1, 2), (word) => `a${word}`);
const offset = (words: fc.Arbitrary<string>, unit: number): fc.Arbitrary<string> =>
  words.map((pages) => (pages === '0' ? '' : `+${Number(pages) * unit}`));
const variablePlus = fc
  .tuple(weighted([6, 'a0'], [4, 'a1'], [2, 'a2']), offset(weighted([8, 0], [4, 1], [2, 2], [1, 3]), 4096))
  .map((parts) => parts.join(''));
const arenaPage = fc.integer({ min: 0, max: 11 }).map((page) => `@${page}`);
const unaligned = fc.tuple(fc.oneof(variablePlus, arenaPage), among(1, 16, 4095)).map(([at, n]) => {
  const [base, more] = at.split('+');
  return `${base}+${Number(more ?? 0) + Number(n)}`;
});
/** Somewhere in or near what is mapped, at the start of a page but for a few. */
const address = domain(
  fc.oneof(
    { weight: 30, arbitrary: variablePlus },
    { weight: 12, arbitrary: arenaPage },
    { weight: 2, arbitrary: unaligned },
    { weight: 1, arbitrary: fc.constant('0') },
  ),
);
const attachAddress = domain(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant('0') },
    { weight: 10, arbitrary: arenaPage },
    { weight: 4, arbitrary: variablePlus },
    { weight: 2, arbitrary: unaligned },
    { weight: 1, arbitrary: among(1, 0x1000, 0x1001) },
  ),
);
/** A word of memory: the first, the last or another of a page. */
const wordAddress = domain(
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
const pages = domain(weighted([6, 1], [4, 2], [2, 3], [2, 4], [1, 8], [1, 0]));
const value = domain(fc.integer({ min: 1, max: 999 }).map(String));
const valueOrRead = domain(fc.oneof(fc.constant('0'), value.words));
/** Without PROT_EXEC alone, which makes memory readable on x86. */
const protection = named(weighted([4, 3], [4, 1], [2, 0], [1, 5], [1, 7], [1, 2]), 'PROT');
const shmatFlags = named(bits([0o10000, 1, 3], [0o20000, 1, 3], [0o40000, 1, 3], [0o100000, 1, 8]), 'SHMAT');
const mremapFlags = named(weighted([4, 1], [2, 0], [3, 3], [1, 2], [1, 5], [1, 7]), 'MREMAP');
const advice = named(
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
const mmapFlags = named(
  fc
    .tuple(among(0x02, 0x01), weighted([6, 0x10], [2, 0], [1, 0x10_0010]))
    .map(([kind, fixed]) => String(Number(kind) | Number(fixed))),
  'MAP',
);

// Processes and users

const target = domain(among(1, 2, 3, 0), (word) => `w${word}`);
const targetPid = domain(among('p1', 'p2', 'p0', 'p3'), (word) => `w${word.slice(1)}`);
const signal = domain(weighted([3, 9], [1, 0], [1, 15], [1, 99]));
const status = domain(among(0, 3));
const user = domain(weighted([4, 1000], [3, 1001], [2, 0], [2, -1]));
const owner = domain(weighted([4, 1000], [3, 1001], [3, 0], [1, -1]));
const groupCount = domain(among(0, 1, 2));

// Limits

const sysctls = ['shmmax', 'shmall', 'shmmni', 'shm_rmid_forced', 'shm_next_id'];
const sysctl = domain(
  weighted([2, 0], [2, 1], [2, 2], [2, 3], [2, 4]),
  (word) => sysctls[Number(word)] ?? word,
);
const limit = domain(
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
const memlock = domain(weighted([1, 0], [1, 4096], [1, 8192], [1, 16384], [1, 65536], [1, 131072]));
const statCommand = named(among(2, 13, 15), 'SHMCTL');
const badCommand = named(
  weighted([3, 2], [2, 1], [1, 3], [1, 14], [1, 13], [1, 15], [1, 0], [1, 11], [2, 99], [1, -1]),
  'SHMCTL',
);
const badPointer = domain(weighted([1, 0], [1, 8], [1, 0xffff_fff0], [1, '@63']));

// Semaphores and messages

const semaphoreVariable = domain(among(4, 5), (word) => `e${Number(word) - 4}`);
const set = domain(weighted([30, 'e0'], [12, 'e1'], [1, -1], [1, 0], [1, 32768]));
const queueVariable = domain(among(8, 9), (word) => `q${Number(word) - 8}`);
const queue = domain(weighted([30, 'q0'], [12, 'q1'], [1, -1], [1, 0], [1, 32768]));
const getFlags = named(
  fc
    .tuple(permission, bits([0o1000, 3, 4], [0o2000, 1, 8]))
    .map(([low, flags]) => String(Number(low) | Number(flags))),
  'SHMGET',
);
const count = domain(weighted([4, 3], [3, 1], [1, 0], [1, 2]));
const number = domain(weighted([6, 0], [4, 1], [2, 2], [1, 3]));
const operationOfSem = domain(weighted([4, -1], [4, 1], [2, 0], [2, -2], [2, 2], [1, 32767]));
const semFlags = domain(weighted([3, 0], [3, 0o4000], [2, 0o10000], [2, 0o14000]), octal);
const semCommand = domain(
  weighted([3, 16], [2, 12], [1, 11], [2, 14], [2, 15], [2, 0], [1, 99]),
  (word) =>
    ({ 16: 'SETVAL', 12: 'GETVAL', 11: 'GETPID', 14: 'GETNCNT', 15: 'GETZCNT', 0: 'IPC_RMID' })[
      Number(word)
    ] ?? word,
);
const semValue = domain(weighted([3, 1], [3, 0], [2, 2], [1, 32767], [1, 32768], [1, -1]));
const times = domain(weighted([5, 1], [4, 2], [1, 0]));
const statOf = (stat: number): Domain =>
  domain(among(2, stat), (word) => (word === '2' ? 'IPC_STAT' : 'STAT'));
const type = domain(weighted([4, 1], [3, 2], [2, 3], [1, 0], [1, -1]));
const wantedType = domain(weighted([4, 0], [3, 1], [2, 2], [2, -2], [1, -1], [1, -3]));
const messageSize = domain(weighted([4, 8], [2, 0], [2, 100], [2, 8192], [1, 8193], [1, 4000]));
const receiveSize = domain(weighted([5, 8192], [3, 8], [1, 0], [1, 50]));
const nowait = domain(weighted([1, 0], [1, 0o4000]), octal);
const receiveFlags = domain(bits([0o4000, 1, 2], [0o10000, 1, 3], [0o20000, 1, 5], [0o40000, 1, 8]), octal);
/** Up to msgmnb: more needs CAP_SYS_RESOURCE, which root has not in every container. */
const bytes = domain(weighted([2, 16384], [2, 100], [1, 0]));

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
  operation(1, 'munlock', [address, pages]),
  operation(3, 'mmap', [addressVariable, address, pages, protection, mmapFlags], assigned('mmap')),
  operation(1, 'mincore', [address, pages]),
  operation(5, 'get', [wordAddress]),
  operation(6, 'put', [wordAddress, value]),
  operation(2, 'touch', [wordAddress, valueOrRead]),
  operation(3, 'probe', [wordAddress, valueOrRead]),
  operation(8, 'fork', [target]),
  operation(2, 'exec', []),
  operation(2, 'exit', [status]),
  operation(3, 'kill', [targetPid, signal]),
  operation(5, 'resuid', [user, user, user], call('setresuid')),
  operation(2, 'resgid', [user, user, user], call('setresgid')),
  operation(1, 'groups', [groupCount, owner, owner], call('setgroups')),
  operation(1, 'memlock', [memlock]),
  operation(3, 'sysctl', [sysctl, limit], ([file, number]) => `echo ${number} > ${file}`),
  operation(1, 'read_sysctl', [sysctl], ([file]) => `cat ${file}`),
  operation(1, 'unshare', [], () => 'unshare(CLONE_NEWIPC)'),
  operation(5, 'semget', [semaphoreVariable, key, count, getFlags], assigned('semget')),
  operation(6, 'semctl', [set, number, semCommand, semValue]),
  operation(3, 'sem_all', [set], ([id]) => `semctl(${id}, 0, GETALL)`),
  operation(1, 'sem_stat', [statOf(18), set], ([command, id]) => `semctl(${id}, 0, ${command})`),
  operation(
    2,
    'sem_set',
    [set, owner, owner, mode],
    (a) => `semctl(${a[0]}, 0, IPC_SET, ${a.slice(1).join(', ')})`,
  ),
  operation(12, 'semop', [set, times, number, operationOfSem, semFlags, number, operationOfSem, semFlags]),
  operation(4, 'msgget', [queueVariable, key, getFlags], assigned('msgget')),
  operation(7, 'msgsnd', [queue, type, messageSize, nowait]),
  operation(7, 'msgrcv', [queue, receiveSize, wantedType, receiveFlags]),
  operation(1, 'msgctl', [queue, named(fc.constant('0'), 'SHMCTL')]),
  operation(1, 'msg_stat', [statOf(11), queue], ([command, id]) => `msgctl(${id}, ${command})`),
  operation(
    2,
    'msg_set',
    [queue, owner, owner, mode, bytes],
    (a) => `msgctl(${a[0]}, IPC_SET, ${a.slice(1).join(', ')})`,
  ),
  operation(3, 'maps', [], () => 'cat /proc/self/maps'),
];

const worker = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 2, arbitrary: fc.constant(2) },
  { weight: 1, arbitrary: fc.constant(3) },
);

/** What belongs to processes and users, and is of use whatever a sequence is about. */
const COMMON = /^(fork|exec|exit|kill|resuid|resgid|groups|unshare)$/;
const SEMAPHORES = /^sem/;
const MESSAGES = /^msg/;

const stepOf = (rows: readonly Operation[]): fc.Arbitrary<Step> =>
  fc
    .tuple(
      worker,
      fc.oneof(
        ...rows.map(({ weight, name, args }) => ({
          weight,
          arbitrary: fc.tuple(...args.map(({ words }) => words)).map((words) => ({ name, words })),
        })),
      ),
    )
    .map(([worker, { name, words }]) => ({ worker, name, args: words }));

const about = (subject: (name: string) => boolean): readonly Operation[] =>
  OPERATIONS.filter(({ name }) => COMMON.test(name) || subject(name));

/** A row's step by worker 0, for the beginnings of sequences. */
const opening = (row: Operation | undefined): fc.Arbitrary<Step> =>
  fc
    .tuple(...(row?.args ?? []).map(({ words }) => words))
    .map((args) => ({ worker: 0, name: row?.name ?? '', args }));

const rowOf = (name: string): Operation | undefined => OPERATIONS.find((row) => row.name === name);

/**
 * Gives the steps of workers that are not there to workers that are, and lets fork make one that is not. A guess: who has died
 * of a signal is seen only when the sequence runs.
 */
function inhabited(steps: readonly Step[]): Sequence {
  const alive = new Set([0]);
  const result: Step[] = [];
  for (const { worker, name, args } of steps) {
    const here = [...alive];
    const by = alive.has(worker) ? worker : here[worker % here.length];
    if (by === undefined) break;
    if (name === 'fork') {
      const free = [1, 2, 3, 0].find((w) => !alive.has(w));
      if (free === undefined) continue;
      alive.add(free);
      result.push({ worker: by, name, args: [String(free)] });
      continue;
    }
    if (name === 'exit') alive.delete(by);
    if (name === 'kill' && args[1] !== '0') alive.delete(Number(args[0]?.slice(1)));
    result.push({ worker: by, name, args });
  }
  return result;
}

/** Begins with these two calls, up to twice each, so that there is something to work with. */
function sequencesAbout(
  rows: readonly Operation[],
  openings: readonly [string, string],
  length: number,
): fc.Arbitrary<Sequence> {
  const [first, second] = openings.map((name) =>
    fc.array(opening(rowOf(name)), { maxLength: 2, size: 'max' }),
  );
  if (first === undefined || second === undefined) throw new Error('no openings');
  return fc
    .tuple(first, second, fc.array(stepOf(rows), { minLength: 1, maxLength: length, size: 'max' }))
    .map((parts) => inhabited(parts.flat()));
}

/**
 * Sequences of up to about `length` steps: most about shared memory, some about semaphores or messages alone, where workers
 * often sleep, some about everything. Shrinking drops steps and simplifies them.
 */
export const sequences = (length: number): fc.Arbitrary<Sequence> => {
  const memory = about((name) => !SEMAPHORES.test(name) && !MESSAGES.test(name));
  return fc.oneof(
    { weight: 5, arbitrary: sequencesAbout(memory, ['shmget', 'shmat'], length) },
    {
      weight: 3,
      arbitrary: sequencesAbout(
        about((name) => SEMAPHORES.test(name)),
        ['semget', 'fork'],
        length,
      ),
    },
    {
      weight: 2,
      arbitrary: sequencesAbout(
        about((name) => MESSAGES.test(name)),
        ['msgget', 'fork'],
        length,
      ),
    },
    { weight: 1, arbitrary: sequencesAbout(OPERATIONS, ['shmget', 'semget'], length) },
  );
};

/** The sequence of a number, always the same one. */
export function sequenceOf(arbitrary: fc.Arbitrary<Sequence>, seed: number): Sequence {
  let made: Sequence = [];
  // fc.sample would make another one of the same seed than fc.check, which shrinks it.
  const keep = (sequence: Sequence): void => void (made = sequence);
  fc.check(fc.property(arbitrary, keep), { seed, numRuns: 1 });
  return made;
}

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
