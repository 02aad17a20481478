/** The lines of a file of any size, in constant memory. */
import { closeSync, openSync, readSync } from 'node:fs';
import { fileError } from '../errors.ts';

const CHUNK = 1 << 20;

export class LineReader {
  readonly path: string;
  /** Number of the line that `next` gave last, from 1. */
  number = 0;
  private readonly fd: number;
  private readonly buffer = Buffer.allocUnsafe(CHUNK);
  /** Lines that are read and not yet given, and the beginning of the one after them. */
  private lines: readonly string[] = [];
  private at = 0;
  private rest = '';
  private ended = false;

  /** @throws CliError when the file cannot be read */
  constructor(path: string) {
    this.path = path;
    try {
      this.fd = openSync(path, 'r');
    } catch (error) {
      throw fileError('read', path, error);
    }
  }

  /** The next line without its end, or null. */
  next(): string | null {
    while (this.at >= this.lines.length) {
      if (this.ended) return null;
      this.fill();
    }
    this.number++;
    const line = this.lines[this.at++] ?? '';
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }

  private fill(): void {
    let length: number;
    try {
      length = readSync(this.fd, this.buffer);
    } catch (error) {
      throw fileError('read', this.path, error);
    }
    this.at = 0;
    if (length === 0) {
      this.ended = true;
      this.lines = this.rest === '' ? [] : [this.rest];
      this.rest = '';
      return;
    }
    const lines = (this.rest + this.buffer.toString('latin1', 0, length)).split('\n');
    this.rest = lines.pop() ?? '';
    this.lines = lines;
  }

  close(): void {
    closeSync(this.fd);
  }
}
