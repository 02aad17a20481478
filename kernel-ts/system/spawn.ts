/**
 * Starting a process from the host: the image becomes a file of the guest, and an ordinary execve runs it
 * (Linux: kernel_execve of init).
 */
import { isElfProblem, type ElfProblem } from '../../emulator/index.ts';
import { AT_FDCWD } from '../abi/fcntl.ts';
import { PAGE_SIZE, TASK_SIZE } from '../abi/mman.ts';
import { initRlimits } from '../abi/resource.ts';
import { putFilesStruct } from '../fs/fdtable.ts';
import { FilesStruct, FMODE_READ, FMODE_WRITE } from '../fs/file.ts';
import { initFsStruct, placeGuestFile } from '../fs/init.ts';
import type { Inode } from '../fs/inode.ts';
import { doUnlinkat, userPathAt } from '../fs/namei.ts';
import { hostStreamFile } from '../fs/open.ts';
import { getIpcNs, putIpcNs } from '../ipc/namespace.ts';
import { inMemory, type HostBytes } from '../mm/addressSpace.ts';
import { ktimeGet } from '../mm/context.ts';
import { makeCred } from '../mm/cred.ts';
import { execPath } from '../process/exec.ts';
import { readElf, type ElfImage } from '../process/elfImage.ts';
import type { Kernel } from '../process/kernel.ts';
import { allocPid, attachPids } from '../process/pid.ts';
import { enqueueTask } from '../process/sched.ts';
import { HOST_SESSION, newSigHand, newThreadGroup, Task } from '../process/task.ts';
import type { SpawnOptions } from './api.ts';
import { BootError } from './errors.ts';

const DEFAULT_NAME = '/bin/prog';

function pathOf(options: SpawnOptions): string {
  const name = options.name ?? DEFAULT_NAME;
  return name.startsWith('/') ? name : `/bin/${name}`;
}

/** An image that is already a file of the guest. */
interface Placed {
  readonly image: Uint8Array | HostBytes;
  readonly inode: Inode;
  readonly size: number;
}

/** Holds the program headers of nearly every image. */
const HEAD_BYTES = 4096;

/** An image judged by its beginning, or by all of it where that does not say enough. */
function elfOf(file: HostBytes, ramBytes: number): ElfImage | ElfProblem {
  const elf = readElf(file.read(0, HEAD_BYTES), TASK_SIZE, ramBytes, file.length);
  if (!isElfProblem(elf) || file.length <= HEAD_BYTES) return elf;
  return readElf(file.read(0, file.length), TASK_SIZE, ramBytes);
}

export class Spawner {
  private readonly kernel: Kernel;
  private readonly placed = new Map<string, Placed>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** A task without an address space. @throws BootError when no more tasks may exist */
  makeTask(options: SpawnOptions, streams: readonly [number, number, number]): Task {
    const { kernel } = this;
    const pid = kernel.tasks.size >= kernel.limits.maxTasks ? null : allocPid(kernel);
    if (pid === null) throw new BootError(`too many processes: ${kernel.limits.maxTasks} are alive`);
    const task = new Task({
      pid,
      tgid: pid,
      comm: 'spawn',
      parent: null,
      group: newThreadGroup(pid, HOST_SESSION, initRlimits()),
      sighand: newSigHand(),
      cred: makeCred(options.uid ?? 0, options.gid ?? options.uid ?? 0),
      mm: null,
      files: new FilesStruct(),
      fs: initFsStruct(kernel.vfs),
      ipcNs: getIpcNs(kernel.ipcNs),
      exitSignal: 0,
    });
    task.startTime = ktimeGet(kernel);
    const { files } = task;
    streams.forEach((stream, fd) => {
      if (files !== null) files.fd[fd] = hostStreamFile(kernel, stream, fd === 0 ? FMODE_READ : FMODE_WRITE);
    });
    if (files !== null) files.nextFd = 3;
    return task;
  }

  /**
   * Makes the image a file of the guest, once as long as nobody changes it; runs as root. Returns its path.
   * @throws BootError with one clear line when it cannot be run
   */
  place(image: Uint8Array | HostBytes, options: SpawnOptions): string {
    const { kernel } = this;
    // Not instanceof: another realm's array is one too.
    const file = 'read' in image ? image : inMemory(image);
    const elf = elfOf(file, kernel.ram.size);
    if (isElfProblem(elf)) throw new BootError(elf.problem);
    const path = pathOf(options);
    const found = userPathAt(kernel, AT_FDCWD, path, 0);
    if (typeof found !== 'number') {
      const known = this.placed.get(path);
      const same = known !== undefined && known.image === image && known.inode === found.dInode;
      if (same && found.dInode.iSize === known.size) return path;
      // Others may be running the old file: it keeps its inode, the new one gets the name.
      doUnlinkat(kernel, AT_FDCWD, path, 0);
    }
    // What execve does not look at is for the most part what debuggers read.
    const loaded = Math.max(PAGE_SIZE, ...elf.segments.map(({ offset, filesz }) => offset + filesz));
    const failed = placeGuestFile(kernel, path, file, 0o755, Math.min(loaded, image.length));
    if (failed < 0)
      throw new BootError(`no room for the image of ${image.length} bytes in the guest's memory (see --ram)`);
    const dentry = userPathAt(kernel, AT_FDCWD, path, 0);
    if (typeof dentry !== 'number')
      this.placed.set(path, { image, inode: dentry.dInode, size: image.length });
    return path;
  }

  /** Runs the program at `path` in the task, which is current. @throws BootError with one clear line */
  load(task: Task, path: string, options: SpawnOptions): void {
    const { kernel } = this;
    try {
      if (options.cwd !== undefined) this.changeDirectory(task, options.cwd);
      const text = (s: string): Uint8Array => new TextEncoder().encode(s);
      const argv = (options.args ?? [options.name ?? DEFAULT_NAME]).map(text);
      const failed = execPath(kernel, task, path, {
        path: text(path),
        argv,
        envp: (options.env ?? []).map(text),
      });
      if (failed !== 0) throw new BootError(failed.problem);
    } catch (error) {
      if (task.files !== null) putFilesStruct(kernel, task.files);
      task.files = null;
      putIpcNs(kernel, task.ipcNs);
      throw error;
    }
  }

  private changeDirectory(task: Task, cwd: string): void {
    const dentry = userPathAt(this.kernel, AT_FDCWD, cwd, 0);
    if (typeof dentry === 'number') throw new BootError(`the guest has no directory ${cwd}`);
    task.fs.pwd = dentry;
  }

  /** The task joins the others. */
  start(task: Task): void {
    this.kernel.tasks.set(task.pid, task);
    task.group.threads.push(task);
    attachPids(this.kernel, task.group);
    enqueueTask(this.kernel, task);
  }
}
