/** What fs needs beyond mm: the task's files and directories, the host's streams, the random source, the mounts. */
import type { CurrentTask, MmContext } from '../mm/context.ts';
import type { FilesStruct, FsStruct } from './file.ts';
import type { Dentry, SuperBlock } from './inode.ts';
import type { ProcRegistry } from './proc.ts';
import type { RandomState } from './random.ts';
import type { WaitQueue } from '../process/waitQueue.ts';

/** Linux's `current`, as far as fs looks at it. */
export interface FsTask extends CurrentTask {
  /** null once the task has exited. */
  readonly files: FilesStruct | null;
  readonly fs: FsStruct;
}

/** The host's end of a HostStream, chosen by number. Not kernel state: a checkpoint does not hold it. */
export interface HostIo {
  /** Takes all bytes. */
  write(stream: number, bytes: Uint8Array): void;
  /** At most `max` bytes; null at the end of the input. */
  read(stream: number, max: number): Uint8Array | null;
}

/** The file systems of the kernel. */
export interface VfsState {
  /** The root of the root file system. */
  readonly root: Dentry;
  /** The kernel's own tmpfs for segments, shared anonymous memory and memfds (shm_mnt). */
  readonly shmMnt: SuperBlock;
  /** Pipes and host streams. */
  readonly pipeMnt: SuperBlock;
  /** Namespaces. */
  readonly nsfs: SuperBlock;
  readonly proc: ProcRegistry;
  /** Serial number of the next struct file, for the picture. */
  nextFileId: number;
}

export interface FsContext extends MmContext {
  readonly current: FsTask;
  readonly vfs: VfsState;
  readonly random: RandomState;
  readonly streams: HostIo;
  /** Queues with a reason to wake up; the process layer empties it. */
  readonly wakeQueues: WaitQueue[];
}
