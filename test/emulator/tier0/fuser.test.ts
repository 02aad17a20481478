/** Sequences and the entries of tier 1, among micro-ops in a page: a sequence may begin at one, and none reaches another. */
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { assemble } from '../../../emulator/index.ts';
import * as layout from '../../../emulator/layout.ts';
import type { PageDecoder } from '../../../emulator/tier0/codeCache.ts';
import { FIRST_FUSED_OP } from '../../../emulator/tier0/fusion.ts';
import { interpreterModule } from '../../../emulator/tier0/interpreterModule.ts';
import { ENTRY, UOP_SCALE } from '../../../emulator/tier0/uop.ts';
import { ECALL_SLOT } from '../../../emulator/jit/convention.ts';

const PAGE = layout.DECODED + layout.DECODED_HEADER;
const SOURCE = layout.RAM;
const [A0, A1, A2] = [10, 11, 12];

const { initial, maximum } = layout.memoryType(false);
const memory = new WebAssembly.Memory({ initial: initial + 1, maximum });
const view = new DataView(memory.buffer);

function decoderOf(fused: boolean): PageDecoder {
  const nothing = (): number => 0;
  const names = ['load', 'store', 'translate', 'fp', 'helper', 'ecall', 'region'];
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: ECALL_SLOT + 1 });
  const module = new WebAssembly.Module(interpreterModule(false, fused));
  const env = { memory, table, ...Object.fromEntries(names.map((name) => [name, nothing])) };
  return new WebAssembly.Instance(module, { env }).exports as unknown as PageDecoder;
}

let decoder: PageDecoder;
beforeAll(() => {
  decoder = decoderOf(true);
});

const addi = (rd: number): number => assemble('c.addi', { rd, rs1: rd, imm: 1 });
const opAt = (at: number): number => view.getUint16(PAGE + at * UOP_SCALE, true);
const isFused = (op: number): boolean => (op & (ENTRY - 1)) >= FIRST_FUSED_OP;
const mark = (at: number): void => view.setUint16(PAGE + at * UOP_SCALE, opAt(at) | ENTRY, true);
const separate = (at: number): void => decoder.separate(PAGE + at * UOP_SCALE, PAGE);

/** `addi a2, a2, 1; addi a0, a0, 1; bne a0, a1, -2`: two sequences, one in the other's midst. */
beforeEach(() => {
  new Uint8Array(memory.buffer, PAGE, 64 * UOP_SCALE).fill(0);
  view.setUint16(SOURCE, addi(A2), true);
  view.setUint16(SOURCE + 2, addi(A0), true);
  view.setUint32(SOURCE + 4, assemble('bne', { rs1: A0, rs2: A1, imm: -2 }), true);
  decoder.decode(PAGE, SOURCE, 0, 16);
});

test('a sequence begins at each micro-op that one can begin at', () => {
  expect([isFused(opAt(0)), isFused(opAt(2)), isFused(opAt(4))]).toEqual([true, true, false]);
});

test('a mark on the first one stays, and changes nothing', () => {
  const op = opAt(2);
  mark(2);
  separate(2);
  expect(opAt(2)).toBe(op | ENTRY);
});

test('where one in the midst is marked there is no sequence, nor does decoding make it again', () => {
  const op = opAt(0);
  mark(2);
  separate(2);
  expect(opAt(0)).not.toBe(op);
  expect(isFused(opAt(0))).toBe(false);
  decoder.fuse(PAGE, PAGE + 4 * UOP_SCALE, PAGE);
  expect(isFused(opAt(0))).toBe(false);
});

test('a mark on the first of a sequence that is cut stays', () => {
  mark(0);
  mark(2);
  separate(2);
  expect(opAt(0) & ENTRY).toBe(ENTRY);
  expect(isFused(opAt(0))).toBe(false);
});

test('a shorter sequence remains where only the last one is marked', () => {
  mark(4);
  separate(4);
  expect(isFused(opAt(2))).toBe(false);
  expect(isFused(opAt(0))).toBe(true);
});

test('without sequences there are none', () => {
  new Uint8Array(memory.buffer, PAGE, 64 * UOP_SCALE).fill(0);
  decoderOf(false).decode(PAGE, SOURCE, 0, 16);
  expect([opAt(0), opAt(2)].map(isFused)).toEqual([false, false]);
});
