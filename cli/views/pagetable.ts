/** The Sv32 page tables of every process in a picture: each present page with both steps of its walk. */
import type { Picture, TaskPicture, VmAreaPicture } from '../../kernel-ts/index.ts';
import { count, hex, hex32, printable, table } from './format.ts';
import { sharedFrames } from './shared.ts';
import type { FrameUser } from './shared.ts';

const HEADER = [
  'virtual page',
  'level-1 entry at',
  '= value',
  'level-0 entry at',
  '= value',
  'ppn',
  'DAGUXWRV',
  '',
];
/** Other users of a frame named per row; the rest are counted. */
const USERS_NAMED = 2;

function alsoMapped(users: readonly FrameUser[], pid: number, va: number): string {
  const others = users.filter((user) => user.pid !== pid || user.pte.va !== va);
  if (others.length === 0) return '';
  const named = others.slice(0, USERS_NAMED).map((user) => `${String(user.pid)}:${hex32(user.pte.va)}`);
  if (others.length > USERS_NAMED) named.push(`${String(others.length - USERS_NAMED)} more`);
  return `= ${named.join(', ')}`;
}

function pages(
  task: TaskPicture,
  vma: VmAreaPicture,
  shared: ReadonlyMap<number, readonly FrameUser[]>,
  zeroPfn: number | null,
): string[][] {
  return vma.ptes.map((pte) => [
    hex32(pte.va),
    hex32(pte.pte1Address),
    hex32(pte.pte1),
    hex32(pte.pte0Address),
    hex32(pte.pte0),
    hex(pte.pfn),
    pte.flags,
    pte.pfn === zeroPfn ? 'the zero page' : alsoMapped(shared.get(pte.pfn) ?? [], task.pid, pte.va),
  ]);
}

/** `pid` selects one process. A row ends with the other places that map the same frame. */
export function pagetableView(picture: Picture, pid: number | null = null): string {
  const shared = sharedFrames(picture);
  const blocks = picture.tasks
    .filter((task) => pid === null || task.pid === pid)
    .map((task) => {
      const heading = `[pid ${String(task.pid)}] ${printable(task.comm)}`;
      const mm = task.mm;
      if (mm === null) return [heading, 'no address space', ''].join('\n');
      const lines = [`${heading}  satp ${hex32(mm.satp)}, root table at ${hex32(mm.pgd)}`];
      for (const vma of mm.mmap) {
        const name = vma.name === '' ? 'anonymous' : printable(vma.name);
        const size = (vma.vmEnd - vma.vmStart) / 4096;
        lines.push('', `${hex32(vma.vmStart)}-${hex32(vma.vmEnd)} ${vma.perms} ${name}`);
        if (vma.ptes.length === 0) lines.push(`  none of ${count(size, 'page')} present`);
        else
          lines.push(
            ...table(HEADER, pages(task, vma, shared, picture.ram.zeroPfn)).map((line) => `  ${line}`),
          );
      }
      return [...lines, ''].join('\n');
    });
  return blocks.length === 0 ? 'no process\n' : blocks.join('\n');
}
