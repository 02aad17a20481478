/**
 * execve: from a path to a running image (Linux: fs/exec.c, fs/binfmt_script.c; execve(2)).
 *
 * The new address space is built completely before the old one is given up, so every failure leaves the caller as it
 * was (Linux has a point of no return, after which it kills).
 *
 * Known to be missing: execveat, binfmt_misc, dynamic linking (ENOEXEC and a line in the log), PR_SET_MM.
 */
import { isElfProblem } from '../../emulator/index.ts';
import { E2BIG, EFAULT, EINVAL, ELOOP, ENOENT, ENOEXEC, ENOMEM, type Errno } from '../abi/errno.ts';
import { AT_FDCWD } from '../abi/fcntl.ts';
import { TASK_SIZE } from '../abi/mman.ts';
import { RLIMIT_STACK, rlimit } from '../abi/resource.ts';
import { doCloseOnExec, dupFilesStruct, putFilesStruct } from '../fs/fdtable.ts';
import type { File } from '../fs/file.ts';
import { fput, openExec } from '../fs/open.ts';
import { kernelReadFile } from '../fs/readWrite.ts';
import { mmSatp, type MmStruct } from '../mm/mm.ts';
import { archPickMmapLayout, mmAlloc, mmput, setMmExeFile } from '../mm/mmLife.ts';
import { getUser32, strnBytesFromUser } from '../mm/usercopy.ts';
import { loadElfBinary, type ExecStrings, type LoadedImage } from './binfmtElf.ts';
import { credForExec } from './creds.ts';
import { readElf, type ElfImage } from './elfImage.ts';
import { doExit, releaseMm } from './exit.ts';
import { log, type Kernel } from './kernel.ts';
import { exitPosixTimers } from './posixTimer.ts';
import { SYSCALL_NO_RESULT } from './sched.ts';
import { resetHandlers } from './signal.ts';
import { SIGCHLD } from './signalSet.ts';
import { initFpu } from './switchTo.ts';
import { groupLeader, NO_ALT_STACK, type Task } from './task.ts';

/** Longest single argument string (MAX_ARG_STRLEN), with its zero. */
const MAX_ARG_STRLEN = 32 * 4096;
/** All strings and pointers together, whatever RLIMIT_STACK says (_STK_LIM / 4 * 3). */
const ARG_LIMIT = 6 * 1024 * 1024;
const ARG_MINIMUM = 32 * 4096;
const BINPRM_BUF_SIZE = 256;
/** How much of a file is read to find its program headers before all of it is. */
const HEADER_BYTES = 4096;
const MAX_SCRIPT_DEPTH = 5;
const TASK_COMM_LEN = 16;

/** Why an image was not started: for the guest an errno, for the host one line. */
export interface ExecFailure {
  readonly errno: Errno;
  readonly problem: string;
}

const failure = (errno: Errno, problem: string): ExecFailure => ({ errno, problem });

const text = (s: string): Uint8Array => new TextEncoder().encode(s);

/** What is to be executed once scripts are resolved. */
interface Binary {
  readonly file: File;
  readonly image: ElfImage;
  readonly strings: ExecStrings;
}

/** search_binary_handler(): follows #! lines to an ELF file. The caller puts the file. */
function findBinary(kernel: Kernel, path: string, strings: ExecStrings): Binary | ExecFailure {
  let at = path;
  let argv = strings.argv;
  for (let depth = 0; depth <= MAX_SCRIPT_DEPTH; depth++) {
    const file = openExec(kernel, AT_FDCWD, at);
    if (typeof file === 'number') return failure(file, `cannot execute ${at}`);
    const head = kernelReadFile(kernel, file, 0, HEADER_BYTES);
    if (typeof head === 'number') {
      fput(kernel, file);
      return failure(head, `cannot read ${at}`);
    }
    const script = parseScript(head.subarray(0, BINPRM_BUF_SIZE));
    if (script === null) {
      const image = readImage(kernel, file, head);
      if ('image' in image) return { file, image: image.image, strings: { ...strings, argv } };
      fput(kernel, file);
      return image;
    }
    fput(kernel, file);
    if (script.interpreter === '') return failure(-ENOEXEC, `${at}: no interpreter after #!`);
    const option = script.option === '' ? [] : [text(script.option)];
    argv = [text(script.interpreter), ...option, text(at), ...argv.slice(1)];
    at = script.interpreter;
  }
  return failure(-ELOOP, `${path}: too many levels of #! interpreters`);
}

/** load_script(): "#! interpreter [one option]" or null. */
function parseScript(head: Uint8Array): { readonly interpreter: string; readonly option: string } | null {
  if (head[0] !== 0x23 || head[1] !== 0x21) return null;
  const end = head.findIndex((c) => c === 10 || c === 0);
  const line = new TextDecoder().decode(head.subarray(2, end < 0 ? head.length : end)).trim();
  const space = line.search(/[ \t]/);
  if (space < 0) return { interpreter: line, option: '' };
  return { interpreter: line.slice(0, space), option: line.slice(space).trim() };
}

function readImage(kernel: Kernel, file: File, head: Uint8Array): { readonly image: ElfImage } | ExecFailure {
  const size = file.fInode.iSize;
  let bytes = head;
  if (head.length >= 48 && size > head.length) {
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const headersEnd = view.getUint32(28, true) + view.getUint16(44, true) * 32;
    if (headersEnd > head.length && headersEnd <= size) {
      const all = kernelReadFile(kernel, file, 0, size);
      if (typeof all === 'number') return failure(all, 'cannot read the program');
      bytes = all;
    }
  }
  const image = readElf(bytes, TASK_SIZE, kernel.ram.size, size);
  if (!isElfProblem(image)) return { image };
  const errno = image.kind === 'noexec' ? -ENOEXEC : image.kind === 'nomem' ? -ENOMEM : -EINVAL;
  return failure(errno, image.problem);
}

/**
 * bprm_execve(): runs the program at `path` in `task`, which is `kernel.current`. On success the hart holds its first
 * registers and 0 is returned; on failure nothing has changed.
 */
export function execPath(kernel: Kernel, task: Task, path: string, strings: ExecStrings): 0 | ExecFailure {
  const limit = Math.max(ARG_MINIMUM, Math.min(ARG_LIMIT, rlimit(task.rlim, RLIMIT_STACK) / 4));
  const all = [...strings.argv, ...strings.envp];
  const bytes = all.reduce((sum, s) => sum + s.length + 5, 0);
  if (bytes > limit || all.some((s) => s.length >= MAX_ARG_STRLEN)) {
    return failure(-E2BIG, 'the arguments and the environment are too long');
  }
  const binary = findBinary(kernel, path, strings);
  if ('errno' in binary) return binary;
  const { fInode } = binary.file;
  const cred = credForExec(task, fInode.iMode, fInode.iUid, fInode.iGid);
  const mm = mmAlloc(kernel);
  if (typeof mm === 'number') {
    fput(kernel, binary.file);
    return failure(mm, 'no memory for an address space');
  }
  archPickMmapLayout(kernel, mm);
  const secure = cred.uid !== cred.euid || cred.gid !== cred.egid;
  const loaded = loadElfBinary(kernel, mm, binary.file, binary.image, binary.strings, cred, secure);
  if (typeof loaded === 'number') {
    fput(kernel, binary.file);
    mmput(kernel, mm);
    return failure(loaded, 'no memory for the image');
  }
  setMmExeFile(mm, binary.file);
  task.cred = cred;
  if (secure) mm.dumpable = 0;
  beginNewExec(kernel, task, mm, path, loaded);
  return 0;
}

/** begin_new_exec() and start_thread(): from here on there is no way back. */
function beginNewExec(kernel: Kernel, task: Task, mm: MmStruct, path: string, loaded: LoadedImage): void {
  deThread(kernel, task);
  kernel.hart.setAddressSpace(mmSatp(mm));
  releaseMm(kernel, task);
  task.mm = mm;
  task.sighand = { action: task.sighand.action };
  resetHandlers(task);
  task.altStack = NO_ALT_STACK;
  exitPosixTimers(kernel, task.group);
  task.exitSignal = SIGCHLD;
  if (task.files !== null) {
    // unshare_files(): the descriptors of whoever shared the table stay open.
    if (task.files.count > 1) {
      const own = dupFilesStruct(task.files);
      putFilesStruct(kernel, task.files);
      task.files = own;
    }
    doCloseOnExec(kernel, task.files);
  }
  task.comm = (path.split('/').at(-1) ?? path).slice(0, TASK_COMM_LEN - 1);
  task.group.didExec = true;
  task.restart = null;
  kernel.stats.execs++;
  const { hart } = kernel;
  hart.x.fill(0);
  initFpu(hart);
  hart.x[2] = loaded.sp;
  hart.pc = loaded.entry;
  hart.privilege = 0;
  hart.clearReservation();
}

/** de_thread(): the other threads end; a thread that was not the leader takes over its number. */
function deThread(kernel: Kernel, task: Task): void {
  const { group } = task;
  for (const t of group.threads.slice()) if (t !== task) doExit(kernel, t, 9);
  const leader = groupLeader(task);
  if (leader === task) return;
  kernel.tasks.delete(task.pid);
  task.pid = task.tgid;
  task.exitSignal = leader.exitSignal;
  task.parent = leader.parent;
  leader.parent?.children?.replace(leader, task);
  task.children = leader.children;
  leader.children = null;
  for (const child of task.children ?? []) child.parent = task;
  leader.state = 'X';
  group.threads.splice(0, group.threads.length, task);
  kernel.tasks.set(task.pid, task);
}

/** count() and copy_strings(): a NULL-terminated array of guest strings; NULL itself counts as empty. */
function readStrings(
  kernel: Kernel,
  mm: MmStruct,
  address: number,
  budget: { left: number },
): Uint8Array[] | Errno {
  const out: Uint8Array[] = [];
  if (address === 0) return out;
  for (let at = address; ; at += 4) {
    const pointer = at > 0xffff_fffb ? null : getUser32(kernel, mm, at);
    if (pointer === null) return -EFAULT;
    if (pointer === 0) return out;
    const s = strnBytesFromUser(kernel, mm, pointer, MAX_ARG_STRLEN);
    if (typeof s === 'number') return s === -EFAULT ? s : -E2BIG;
    budget.left -= s.length + 5;
    if (budget.left < 0) return -E2BIG;
    out.push(s);
  }
}

/** execve(2), the path already copied from the guest. The result is SYSCALL_NO_RESULT or an Errno. */
export function doExecve(kernel: Kernel, task: Task, path: string, argvAt: number, envpAt: number): number {
  const { mm } = task;
  if (mm === null) return -EFAULT;
  if (path === '') return -ENOENT;
  const budget = { left: ARG_LIMIT };
  const argv = readStrings(kernel, mm, argvAt, budget);
  if (typeof argv === 'number') return argv;
  const envp = readStrings(kernel, mm, envpAt, budget);
  if (typeof envp === 'number') return envp;
  // Since 5.18 an empty argv becomes [""], so that programs may rely on argv[0].
  if (argv.length === 0) argv.push(new Uint8Array(0));
  const failed = execPath(kernel, task, path, { path: text(path), argv, envp });
  if (failed === 0) return SYSCALL_NO_RESULT;
  // Whoever tries to execute a text knows what to do next; a program that almost fits deserves an explanation.
  if ((failed.errno === -ENOEXEC && !failed.problem.includes('not an ELF')) || failed.errno === -ENOMEM) {
    log(kernel, `pid ${task.pid} (${task.comm}): execve ${path}: ${failed.problem}`);
  }
  return failed.errno;
}
