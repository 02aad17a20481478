/** The host's file descriptors, used synchronously because the guest's system calls are synchronous. */
import { readSync, writeSync } from 'node:fs';
import { BrokenPipe, errnoCode } from './errors.ts';

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Pauses the whole program: a descriptor in non-blocking mode was not ready. */
function sleep(milliseconds: number): void {
  Atomics.wait(pause, 0, 0, milliseconds);
}

/**
 * Writes all bytes, waiting for a full pipe.
 *
 * @throws {BrokenPipe} the reader of standard output is gone; a lost stderr is ignored
 */
export function writeFully(fd: number, data: Uint8Array | string): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  let done = 0;
  while (done < bytes.length) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const code = errnoCode(error);
      if (code === 'EAGAIN') {
        sleep(2);
      } else if (code === 'EPIPE' || code === 'EOF') {
        if (fd === 2) return;
        throw new BrokenPipe('broken pipe');
      } else {
        throw error;
      }
    }
  }
}

export function printOut(text: string): void {
  writeFully(1, text);
}

export function printErr(text: string): void {
  writeFully(2, text);
}

/** Reads what standard input has, blocking until there is something; null at the end. */
export function readStdin(max: number): Uint8Array | null {
  const buffer = new Uint8Array(Math.min(max, 65536));
  for (;;) {
    try {
      const length = readSync(0, buffer);
      return length === 0 ? null : buffer.subarray(0, length);
    } catch (error) {
      const code = errnoCode(error);
      if (code === 'EAGAIN') sleep(5);
      else if (code === 'EOF' || code === 'EBADF' || code === 'EISDIR') return null;
      else throw error;
    }
  }
}

/** Names and values on stderr, aligned. */
export function printCounters(rows: readonly (readonly [name: string, value: string])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) printErr(`${name.padEnd(width)}  ${value.padStart(14)}\n`);
}
