/**
 * The bench kernels: C files of guest/bench with the number of iterations that takes tier 1 two or three seconds: until V8 has
 * compiled a kernel's functions up to half a second goes by. What that means for short programs `wholeRuns` tell.
 */

export interface BenchKernel {
  /** File name in guest/bench without its suffix. */
  readonly name: string;
  /** argv[1]: iterations; 0 when the kernel takes none. */
  readonly iterations: number;
  /** What one of them does, for kernels whose time per operation is the point; null elsewhere. */
  readonly operation: string | null;
  /** Operations in one iteration. Default 1. */
  readonly perIteration?: number;
  /** False when the iterations are not proportional to the work, so that scaling them makes no sense. */
  readonly scalable?: boolean;
}

export const kernels: readonly BenchKernel[] = [
  { name: 'intmix', iterations: 60_000, operation: null },
  { name: 'sha256', iterations: 66_000, operation: null },
  { name: 'quicksort', iterations: 48, operation: null },
  { name: 'fib', iterations: 40, operation: null, scalable: false },
  { name: 'vm', iterations: 27_000_000, operation: null },
  { name: 'indirect', iterations: 120_000_000, operation: null },
  { name: 'chase', iterations: 120_000_000, operation: null },
  { name: 'stride', iterations: 120_000, operation: null },
  { name: 'copy', iterations: 800, operation: null },
  { name: 'strings', iterations: 180_000, operation: null },
  { name: 'matmul', iterations: 9_600, operation: null },
  { name: 'nbody', iterations: 14_400_000, operation: null },
  { name: 'nbodyf', iterations: 6_000_000, operation: null },
  { name: 'getpid', iterations: 75_000_000, operation: 'getpid' },
  { name: 'signal', iterations: 1_000_000, operation: 'tgkill, handler, rt_sigreturn' },
  { name: 'shmattach', iterations: 2_000_000, operation: 'shmat, write, shmdt' },
  { name: 'shmtouch', iterations: 20_000, operation: 'fresh shm page', perIteration: 256 },
  { name: 'pingpong', iterations: 4_500_000, operation: 'round trip by sched_yield' },
  { name: 'futexpong', iterations: 2_400_000, operation: 'round trip by futex' },
  { name: 'semping', iterations: 2_400_000, operation: 'round trip by semop' },
  { name: 'msgping', iterations: 2_000_000, operation: 'round trip by msgsnd and msgrcv of 64 bytes' },
  { name: 'msgqueue', iterations: 9_000_000, operation: 'msgsnd and msgrcv of 64 bytes' },
];

/** Programs that are measured as whole processes, from the start of Node to its end. */
export interface WholeRun {
  /** Instructions that the guest executes, in words. */
  readonly size: 'hello' | '10 M' | '100 M';
  readonly kernel: string;
  readonly args: readonly string[];
}

/** The integer kernels with the arguments that make them execute so many instructions, or the nearest there are (`run --stats`). */
const WHOLE = {
  '10 M': { intmix: 169, sha256: 28, fib: 27, vm: 23_972, indirect: 478_867, strings: 121 },
  '100 M': {
    intmix: 1690,
    sha256: 284,
    quicksort: 1,
    fib: 32,
    vm: 239_800,
    indirect: 4_790_037,
    strings: 1206,
  },
} as const;

export const wholeRuns: readonly WholeRun[] = [
  { size: 'hello', kernel: 'hello', args: [] },
  ...Object.entries(WHOLE).flatMap(([size, runs]) =>
    Object.entries(runs).map(([kernel, n]): WholeRun => ({
      size: size as keyof typeof WHOLE,
      kernel,
      args: [String(n)],
    })),
  ),
];

/** The arguments of a run; `scale` multiplies the iterations. */
export function argumentsOf(kernel: BenchKernel, scale: number): string[] {
  if (kernel.iterations === 0) return [];
  const factor = kernel.scalable === false ? 1 : scale;
  return [String(Math.max(1, Math.round(kernel.iterations * factor)))];
}
