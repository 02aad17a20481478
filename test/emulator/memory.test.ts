import { expect, test } from 'vitest';
import * as layout from '../../emulator/layout.ts';
import { PhysicalMemory, RAM_BASE } from '../../emulator/memory.ts';

test('counts the words that are 0 before the first that is not', () => {
  const bytes = 0x2000;
  const pages = (layout.RAM + bytes) / 0x1_0000 + 1;
  const ram = new PhysicalMemory(new WebAssembly.Memory({ initial: Math.ceil(pages) }), bytes);
  expect(ram.zeroWords(RAM_BASE, 1024)).toBe(1024);
  ram.write32(RAM_BASE + 0x1010, 0x8000_0000);
  ram.write8(RAM_BASE + 0x1023, 1);
  expect(ram.zeroWords(RAM_BASE + 0x1000, 1024)).toBe(4);
  expect(ram.zeroWords(RAM_BASE + 0x1000, 4)).toBe(4);
  expect(ram.zeroWords(RAM_BASE + 0x1010, 8)).toBe(0);
  expect(ram.zeroWords(RAM_BASE + 0x1014, 8)).toBe(3);
  expect(ram.zeroWords(RAM_BASE + 0x1024, 0)).toBe(0);
});
