/** /proc/PID/maps of every process in a picture. */
import type { Picture, TaskPicture, VmAreaPicture } from '../../kernel-ts/index.ts';
import { printable } from './format.ts';

/** Column of the name: 25 + 6 * sizeof(void *) of show_map_vma() on a 32-bit kernel. */
const NAME_COLUMN = 49;

/** One line per VMA, as the guest reads it. A shm attach shows the segment's id as its inode, as Linux does. */
export function mapsLines(picture: Picture, task: TaskPicture): string[] {
  const inodes = new Map(picture.files.map((file) => [file.file, file.inode]));
  const line = (vma: VmAreaPicture): string => {
    const digits = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
    const inode = vma.shmid ?? (vma.vmFile === null ? 0 : (inodes.get(vma.vmFile) ?? 0));
    // vm_pgoff counts pages: as bytes it may pass 32 bits, and %08llx shows it whole.
    const offset = vma.vmFile === null ? 0 : vma.vmPgoff * 4096;
    const device = vma.vmFile === null ? '00:00' : '00:01';
    const start = `${digits(vma.vmStart)}-${digits(vma.vmEnd)} ${vma.perms} ${offset.toString(16).padStart(8, '0')} `;
    return `${`${start}${device} ${String(inode)} `.padEnd(NAME_COLUMN)}${printable(vma.name)}`.trimEnd();
  };
  return task.mm?.mmap.map(line) ?? [];
}

/** Every process under a heading of its own; `pid` selects one. */
export function mapsView(picture: Picture, pid: number | null = null): string {
  const tasks = picture.tasks.filter((task) => pid === null || task.pid === pid);
  const blocks = tasks.map((task) => {
    const heading = `[pid ${String(task.pid)}] ${printable(task.comm)} (${task.state})`;
    const lines = mapsLines(picture, task);
    return [heading, ...(lines.length === 0 ? ['no address space'] : lines), ''].join('\n');
  });
  return blocks.length === 0 ? 'no process\n' : blocks.join('\n');
}
