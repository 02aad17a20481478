/**
 * The host's ends of the guests' standard streams, by number. The only place of the kernel that holds functions of the
 * host; a checkpoint would not contain it.
 */
import type { HostIo } from '../fs/context.ts';
import type { SpawnOptions } from './api.ts';

/** Captured output beyond this many bytes is dropped: a guest must not fill the host's memory. */
const CAPTURE_MAX = 64 * 1024 * 1024;

/** Output that nobody streams. */
export class Capture {
  private readonly chunks: Uint8Array[] = [];
  private length = 0;

  add(bytes: Uint8Array): void {
    if (this.length >= CAPTURE_MAX) return;
    this.chunks.push(bytes.slice());
    this.length += bytes.length;
  }

  get text(): string {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const chunk of this.chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return new TextDecoder().decode(all);
  }
}

type Source = (max: number) => Uint8Array | null;
type Sink = (bytes: Uint8Array) => void;

export class HostStreams implements HostIo {
  private readonly sinks: (Sink | null)[] = [];
  private readonly sources: (Source | null)[] = [];

  addSink(sink: Sink): number {
    this.sources.push(null);
    return this.sinks.push(sink) - 1;
  }

  addSource(stdin: SpawnOptions['stdin']): number {
    this.sinks.push(null);
    return this.sources.push(typeof stdin === 'function' ? stdin : bytesSource(stdin)) - 1;
  }

  write(stream: number, bytes: Uint8Array): void {
    this.sinks[stream]?.(bytes);
  }

  read(stream: number, max: number): Uint8Array | null {
    const bytes = this.sources[stream]?.(max) ?? null;
    return bytes === null ? null : bytes.subarray(0, max);
  }
}

function bytesSource(stdin: Uint8Array | string | undefined): Source {
  const bytes = typeof stdin === 'string' ? new TextEncoder().encode(stdin) : (stdin ?? new Uint8Array(0));
  let at = 0;
  return (max) => {
    if (at >= bytes.length) return null;
    const chunk = bytes.subarray(at, at + max);
    at += chunk.length;
    return chunk;
  };
}
