/**
 * Tasks by pid (Linux: kernel/pid.c, the idr of a pid namespace; lib/radix-tree.c). Not a Map: V8 makes a Map's table anew when as many were
 * deleted as it holds, and links the old one to the new one, for iterators. An old one that was promoted so keeps all later ones alive
 * until the next collection of everything, and with them each task that was ever in one: of a program that forks, nothing was collected
 * cheaply.
 */
import type { Task } from './task.ts';

/** Tasks in a node: XA_CHUNK_SIZE. */
const CHUNK = 64;

/** struct xa_node. */
interface Chunk {
  /** Tasks that are there. */
  count: number;
  readonly slots: (Task | null)[];
}

/** The tasks that are there, zombies included. Pids are above 0 and below PID_MAX. */
export class PidTable {
  /** Tasks that are there. */
  size = 0;
  /** By pid / CHUNK; null where no task is. */
  private readonly chunks: (Chunk | null)[] = [];
  /** The last chunk that became empty, for the next one: pids are given in turn. */
  private spare: Chunk | null = null;

  /** find_task_by_vpid() */
  get(pid: number): Task | undefined {
    const at = Math.floor(pid / CHUNK);
    const chunk = at >= 0 && at < this.chunks.length ? this.chunks[at] : null;
    return chunk?.slots[pid % CHUNK] ?? undefined;
  }

  has(pid: number): boolean {
    return this.get(pid) !== undefined;
  }

  /** Puts a task where none is. */
  set(pid: number, task: Task): void {
    const at = Math.floor(pid / CHUNK);
    while (this.chunks.length <= at) this.chunks.push(null);
    const chunk = (this.chunks[at] ??= this.newChunk());
    chunk.slots[pid % CHUNK] = task;
    chunk.count++;
    this.size++;
  }

  /** Takes out the task that is there. */
  delete(pid: number): void {
    const at = Math.floor(pid / CHUNK);
    const chunk = this.chunks[at];
    if (!chunk) return;
    chunk.slots[pid % CHUNK] = null;
    chunk.count--;
    this.size--;
    if (chunk.count > 0) return;
    this.chunks[at] = null;
    this.spare = chunk;
  }

  private newChunk(): Chunk {
    const chunk = this.spare ?? { count: 0, slots: new Array<Task | null>(CHUNK).fill(null) };
    this.spare = null;
    return chunk;
  }

  /** for_each_process_thread(), by pid. */
  *values(): IterableIterator<Task> {
    for (const chunk of this.chunks)
      if (chunk !== null) for (const task of chunk.slots) if (task !== null) yield task;
  }
}
