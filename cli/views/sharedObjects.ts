/** The part of the diagram for shared memory that is no segment: files of /dev/shm, memfds, shared anonymous memory. */
import type { Picture, SharedObjectPicture } from '../../kernel-ts/index.ts';
import { arrowDown, box, indent } from './box.ts';
import { BOX, pageCacheBox, peopleLines, type Canvas } from './drawing.ts';
import { cell, count, octal, printable } from './format.ts';
import { objectMappers } from './shared.ts';

/** How many are drawn, and descriptors of one named, before the rest is counted. */
const OBJECTS_DRAWN = 6;
const DESCRIPTORS_NAMED = 3;

const TITLES: Readonly<Record<SharedObjectPicture['kind'], string>> = {
  shm: '[inode of /dev/shm]',
  memfd: '[inode of a memfd]',
  anonymous: '[inode of shared anonymous memory]',
};

/** F_SEAL_* of <linux/fcntl.h>. */
const SEALS: readonly (readonly [number, string])[] = [
  [0x1, 'SEAL'],
  [0x2, 'SHRINK'],
  [0x4, 'GROW'],
  [0x8, 'WRITE'],
  [0x10, 'FUTURE_WRITE'],
  [0x20, 'EXEC'],
];

/** Nothing when there is none; mapped ones come first. */
export function sharedObjectLines(picture: Picture, canvas: Canvas): string[] {
  const { sharedObjects } = picture;
  if (sharedObjects.length === 0) return [];
  const mapped = sharedObjects.filter(({ mappedBy }) => mappedBy.length > 0);
  const ordered = [...mapped, ...sharedObjects.filter(({ mappedBy }) => mappedBy.length === 0)];
  const text = `POSIX SHARED MEMORY: ${count(ordered.length, 'object')}`;
  const lines = [
    '',
    '═'.repeat(canvas.width),
    text.padStart(Math.floor((canvas.width + text.length) / 2)),
    '',
  ];
  for (const object of ordered.slice(0, OBJECTS_DRAWN))
    lines.push(...objectLines(picture, object, canvas), '');
  const folded = ordered.slice(OBJECTS_DRAWN);
  if (folded.length > 0) {
    const names = folded.map(({ path }) => printable(path)).join(' ');
    lines.push(cell(`… and ${count(folded.length, 'object')} more: ${names}`, canvas.width).trimEnd());
  }
  return lines;
}

function objectLines(picture: Picture, object: SharedObjectPicture, canvas: Canvas): string[] {
  const inode = picture.inodes.find((one) => one.inode === object.inode);
  const lines = indent(box(TITLES[object.kind], [facts(object, inode?.iSize ?? 0)], BOX), canvas.margin);
  if (inode === undefined) return lines;
  lines.push(...arrowDown(canvas.middle), ...indent(pageCacheBox(inode, 'object'), canvas.margin));
  const people = objectMappers(picture, object);
  return [...lines, ...peopleLines(people, printable(object.path), false, canvas)];
}

function facts(object: SharedObjectPicture, size: number): string[] {
  const { path, inode, iMode, iUid, iGid, iNlink, seals, openBy } = object;
  const named = openBy
    .slice(0, DESCRIPTORS_NAMED)
    .map(({ pid, fd }) => `pid ${String(pid)} fd ${String(fd)}`);
  if (openBy.length > named.length) named.push(`… ${String(openBy.length)} in all`);
  const sealNames = SEALS.filter(([bit]) => (seals & bit) !== 0).map(([, name]) => name);
  return [
    `path    = ${printable(path)}`,
    `i_ino   = ${String(inode % 2 ** 32)}, i_size = ${String(size)}, i_nlink = ${String(iNlink)}`,
    `mode    = 0${octal(iMode & 0o7777)}, uid/gid = ${String(iUid)}/${String(iGid)}`,
    ...(object.kind === 'memfd' ? [`seals   = ${sealNames.join('|') || 'none'}`] : []),
    `open    = ${named.join(', ') || 'nowhere'}`,
    'i_mapping → address_space',
  ];
}
