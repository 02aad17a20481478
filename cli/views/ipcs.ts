/** The table of `ipcs -m` (util-linux), from a picture. */
import type { Picture } from '../../kernel-ts/index.ts';
import { hex32, octal } from './format.ts';
import { segments, SHM_DEST, SHM_LOCKED } from './shared.ts';

const WIDTHS = [10, 10, 10, 10, 10, 10, 12];

/** Owners are shown by number, except root: the guest has no /etc/passwd. */
export function ipcsView(picture: Picture): string {
  const row = (cells: readonly string[]): string =>
    cells
      .map((text, column) => text.padEnd(WIDTHS[column] ?? 0))
      .join(' ')
      .trimEnd();
  const rows = segments(picture).map((segment) =>
    row([
      hex32(segment.key),
      String(segment.id),
      segment.uid === 0 ? 'root' : String(segment.uid),
      octal(segment.mode & 0o777),
      String(segment.shmSegsz),
      String(segment.shmNattch),
      [segment.mode & SHM_DEST ? 'dest' : '', segment.mode & SHM_LOCKED ? 'locked' : '']
        .filter(Boolean)
        .join(' '),
    ]),
  );
  return [
    '',
    '------ Shared Memory Segments --------',
    row(['key', 'shmid', 'owner', 'perms', 'bytes', 'nattch', 'status']),
    ...rows,
    '',
    '',
  ].join('\n');
}
