/**
 * Stack traces of the built command, in terms of its sources: the bundles (.ci/bundle.ts) have short names and long lines, and a source map
 * beside each, which is read only when there is something to report.
 */
import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';

/** A place in a bundle: a path that ends in .cjs, line and column from 1. */
const PLACE = /((?:\/|[A-Za-z]:\\)[^():]*\.cjs):(\d+):(\d+)/;
/** A frame of a stack trace, up to its place: "    at run (" or "    at async ". The name is a short one of the bundle's: it says nothing. */
const FRAME = /^(\s+at (?:async )?)(?:.* \()?$/;

function mapOf(bundle: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${bundle}.map`, 'utf8')) as SourceMapPayload);
  } catch {
    return null;
  }
}

/** The same trace with the places of sources wherever a bundle has a map: "at cli/session.ts:120:9". */
export function sourceStack(stack: string): string {
  const maps = new Map<string, SourceMap | null>();
  const lines = stack.split('\n').map((line) => {
    const found = PLACE.exec(line);
    if (found === null) return line;
    const [, bundle = '', row = '', column = ''] = found;
    if (!maps.has(bundle)) maps.set(bundle, mapOf(bundle));
    const entry = maps.get(bundle)?.findEntry(Number(row) - 1, Number(column) - 1);
    if (entry === undefined || !('originalSource' in entry)) return line;
    // The map names sources from the bundle's folder, two below the project's.
    const source = entry.originalSource.replace(/^(?:\.\.\/)+/, '');
    const place = `${source}:${String(entry.originalLine + 1)}:${String(entry.originalColumn + 1)}`;
    const frame = FRAME.exec(line.slice(0, found.index));
    return frame === null ? line : `${frame[1] ?? ''}${place}`;
  });
  return lines.join('\n');
}
