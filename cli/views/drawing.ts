/** The parts that the drawings of segments and of other shared objects have in common. */
import type { InodePicture } from '../../kernel-ts/index.ts';
import { box, fanOut } from './box.ts';
import { count, hex, hex32, sideBySide } from './format.ts';
import { processColumn } from './processColumn.ts';
import type { Attachment } from './shared.ts';

/** How much is drawn before the rest is counted in a line. */
const PROCESSES_DRAWN = 6;
const PAGES_LISTED = 6;
/** Columns of a box. */
export const BOX = 56;

export interface Canvas {
  readonly width: number;
  /** Left edge of the boxes and the column of the arrows between them. */
  readonly margin: number;
  readonly middle: number;
}

/** The page cache of an inode; `what` it belongs to. */
export function pageCacheBox(inode: InodePicture, what: string): string[] {
  const { pages, nrpages } = inode.iMapping;
  const listed = pages
    .slice(0, PAGES_LISTED)
    .map(
      (page) =>
        `page ${String(page.index)} → frame ${hex(page.pfn)} (${hex32(page.pfn * 4096)})` +
        ` mapcount ${String(page.mapcount)}`,
    );
  if (pages.length > PAGES_LISTED) listed.push(`… and ${count(pages.length - PAGES_LISTED, 'page')} more`);
  if (pages.length === 0) listed.push(`no page yet: nobody has touched the ${what}`);
  return box('[address_space / page cache]', [[`nrpages = ${String(nrpages)}`, ...listed]], BOX);
}

/** The processes that map `what`, side by side, and what their page tables have in common. */
export function peopleLines(
  people: readonly Attachment[],
  what: string,
  isSegment: boolean,
  canvas: Canvas,
): string[] {
  const { width, margin, middle } = canvas;
  if (people.length === 0)
    return [`${' '.repeat(margin)}no process has it ${isSegment ? 'attached' : 'mapped'}`];
  const drawn = people.slice(0, PROCESSES_DRAWN);
  const perRow = width >= 96 ? 2 : 1;
  const column = perRow === 2 ? Math.floor((width - 4) / 2) : width;
  const columns = drawn.map((attachment, index) =>
    processColumn(attachment, letter(index), column, isSegment),
  );
  const lines = fanOut(middle, drawn.length === 1 || perRow === 1 ? [8] : [8, column + 4 + 8]);
  for (let first = 0; first < columns.length; first += perRow) {
    if (first > 0) lines.push('');
    lines.push(...sideBySide(columns.slice(first, first + perRow), column, '    '));
  }
  if (people.length > drawn.length) {
    lines.push(
      '',
      `… and ${count(people.length - drawn.length, 'process', 'processes')} more, on the same frames`,
    );
  }
  return [...lines, ...conclusion(people, what, width)];
}

/** A, B, ... as the picture names its processes. */
function letter(index: number): string {
  return String.fromCodePoint(65 + index);
}

/** The sentence under the drawing, said only when the page tables bear it out. */
function conclusion(people: readonly Attachment[], what: string, width: number): string[] {
  const perTask = people.map(({ vmas }) => new Set(vmas.flatMap((vma) => vma.ptes.map((pte) => pte.pfn))));
  const [first, ...others] = perTask;
  if (first === undefined || others.length === 0) return [];
  const common = [...first].filter((pfn) => others.every((set) => set.has(pfn)));
  const who = people.length === 2 ? 'Both VMAs' : `All ${String(people.length)} processes' VMAs`;
  const rule = '─'.repeat(width);
  const path = `${who} → same file → same inode → same address_space`;
  const frames =
    common.length === 0
      ? `⇒ no frame of ${what} is mapped by all of them yet`
      : `⇒ identical physical ${common.length === 1 ? 'page' : 'pages'}: ppn ${common.slice(0, 5).map(hex).join(', ')}` +
        (common.length > 5 ? `, … (${String(common.length)} in all)` : '');
  return [rule, centre(path, width), centre(frames, width), rule];
}

function centre(text: string, width: number): string {
  return ' '.repeat(Math.max(0, Math.floor((width - [...text].length) / 2))) + text;
}
