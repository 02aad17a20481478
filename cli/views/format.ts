/** How numbers and names look in every view: the notations of ipcs(1), /proc and the privileged specification. */

/** An address or a register: 0x and eight digits. */
export function hex32(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}

/** A number without leading zeros, e.g. a physical page number (up to 22 bits). */
export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/** Permission bits as ls and ipcs show them: three octal digits at least. */
export function octal(value: number): string {
  return value.toString(8).padStart(3, '0');
}

/** "1 page", "2 pages". */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${String(n)} ${n === 1 ? noun : plural}`;
}

/** A name made by the guest, without what could disturb a terminal or a box. */
export function printable(name: string): string {
  return name.replaceAll(/[^\u0020-\u007e\u00a1-\u02ff]/g, '?');
}

/** Cuts a line to `width` columns; a cut shows as an ellipsis. */
export function fit(line: string, width: number): string {
  const characters = [...line];
  return characters.length <= width ? line : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Cuts or pads a line to exactly `width` columns. */
export function cell(line: string, width: number): string {
  const cut = fit(line, width);
  return cut + ' '.repeat(width - [...cut].length);
}

/** Joins columns of lines side by side, each column `width` wide. */
export function sideBySide(columns: readonly (readonly string[])[], width: number, gap = '  '): string[] {
  const height = Math.max(0, ...columns.map((column) => column.length));
  return Array.from({ length: height }, (_, row) =>
    columns
      .map((column) => cell(column[row] ?? '', width))
      .join(gap)
      .trimEnd(),
  );
}

/** Rows under a header, each column as wide as its widest entry, two spaces between; no trailing blanks. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map(line)];
}
