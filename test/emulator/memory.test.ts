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

test('tells what lies in RAM, of addresses of 34 bits', () => {
  const bytes = 0x2000;
  const pages = (layout.RAM + bytes) / 0x1_0000 + 1;
  const ram = new PhysicalMemory(new WebAssembly.Memory({ initial: Math.ceil(pages) }), bytes);
  for (const pa of [RAM_BASE, RAM_BASE + 1, RAM_BASE + bytes - 1]) expect(ram.contains(pa)).toBe(true);
  expect(ram.contains(RAM_BASE, bytes)).toBe(true);
  expect(ram.contains(RAM_BASE + bytes - 4, 4)).toBe(true);
  expect(ram.contains(RAM_BASE + bytes - 3, 4)).toBe(false);
  const outside = [
    0,
    0x1000,
    RAM_BASE - 1,
    RAM_BASE + bytes,
    0xffff_ffff,
    2 ** 32,
    2 ** 32 + RAM_BASE,
    2 ** 34 - 1,
  ];
  for (const pa of outside) expect(ram.contains(pa)).toBe(false);
});
