/**
 * Runs one program in a worker of a browser: takes `{ elf, args }` and answers with what `child.ts` answers in Node, but that the
 * seconds are the clock's, since a browser tells no processor time. A worker, because the main thread of a page must not compile
 * WebAssembly synchronously.
 */
import { boot } from '../../kernel-ts/index.ts';

/** What a worker has and no library of Node's types tells. */
interface WorkerScope {
  addEventListener(type: 'message', listener: (event: { readonly data: Job }) => void): void;
  postMessage(message: Answer): void;
  readonly performance: { now(): number };
}

interface Job {
  readonly elf: ArrayBuffer;
  readonly args: readonly string[];
}

/** What came out; `failure` when the machine itself could not be made. */
export interface Answer {
  readonly stdout: string;
  readonly status: number | null;
  readonly reason: string;
  readonly instructions: number;
  readonly inTier1: number;
  readonly seconds: number;
  readonly failure?: string;
}

const scope = globalThis as unknown as WorkerScope;

function run({ elf, args }: Job): Answer {
  const before = scope.performance.now();
  const system = boot();
  const program = system.spawn(new Uint8Array(elf), { name: '/bin/bench', args: ['/bin/bench', ...args] });
  const result = system.run();
  return {
    stdout: program.stdout.trimEnd(),
    status: program.exit?.status ?? null,
    reason: result.reason,
    instructions: system.instructions,
    inTier1: system.stats['instructionsInTier1'] ?? 0,
    seconds: (scope.performance.now() - before) / 1000,
  };
}

scope.addEventListener('message', ({ data }) => {
  let answer: Answer;
  try {
    answer = run(data);
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    answer = { stdout: '', status: null, reason: 'failed', instructions: 0, inTier1: 0, seconds: 0, failure };
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's takes none
  scope.postMessage(answer);
});
