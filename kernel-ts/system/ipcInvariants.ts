/** The invariants of semaphores and message queues, recounted: for invariants.ts. */
import { SEMVMX } from '../abi/sem.ts';
import { msgCharge, type MsgQueue } from '../ipc/msg.ts';
import type { IpcNamespace } from '../ipc/namespace.ts';
import { semCharge, semSleepers, type SemArray, type SemQueue, type SemUndoList } from '../ipc/sem.ts';
import type { IpcIds, IpcObject } from '../ipc/util.ts';
import type { Kernel } from '../process/kernel.ts';
import type { Task } from '../process/task.ts';

/** What sleeps on some array or queue, found there. */
type Sleepers = Set<object>;

/** Checks all namespaces, and that their sleepers, undo lists and charges are those of the tasks. */
export function checkSemMsg(kernel: Kernel, problems: string[]): void {
  const sleepers: Sleepers = new Set();
  const lists = new Map<SemUndoList, number>();
  for (const { undoList } of kernel.tasks.values()) {
    if (undoList !== null) lists.set(undoList, (lists.get(undoList) ?? 0) + 1);
  }
  let charged = 0;
  for (const ns of kernel.ipc.namespaces.values()) {
    checkIds(`${ns.name}: semaphores`, ns.semIds, problems);
    checkIds(`${ns.name}: queues`, ns.msgIds, problems);
    charged += checkSems(ns, lists, sleepers, problems) + checkQueues(ns, sleepers, problems);
  }
  if (kernel.slab.used !== charged)
    problems.push(`the slab is charged with ${kernel.slab.used} bytes, but its objects take ${charged}`);
  for (const [list, tasks] of lists) {
    if (list.refcnt !== tasks)
      problems.push(`an undo list counts ${list.refcnt} tasks, but ${tasks} share it`);
  }
  for (const task of kernel.tasks.values()) checkSleeper(task, sleepers, problems);
  for (const left of sleepers)
    problems.push(`a sleeper on a ${(left as { kind: string }).kind} list sleeps no more`);
  if (kernel.ipc.wakeQ.first !== null) problems.push('sleepers of ipc wait to be woken');
}

function checkSleeper(task: Task, sleepers: Sleepers, problems: string[]): void {
  const reason = task.wait?.reason;
  if (reason === undefined || !('sleeper' in reason)) return;
  if (!sleepers.delete(reason)) problems.push(`pid ${task.pid} sleeps in ${reason.kind} on no list`);
  if (reason.sleeper !== task) problems.push(`pid ${task.pid} sleeps as pid ${reason.sleeper.pid}`);
}

function checkIds<T extends IpcObject>(name: string, ids: IpcIds<T>, problems: string[]): void {
  const keyed = new Set<T>(ids.keys.values());
  let highest = -1;
  for (const [index, object] of ids.entries) {
    const { id, key, deleted } = object.ipcPerm;
    highest = Math.max(highest, index);
    if (id % 32768 !== index || deleted) problems.push(`${name}: id ${id} lies at index ${index}`);
    if ((key !== 0) !== keyed.delete(object)) problems.push(`${name}: id ${id} and its key do not agree`);
  }
  if (keyed.size > 0) problems.push(`${name}: a key leads to what is gone`);
  if (ids.inUse !== ids.entries.size)
    problems.push(`${name}: in_use ${ids.inUse}, but ${ids.entries.size} ids`);
  if (ids.maxIdx !== highest) problems.push(`${name}: max_idx ${ids.maxIdx}, but the highest is ${highest}`);
}

/** Returns the bytes that the slab should be charged with. */
function checkSems(
  ns: IpcNamespace,
  lists: ReadonlyMap<SemUndoList, number>,
  sleepers: Sleepers,
  problems: string[],
): number {
  let used = 0;
  let charged = 0;
  for (const sma of ns.semIds.entries.values()) {
    used += sma.sems.length;
    charged += semCharge(sma);
    checkArray(sma, problems);
    for (const q of semSleepers(sma)) sleepers.add(q);
    for (const un of sma.listId) {
      if (!lists.has(un.ulp) || un.ulp.listProc.filter((other) => other === un).length !== 1)
        problems.push(`semid ${sma.semPerm.id} has an undo structure that no process has`);
      if (un.semid !== sma.semPerm.id || un.semadj.length !== sma.sems.length)
        problems.push(`semid ${sma.semPerm.id} has an undo structure of another`);
    }
  }
  if (used !== ns.usedSems) problems.push(`${ns.name}: used_sems ${ns.usedSems}, but ${used} semaphores`);
  return charged;
}

function checkArray(sma: SemArray, problems: string[]): void {
  const at = `semid ${sma.semPerm.id}`;
  const lists: (readonly [string, readonly SemQueue[]])[] = [
    ['pending_alter', sma.pendingAlter],
    ['pending_const', sma.pendingConst],
  ];
  sma.sems.forEach((sem, i) => {
    if (sem.semval < 0 || sem.semval > SEMVMX) problems.push(`${at}: semaphore ${i} holds ${sem.semval}`);
    if (sem.pendingAlter !== null) lists.push([`pending_alter of ${i}`, sem.pendingAlter]);
    if (sem.pendingConst !== null) lists.push([`pending_const of ${i}`, sem.pendingConst]);
    if (sma.complexCount > 0 && (sem.pendingAlter?.length ?? 0) > 0)
      problems.push(`${at}: semaphore ${i} has a queue of its own beside complex operations`);
  });
  if (sma.complexCount === 0 && sma.pendingAlter.length > 0)
    problems.push(`${at}: its queue is merged without complex operations`);
  let complex = 0;
  for (const [name, list] of lists) {
    for (const q of list) {
      if (q.sops.length > 1) complex++;
      if (q.list !== list || q.sma !== sma || q.alter !== name.startsWith('pending_alter'))
        problems.push(`${at}: pid ${q.sleeper.pid} is wrong on ${name}`);
    }
  }
  if (complex !== sma.complexCount)
    problems.push(`${at}: complex_count ${sma.complexCount}, but ${complex} complex operations`);
}

/** Returns the bytes that the slab should be charged with. */
function checkQueues(ns: IpcNamespace, sleepers: Sleepers, problems: string[]): number {
  let charged = 0;
  let bytes = 0;
  let messages = 0;
  for (const msq of ns.msgIds.entries.values()) {
    charged += msgCharge(msq);
    checkQueue(msq, problems);
    bytes += msq.qCbytes;
    messages += msq.qMessages.length;
    for (const waiter of [...msq.qReceivers, ...msq.qSenders]) {
      sleepers.add(waiter);
      if (waiter.msq !== msq)
        problems.push(`msqid ${msq.qPerm.id}: pid ${waiter.sleeper.pid} waits for another`);
    }
  }
  if (bytes !== ns.msgBytes || messages !== ns.msgHdrs)
    problems.push(`${ns.name}: ${ns.msgHdrs} messages of ${ns.msgBytes} bytes, but ${messages} of ${bytes}`);
  return charged;
}

function checkQueue(msq: MsgQueue, problems: string[]): void {
  const bytes = msq.qMessages.reduce((sum, msg) => sum + msg.mText.length, 0);
  if (bytes !== msq.qCbytes)
    problems.push(`msqid ${msq.qPerm.id}: cbytes ${msq.qCbytes}, but its messages have ${bytes}`);
}
