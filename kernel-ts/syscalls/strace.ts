/**
 * A system call as strace(1) prints it: `openat(AT_FDCWD, "/tmp/x", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or
 * directory)`. What the call reads is formatted before it runs, what it writes afterwards.
 *
 * Reads the guest's memory only where it is present (no page is faulted in for the sake of printing).
 * Known to be missing: structures that no row names are printed as addresses.
 */
import { ERRNO_NAMES, RESTART_NAMES } from '../abi/errno.ts';
import { decodeSigInfo, SIGFRAME } from '../abi/signal.ts';
import type { Kernel } from '../process/kernel.ts';
import { taskRegisters } from '../process/sched.ts';
import { signalName, signalsOf } from '../process/signalSet.ts';
import type { Task } from '../process/task.ts';
import { formatNamed, nameTables, type NameTableKey } from './flagNames.ts';
import { peekUser } from './peek.ts';
import type { ArgSpec, SyscallRow } from './row.ts';
import { formatSigInfo } from './straceSignal.ts';
import { formatIpcArg, isIpcType } from './straceIpc.ts';
import { hex, octal, quote, STRING_MAX } from './straceText.ts';

const ARRAY_MAX = 32;

type Struct = (bytes: Words) => string;

/** Little-endian fields of guest bytes. */
class Words {
  readonly view: DataView;
  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  u32(at: number): number {
    return this.view.getUint32(at, true);
  }
  i32(at: number): number {
    return this.view.getInt32(at, true);
  }
  u16(at: number): number {
    return this.view.getUint16(at, true);
  }
  /** 64 bits as a decimal string, exact. */
  i64(at: number): string {
    return this.view.getBigInt64(at, true).toString();
  }
  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.view.buffer, this.view.byteOffset + at, length);
  }
  get length(): number {
    return this.view.byteLength;
  }
}

const named = (key: NameTableKey, value: number): string => formatNamed(nameTables()[key], value);

function cString(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function rlimitValue(text: string): string {
  if (text === '-1') return 'RLIM64_INFINITY';
  const n = Number(text);
  return n !== 0 && n % 1024 === 0 ? `${n / 1024}*1024` : text;
}

/** Signal 32 is RTMIN to strace. */
const shortSignal = (sig: number): string => (sig === 32 ? 'RTMIN' : signalName(sig).slice(3));

/** `[HUP INT]`, or `~[KILL STOP]` when most are in it. */
function sigset(w: Words, at: number): string {
  const lo = w.u32(at);
  const hi = w.u32(at + 4);
  const sigs = signalsOf({ lo, hi });
  const most = sigs.length > 32;
  const shown = most ? signalsOf({ lo: ~lo, hi: ~hi }) : sigs;
  return `${most ? '~' : ''}[${shown.map(shortSignal).join(' ')}]`;
}

const handlerName = (h: number): string => (h === 0 ? 'SIG_DFL' : h === 1 ? 'SIG_IGN' : hex(h));

/** struct shmid64_ds of rv32 (abi/shm.ts); the fields of interest. */
function shmidDs(w: Words): string {
  const perm =
    `{key=${hex(w.u32(0))}, uid=${w.u32(4)}, gid=${w.u32(8)}, cuid=${w.u32(12)}, cgid=${w.u32(16)}, ` +
    `mode=${octal(w.u32(20))}}`;
  return `{shm_perm=${perm}, shm_segsz=${w.u32(36)}, shm_cpid=${w.u32(64)}, shm_lpid=${w.u32(68)}, shm_nattch=${w.u32(72)}}`;
}

const timespec = (w: Words, at: number): string => `{tv_sec=${w.i64(at)}, tv_nsec=${w.i64(at + 8)}}`;
const timeval = (w: Words, at: number): string => `{tv_sec=${w.i32(at)}, tv_usec=${w.i32(at + 4)}}`;

/** What rt_sigreturn will restore of the frame at sp. */
function sigframe(kernel: Kernel, task: Task): string {
  const frame = (taskRegisters(kernel, task)[2] ?? 0) >>> 0;
  const bytes = peekUser(kernel, task, frame + SIGFRAME.ucSigmask, 8);
  return bytes === null ? hex(frame) : `{mask=${sigset(new Words(bytes), 0)}}`;
}

/** Structures by type name: size in bytes and how to print them. */
const STRUCTS: Readonly<Record<string, readonly [size: number, format: Struct]>> = {
  timespec: [16, (w) => timespec(w, 0)],
  int32: [4, (w) => `[${w.i32(0)}]`],
  uint32: [4, (w) => hex(w.u32(0))],
  loff: [8, (w) => `[${w.i64(0)}]`],
  pipefd: [8, (w) => `[${w.i32(0)}, ${w.i32(4)}]`],
  sigset: [8, (w) => sigset(w, 0)],
  sigaction: [
    16,
    (w) =>
      `{sa_handler=${handlerName(w.u32(0))}, sa_mask=${sigset(w, 8)}, sa_flags=${named('SA', w.u32(4))}}`,
  ],
  rlimit: [16, (w) => `{rlim_cur=${rlimitValue(w.i64(0))}, rlim_max=${rlimitValue(w.i64(8))}}`],
  rusage: [
    72,
    (w) =>
      `{ru_utime={tv_sec=${w.u32(0)}, tv_usec=${w.u32(4)}}, ru_stime={tv_sec=${w.u32(8)}, tv_usec=${w.u32(12)}}, ...}`,
  ],
  siginfo: [128, (w) => (w.i32(0) === 0 ? '{}' : formatSigInfo(decodeSigInfo(w.view, w.i32(0))))],
  /** The fields of a siginfo that waitid writes. */
  childinfo: [
    24,
    (w) =>
      w.i32(0) === 0
        ? '{}'
        : formatSigInfo({
            signo: w.i32(0),
            errno: 0,
            code: w.i32(8),
            fields: [w.u32(12), w.u32(16), w.u32(20)],
          }),
  ],
  stack: [
    12,
    (w) =>
      `{ss_sp=${w.u32(0) === 0 ? 'NULL' : hex(w.u32(0))}, ss_flags=${named('SS', w.u32(4))}, ss_size=${w.u32(8)}}`,
  ],
  itimerval: [16, (w) => `{it_interval=${timeval(w, 0)}, it_value=${timeval(w, 8)}}`],
  itimerspec: [32, (w) => `{it_interval=${timespec(w, 0)}, it_value=${timespec(w, 16)}}`],
  sigevent: [
    64,
    (w) =>
      `{sigev_value={sival_int=${w.i32(0)}, sival_ptr=${hex(w.u32(0))}}, sigev_signo=${signalName(w.i32(4))}, ` +
      `sigev_notify=${named('SIGEV', w.i32(8))}}`,
  ],
  statx: [
    256,
    (w) => `{stx_mask=${named('STATX', w.u32(0))}, stx_mode=${octal(w.u16(28))}, stx_size=${w.i64(40)}, ...}`,
  ],
  utsname: [
    390,
    (w) =>
      `{sysname=${quote(cString(w.bytes(0, 65)))}, nodename=${quote(cString(w.bytes(65, 65)))}, ` +
      `release=${quote(cString(w.bytes(130, 65)))}, machine=${quote(cString(w.bytes(260, 65)))}, ...}`,
  ],
  shmid: [88, shmidDs],
};

/** A C string of the guest, quoted and cut, or its address when it cannot be read. */
function pathString(kernel: Kernel, task: Task, address: number, max: number): string {
  if (address === 0) return 'NULL';
  let length = 0;
  const bytes = new Uint8Array(max + 1);
  while (length <= max) {
    const one = peekUser(kernel, task, address + length, 1);
    if (one === null) return hex(address);
    if (one[0] === 0) break;
    bytes[length++] = one[0] ?? 0;
  }
  return quote(bytes.subarray(0, Math.min(length, max)), length > max);
}

function buffer(kernel: Kernel, task: Task, address: number, length: number): string {
  if (address === 0) return 'NULL';
  const bytes = peekUser(kernel, task, address, Math.min(Math.max(0, length), STRING_MAX));
  return bytes === null ? hex(address) : quote(bytes, length > STRING_MAX);
}

function iovecs(kernel: Kernel, task: Task, address: number, count: number, limit: number): string {
  const shown = Math.min(Math.max(0, count), 16);
  const raw = peekUser(kernel, task, address, shown * 8);
  if (raw === null || count < 0) return hex(address);
  const w = new Words(raw);
  let left = limit;
  const items: string[] = [];
  for (let i = 0; i < shown; i++) {
    const length = w.u32(i * 8 + 4);
    items.push(`{iov_base=${buffer(kernel, task, w.u32(i * 8), Math.min(length, left))}, iov_len=${length}}`);
    left = Math.max(0, left - length);
  }
  return `[${items.join(', ')}${count > shown ? ', ...' : ''}]`;
}

function stringArray(kernel: Kernel, task: Task, address: number): string {
  if (address === 0) return 'NULL';
  const items: string[] = [];
  for (let i = 0; ; i++) {
    const raw = peekUser(kernel, task, address + i * 4, 4);
    if (raw === null) return hex(address);
    const pointer = new Words(raw).u32(0);
    if (pointer === 0) break;
    if (i >= ARRAY_MAX) {
      items.push('...');
      break;
    }
    items.push(pathString(kernel, task, pointer, STRING_MAX));
  }
  return `[${items.join(', ')}]`;
}

/** envp as strace abbreviates it: the address and how many. */
function environment(kernel: Kernel, task: Task, address: number): string {
  if (address === 0) return 'NULL';
  let count = 0;
  for (; count < 4096; count++) {
    const raw = peekUser(kernel, task, address + count * 4, 4);
    if (raw === null) return hex(address);
    if (new Words(raw).u32(0) === 0) break;
  }
  return `${hex(address)} /* ${count} var${count === 1 ? '' : 's'} */`;
}

const SIMPLE: Readonly<Record<string, (value: number) => string>> = {
  int: (v) => String(v),
  uint: (v) => String(v >>> 0),
  size: (v) => String(v >>> 0),
  fd: (v) => String(v),
  dirfd: (v) => (v === -100 ? 'AT_FDCWD' : String(v)),
  hex,
  ptr: (v) => (v === 0 ? 'NULL' : hex(v)),
  mode: octal,
  key: (v) => (v === 0 ? 'IPC_PRIVATE' : hex(v)),
  sig: (v) => (v === 0 ? '0' : signalName(v)),
  id: (v) => (v === -1 ? '-1' : String(v >>> 0)),
};

const isTable = (type: string): type is NameTableKey => type in nameTables();

/** One argument. `result` is the value of a0 after the call, for arguments that the call writes. */
function formatArg(
  kernel: Kernel,
  task: Task,
  arg: ArgSpec,
  args: readonly number[],
  result: number,
): string {
  const value = args[arg.register] ?? 0;
  const simple = SIMPLE[arg.type];
  if (simple !== undefined) return simple(value);
  if (isTable(arg.type)) return named(arg.type, value);
  const length = arg.length === 'ret' ? result : arg.length === null ? 0 : (args[arg.length] ?? 0);
  switch (arg.type) {
    case 'off64':
      return ((BigInt(args[arg.register + 1] ?? 0) << 32n) | BigInt(value >>> 0)).toString();
    case 'path':
      return pathString(kernel, task, value >>> 0, 4096);
    case 'str':
      return pathString(kernel, task, value >>> 0, STRING_MAX);
    case 'sigframe':
      return sigframe(kernel, task);
    case 'argv':
      return stringArray(kernel, task, value >>> 0);
    case 'envp':
      return environment(kernel, task, value >>> 0);
    case 'buf':
    case 'out':
      return result < 0 ? (SIMPLE['ptr']?.(value) ?? '') : buffer(kernel, task, value >>> 0, length >>> 0);
    case 'iov':
      return iovecs(kernel, task, value >>> 0, length, Infinity);
    case 'iovout':
      return result < 0 ? hex(value) : iovecs(kernel, task, value >>> 0, length, result);
  }
  if (isIpcType(arg.type)) return formatIpcArg(kernel, task, arg.type, value >>> 0, args, result);
  const struct = STRUCTS[arg.type];
  if (value === 0) return 'NULL';
  if (struct === undefined || result < 0) return hex(value);
  const bytes = peekUser(kernel, task, value >>> 0, struct[0]);
  return bytes === null ? hex(value) : struct[1](new Words(bytes));
}

function isMeaningful(arg: ArgSpec | undefined, args: readonly number[]): boolean {
  const condition = arg?.onlyIf ?? null;
  return condition === null || ((args[condition.register] ?? 0) & condition.mask) !== 0;
}

/** What can be said before the call: a text per argument, null for those that it writes. */
export function formatEntry(
  kernel: Kernel,
  task: Task,
  row: SyscallRow,
  args: readonly number[],
): (string | null)[] {
  return row.args.map((arg) => (arg.output ? null : formatArg(kernel, task, arg, args, 0)));
}

/** `= 3`, `= 0x95555000`, `= -1 EACCES (Permission denied)`, `= ?` for calls that do not return. */
export function formatResult(row: Pick<SyscallRow, 'result'>, result: number | null): string {
  if (result === null) return '?';
  const restart = RESTART_NAMES.get(-result);
  if (restart !== undefined) return `? ${restart}`;
  if (result < 0 && result >= -4095) {
    const known = ERRNO_NAMES.get(-result);
    return known === undefined ? `-1 errno ${-result}` : `-1 ${known[0]} (${known[1]})`;
  }
  return row.result === 'address' ? hex(result) : String(result | 0);
}

/** The whole line. `entry` comes from formatEntry; `result` is null when the call does not return. */
export function formatCall(
  kernel: Kernel,
  task: Task,
  row: SyscallRow,
  args: readonly number[],
  entry: readonly (string | null)[],
  result: number | null,
): string {
  const texts = row.args
    .map((arg, i) => entry[i] ?? formatArg(kernel, task, arg, args, result ?? -1))
    .filter((_text, i) => isMeaningful(row.args[i], args));
  return `${row.name}(${texts.join(', ')}) = ${formatResult(row, result)}`;
}
