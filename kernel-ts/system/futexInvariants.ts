/** The part of the invariant checker that recounts who sleeps on which futex, and who holds the locks that others wait for. */
import type { FutexOwner, FutexQ, PiState } from '../process/futexQueue.ts';
import type { Kernel } from '../process/kernel.ts';

/** Says what does not hold, one line each. */
export function checkFutexes(kernel: Kernel, problems: string[]): void {
  const owners = new Set<FutexOwner>();
  const sleeping = new Set<FutexQ>();
  const waiters = new Map<PiState, number>();
  for (const page of kernel.memMap.pages) if (page.mapping !== null) owners.add(page.mapping);
  for (const task of kernel.tasks.values()) {
    if (task.mm !== null) owners.add(task.mm);
    const reason = task.wait?.reason;
    if (reason?.kind !== 'futex') continue;
    for (let q: FutexQ | null = reason; q !== null; q = q.sibling) {
      owners.add(q.owner);
      sleeping.add(q);
    }
    if (reason.pi !== null) waiters.set(reason.pi, (waiters.get(reason.pi) ?? 0) + 1);
  }
  for (const owner of owners) checkOwner(owner, sleeping, problems);
  for (const { task } of sleeping) problems.push(`pid ${task.pid} sleeps on a futex that does not know it`);
  for (const [pi, count] of waiters) {
    if (pi.waiters !== count)
      problems.push(`a lock of pid ${pi.owner.pid} counts ${pi.waiters} waiters, but has ${count}`);
    if (!pi.owner.piStates.includes(pi)) problems.push(`pid ${pi.owner.pid} has a lock and does not know it`);
  }
  for (const task of kernel.tasks.values()) {
    for (const pi of task.piStates)
      if (pi.owner !== task || !waiters.has(pi))
        problems.push(`pid ${task.pid} has a lock that nobody waits for`);
  }
}

/** Every sleeper that the owner knows is asleep, once; takes them out of `sleeping`. */
function checkOwner(owner: FutexOwner, sleeping: Set<FutexQ>, problems: string[]): void {
  for (const [offset, queue] of owner.futexes ?? []) {
    const at = `futex at 0x${offset.toString(16)}`;
    if (queue.first === null) problems.push(`${at} has an empty queue`);
    let prev: FutexQ | null = null;
    for (let q = queue.first; q !== null; q = q.next) {
      if (q.queue !== queue || q.owner !== owner || q.offset !== offset || q.prev !== prev)
        problems.push(`${at}: pid ${q.task.pid} is on another's queue`);
      if (!sleeping.delete(q)) problems.push(`${at}: pid ${q.task.pid} does not sleep on it`);
      prev = q;
    }
    if (queue.last !== prev) problems.push(`${at}: the last sleeper is not the last`);
  }
}
