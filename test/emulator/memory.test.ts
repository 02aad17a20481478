import { expect, test } from 'vitest';
import * as layout from '../../emulator/layout.ts';
import { Machine } from '../../emulator/machine.ts';
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

test('takes addresses as int32 too', () => {
  const { ram } = new Machine({ ramBytes: 16 << 20 });
  const at = RAM_BASE + 0x2000;
  ram.write32(at | 0, 0x8765_4321);
  ram.write8((at + 4) | 0, 0x99);
  ram.write16((at + 6) | 0, 0xabcd);
  expect([ram.read32(at), ram.read8(at + 4), ram.read16(at + 6)]).toEqual([0x8765_4321, 0x99, 0xabcd]);
  expect([ram.read32(at | 0), ram.read8((at + 4) | 0), ram.read16((at + 6) | 0)]).toEqual([
    0x8765_4321, 0x99, 0xabcd,
  ]);
  ram.copy((at + 0x100) | 0, at | 0, 8);
  expect(ram.readBytes((at + 0x100) | 0, 8)).toEqual(ram.view(at, 8));
  expect(ram.view((at + 0x100) | 0, 8)).toEqual(ram.view(at, 8));
  const into = new Uint8Array(20);
  ram.readInto(at | 0, 20, into, 0);
  expect(into).toEqual(ram.readBytes(at, 20));
  ram.writeBytes(at | 0, Uint8Array.of(7));
  ram.zero((at + 1) | 0, 3);
  expect([ram.read32(at), ram.zeroWords((at + 8) | 0, 4), ram.contains(at | 0, 4)]).toEqual([7, 4, true]);
  const last = (RAM_BASE + (16 << 20) - 4) | 0;
  expect([ram.contains(last, 4), ram.contains(last, 5), ram.contains((RAM_BASE - 4) | 0, 4)]).toEqual([
    true,
    false,
    false,
  ]);
  expect(() => ram.view(last, 5)).toThrow(RangeError);
});

test('gathers words from anywhere', () => {
  const { ram } = new Machine({ ramBytes: 16 << 20 });
  const places = [0xff_fffc, 0, 0x1234, 0];
  places.forEach((offset, n) => {
    ram.write32(RAM_BASE + offset, n + 1);
  });
  const words = new Int32Array(4).fill(-1);
  const addresses = Int32Array.from(places, (offset) => RAM_BASE + offset);
  ram.gather32(addresses, 3, words);
  expect([...words]).toEqual([1, 4, 3, -1]);
});
