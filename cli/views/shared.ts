/** Questions that several views ask of a picture. */
import type {
  IpcNamespacePicture,
  Picture,
  PtePicture,
  SharedObjectPicture,
  ShmidKernelPicture,
  TaskPicture,
  VmAreaPicture,
} from '../../kernel-ts/index.ts';

/** SHM_DEST, SHM_LOCKED of <linux/shm.h>. */
export const SHM_DEST = 0o1000;
export const SHM_LOCKED = 0o2000;

/** Pids named before the rest is counted. */
const PIDS_NAMED = 5;

/** A task that has at least one VMA on a segment or another shared object, with those VMAs. */
export interface Attachment {
  readonly task: TaskPicture;
  readonly vmas: readonly VmAreaPicture[];
}

export function segments(picture: Picture): readonly ShmidKernelPicture[] {
  return picture.namespaces.flatMap((namespace) => namespace.shmIds.entries);
}

/** By the file, not by the id: that can be another segment's in another namespace. */
export function attachments(picture: Picture, { shmFile }: ShmidKernelPicture): Attachment[] {
  return mappers(picture, ({ shmid, vmFile }) => shmid !== null && vmFile === shmFile);
}

/** The tasks that live in a namespace. */
export function residents(picture: Picture, namespace: IpcNamespacePicture): TaskPicture[] {
  return picture.tasks.filter(({ ipcNs }) => ipcNs === namespace.name);
}

/** "pids 1001 1002", for people. */
export function pidList(tasks: readonly TaskPicture[]): string {
  if (tasks.length === 0) return 'no process';
  const named = tasks.slice(0, PIDS_NAMED).map(({ pid }) => String(pid));
  const more = tasks.length > PIDS_NAMED ? ` and ${String(tasks.length - PIDS_NAMED)} more` : '';
  return `${tasks.length === 1 ? 'pid' : 'pids'} ${named.join(' ')}${more}`;
}

/** The same for a shared object that is no segment. */
export function objectMappers(picture: Picture, object: SharedObjectPicture): Attachment[] {
  const files = new Set(picture.files.filter(({ inode }) => inode === object.inode).map(({ file }) => file));
  return mappers(picture, ({ vmFile }) => vmFile !== null && files.has(vmFile));
}

function mappers(picture: Picture, wanted: (vma: VmAreaPicture) => boolean): Attachment[] {
  return picture.tasks.flatMap((task) => {
    const vmas = task.mm?.mmap.filter(wanted) ?? [];
    return vmas.length === 0 ? [] : [{ task, vmas }];
  });
}

/** A mapping of a frame: who maps it, and by which entry. */
export interface FrameUser {
  readonly pid: number;
  readonly pte: PtePicture;
}

/** Frames mapped at more than one place, with everybody who maps them, in the picture's order. The zero page is nobody's. */
export function sharedFrames(picture: Picture): ReadonlyMap<number, readonly FrameUser[]> {
  const users = new Map<number, FrameUser[]>();
  for (const task of picture.tasks) {
    for (const pte of task.mm?.mmap.flatMap((vma) => vma.ptes) ?? []) {
      if (pte.pfn === picture.ram.zeroPfn) continue;
      const known = users.get(pte.pfn);
      if (known === undefined) users.set(pte.pfn, [{ pid: task.pid, pte }]);
      else known.push({ pid: task.pid, pte });
    }
  }
  return new Map([...users].filter(([, list]) => list.length > 1));
}
