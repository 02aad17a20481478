import { describe, expect, test } from 'vitest';
import { checksum } from '../../cli/checksum.ts';

const MASK = (1n << 64n) - 1n;

/** What cli/checksum.ts says that it computes, in exact arithmetic. */
function expected(bytes: Uint8Array, before = 0): number {
  let result = (before ^ bytes.length) >>> 0;
  for (let from = 0; from < bytes.length; from += 0x1_0000) {
    const chunk = bytes.slice(from, from + 0x1_0000);
    let h = BigInt(result);
    for (let at = 0; at < chunk.length; at += 8) {
      let word = 0n;
      for (let i = 7; i >= 0; i--) word = (word << 8n) | BigInt(chunk[at + i] ?? 0);
      h = ((h ^ word) * 0x9e37_79b9_7f4a_7c15n) & MASK;
      h ^= h >> 29n;
    }
    result = Number((h ^ (h >> 32n)) & 0xffff_ffffn);
  }
  return result;
}

const bytesOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_byte, at) => (at * 131 + (at >>> 8)) & 0xff);

describe('checksum', () => {
  test.each([0, 1, 7, 8, 9, 1000, 0xffff, 0x1_0000, 0x1_0001, 0x2_0003])('of %d bytes', (length) => {
    for (const before of [0, 1, 0xffff_ffff])
      expect(checksum(bytesOf(length), before)).toBe(expected(bytesOf(length), before));
  });

  test('any changed byte changes it, and so do zeros at the end', () => {
    const bytes = bytesOf(3000);
    const whole = checksum(bytes);
    for (let at = 0; at < bytes.length; at++) {
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at & 7));
      expect(checksum(bytes)).not.toBe(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at & 7));
    }
    expect(checksum(bytes)).toBe(whole);
    expect(checksum(Uint8Array.of(...bytes, 0))).not.toBe(whole);
    expect(checksum(new Uint8Array(0))).not.toBe(checksum(new Uint8Array(8)));
  });
});
