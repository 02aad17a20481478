/** Numbers as the core specification encodes them (5.2.2), which is not restated by running what is emitted: most are small. */
import { describe, expect, test } from 'vitest';
import { flat, sleb, uleb } from '../../../emulator/wasm/encode.ts';

/** The bytes of a code, in hexadecimal. */
const hex = (code: string): string => Buffer.from(code, 'latin1').toString('hex');

/** The number that LEB128 means; `signed`: its last bit but one is the sign. */
function meaning(code: string, signed: boolean): number {
  let value = 0n;
  for (let i = 0; i < code.length; i++) {
    const byte = code.charCodeAt(i);
    expect(byte >= 0x80).toBe(i < code.length - 1);
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
  }
  return Number(signed ? BigInt.asIntN(7 * code.length, value) : value);
}

describe('LEB128', () => {
  test('the examples of DWARF, appendix C', () => {
    expect([2, 127, 128, 129, 12857].map((n) => hex(uleb(n)))).toEqual(['02', '7f', '8001', '8101', 'b964']);
    expect([2, -2, 127, -127, 128, -128].map((n) => hex(sleb(n)))).toEqual([
      '02',
      '7e',
      'ff00',
      '817f',
      '8001',
      '807f',
    ]);
  });

  test('every power of two and its neighbours, in as few bytes as can be', () => {
    for (let bit = 0; bit < 32; bit++) {
      for (const near of [-1, 0, 1]) {
        const n = 2 ** bit + near;
        expect(meaning(uleb(n), false)).toBe(n);
        expect(uleb(n).length).toBe(Math.max(1, Math.ceil(n.toString(2).length / 7)));
        for (const signed of [n | 0, -n | 0]) expect(meaning(sleb(signed), true)).toBe(signed);
      }
    }
    expect(hex(sleb(-0x40))).toBe('40');
    expect(hex(sleb(0x40))).toBe('c000');
    expect(hex(sleb(-0x8000_0000))).toBe('8080808078');
  });
});

test('a code in one piece is the same code', () => {
  const code = Array.from({ length: 100 }, (_c, i) => uleb(i * i)).join('') + sleb(-1);
  expect(flat(code)).toBe(code);
});
