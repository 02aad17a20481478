/** Random sequences of operations: which steps follow each other, and who takes them. */
import fc from 'fast-check';
import { OPERATIONS, type Operation, type Sequence, type Step } from './operations.ts';

const worker = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 2, arbitrary: fc.constant(2) },
  { weight: 1, arbitrary: fc.constant(3) },
);

/** What belongs to processes and users, and is of use whatever a sequence is about. */
const COMMON = /^(fork|fork_ipc|exec|exit|kill|resuid|resgid|groups|unshare|drop_cap|sysctl|read_sysctl)$/;
const SEMAPHORES = /^sem/;
const MESSAGES = /^msg/;
const FILES =
  /^(memfd|shm_open|shm_unlink|close|ftruncate|fallocate|add_seals|get_seals|fstat|pread|pwrite|lseek|map_file|msync)$/;
const FUTEXES = /^futex/;
/** SIGKILL and SIGTERM. */
const DEADLY: ReadonlySet<string> = new Set(['9', '15']);
/** Operations on memory, whatever is mapped. */
const MEMORY =
  /^(munmap|mprotect|mremap|madvise|m(un)?lock(2|all)?|remap_file_pages|mmap|mincore|get|put|touch|probe|guard|s?maps|memlock)$/;

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
    if (name === 'fork' || name === 'fork_ipc') {
      const free = [1, 2, 3, 0].find((w) => !alive.has(w));
      if (free === undefined) continue;
      alive.add(free);
      result.push({ worker: by, name, args: [String(free)] });
      continue;
    }
    if (name === 'exit') alive.delete(by);
    if (name === 'kill' && DEADLY.has(args[1] ?? '')) alive.delete(Number(args[0]?.slice(1)));
    result.push({ worker: by, name, args });
  }
  return result;
}

/** Begins with these calls, up to twice each and at least `least` times, so that there is something to work with. */
function sequencesAbout(
  rows: readonly Operation[],
  openings: readonly string[],
  length: number,
  least = 0,
): fc.Arbitrary<Sequence> {
  const first = openings.map((name) =>
    fc.array(opening(rowOf(name)), { minLength: least, maxLength: 2, size: 'max' }),
  );
  return fc
    .tuple(...first, fc.array(stepOf(rows), { minLength: 1, maxLength: length, size: 'max' }))
    .map((parts) => inhabited(parts.flat()));
}

/** What most sequences can be about. */
export type Subject = 'segments' | 'semaphores' | 'messages' | 'files' | 'futexes' | 'everything';

/**
 * Sequences of up to about `length` steps: about segments, about files that are shared memory, about semaphores or messages alone,
 * where workers often sleep, some about everything; or about one subject. Shrinking drops steps and simplifies them.
 */
export const sequences = (length: number, subject?: Subject): fc.Arbitrary<Sequence> => {
  const segments = about(
    (name) => ![SEMAPHORES, MESSAGES, FILES, FUTEXES].some((others) => others.test(name)),
  );
  const subjects: readonly (readonly [number, Subject, fc.Arbitrary<Sequence>])[] = [
    [5, 'segments', sequencesAbout(segments, ['shmget', 'shmat'], length)],
    [
      3,
      'semaphores',
      sequencesAbout(
        about((name) => SEMAPHORES.test(name)),
        ['semget', 'fork'],
        length,
      ),
    ],
    [
      2,
      'messages',
      sequencesAbout(
        about((name) => MESSAGES.test(name)),
        ['msgget', 'fork'],
        length,
      ),
    ],
    [
      5,
      'files',
      sequencesAbout(
        about((name) => FILES.test(name) || MEMORY.test(name)),
        ['memfd', 'shm_open', 'ftruncate', 'map_file'],
        length,
        1,
      ),
    ],
    [
      2,
      'futexes',
      sequencesAbout(
        about(
          (name) =>
            FUTEXES.test(name) ||
            /^(shmat|shmget|mmap|munmap|mprotect|mremap|put|map_file|madvise)$/.test(name),
        ),
        ['shmget', 'shmat', 'fork'],
        length,
        1,
      ),
    ],
    [1, 'everything', sequencesAbout(OPERATIONS, ['shmget', 'semget', 'memfd'], length)],
  ];
  return fc.oneof(
    ...subjects
      .filter(([, name]) => subject === undefined || name === subject)
      .map(([weight, , arbitrary]) => ({ weight, arbitrary })),
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
