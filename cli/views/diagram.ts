/**
 * The picture of Linux's System V shared memory with live values: ipc_namespace -> ipc_ids -> shmid_kernel ->
 * struct file -> inode -> address_space -> frames, and below them the processes whose mm and VMAs lead to the
 * same frames, each with its Sv32 walk. Follows the drawing of Linux 2.6.20's structures (mm_struct left and right).
 */
import type { IpcNamespacePicture, Picture, ShmidKernelPicture } from '../../kernel-ts/index.ts';
import { arrowDown, box, indent } from './box.ts';
import { BOX, pageCacheBox, peopleLines, type Canvas } from './drawing.ts';
import { cell, count, hex, octal, printable } from './format.ts';
import { semMsgLines } from './semMsg.ts';
import { attachments, pidList, residents, SHM_DEST, SHM_LOCKED } from './shared.ts';
import type { Attachment } from './shared.ts';
import { sharedObjectLines } from './sharedObjects.ts';

export interface DiagramOptions {
  /** Columns of the terminal; the drawing uses 60 to 100. Default 100. */
  readonly width?: number;
}

/** How much is drawn before the rest is counted in a line. */
const SEGMENTS_DRAWN = 6;

/** The whole drawing. Pure: the same picture and width give the same text. */
export function diagramView(picture: Picture, options: DiagramOptions = {}): string {
  const width = Math.min(100, Math.max(60, options.width ?? 100));
  const margin = Math.floor((width - BOX) / 2) - 1;
  const canvas: Canvas = { width, margin, middle: margin + BOX / 2 };
  const lines = picture.namespaces.flatMap((namespace, place) => [
    ...(place === 0 ? [] : ['', '═'.repeat(width), '']),
    ...namespaceLines(picture, namespace, canvas),
  ]);
  return [...title(picture, canvas), ...lines, ...sharedObjectLines(picture, canvas), ''].join('\n');
}

function title(picture: Picture, { width }: Canvas): string[] {
  const rule = '═'.repeat(width);
  const text = `SYSTEM V SHARED MEMORY after ${count(picture.instructions, 'instruction')}`;
  return [rule, ' '.repeat(Math.max(0, Math.floor((width - text.length) / 2))) + text, rule, ''];
}

function namespaceLines(picture: Picture, namespace: IpcNamespacePicture, canvas: Canvas): string[] {
  const { shmIds } = namespace;
  const lines = [
    ...indent(
      box(
        '[ipc_namespace]',
        [
          [
            `${printable(namespace.name)}: shm_tot = ${count(namespace.shmTot, 'page')}`,
            `shm_ctlmax = ${String(namespace.shmCtlmax)}, shm_ctlmni = ${String(namespace.shmCtlmni)}`,
            ...(picture.namespaces.length > 1
              ? [`nsproxy of ${pidList(residents(picture, namespace))}`]
              : []),
          ],
        ],
        BOX,
      ),
      canvas.margin,
    ),
    ...arrowDown(canvas.middle),
    ...indent(
      box(
        '[ipc_ids: IPC_SHM_IDS]',
        [
          [
            `in_use = ${String(shmIds.inUse)}, seq = ${String(shmIds.seq)}, max_idx = ${String(shmIds.maxIdx)}`,
          ],
        ],
        BOX,
      ),
      canvas.margin,
    ),
  ];
  shmIds.entries.slice(0, SEGMENTS_DRAWN).forEach((segment, place) => {
    if (place > 0) lines.push('', `ipc_ids entry ${String(place + 1)} of ${String(shmIds.entries.length)}`);
    lines.push(...arrowDown(canvas.middle), ...segmentLines(picture, segment, canvas));
  });
  const folded = shmIds.entries.slice(SEGMENTS_DRAWN);
  if (folded.length > 0) lines.push('', ...foldedSegments(folded, canvas));
  if (shmIds.entries.length === 0) {
    const nothing = picture.sharedObjects.length === 0 ? 'no segment: nothing is shared' : 'no segment';
    lines.push(...arrowDown(canvas.middle), `${' '.repeat(canvas.margin)}${nothing}`);
  }
  return [...lines, ...semMsgLines(namespace, canvas.margin, BOX)];
}

function foldedSegments(rest: readonly ShmidKernelPicture[], { width }: Canvas): string[] {
  const attached = rest.reduce((sum, segment) => sum + segment.shmNattch, 0);
  const ids = rest.map((segment) => String(segment.id)).join(' ');
  return [
    `… and ${count(rest.length, 'segment')} more, ${count(attached, 'attach', 'attaches')}; shmid ${ids}`,
  ].map((line) => cell(line, width).trimEnd());
}

/** shmid_kernel, its file, inode and pages, then the processes. */
function segmentLines(picture: Picture, segment: ShmidKernelPicture, canvas: Canvas): string[] {
  const file = picture.files.find((candidate) => candidate.file === segment.shmFile);
  const inode = picture.inodes.find((candidate) => candidate.inode === file?.inode);
  const people = attachments(picture, segment);
  const lines = linked(box('[shmid_kernel]', shmidKernelGroups(segment, people), BOX), canvas);
  if (file !== undefined) {
    const fields = [
      `f_path = ${printable(file.path)}`,
      `f_op = &${printable(file.fOp)}, f_count = ${String(file.count)}`,
      'f_path.dentry->d_inode',
    ];
    lines.push(...linked(box('[struct file *shm_file]', [fields], BOX), canvas));
  }
  if (inode !== undefined) {
    const fields = [
      `i_ino = ${String(inode.inode)}, i_size = ${String(inode.iSize)}`,
      'i_mapping → address_space',
    ];
    lines.push(...indent(box('[inode (tmpfs)]', [fields], BOX), canvas.margin), ...arrowDown(canvas.middle));
    lines.push(...indent(pageCacheBox(inode, 'segment'), canvas.margin));
  }
  return [...lines, ...peopleLines(people, `shmid ${String(segment.id)}`, true, canvas)];
}

function shmidKernelGroups(segment: ShmidKernelPicture, people: readonly Attachment[]): string[][] {
  const dest = (segment.mode & SHM_DEST) !== 0;
  const flags = [dest ? 'SHM_DEST' : '', segment.mode & SHM_LOCKED ? 'SHM_LOCKED' : ''].filter(Boolean);
  const fields = [
    `key        = ${hex(segment.key)}${segment.key === 0 && !dest ? ' (IPC_PRIVATE)' : ''}`,
    `id         = ${String(segment.id)} (seq ${String(segment.seq)} * 32768 + index ${String(segment.index)})`,
    `shm_segsz  = ${count(segment.shmSegsz, 'byte')}`,
    `shm_nattch = ${String(segment.shmNattch)}  (${count(people.length, 'process', 'processes')} attached)`,
    `mode       = 0${octal(segment.mode & 0o777)}${flags.map((flag) => ` | ${flag}`).join('')}`,
    `uid/gid    = ${String(segment.uid)}/${String(segment.gid)}, creator ${String(segment.cuid)}/${String(segment.cgid)}`,
    `shm_cprid  = ${String(segment.shmCprid)}, shm_lprid = ${String(segment.shmLprid)}`,
  ];
  const groups = [fields];
  if (dest) groups.push(['removed (IPC_RMID): destroyed at the last detach']);
  groups.push(['shm_file']);
  return groups;
}

/** A box whose last field points to the box below, as the arrows on the right of the picture do. */
function linked(lines: readonly string[], { margin }: Canvas): string[] {
  const last = lines.length - 2;
  const drawn = lines.map((line, row) => {
    if (row === last) {
      const field = line
        .slice(1)
        .trimEnd()
        .replace(/\u2502$/, '')
        .trimEnd();
      return `│${field} ${'─'.repeat(BOX - 2 - field.length)}┐`;
    }
    return row > last ? `${line}│` : line;
  });
  return [...indent(drawn, margin), `${' '.repeat(margin + BOX)}▼`];
}
