/** /proc/PID/maps of every process in a picture. */
import type { Picture, TaskPicture, VmAreaPicture } from '../../kernel-ts/index.ts';
import { printable } from './format.ts';

/** Column of the name: 25 + 6 * sizeof(void *) of show_map_vma() on a 32-bit kernel. */
const NAME_COLUMN = 49;

/**
 * Numbers of other file systems' inodes carry the device above 32 bits (inspect.ts); shm's come bare, or with the serial number of
 * a further namespace above 40.
 */
const DEVICE_UNIT = 2 ** 32;
const DEVICES = 256;
const SHM_DEVICE = 1;

const digits = (value: number, width: number): string => value.toString(16).padStart(width, '0');

/** One line per VMA, byte for byte as the guest reads it. A shm attach shows the segment's id as its inode, as Linux does. */
export function mapsLines(picture: Picture, task: TaskPicture): string[] {
  const inodes = new Map(picture.files.map((file) => [file.file, file.inode]));
  const line = (vma: VmAreaPicture): string => {
    const inode = vma.vmFile === null ? 0 : (inodes.get(vma.vmFile) ?? 0);
    const device = vma.vmFile === null ? 0 : Math.floor(inode / DEVICE_UNIT) % DEVICES || SHM_DEVICE;
    // vm_pgoff of anonymous memory is not an offset of anything: shown as 0.
    const offset = vma.vmFile === null ? 0 : vma.vmPgoff * 4096;
    const range = `${digits(vma.vmStart, 8)}-${digits(vma.vmEnd, 8)}`;
    const head = `${range} ${vma.perms} ${digits(offset, 8)} 00:${digits(device, 2)} ${String(inode % DEVICE_UNIT)} `;
    return vma.name === '' ? head : head.padEnd(NAME_COLUMN) + printable(vma.name);
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
