/**
 * A checksum of 32 bits for what is kept between runs: against damage, not against malice. In WebAssembly, eight bytes at a time, since
 * V8 interprets our JavaScript for as long as a short program runs, and node:zlib takes a millisecond to load for its CRC-32.
 */

/**
 * (module (memory (export "m") 1)
 *   (func (export "s") (param $sum i32) (param $end i32) (result i32) (local $at i32) (local $h i64)
 *     h = sum; for (at = 0; at < end; at += 8) { h = (h ^ load64(at)) * 0x9e3779b97f4a7c15; h ^= h >>> 29; } return h ^ (h >>> 32)))
 */
const MODULE = Buffer.from(
  '0061736d0100000001070160027f7f017f030201000503010001070902016d0200017300000a48014602017f017e2000ad21030340200220014904402003200229' +
    '0300854295f8a9fa97b7de9b9e7f7e22032003421d88852103200241086a21020c010b0b2003200342208885a70b',
  'hex',
);

/** A page of WebAssembly's. */
const CHUNK = 0x1_0000;

let known: { readonly sum: (seed: number, end: number) => number; readonly memory: Uint8Array } | undefined;

function load(): NonNullable<typeof known> {
  const { m, s } = new WebAssembly.Instance(new WebAssembly.Module(MODULE)).exports;
  return {
    sum: s as (seed: number, end: number) => number,
    memory: new Uint8Array((m as WebAssembly.Memory).buffer),
  };
}

/** Of the bytes and their number, after those that `before` is of. Every change of a few bytes changes it but for once in 2^32. */
export function checksum(bytes: Uint8Array, before = 0): number {
  known ??= load();
  const { sum, memory } = known;
  let result = before ^ bytes.length;
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const chunk = bytes.subarray(at, at + CHUNK);
    const end = (chunk.length + 7) & ~7;
    memory.fill(0, chunk.length, end);
    memory.set(chunk);
    result = sum(result, end);
  }
  return result >>> 0;
}
