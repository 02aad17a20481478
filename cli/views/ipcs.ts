/** The tables of ipcs(1) (util-linux), from a picture. */
import type { Picture } from '../../kernel-ts/index.ts';
import { hex32, octal } from './format.ts';
import { segments, SHM_DEST, SHM_LOCKED } from './shared.ts';

/** Message queues, shared memory, semaphores: in ipcs's order. */
export type IpcKind = 'queues' | 'memory' | 'semaphores';

/** Owners are shown by number, except root: the guest has no /etc/passwd. */
const owner = (uid: number): string => (uid === 0 ? 'root' : String(uid));

function table(title: string, widths: readonly number[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join(' ')
      .trimEnd();
  return [`------ ${title} --------`, ...rows.map(line), ''];
}

function queueTable(picture: Picture): string[] {
  const rows = picture.namespaces.flatMap(({ msgIds }) =>
    msgIds.entries.map((queue) => [
      hex32(queue.key),
      String(queue.id),
      owner(queue.uid),
      octal(queue.mode & 0o777),
      String(queue.qCbytes),
      String(queue.messages.length),
    ]),
  );
  const header = ['key', 'msqid', 'owner', 'perms', 'used-bytes', 'messages'];
  return table('Message Queues', [10, 10, 10, 10, 12, 12], [header, ...rows]);
}

function memoryTable(picture: Picture): string[] {
  const rows = segments(picture).map((segment) => [
    hex32(segment.key),
    String(segment.id),
    owner(segment.uid),
    octal(segment.mode & 0o777),
    String(segment.shmSegsz),
    String(segment.shmNattch),
    [segment.mode & SHM_DEST ? 'dest' : '', segment.mode & SHM_LOCKED ? 'locked' : '']
      .filter(Boolean)
      .join(' '),
  ]);
  const header = ['key', 'shmid', 'owner', 'perms', 'bytes', 'nattch', 'status'];
  return table('Shared Memory Segments', [10, 10, 10, 10, 10, 10, 12], [header, ...rows]);
}

function semaphoreTable(picture: Picture): string[] {
  const rows = picture.namespaces.flatMap(({ semIds }) =>
    semIds.entries.map((array) => [
      hex32(array.key),
      String(array.id),
      owner(array.uid),
      octal(array.mode & 0o777),
      String(array.sems.length),
    ]),
  );
  const header = ['key', 'semid', 'owner', 'perms', 'nsems'];
  return table('Semaphore Arrays', [10, 10, 10, 10, 10], [header, ...rows]);
}

/** The tables of these kinds. */
export function ipcsView(picture: Picture, kinds: readonly IpcKind[]): string {
  const lines = [''];
  if (kinds.includes('queues')) lines.push(...queueTable(picture));
  if (kinds.includes('memory')) lines.push(...memoryTable(picture));
  if (kinds.includes('semaphores')) lines.push(...semaphoreTable(picture));
  return [...lines, ''].join('\n');
}
