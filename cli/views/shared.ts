/** Questions that several views ask of a picture. */
import type {
  Picture,
  PtePicture,
  ShmidKernelPicture,
  TaskPicture,
  VmAreaPicture,
} from '../../kernel-ts/index.ts';

/** SHM_DEST, SHM_LOCKED of <linux/shm.h>. */
export const SHM_DEST = 0o1000;
export const SHM_LOCKED = 0o2000;

/** A task that has at least one VMA on a segment, with those VMAs. */
export interface Attachment {
  readonly task: TaskPicture;
  readonly vmas: readonly VmAreaPicture[];
}

export function segments(picture: Picture): readonly ShmidKernelPicture[] {
  return picture.namespaces.flatMap((namespace) => namespace.shmIds.entries);
}

export function attachments(picture: Picture, shmid: number): Attachment[] {
  return picture.tasks.flatMap((task) => {
    const vmas = task.mm?.mmap.filter((vma) => vma.shmid === shmid) ?? [];
    return vmas.length === 0 ? [] : [{ task, vmas }];
  });
}

/** A mapping of a frame: who maps it, and by which entry. */
export interface FrameUser {
  readonly pid: number;
  readonly pte: PtePicture;
}

/** Frames mapped at more than one place, with everybody who maps them, in the picture's order. */
export function sharedFrames(picture: Picture): ReadonlyMap<number, readonly FrameUser[]> {
  const users = new Map<number, FrameUser[]>();
  for (const task of picture.tasks) {
    for (const pte of task.mm?.mmap.flatMap((vma) => vma.ptes) ?? []) {
      const known = users.get(pte.pfn);
      if (known === undefined) users.set(pte.pfn, [{ pid: task.pid, pte }]);
      else known.push({ pid: task.pid, pte });
    }
  }
  return new Map([...users].filter(([, list]) => list.length > 1));
}
