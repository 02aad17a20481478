/** Shims of System V IPC: shmget(2), shmop(2), shmctl(2), semget(2), semop(2), semctl(2), msgget(2), msgop(2), msgctl(2). */
import { EAGAIN, EINTR, ERESTARTNOHAND } from '../abi/errno.ts';
import { sysMsgctl as msgctl } from '../ipc/msgctl.ts';
import { doMsgrcv, doMsgsnd, msgsndAgain } from '../ipc/msgop.ts';
import { sysMsgget as msgget } from '../ipc/msg.ts';
import { sysSemget as semget } from '../ipc/sem.ts';
import { sysSemctl as semctl } from '../ipc/semctl.ts';
import { doSemtimedop } from '../ipc/semop.ts';
import { doShmat, sysShmdt as shmdt, sysShmget as shmget } from '../ipc/shm.ts';
import { sysShmctl as shmctl } from '../ipc/shmctl.ts';
import type { Kernel } from '../process/kernel.ts';
import { sleepOn, sleepOnObject, wakeUpQ } from '../process/sched.ts';
import type { Task } from '../process/task.ts';
import { deadlineAfter } from '../process/time.ts';
import type { Handler } from './row.ts';
import { readTimespec, validTimespec, type UserTimespec } from './user.ts';

export const sysShmget: Handler = (kernel, _task, key, size, shmflg) =>
  shmget(kernel, key, size >>> 0, shmflg);

export const sysShmat: Handler = (kernel, _task, shmid, shmaddr, shmflg) =>
  doShmat(kernel, shmid, shmaddr >>> 0, shmflg);

export const sysShmdt: Handler = (kernel, _task, shmaddr) => shmdt(kernel, shmaddr >>> 0);

export const sysShmctl: Handler = (kernel, _task, shmid, cmd, buf) => shmctl(kernel, shmid, cmd, buf >>> 0);

export const sysSemget: Handler = (kernel, _task, key, nsems, semflg) => semget(kernel, key, nsems, semflg);

export const sysSemctl: Handler = (kernel, _task, semid, semnum, cmd, arg) => {
  const result = semctl(kernel, semid, semnum, cmd, arg);
  wakeUpQ(kernel);
  return result;
};

function semtimedop(
  kernel: Kernel,
  task: Task,
  semid: number,
  tsops: number,
  nsops: number,
  timeout: UserTimespec | null,
): number {
  const bad = timeout !== null && !validTimespec(timeout);
  const result = doSemtimedop(kernel, semid, tsops >>> 0, nsops >>> 0, bad);
  wakeUpQ(kernel);
  if (typeof result === 'number') return result;
  if (timeout === null) return sleepOnObject(kernel, task, result, -EINTR);
  const deadline = deadlineAfter(kernel, timeout.sec, timeout.nsec);
  return sleepOn(kernel, task, result, { deadline, timeoutResult: -EAGAIN, interrupted: -EINTR });
}

export const sysSemop: Handler = (kernel, task, semid, tsops, nsops) =>
  semtimedop(kernel, task, semid, tsops, nsops, null);

export const sysSemtimedop64: Handler = (kernel, task, semid, tsops, nsops, timeout) => {
  const t = timeout === 0 ? null : readTimespec(kernel, task, timeout);
  return typeof t === 'number' ? t : semtimedop(kernel, task, semid, tsops, nsops, t);
};

export const sysMsgget: Handler = (kernel, _task, key, msgflg) => msgget(kernel, key, msgflg);

export const sysMsgctl: Handler = (kernel, _task, msqid, cmd, buf) => {
  const result = msgctl(kernel, msqid, cmd, buf >>> 0);
  wakeUpQ(kernel);
  return result;
};

export const sysMsgsnd: Handler = (kernel, task, msqid, msgp, msgsz, msgflg) => {
  const slept = task.restart?.reason;
  // Woken by a signal: the call ends, or begins again from its arguments.
  if (slept?.kind === 'msgsnd' && task.sigPending && !slept.msq.qPerm.deleted) return -ERESTARTNOHAND;
  const result =
    slept?.kind === 'msgsnd'
      ? msgsndAgain(kernel, slept, msgflg)
      : doMsgsnd(kernel, msqid, msgp >>> 0, msgsz >>> 0, msgflg);
  wakeUpQ(kernel);
  return typeof result === 'number' ? result : sleepOnObject(kernel, task, result, -ERESTARTNOHAND);
};

export const sysMsgrcv: Handler = (kernel, task, msqid, msgp, bufsz, msgtyp, msgflg) => {
  const slept = task.restart?.reason;
  const again = slept?.kind === 'msgrcv' ? slept : null;
  if (again !== null && task.sigPending) return -ERESTARTNOHAND;
  const result = doMsgrcv(kernel, msqid, msgp >>> 0, bufsz >>> 0, msgtyp, msgflg, again);
  wakeUpQ(kernel);
  return typeof result === 'number' ? result : sleepOnObject(kernel, task, result, -ERESTARTNOHAND);
};
