/** The tables of ipcs(1) (util-linux), from a picture. */
import type { IpcNamespacePicture, Picture } from '../../kernel-ts/index.ts';
import { hex32, octal, printable } from './format.ts';
import { pidList, residents, SHM_DEST, SHM_LOCKED } from './shared.ts';

/** Message queues, shared memory, semaphores: in ipcs's order; and shared memory that is no segment. */
export type IpcKind = 'queues' | 'memory' | 'semaphores' | 'posixShmems';

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

function queueTable({ msgIds }: IpcNamespacePicture): string[] {
  const rows = msgIds.entries.map((queue) => [
    hex32(queue.key),
    String(queue.id),
    owner(queue.uid),
    octal(queue.mode & 0o777),
    String(queue.qCbytes),
    String(queue.messages.length),
  ]);
  const header = ['key', 'msqid', 'owner', 'perms', 'used-bytes', 'messages'];
  return table('Message Queues', [10, 10, 10, 10, 12, 12], [header, ...rows]);
}

function memoryTable({ shmIds }: IpcNamespacePicture): string[] {
  const rows = shmIds.entries.map((segment) => [
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

function semaphoreTable({ semIds }: IpcNamespacePicture): string[] {
  const rows = semIds.entries.map((array) => [
    hex32(array.key),
    String(array.id),
    owner(array.uid),
    octal(array.mode & 0o777),
    String(array.sems.length),
  ]);
  const header = ['key', 'semid', 'owner', 'perms', 'nsems'];
  return table('Semaphore Arrays', [10, 10, 10, 10, 10], [header, ...rows]);
}

/** Files of /dev/shm, memfds and shared anonymous memory; ipcs knows the first kind. */
function posixTable({ sharedObjects, inodes }: Picture): string[] {
  const rows = sharedObjects.map((object) => [
    owner(object.iUid),
    octal(object.iMode & 0o777),
    String(inodes.find(({ inode }) => inode === object.inode)?.iSize ?? 0),
    String(object.openBy.length),
    String(object.mappedBy.length),
    printable(object.path),
  ]);
  const header = ['owner', 'perms', 'bytes', 'open', 'mapped', 'name'];
  return table('POSIX Shared Memory', [10, 10, 10, 10, 10, 0], [header, ...rows]);
}

/** The tables of these kinds; those of each namespace under a heading when there is more than one. */
export function ipcsView(picture: Picture, kinds: readonly IpcKind[]): string {
  const lines = [''];
  for (const namespace of picture.namespaces) {
    if (picture.namespaces.length > 1)
      lines.push(
        `====== ${printable(namespace.name)}: ${pidList(residents(picture, namespace))} ========`,
        '',
      );
    if (kinds.includes('queues')) lines.push(...queueTable(namespace));
    if (kinds.includes('memory')) lines.push(...memoryTable(namespace));
    if (kinds.includes('semaphores')) lines.push(...semaphoreTable(namespace));
  }
  if (kinds.includes('posixShmems')) lines.push(...posixTable(picture));
  return [...lines, ''].join('\n');
}
