/**
 * The bench kernels: C files of guest/bench with the number of iterations that takes tier 1 about a second. Those whose time per operation
 * is the point take two: until V8 has compiled the kernel's functions half a second goes by.
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
  { name: 'intmix', iterations: 20_000, operation: null },
  { name: 'sha256', iterations: 12_000, operation: null },
  { name: 'quicksort', iterations: 16, operation: null },
  { name: 'fib', iterations: 38, operation: null, scalable: false },
  { name: 'vm', iterations: 6_000_000, operation: null },
  { name: 'indirect', iterations: 40_000_000, operation: null },
  { name: 'chase', iterations: 20_000_000, operation: null },
  { name: 'stride', iterations: 40_000, operation: null },
  { name: 'copy', iterations: 160, operation: null },
  { name: 'strings', iterations: 45_000, operation: null },
  { name: 'matmul', iterations: 1_200, operation: null },
  { name: 'nbody', iterations: 2_400_000, operation: null },
  { name: 'nbodyf', iterations: 1_500_000, operation: null },
  { name: 'getpid', iterations: 30_000_000, operation: 'getpid' },
  { name: 'signal', iterations: 1_000_000, operation: 'tgkill, handler, rt_sigreturn' },
  { name: 'shmattach', iterations: 1_000_000, operation: 'shmat, write, shmdt' },
  { name: 'shmtouch', iterations: 10_000, operation: 'fresh shm page', perIteration: 256 },
  { name: 'pingpong', iterations: 3_000_000, operation: 'round trip by sched_yield' },
  { name: 'futexpong', iterations: 1_200_000, operation: 'round trip by futex' },
  { name: 'semping', iterations: 1_200_000, operation: 'round trip by semop' },
  { name: 'msgping', iterations: 1_000_000, operation: 'round trip by msgsnd and msgrcv of 64 bytes' },
  { name: 'msgqueue', iterations: 1_500_000, operation: 'msgsnd and msgrcv of 64 bytes' },
];

/** The arguments of a run; `scale` multiplies the iterations. */
export function argumentsOf(kernel: BenchKernel, scale: number): string[] {
  if (kernel.iterations === 0) return [];
  const factor = kernel.scalable === false ? 1 : scale;
  return [String(Math.max(1, Math.round(kernel.iterations * factor)))];
}
