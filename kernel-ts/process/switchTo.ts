/**
 * Registers between the hart and the tasks: arch/riscv/include/asm/switch_to.h (__switch_to, __switch_to_fpu), kernel/fpu.S (fstate_save,
 * fstate_restore), kernel/process.c (copy_thread).
 *
 * mstatus.FS goes with the task. While it is Initial the f registers and fcsr are 0, and a task has none of its own: most programs that share
 * memory never touch them, and they are two thirds of the lines that registers take of the processor's cache. Linux
 * saves at Dirty alone and goes on as Clean; here what is not Initial stays Dirty, which compiled code asks for (emulator/jit/registers.ts).
 */
import { Fs } from '../../emulator/index.ts';
import type { Kernel, KernelHart } from './kernel.ts';
import { X_REGISTERS, type Task } from './task.ts';

/** Looked up once: V8 finds it anew at each `x.set(...)`, since a prototype's prototype has it. */
const { set: copyWords } = Int32Array.prototype;

/** Of f0 to f31, each as its low and its high word. */
const F_WORDS = 64;
const X_BYTES = X_REGISTERS * Int32Array.BYTES_PER_ELEMENT;
/** Tasks whose registers share a buffer: its head is one thing less to load at each context switch. */
const TASKS_TOGETHER = 32;

/** Room for the integer registers of a task: of one that is gone, if there is any, with what that left in it. */
export function allocRegisters({ threadCache }: Kernel): Int32Array {
  const kept = threadCache.pop();
  if (kept !== undefined) return kept;
  const buffer = new ArrayBuffer(TASKS_TOGETHER * X_BYTES);
  for (let at = X_BYTES; at < buffer.byteLength; at += X_BYTES)
    threadCache.push(new Int32Array(buffer, at, X_REGISTERS));
  return new Int32Array(buffer, 0, X_REGISTERS);
}

/** The hart's registers, pc excluded, become a task's: at a switch away from it, or those of its parent at its fork. */
export function saveRegisters(hart: KernelHart, task: Task): void {
  copyWords.call(task.x, hart.registers);
  if (hart.fs === Fs.Initial) {
    task.fstate = null;
    return;
  }
  task.fstate ??= new Uint32Array(F_WORDS);
  task.fstate.set(hart.f);
  task.fcsr = hart.fcsr;
}

/** Those of a task become the hart's. */
export function loadRegisters(hart: KernelHart, task: Task): void {
  copyWords.call(hart.registers, task.x);
  const { fstate } = task;
  if (fstate === null) {
    initFpu(hart);
    return;
  }
  hart.f.set(fstate);
  hart.fcsr = task.fcsr;
  hart.fs = Fs.Dirty;
}

/** The f registers as a program finds them (start_thread, SR_FS_INITIAL). */
export function initFpu(hart: KernelHart): void {
  if (hart.fs === Fs.Initial) return;
  hart.f.fill(0);
  hart.fcsr = 0;
  hart.fs = Fs.Initial;
}
