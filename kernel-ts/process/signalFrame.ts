/**
 * The frame of a signal handler on the guest's stack (Linux: arch/riscv/kernel/signal.c; struct rt_sigframe).
 *
 * A handler is entered with a frame that holds everything: siginfo, the mask and every register. It returns into the
 * trampoline of the [vdso] page, whose rt_sigreturn puts back what the frame says by then. The frame is the guest's, so
 * what comes back may be anything: only user state is in it, and a frame that cannot be read is a SIGSEGV.
 *
 * Known to be missing: the vector state (there is no V extension).
 */
import { Fs } from '../../emulator/index.ts';
import { putSigInfo, SA_NODEFER, SA_ONSTACK, SIGFRAME, SS_AUTODISARM, type SigInfo } from '../abi/signal.ts';
import { copyFromUserTo, copyToUser } from '../mm/usercopy.ts';
import { vdsoSigreturn } from '../mm/vdso.ts';
import { log, type Kernel, type KernelHart } from './kernel.ts';
import { doSigaltstack, onSigStack, sasSsFlags } from './sigaltstack.ts';
import { forceSig, retargetSharedPending } from './signalSend.ts';
import {
  addSignal,
  differenceOf,
  signalName,
  SIGSEGV,
  unionOf,
  sigset,
  withoutUnblockable,
  type SignalSet,
} from './signalSet.ts';
import { recalcSigpending } from './sigQueue.ts';
import { initFpu } from './switchTo.ts';
import { NO_ALT_STACK, type SigAction, type Task } from './task.ts';

const X_SP = 2;
const X_RA = 1;
const X_A0 = 10;

/** get_sigframe(): where the frame goes; null when it would leave the alternate stack that is in use. */
function getSigframe(task: Task, sp: number, action: SigAction): number | null {
  if (onSigStack(task, sp) && !onSigStack(task, sp - SIGFRAME.size)) return null;
  const { altStack } = task;
  const switches = (action.flags & SA_ONSTACK) !== 0 && sasSsFlags(task, sp) === 0;
  const top = switches ? altStack.sp + altStack.size : sp;
  const frame = top - SIGFRAME.size;
  return frame < 0 ? null : frame - (frame % 16);
}

/** A frame on its way to or from user memory; nothing is kept in it. */
const words = new Int32Array(SIGFRAME.size / 4);
const bytes = new Uint8Array(words.buffer);

/** setup_rt_frame(): makes the frame for the state that the hart is in. */
function buildFrame(kernel: Kernel, task: Task, info: SigInfo, mask: Readonly<SignalSet>): void {
  const { hart } = kernel;
  words.fill(0);
  putSigInfo(info, words, SIGFRAME.info / 4);
  words[SIGFRAME.ucStack / 4] = task.altStack.sp;
  words[SIGFRAME.ucStack / 4 + 1] = task.altStack.flags;
  words[SIGFRAME.ucStack / 4 + 2] = task.altStack.size;
  words[SIGFRAME.ucSigmask / 4] = mask.lo;
  words[SIGFRAME.ucSigmask / 4 + 1] = mask.hi;
  const { x, f } = hart;
  for (let i = 1; i < 32; i++) words[SIGFRAME.regs / 4 + i] = x[i] ?? 0;
  words[SIGFRAME.regs / 4] = hart.pc;
  for (let i = 0; i < 64; i++) words[SIGFRAME.fpRegs / 4 + i] = f[i] ?? 0;
  words[SIGFRAME.fcsr / 4] = hart.fcsr;
}

/**
 * handle_signal(): the current task will run the handler of `action` when it returns to user mode. Without room for the
 * frame it gets SIGSEGV instead, and dies of it when that was the signal.
 */
export function setupSignal(kernel: Kernel, task: Task, info: SigInfo, action: SigAction): void {
  const { hart } = kernel;
  const { mm } = task;
  const oldMask = task.savedMask ?? task.blocked;
  const frame = getSigframe(task, (hart.x[X_SP] ?? 0) >>> 0, action);
  buildFrame(kernel, task, info, oldMask);
  if (frame === null || mm === null || copyToUser(kernel, mm, frame, bytes) < 0) {
    const name = signalName(info.signo);
    log(kernel, `pid ${task.pid} (${task.comm}): no room on its stack for the frame of a handler: ${name}`);
    forceSig(kernel, task, SIGSEGV, info.signo === SIGSEGV);
    return;
  }
  hart.x[X_RA] = vdsoSigreturn(mm);
  hart.x[X_SP] = frame;
  hart.x[X_A0] = info.signo;
  hart.x[X_A0 + 1] = frame + SIGFRAME.info;
  hart.x[X_A0 + 2] = frame + SIGFRAME.uc;
  hart.pc = evenPc(action.handler);
  hart.clearReservation();
  signalDelivered(kernel, task, info.signo, action);
}

/** sepc holds multiples of 2. */
const evenPc = (pc: number): number => (pc & ~1) >>> 0;

/** signal_delivered(): what is blocked while the handler runs. */
function signalDelivered(kernel: Kernel, task: Task, sig: number, action: SigAction): void {
  task.savedMask = null;
  const blocked = unionOf(task.blocked, action.mask);
  if ((action.flags & SA_NODEFER) === 0) addSignal(blocked, sig);
  const newlyBlocked = differenceOf(blocked, task.blocked);
  task.blocked = blocked;
  retargetSharedPending(kernel, task, newlyBlocked);
  if ((task.altStack.flags & SS_AUTODISARM) !== 0) task.altStack = NO_ALT_STACK;
}

/**
 * rt_sigreturn(2): the state that the frame at sp says, as far as user mode may choose it. A frame that cannot be read or
 * claims extensions that do not exist is answered with SIGSEGV.
 */
export function doSigreturn(kernel: Kernel, task: Task): void {
  const { hart } = kernel;
  const { mm } = task;
  const frame = (hart.x[X_SP] ?? 0) >>> 0;
  if (mm === null || copyFromUserTo(kernel, mm, bytes, frame) < 0 || !restoreFrame(kernel, task)) {
    const where = `frame 0x${frame.toString(16)}, pc 0x${hart.pc.toString(16)}`;
    log(kernel, `pid ${task.pid} (${task.comm}): bad frame in rt_sigreturn: ${where}`);
    forceSig(kernel, task, SIGSEGV);
  }
}

/** A word of the frame, unsigned. */
const word = (at: number): number => (words[at / 4] ?? 0) >>> 0;

/** restore_fp_state(). Zeros leave what nobody has touched untouched. */
function restoreFpState(hart: KernelHart): void {
  const first = SIGFRAME.fpRegs / 4;
  let any = word(SIGFRAME.fcsr) & 0xff;
  for (let i = 0; i < 64; i++) any |= words[first + i] as number;
  if (any === 0) {
    initFpu(hart);
    return;
  }
  for (let i = 0; i < 64; i++) hart.f[i] = words[first + i] as number;
  hart.fcsr = word(SIGFRAME.fcsr) & 0xff;
  hart.fs = Fs.Dirty;
}

function restoreFrame(kernel: Kernel, task: Task): boolean {
  const { hart } = kernel;
  task.blocked = withoutUnblockable(sigset(word(SIGFRAME.ucSigmask) | 0, word(SIGFRAME.ucSigmask + 4) | 0));
  recalcSigpending(task);
  hart.clearReservation();
  const { x } = hart;
  for (let i = 1; i < 32; i++) x[i] = words[SIGFRAME.regs / 4 + i] ?? 0;
  hart.pc = evenPc(word(SIGFRAME.regs));
  restoreFpState(hart);
  if ((word(SIGFRAME.extReserved) | word(SIGFRAME.extMagic) | word(SIGFRAME.extSize)) !== 0) return false;
  const { ucStack } = SIGFRAME;
  // Refusals are not the handler's fault: all but EFAULT is squashed.
  doSigaltstack(task, (x[X_SP] ?? 0) >>> 0, {
    sp: word(ucStack),
    flags: word(ucStack + 4),
    size: word(ucStack + 8),
  });
  return true;
}
