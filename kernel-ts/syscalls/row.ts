/**
 * What a row of the system-call table is, and the small language of its argument list.
 *
 * "fd:fd buf:out@ret count:size" names each argument and gives its type; strace output and the documentation come from
 * it. Types (strace.ts prints them):
 *   int uint size hex ptr fd dirfd mode path str argv envp key sig off64 (two registers, low then high)
 *   buf@N          bytes that the call reads, as many as register N says;  out@ret: bytes it wrote, as its result says
 *   iov@N iovout@N an array of N iovecs
 *   sigframe       the frame of rt_sigreturn, at sp; it is in no register of the arguments
 *   mode?R&MASK    any type: printed only when register R has a bit of MASK (open's mode, clone's pointers)
 *   NAME           a table of flagNames.ts (O, PROT, CLONE ...)
 *   timespec rlimit sigset sigaction rusage siginfo statx utsname int32 pipefd shmid ... (strace.ts has the list); with a
 *   trailing `!` the call writes it, so it is printed after the call
 */
import type { Kernel } from '../process/kernel.ts';
import type { Task } from '../process/task.ts';

/**
 * A system call. Arguments are the raw registers as signed 32-bit numbers. Returns the value for a0 (0 ..
 * 0xffffffff), an Errno, -ERESTART* (what sleepOn answers with a signal pending), SYSCALL_BLOCKED or SYSCALL_NO_RESULT.
 * Never throws, whatever the arguments are.
 */
export type Handler = (
  kernel: Kernel,
  task: Task,
  a0: number,
  a1: number,
  a2: number,
  a3: number,
  a4: number,
  a5: number,
) => number;

/** full: as Linux, as far as we know. partial: `note` says what is missing. none: ENOSYS and a line in the log. */
export type Support = 'full' | 'partial' | 'none';

export interface ArgSpec {
  readonly name: string;
  readonly type: string;
  /** Register index of the argument's first word: 0 is a0. */
  readonly register: number;
  /** Printed after the call: the call writes it. */
  readonly output: boolean;
  /** For buf@N and the like: register index, or 'ret'. */
  readonly length: number | 'ret' | null;
  /** Meaningful only when this register has one of these bits. */
  readonly onlyIf: { readonly register: number; readonly mask: number } | null;
}

export type ResultKind = 'int' | 'address' | 'none';

export interface SyscallRow {
  readonly number: number;
  readonly name: string;
  readonly args: readonly ArgSpec[];
  readonly result: ResultKind;
  readonly support: Support;
  readonly note: string;
  readonly handler: Handler;
}

function parseArgs(spec: string): ArgSpec[] {
  let register = 0;
  return spec
    .split(' ')
    .filter((s) => s !== '')
    .map((item) => {
      const [bare = '', condition] = item.split('?');
      const [name = '', typeAndLength = 'hex'] = bare.split(':');
      const [where, mask] = (condition ?? '').split('&');
      const [typeWithMark = 'hex', lengthText] = typeAndLength.split('@');
      const type = typeWithMark.replace('!', '');
      const length = lengthText === undefined ? null : lengthText === 'ret' ? 'ret' : Number(lengthText);
      const arg: ArgSpec = {
        name,
        type,
        register,
        output: typeWithMark.endsWith('!') || type === 'out' || type === 'iovout',
        length,
        onlyIf: mask === undefined ? null : { register: Number(where), mask: Number(mask) },
      };
      register += type === 'off64' ? 2 : 1;
      return arg;
    });
}

/** A class, so that all rows have one shape: the one whose handler runs is asked at every call. */
class Row implements SyscallRow {
  readonly number: number;
  readonly name: string;
  readonly result: ResultKind;
  readonly support: Support;
  readonly note: string;
  readonly handler: Handler;
  readonly #spec: string;
  #args: readonly ArgSpec[] | null = null;

  constructor(number: number, name: string, spec: string, handler: Handler, more: More) {
    this.number = number;
    this.name = name;
    this.result = more.result ?? 'int';
    this.note = more.note ?? '';
    this.support = more.support ?? (this.note === '' ? 'full' : 'partial');
    this.handler = handler;
    this.#spec = spec;
  }

  /** Parsed on demand: all rows together take longer than to run a short program. */
  get args(): readonly ArgSpec[] {
    return (this.#args ??= parseArgs(this.#spec));
  }
}

interface More {
  readonly result?: ResultKind;
  /** What is missing makes a call 'partial'. */
  readonly note?: string;
  readonly support?: Support;
}

/** A call, supported unless `more` says otherwise. */
export function row(
  number: number,
  name: string,
  args: string,
  handler: Handler,
  more: More = {},
): SyscallRow {
  return new Row(number, name, args, handler, more);
}
