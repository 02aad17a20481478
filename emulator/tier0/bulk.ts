/**
 * What WebAssembly has for many bytes at once, for TypeScript to call: in a shared memory typed arrays fill byte by byte (a page takes
 * V8 1,000 ns that way, and 33 this way) and copy word by word.
 */
import { get } from '../codegen/emitter.ts';
import type { FunctionBody } from '../wasm/encode.ts';

const THREE = { params: ['i32', 'i32', 'i32'], results: [] } as const;

/** (to, value, length). */
const fill: FunctionBody = {
  name: 'fill',
  type: THREE,
  locals: [],
  code: `${get(0)}${get(1)}${get(2)}\xfc\x0b\0`,
  exported: true,
};

/** (to, from, length). */
const copy: FunctionBody = {
  name: 'copy',
  type: THREE,
  locals: [],
  code: `${get(0)}${get(1)}${get(2)}\xfc\x0a\0\0`,
  exported: true,
};

export const bulkFunctions: readonly FunctionBody[] = [fill, copy];
