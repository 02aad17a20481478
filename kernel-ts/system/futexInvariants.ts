/** The part of the invariant checker that recounts who sleeps on which futex, and who holds the locks that others wait for. */
import type { FutexQ, PiState } from '../process/futexQueue.ts';
import type { Kernel } from '../process/kernel.ts';

/** Says what does not hold, one line each. */
export function checkFutexes(kernel: Kernel, problems: string[]): void {
  const sleeping = new Set<FutexQ>();
  const waiters = new Map<PiState, number>();
  for (const task of kernel.tasks.values()) {
    const reason = task.wait?.reason;
    if (reason?.kind !== 'futex') continue;
    for (let q: FutexQ | null = reason; q !== null; q = q.sibling) sleeping.add(q);
    if (reason.pi !== null) waiters.set(reason.pi, (waiters.get(reason.pi) ?? 0) + 1);
  }
  for (const bucket of kernel.futexes) {
    if (bucket === null) continue;
    let prev: FutexQ | null = null;
    for (let q = bucket.first; q !== null; q = q.next) {
      if (q.bucket !== bucket || q.prev !== prev)
        problems.push(`pid ${q.task.pid} is in another futex bucket`);
      if (!sleeping.delete(q))
        problems.push(`pid ${q.task.pid} is in a futex bucket and does not sleep there`);
      prev = q;
    }
    if (bucket.last !== prev) problems.push('the last sleeper of a futex bucket is not its last');
  }
  for (const { task } of sleeping) problems.push(`pid ${task.pid} sleeps on a futex and is in no bucket`);
  for (const [pi, count] of waiters) {
    if (pi.waiters !== count)
      problems.push(`a lock of pid ${pi.owner.pid} counts ${pi.waiters} waiters, but has ${count}`);
    if (pi.owner.piStates?.includes(pi) !== true)
      problems.push(`pid ${pi.owner.pid} has a lock and does not know it`);
  }
  for (const task of kernel.tasks.values()) {
    for (const pi of task.piStates ?? [])
      if (pi.owner !== task || !waiters.has(pi))
        problems.push(`pid ${task.pid} has a lock that nobody waits for`);
  }
}
