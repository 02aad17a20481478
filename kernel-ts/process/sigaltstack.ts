/** Alternate signal stacks (Linux: do_sigaltstack in kernel/signal.c, include/linux/sched/signal.h; sigaltstack(2)). */
import { EINVAL, ENOMEM, EPERM, type Errno } from '../abi/errno.ts';
import { MINSIGSTKSZ, SS_AUTODISARM, SS_DISABLE, SS_ONSTACK } from '../abi/signal.ts';
import { NO_ALT_STACK, type AltStack, type Task } from './task.ts';

/** on_sig_stack(): never with SS_AUTODISARM, under which the stack counts as left while a handler runs on it. */
export function onSigStack({ altStack }: Task, sp: number): boolean {
  if ((altStack.flags & SS_AUTODISARM) !== 0) return false;
  return sp > altStack.sp && sp - altStack.sp <= altStack.size;
}

/** sas_ss_flags(). */
export function sasSsFlags(task: Task, sp: number): number {
  if (task.altStack.size === 0) return SS_DISABLE;
  return onSigStack(task, sp) ? SS_ONSTACK : 0;
}

/** What sigaltstack(2) tells of the stack so far. */
export function currentAltStack(task: Task, sp: number): AltStack {
  const { altStack } = task;
  return { ...altStack, flags: (sasSsFlags(task, sp) | (altStack.flags & SS_AUTODISARM)) >>> 0 };
}

/** do_sigaltstack() of a new stack. EPERM: in use. EINVAL: unknown flags. ENOMEM: smaller than MINSIGSTKSZ. */
export function doSigaltstack(task: Task, sp: number, wanted: AltStack): 0 | Errno {
  if (onSigStack(task, sp)) return -EPERM;
  const mode = wanted.flags & ~SS_AUTODISARM;
  if (mode !== SS_DISABLE && mode !== SS_ONSTACK && mode !== 0) return -EINVAL;
  if (mode === SS_DISABLE) {
    task.altStack = { ...NO_ALT_STACK, flags: wanted.flags };
    return 0;
  }
  if (wanted.size < MINSIGSTKSZ) return -ENOMEM;
  task.altStack = wanted;
  return 0;
}
