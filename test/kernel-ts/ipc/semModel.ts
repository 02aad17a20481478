/**
 * Operations on semaphores against a reference that knows no queues: a list of sleepers in the order of arrival, and after each change
 * everybody is asked again from the first. What comes out must be the same: results, values, adjustments, who operated last, who
 * wakes; and those who wait in one queue wake in the order in which they came.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { EAGAIN, ERANGE } from '../../../kernel-ts/abi/errno.ts';
import { IPC_NOWAIT, IPC_PRIVATE } from '../../../kernel-ts/abi/ipc.ts';
import { SEM_UNDO, SEMAEM, SEMVMX, SETVAL } from '../../../kernel-ts/abi/sem.ts';
import type { IpcSleeper } from '../../../kernel-ts/ipc/namespace.ts';
import { newary, SemQueue, semFinishWait, type SemArray, type Sembuf } from '../../../kernel-ts/ipc/sem.ts';
import { sysSemctl } from '../../../kernel-ts/ipc/semctl.ts';
import { semOperation } from '../../../kernel-ts/ipc/semop.ts';
import { exitSem } from '../../../kernel-ts/ipc/semUndo.ts';
import { TestKernel, type TestTask } from '../mm/machine.ts';

function same(actual: unknown, expected: unknown): void {
  expect(actual).toEqual(expected);
}

const SEMS = 3;
const PROCESSES = 7;
const ALL = Array.from({ length: SEMS }, (_, i) => i);

const sop = fc.record({
  semNum: fc.integer({ min: 0, max: SEMS - 1 }),
  semOp: fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: -3, max: 3 }) },
    { weight: 1, arbitrary: fc.constantFrom(32767, -32768, 20000) },
  ),
  semFlg: fc.constantFrom(0, 0, 0, SEM_UNDO, SEM_UNDO, IPC_NOWAIT, IPC_NOWAIT | SEM_UNDO),
});
const who = fc.integer({ min: 0, max: PROCESSES - 1 });
export const event = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('semop' as const),
      who,
      sops: fc.array(sop, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('setval' as const),
      who,
      semNum: fc.integer({ min: 0, max: SEMS - 1 }),
      value: fc.constantFrom(0, 1, 2, 5, SEMVMX),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('exit' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('signal' as const), who }) },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

interface Sleeper {
  readonly who: number;
  readonly sops: readonly Sembuf[];
}

/** 'sleep', or what the call answers. */
type Outcome = number | 'sleep';

class Reference {
  values = Array.from({ length: SEMS }, () => 0);
  pids = Array.from({ length: SEMS }, () => -1);
  readonly adjustments = Array.from({ length: PROCESSES }, () => Array.from({ length: SEMS }, () => 0));
  /** In the order of arrival. */
  sleepers: Sleeper[] = [];
  /** Who has called with SEM_UNDO, whatever came of it. */
  readonly undoers = new Set<number>();

  /** All parts or none: on copies, which take the place of the originals at the end. */
  attempt({ who, sops }: Sleeper): Outcome {
    const values = [...this.values];
    const adjustments = [...(this.adjustments[who] ?? [])];
    for (const { semNum, semOp, semFlg } of sops) {
      const value = (values[semNum] ?? 0) + semOp;
      if (semOp === 0 ? value !== 0 : value < 0) return (semFlg & IPC_NOWAIT) !== 0 ? -EAGAIN : 'sleep';
      if (value > SEMVMX) return -ERANGE;
      values[semNum] = value;
      if ((semFlg & SEM_UNDO) === 0) continue;
      const adjustment = (adjustments[semNum] ?? 0) - semOp;
      if (adjustment < -SEMAEM - 1 || adjustment > SEMAEM) return -ERANGE;
      adjustments[semNum] = adjustment;
    }
    this.values = values;
    this.adjustments[who] = adjustments;
    for (const { semNum } of sops) this.pids[semNum] = who;
    return 0;
  }

  semop(sleeper: Sleeper): { readonly outcome: Outcome; readonly woken: Map<number, Outcome> } {
    if (sleeper.sops.some(({ semFlg }) => (semFlg & SEM_UNDO) !== 0)) this.undoers.add(sleeper.who);
    const outcome = this.attempt(sleeper);
    if (outcome === 'sleep') this.sleepers.push(sleeper);
    const altered = outcome === 0 && sleeper.sops.some(({ semOp }) => semOp !== 0);
    return { outcome, woken: altered ? this.wake(sleeper.sops.map(({ semNum }) => semNum)) : new Map() };
  }

  /**
   * Those who wait for zeros alone first, but only when one of `changed` is zero now; then the others in the order of arrival, from
   * the first again after each success.
   */
  wake(changed: readonly number[]): Map<number, Outcome> {
    const woken = new Map<number, Outcome>();
    const end = (sleeper: Sleeper): Outcome => {
      const outcome = this.attempt(sleeper);
      if (outcome === 'sleep') return outcome;
      this.sleepers.splice(this.sleepers.indexOf(sleeper), 1);
      woken.set(sleeper.who, outcome);
      return outcome;
    };
    const waits = ({ sops }: Sleeper): boolean => sops.every(({ semOp }) => semOp === 0);
    for (let last: readonly number[] | null = changed; last !== null;) {
      const zeros = this.sleepers.filter(waits);
      // Who waits for one alone has a list of its own, which is looked at first.
      zeros.sort((a, b) => Number(a.sops.length > 1) - Number(b.sops.length > 1));
      if (last.some((i) => this.values[i] === 0)) zeros.forEach(end);
      const next = this.sleepers.filter((sleeper) => !waits(sleeper)).find((sleeper) => end(sleeper) === 0);
      last = next?.sops.map(({ semNum }) => semNum) ?? null;
    }
    return woken;
  }

  setval(who: number, semNum: number, value: number): Map<number, Outcome> {
    this.values[semNum] = value;
    this.pids[semNum] = who;
    for (const list of this.adjustments) list[semNum] = 0;
    return this.wake(ALL);
  }

  exit(who: number): Map<number, Outcome> {
    // Who never asked for SEM_UNDO leaves the array alone.
    if (!this.undoers.delete(who)) return new Map();
    this.adjustments[who]?.forEach((adjustment, i) => {
      if (adjustment === 0) return;
      this.values[i] = Math.min(SEMVMX, Math.max(0, (this.values[i] ?? 0) + adjustment));
      this.pids[i] = who;
    });
    this.adjustments[who] = Array.from({ length: SEMS }, () => 0);
    return this.wake(ALL);
  }
}

/** The kernel's array, and whose call sleeps as what. */
export class World {
  readonly k = new TestKernel(4 << 20);
  readonly tasks: TestTask[] = Array.from({ length: PROCESSES }, () => this.k.spawn());
  readonly id = newary(this.k, this.k.ipcNs, IPC_PRIVATE, SEMS, 0o600);
  readonly asleep = new Map<number, SemQueue>();
  readonly reference = new Reference();
  /** Serial numbers of sleeps, for the order of arrival. */
  readonly arrival = new Map<SemQueue, number>();
  #sleeps = 0;

  get sma(): SemArray {
    const sma = this.k.ipcNs.semIds.entries.get(this.id % 32768);
    if (sma === undefined) throw new Error('the array is gone');
    return sma;
  }

  /** Carries out an event in both; sleepers can only be interrupted. */
  run(e: Event): void {
    const task = this.tasks[e.who];
    if (task === undefined || this.asleep.has(e.who) !== (e.kind === 'signal')) return;
    this.k.current = task;
    if (e.kind === 'semop') {
      const result = semOperation(this.k, this.id, e.sops);
      const { outcome, woken } = this.reference.semop({ who: e.who, sops: e.sops });
      same(result instanceof SemQueue ? 'sleep' : result, outcome);
      this.woken(woken);
      if (result instanceof SemQueue) {
        this.asleep.set(e.who, result);
        this.arrival.set(result, this.#sleeps++);
      }
    } else if (e.kind === 'setval') {
      same(sysSemctl(this.k, this.id, e.semNum, SETVAL, e.value), 0);
      this.woken(this.reference.setval(e.who, e.semNum, e.value));
    } else if (e.kind === 'exit') {
      exitSem(this.k, task);
      this.woken(this.reference.exit(e.who));
    } else {
      const q = this.asleep.get(e.who);
      if (q !== undefined) semFinishWait(this.k, q);
      this.asleep.delete(e.who);
      this.reference.sleepers = this.reference.sleepers.filter(({ who }) => who !== e.who);
    }
    this.check();
  }

  private drainWakeQ(): IpcSleeper[] {
    const { wakeQ } = this.k.ipc;
    const sleepers: IpcSleeper[] = [];
    for (let sleeper = wakeQ.first; sleeper !== null; sleeper = sleeper.wakeNext) sleepers.push(sleeper);
    // As wakeUpQ does: a sleeper may come again.
    for (const sleeper of sleepers) sleeper.wakeNext = null;
    wakeQ.first = wakeQ.last = null;
    return sleepers;
  }

  /** Who woke is who should; of one queue, in the order of arrival. */
  woken(expected: Map<number, Outcome>): void {
    const found = new Map<number, Outcome>();
    const last = new Map<string, number>();
    for (const sleeper of this.drainWakeQ()) {
      const who = this.tasks.indexOf(sleeper.sleeper as TestTask);
      const q = this.asleep.get(who);
      if (q !== sleeper || q === undefined) throw new Error(`process ${who} does not sleep so`);
      found.set(who, q.status);
      this.asleep.delete(who);
      const alike = JSON.stringify(q.sops);
      const came = this.arrival.get(q) ?? 0;
      if (came < (last.get(alike) ?? -1))
        throw new Error(`process ${who} wakes before one that came earlier`);
      last.set(alike, came);
    }
    same([...found].sort(), [...expected].sort());
  }

  check(): void {
    const { sma, reference } = this;
    same(
      sma.sems.map(({ semval }) => semval),
      reference.values,
    );
    const number = (pid: number): number => this.tasks.findIndex((task) => task.tgid === pid);
    same(
      sma.sems.map(({ sempid }) => number(sempid)),
      reference.pids,
    );
    same([...this.asleep.keys()].sort(), reference.sleepers.map(({ who }) => who).sort());
    this.tasks.forEach((task, i) => {
      const un = task.undoList?.listProc.find(({ semid }) => semid === this.id);
      same([...(un?.semadj ?? [0, 0, 0])], reference.adjustments[i]);
    });
    const complex = [...this.asleep.values()].filter(({ sops }) => sops.length > 1).length;
    same(sma.complexCount, complex);
    for (const sem of sma.sems) if (complex > 0) same(sem.pendingAlter ?? [], []);
    if (complex === 0) same([sma.pendingAlter, sma.pendingConst], [[], []]);
  }
}
