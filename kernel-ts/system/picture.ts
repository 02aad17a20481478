/**
 * The picture: the structure linkage of Linux's System V shared memory as plain JSON.
 *
 * Made by inspect.ts from a running system, drawn by cli/, asserted on by tests. It holds numbers, strings
 * and arrays only, in a deterministic order (ids by index, pages by index, tasks by pid, VMAs by address),
 * so two equal systems give byte-equal JSON. References between structures are by number: a file by its
 * `file` id, an inode by its number, a frame by its physical page number (physical address >>> 12).
 */

/** The whole picture. `version` changes when a field changes its meaning. */
export interface Picture {
  readonly version: 1;
  /** Instructions retired since power-on. */
  readonly instructions: number;
  /** Virtual time since boot in nanoseconds. */
  readonly time: number;
  readonly ram: {
    readonly base: number;
    readonly size: number;
    readonly framesTotal: number;
    readonly framesFree: number;
    /** The frame that reads find in private memory that nobody has written; null before the first such read. */
    readonly zeroPfn: number | null;
  };
  readonly namespaces: readonly IpcNamespacePicture[];
  readonly files: readonly FilePicture[];
  readonly inodes: readonly InodePicture[];
  /** Shared memory that is no System V segment, by inode. */
  readonly sharedObjects: readonly SharedObjectPicture[];
  readonly tasks: readonly TaskPicture[];
}

/** struct ipc_namespace. */
export interface IpcNamespacePicture {
  readonly name: string;
  readonly shmCtlmax: number;
  readonly shmCtlall: number;
  readonly shmCtlmni: number;
  readonly shmTot: number;
  readonly shmRmidForced: number;
  /** ipc_ids[IPC_SHM_IDS]. */
  readonly shmIds: {
    readonly inUse: number;
    readonly seq: number;
    readonly maxIdx: number;
    readonly entries: readonly ShmidKernelPicture[];
  };
  /** ipc_ids[IPC_SEM_IDS] and [IPC_MSG_IDS]. */
  readonly semIds: IpcIdsPicture<SemArrayPicture>;
  readonly msgIds: IpcIdsPicture<MsgQueuePicture>;
}

/** struct ipc_ids. */
export interface IpcIdsPicture<T> {
  readonly inUse: number;
  readonly seq: number;
  readonly maxIdx: number;
  readonly entries: readonly T[];
}

/** struct kern_ipc_perm. */
export interface IpcPermPicture {
  readonly index: number;
  readonly id: number;
  readonly seq: number;
  /** key_t as an unsigned 32-bit number; 0 is IPC_PRIVATE. */
  readonly key: number;
  readonly uid: number;
  readonly gid: number;
  readonly cuid: number;
  readonly cgid: number;
  readonly mode: number;
}

/** struct sem_array. Times are seconds since the epoch of the virtual clock. */
export interface SemArrayPicture extends IpcPermPicture {
  readonly semOtime: number;
  readonly semCtime: number;
  readonly complexCount: number;
  readonly sems: readonly { readonly semval: number; readonly sempid: number }[];
  /** struct sem_queue: the array's own queues first, then semaphore by semaphore, each in the order of arrival. */
  readonly sleepers: readonly {
    readonly pid: number;
    /** The semaphore that it waits for. */
    readonly blockedOn: number;
    readonly sops: readonly { readonly semNum: number; readonly semOp: number; readonly semFlg: number }[];
  }[];
  /** struct sem_undo: what the end of these tasks (the last of them) adds to each semaphore. */
  readonly undos: readonly { readonly pids: readonly number[]; readonly semadj: readonly number[] }[];
}

/** struct msg_queue. Times are seconds since the epoch of the virtual clock; 0 is never. */
export interface MsgQueuePicture extends IpcPermPicture {
  readonly qStime: number;
  readonly qRtime: number;
  readonly qCtime: number;
  readonly qCbytes: number;
  readonly qQbytes: number;
  readonly qLspid: number;
  readonly qLrpid: number;
  readonly messages: readonly { readonly mType: number; readonly size: number }[];
  readonly receivers: readonly {
    readonly pid: number;
    /** any, equal, notEqual, lessEqual msgtyp. */
    readonly mode: string;
    readonly msgtyp: number;
    readonly bufsz: number;
  }[];
  readonly senders: readonly { readonly pid: number; readonly mType: number; readonly size: number }[];
}

/** struct shmid_kernel. Times are seconds since the epoch of the virtual clock. */
export interface ShmidKernelPicture {
  readonly index: number;
  readonly id: number;
  readonly seq: number;
  /** key_t as an unsigned 32-bit number; 0 is IPC_PRIVATE (or a removed segment). */
  readonly key: number;
  readonly uid: number;
  readonly gid: number;
  readonly cuid: number;
  readonly cgid: number;
  /** The low 9 bits, SHM_DEST (01000) and SHM_LOCKED (02000). */
  readonly mode: number;
  readonly shmSegsz: number;
  readonly shmNattch: number;
  readonly shmCprid: number;
  readonly shmLprid: number;
  readonly shmAtim: number;
  readonly shmDtim: number;
  readonly shmCtim: number;
  /** FilePicture.file of shm_file. */
  readonly shmFile: number;
}

/** struct file: those that a segment or a VMA refers to. */
export interface FilePicture {
  readonly file: number;
  readonly path: string;
  readonly fOp: string;
  readonly count: number;
  readonly inode: number;
}

/** struct inode with its address_space, as far as it is mapped. */
export interface InodePicture {
  readonly inode: number;
  readonly iSize: number;
  readonly iMapping: {
    readonly nrpages: number;
    readonly pages: readonly PagePicture[];
  };
}

/** A file of /dev/shm (shm_open, sem_open), a memfd, or memory mapped shared and anonymous. */
export interface SharedObjectPicture {
  readonly kind: 'shm' | 'memfd' | 'anonymous';
  /** "/dev/shm/name", "/memfd:name (deleted)", "/dev/zero (deleted)". */
  readonly path: string;
  /** InodePicture.inode. */
  readonly inode: number;
  /** S_IFREG and the permissions. */
  readonly iMode: number;
  readonly iUid: number;
  readonly iGid: number;
  /** 0: without a name, gone with the last descriptor and mapping. */
  readonly iNlink: number;
  /** F_SEAL_*. */
  readonly seals: number;
  /** Descriptors of processes, by pid. */
  readonly openBy: readonly { readonly pid: number; readonly fd: number }[];
  /** VMAs of processes, by pid and address. */
  readonly mappedBy: readonly { readonly pid: number; readonly vmStart: number }[];
}

/** struct page in an address_space. */
export interface PagePicture {
  readonly index: number;
  /** Physical page number: physical address >>> 12. */
  readonly pfn: number;
  readonly count: number;
  readonly mapcount: number;
}

/** struct task_struct and its mm_struct. `mm` is null once the task has given it up (a zombie). */
export interface TaskPicture {
  readonly pid: number;
  readonly ppid: number;
  readonly comm: string;
  /** R running or runnable, S sleeping, Z zombie, T stopped. */
  readonly state: string;
  /** What a sleeper waits for, for people: "nanosleep", "futex 0x…", "wait4". Empty when not asleep. */
  readonly waiting: string;
  readonly uid: number;
  readonly gid: number;
  /** IpcNamespacePicture.name of nsproxy->ipc_ns; null for a dead task, which has left it. */
  readonly ipcNs: string | null;
  readonly pc: number;
  /** wait(2) status word once dead, else null. */
  readonly exitCode: number | null;
  readonly mm: MmPicture | null;
}

export interface MmPicture {
  readonly id: number;
  /** Physical address of the root page table. */
  readonly pgd: number;
  readonly satp: number;
  readonly startBrk: number;
  readonly brk: number;
  readonly startStack: number;
  readonly totalVm: number;
  readonly rss: number;
  readonly mmap: readonly VmAreaPicture[];
}

export interface VmAreaPicture {
  readonly vmStart: number;
  /** Exclusive. */
  readonly vmEnd: number;
  /** In pages. */
  readonly vmPgoff: number;
  /** Linux VM_* bits. */
  readonly vmFlags: number;
  /** "rw-s" as in /proc/PID/maps. */
  readonly perms: string;
  /** FilePicture.file, or null when anonymous. */
  readonly vmFile: number | null;
  readonly vmOps: string;
  /** The last column of /proc/PID/maps. */
  readonly name: string;
  /** The id of the segment when this is a shm attach, else null. */
  readonly shmid: number | null;
  /** IpcNamespacePicture.name of that segment's namespace, which need not be the task's; ids begin anew in each. */
  readonly ipcNs: string | null;
  readonly ptes: readonly PtePicture[];
}

/** One present page: both steps of the Sv32 walk, all physical. */
export interface PtePicture {
  readonly va: number;
  /** Physical address of the level-1 entry and its value. */
  readonly pte1Address: number;
  readonly pte1: number;
  /** Physical address of the level-0 entry and its value. */
  readonly pte0Address: number;
  readonly pte0: number;
  readonly pfn: number;
  /** "DAGUXWRV" with '-' for clear bits. */
  readonly flags: string;
}
