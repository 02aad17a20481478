/** The decoder in WebAssembly writes what the one in TypeScript says: for all compressed encodings, and for many of 32 bits. */
import { beforeAll, describe, expect, test } from 'vitest';
import { decode } from '../../../emulator/isa/decode.ts';
import { instructions } from '../../../emulator/isa/table.ts';
import * as layout from '../../../emulator/layout.ts';
import type { PageDecoder } from '../../../emulator/tier0/codeCache.ts';
import { interpreterModule } from '../../../emulator/tier0/interpreterModule.ts';
import {
  DECODED,
  endsLine,
  FAR,
  OP_ILLEGAL,
  OP_STRADDLE,
  UOP_BYTES,
  UOP_SCALE,
  writeUop,
} from '../../../emulator/tier0/uop.ts';
import { ECALL_SLOT } from '../../../emulator/jit/convention.ts';

const PAGE = layout.DECODED + layout.DECODED_HEADER;
const SOURCE = layout.RAM;

const { initial, maximum } = layout.memoryType(false);
const memory = new WebAssembly.Memory({ initial: initial + 1, maximum });
const view = new DataView(memory.buffer);
let decodePage: PageDecoder['decode'];

beforeAll(() => {
  const nothing = (): number => 0;
  const names = ['load', 'store', 'translate', 'fp', 'helper', 'ecall', 'region'];
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: ECALL_SLOT + 1 });
  const module = new WebAssembly.Module(interpreterModule(false, false));
  const env = { memory, table, ...Object.fromEntries(names.map((name) => [name, nothing])) };
  decodePage = new WebAssembly.Instance(module, { env }).exports['decode'] as PageDecoder['decode'];
});

/** What `decode` makes of one instruction at that place of a page: a micro-op as text, and what it returns. */
function made(insn: number, at: number): string {
  view.setUint32(SOURCE + at, insn, true);
  const uop = PAGE + at * UOP_SCALE;
  view.setBigUint64(uop, 0n, true);
  const result = decodePage(PAGE, SOURCE, at, 1);
  return `${view.getBigUint64(uop, true).toString(16)} ${String(result)}`;
}

const scratch = new DataView(new ArrayBuffer(UOP_BYTES));

function expected(insn: number, at: number): string {
  const wide = (insn & 3) === 3;
  const text = (result: number): string => `${scratch.getBigUint64(0, true).toString(16)} ${String(result)}`;
  if (wide && at === 4094) {
    scratch.setBigUint64(0, BigInt(OP_STRADDLE), true);
    return text(at | DECODED.ends);
  }
  const d = decode(insn);
  const next = at + (wide ? 4 : 2);
  if (d === null) {
    scratch.setUint32(0, OP_ILLEGAL, true);
    scratch.setUint32(4, wide ? insn : insn & 0xffff, true);
    return text(next | DECODED.ends);
  }
  writeUop(scratch, 0, d, wide ? insn : insn & 0xffff, at);
  const { instruction, fields } = d;
  const backward = instruction.traits.relative && fields.imm < 0;
  const stops = endsLine(instruction) || backward;
  return text(
    next |
      (endsLine(instruction) || !stops ? DECODED.ends : 0) |
      (backward ? DECODED.backward : 0) |
      (instruction.traits.relative && (scratch.getUint16(0, true) & FAR) === 0 ? DECODED.near : 0) |
      (stops && d.length === 2 ? DECODED.compressed : 0),
  );
}

/** The encodings of which the two do not say the same. */
function differences(encodings: Iterable<number>, places: readonly number[]): string[] {
  const found: string[] = [];
  for (const insn of encodings)
    for (const at of places) {
      const [is, want] = [made(insn, at), expected(insn, at)];
      if (is !== want) found.push(`${(insn >>> 0).toString(16)} at ${String(at)}: ${is}, not ${want}`);
    }
  return found.slice(0, 10);
}

function* compressed(): Generator<number> {
  for (let insn = 0; insn < 0x1_0000; insn++) if ((insn & 3) !== 3) yield insn;
}

/** Numbers that look random, and are the same each time (xorshift32). */
function* numbers(count: number): Generator<number> {
  let x = 0x1234_5678;
  for (let i = 0; i < count; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    yield x;
  }
}

describe('decode', () => {
  test('all encodings of 16 bits', () => {
    expect(differences(compressed(), [0, 2000, 4094])).toEqual([]);
  });

  test('every row with many operands', () => {
    for (const { row, pattern } of instructions) {
      const encodings = [...numbers(300), 0, -1].map((x) => (x & ~pattern.mask) | pattern.match);
      expect(differences(encodings, [0, 2050, 4092, 4094]), row.name).toEqual([]);
    }
  });

  test('any other encodings of 32 bits', () => {
    expect(
      differences(
        [...numbers(100_000)].map((x) => x | 3),
        [1000],
      ),
    ).toEqual([]);
  });

  test('a line ends where the page does, where something is decoded, and after so many instructions', () => {
    const nop = 0x0001;
    for (let at = 0; at < 4096; at += 2) view.setUint16(SOURCE + at, nop, true);
    new Uint8Array(memory.buffer, PAGE, 4096 * UOP_SCALE).fill(0);
    expect(decodePage(PAGE, SOURCE, 100, 16)).toBe(132 | DECODED.ends);
    expect(view.getUint16(PAGE + 132 * UOP_SCALE, true)).toBe(0);
    expect(decodePage(PAGE, SOURCE, 90, 16)).toBe(100 | DECODED.ends);
    expect(decodePage(PAGE, SOURCE, 4092, 16)).toBe(4096 | DECODED.ends);
  });
});
