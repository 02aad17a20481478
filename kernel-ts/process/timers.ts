/** What happens when virtual time reaches a timer (Linux: kernel/time/hrtimer.c). */
import { ktimeGet } from '../mm/context.ts';
import { ringRealTimer } from './itimer.ts';
import type { Kernel } from './kernel.ts';
import { ringPosixTimer } from './posixTimer.ts';
import { completeWait, untilNextTimer, wakeTask } from './sched.ts';

/** hrtimer_interrupt: ends the waits and rings the alarms whose time has come. */
export function expireTimers(kernel: Kernel): void {
  if (kernel.timers.length === 0) return;
  const now = ktimeGet(kernel);
  for (;;) {
    const first = kernel.timers[0];
    if (first === undefined || first.deadline > now) return;
    if ('task' in first) {
      const { task } = first;
      const result = task.wait?.timeoutResult ?? null;
      if (result === null) wakeTask(kernel, task);
      else completeWait(kernel, task, result);
      continue;
    }
    kernel.timers.shift();
    if (first.alarm.kind === 'real') ringRealTimer(kernel, first.alarm);
    else ringPosixTimer(kernel, first.alarm);
  }
}

/** Nothing can run: time jumps to the next timer. Returns false when there is none (deadlock, or nothing left). */
export function idle(kernel: Kernel): boolean {
  const wait = untilNextTimer(kernel);
  if (wait === Infinity) return false;
  kernel.clock.idle += wait;
  expireTimers(kernel);
  return true;
}
