/** One process of the diagram: mm_struct, its VMAs, and for the segment's VMA the Sv32 walk down to the frame. */
import type { PtePicture, VmAreaPicture } from '../../kernel-ts/index.ts';
import { cell, count, hex, hex32, printable } from './format.ts';
import type { Attachment } from './shared.ts';

/** Other VMAs named before the rest is counted, VMAs of the segment drawn, pages listed under the walked one. */
const OTHERS_NAMED = 8;
const VMAS_DRAWN = 4;
const PAGES_LISTED = 3;

/** VM_* of <linux/mm.h> that the drawing names. */
const FLAGS: readonly (readonly [number, string])[] = [
  [0x1, 'READ'],
  [0x2, 'WRITE'],
  [0x4, 'EXEC'],
  [0x2000, 'LOCKED'],
];

function flagNames(flags: number): string {
  const names = FLAGS.filter(([bit]) => flags & bit).map(([, name]) => name);
  return [flags & 0x8 ? 'VM_SHARED' : 'VM_PRIVATE', ...names].join('|');
}

/** A line per fact, at most `width` columns wide. `isSegment`: the VMAs are attaches, and their file is shm_file. */
export function processColumn(
  { task, vmas }: Attachment,
  letter: string,
  width: number,
  isSegment: boolean,
): string[] {
  const heading = `Process ${letter} (PID ${String(task.pid)}) ${printable(task.comm)}`;
  const sleeping = task.waiting === '' ? '' : `, waits: ${printable(task.waiting)}`;
  const mm = task.mm;
  const satp = mm?.satp ?? 0;
  const lines = [
    '─'.repeat(width),
    `${heading}${sleeping}`,
    '─'.repeat(width),
    `mm_struct (${letter}): satp ${hex32(satp)}`,
    '│',
  ];
  const all = mm?.mmap ?? [];
  const others = all.filter((vma) => !vmas.includes(vma));
  const named = new Set([...others.slice(0, OTHERS_NAMED), ...vmas.slice(0, VMAS_DRAWN)]);
  all.forEach((vma, index) => {
    if (!named.has(vma)) return;
    const label = `vm_area_struct #${String(index + 1)}`;
    if (vmas.includes(vma)) lines.push(...attachedVma(vma, label, satp, isSegment));
    else lines.push(`├─ ${label} ${vma.perms} ${shortName(vma)}`);
  });
  const folded = all.length - named.size;
  if (folded > 0) lines.push(`├─ … and ${count(folded, 'vm_area_struct')} more`);
  lines.push('└─ linked into mm->mmap list');
  return lines.map((line) => cell(line, width).trimEnd());
}

/** A segment of another namespace than the first by that one's number too, "shmid 0@4026531840": a column is narrow. */
function shortName({ name, shmid, ipcNs }: VmAreaPicture): string {
  if (name === '') return 'anonymous';
  if (shmid === null) return printable(name);
  const inum = /\d+/.exec(ipcNs ?? '')?.[0];
  return `shmid ${String(shmid)}${inum === undefined ? '' : `@${inum}`}`;
}

function attachedVma(vma: VmAreaPicture, label: string, satp: number, isSegment: boolean): string[] {
  return [
    '│',
    `├─ ${label} (${isSegment ? 'shm segment' : 'shared memory'})`,
    `│   ├─ vm_start = ${hex32(vma.vmStart)}`,
    `│   ├─ vm_end   = ${hex32(vma.vmEnd)}`,
    `│   ├─ vm_pgoff = ${String(vma.vmPgoff)}`,
    `│   ├─ vm_file  → ${isSegment ? 'shm_file' : 'struct file'} (${printable(vma.name.replace(' (deleted)', ''))})`,
    `│   ├─ vm_ops   = &${printable(vma.vmOps)}`,
    `│   ├─ vm_flags = ${flagNames(vma.vmFlags)}`,
    ...walkLines(vma, satp).map((line) => `│   ${line}`),
    '│',
  ];
}

/** The Sv32 walk of the first present page, numbered as translation goes; the other pages in a line each. */
function walkLines(vma: VmAreaPicture, satp: number): string[] {
  const [first, ...rest] = vma.ptes;
  if (first === undefined) return ['└─ no page present: the first access will fault'];
  const lines = [
    `└─ Sv32 walk of va ${hex32(first.va)}`,
    ...walkSteps(first, satp).map((line) => `     ${line}`),
    ...rest.slice(0, PAGES_LISTED).map((pte) => `   va ${hex32(pte.va)} → ppn ${hex(pte.pfn)} ${pte.flags}`),
  ];
  if (rest.length > PAGES_LISTED) lines.push(`   … and ${count(rest.length - PAGES_LISTED, 'page')} more`);
  return lines;
}

/** Both steps of a walk: where each entry lies in guest RAM, what it holds and where it leads. */
export function walkSteps(pte: PtePicture, satp: number): string[] {
  return [
    `satp    ${hex32(satp)} → root ${hex32(pte.pte1Address & ~0xfff)}`,
    `level 1 at ${hex32(pte.pte1Address)} = ${hex32(pte.pte1)}`,
    `level 0 at ${hex32(pte.pte0Address)} = ${hex32(pte.pte0)}`,
    `ppn ${hex(pte.pfn)} (${pte.flags}) → ${hex32(pte.pfn * 4096)}`,
  ];
}
