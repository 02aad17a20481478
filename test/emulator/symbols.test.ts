import { expect, test } from 'vitest';
import { NO_SYMBOLS, readSymbols } from '../../emulator/symbols.ts';
import { elf } from '../kernel-ts/process/elfFixture.ts';

const table = readSymbols(
  elf({
    symbols: [
      { name: 'main', value: 0x10100, size: 0x40 },
      { name: '_start', value: 0x10000, type: 0 },
      { name: 'data', value: 0x12000, size: 4, type: 1 },
      { name: '$x', value: 0x10100, type: 0 },
      { name: 'alias', value: 0x10100, type: 0 },
    ],
  }),
);

test('addresses get the name of what they lie in, with the offset', () => {
  expect(table.nameAt(0x10100)).toBe('main');
  expect(table.nameAt(0x1011c)).toBe('main+0x1c');
  expect(table.nameAt(0x10004)).toBe('_start+0x4');
});

test('what lies behind a sized symbol belongs to nobody', () => {
  expect(table.nameAt(0x10140)).toBe('');
  expect(table.nameAt(0)).toBe('');
});

test('names have addresses', () => {
  expect(table.addressOf('main')).toBe(0x10100);
  expect(table.addressOf('nothing')).toBeNull();
});

test('a damaged section table gives no symbols', () => {
  const image = elf({ patch: (v) => v.setUint32(32, 0x7fffffff, true) });
  expect(readSymbols(image)).toBe(NO_SYMBOLS);
});
