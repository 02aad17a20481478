/**
 * Fused sequences do what their instructions do one by one: each of them, with faults in every part, with the budget ending behind every part,
 * with jumps into its midst, and while its code changes.
 */
import { describe, expect, test } from 'vitest';
import { assemble, decode, type Machine } from '../../../emulator/index.ts';
import type { Fields } from '../../../emulator/isa/row.ts';
import * as layout from '../../../emulator/layout.ts';
import { FIRST_FUSED_OP, fusions, RS1, RS2, type Fusion, type Part } from '../../../emulator/tier0/fusion.ts';
import { COMPRESSED, ENTRY, UOP_SCALE } from '../../../emulator/tier0/uop.ts';
import { Random } from '../differential/random.ts';
import { CODE, DATA, place, smallMachine } from '../harness.ts';
import { expectSame } from '../jit/twins.ts';

/** Registers that compressed instructions reach, the stack pointer, and one that only others do. */
const REGISTERS = [8, 9, 10, 11, 12, 13, 14, 15];
const HANDLER = CODE + 0x8000;
const TABLE = DATA + 0x4000;
const BYTES = 0x5000;

interface Encoded {
  readonly insn: number;
  readonly fields: Fields;
}

/** All compressed encodings, by the row that they abbreviate. */
const short = new Map<string, Encoded[]>();
for (let insn = 0; insn < 0x1_0000; insn++) {
  const d = (insn & 3) === 3 ? null : decode(insn);
  if (d === null) continue;
  const { name } = d.instruction.row;
  const known = short.get(name);
  if (known === undefined) short.set(name, [{ insn, fields: d.fields }]);
  else known.push({ insn, fields: d.fields });
}

const lengthOf = (part: Part): number => ((part.variant & COMPRESSED) !== 0 ? 2 : 4);

/** One encoding of the part at `at`; `written`: what the part before writes. `starts`: where instructions begin. */
function encode(random: Random, part: Part, written: number, at: number, starts: readonly number[]): Encoded {
  const { instruction, forwards, variant } = part;
  const { name } = instruction.row;
  const { relative } = instruction.traits;
  const distances = starts.map((start) => start - at);
  const reg = (): number => random.pick(REGISTERS);
  if ((variant & COMPRESSED) === 0) {
    const upper = name === 'lui' ? random.pick([0x8000_0000 | 0, DATA]) : 0;
    const imm = relative
      ? random.pick(distances)
      : name === 'lui' || name === 'auipc'
        ? upper
        : random.between(0, 31);
    const fields = {
      rd: reg(),
      rs1: (forwards & RS1) !== 0 ? written : reg(),
      rs2: (forwards & RS2) !== 0 ? written : reg(),
      rs3: reg(),
      rm: 7,
      imm: name === 'jalr' ? random.pick([0, 4, 8, 12]) : imm,
    };
    const insn = assemble(name, fields);
    expect(decode(insn)?.instruction).toBe(instruction);
    return { insn, fields: (decode(insn) as { fields: Fields }).fields };
  }
  const usual = (r: number): boolean => r === 2 || REGISTERS.includes(r);
  const possible = (short.get(name) as Encoded[]).filter(
    ({ fields: f }) =>
      (instruction.rd !== 'x' ||
        (instruction.traits.control ? !relative || f.rd === 0 : REGISTERS.includes(f.rd))) &&
      (instruction.rs1 !== 'x' || usual(f.rs1) || f.rs1 === 0) &&
      (instruction.rs2 !== 'x' || usual(f.rs2) || f.rs2 === 0) &&
      ((forwards & RS1) === 0 || f.rs1 === written) &&
      ((forwards & RS2) === 0 || f.rs2 === written) &&
      (!relative || distances.includes(f.imm)),
  );
  return random.pick(possible);
}

/** A program of that sequence, several times, and a jump back to where it begins. */
function program(random: Random, { parts }: Fusion): number[] {
  const all = Array.from({ length: 5 }, () => parts).flat();
  const starts: number[] = [];
  let at = 0;
  for (const part of all) {
    starts.push(at);
    at += lengthOf(part);
  }
  let written = 0;
  const words = all.map((part, i) => {
    const { insn, fields } = encode(random, part, written, starts[i] as number, starts);
    written = part.instruction.rd === 'x' ? fields.rd : 0;
    return insn;
  });
  return [...words, assemble('jal', { rd: 0, imm: -at })];
}

/** What a trap ends in: the registers get their first values again, and the program begins anew. */
const handler = [
  assemble('lui', { rd: 31, imm: TABLE | 0 }),
  ...[2, ...REGISTERS].map((r) => assemble('lw', { rd: r, rs1: 31, imm: 4 * r })),
  assemble('lui', { rd: 31, imm: CODE | 0 }),
  assemble('jalr', { rd: 0, rs1: 31, imm: 0 }),
];

function setUp(machine: Machine, words: readonly number[], seed: number): void {
  const random = new Random(seed);
  const { hart, ram } = machine;
  place(machine, HANDLER, handler);
  place(machine, CODE, words);
  for (const r of [2, ...REGISTERS])
    ram.write32(
      TABLE + 4 * r,
      r === 15 ? CODE : random.pick([DATA + 64 * r, DATA + 64 * r + 1, random.between(0, 99)]),
    );
  for (let i = 0; i < 32; i++) hart.f[2 * i + 1] = 0x3ff0_0000 + random.between(0, 0xfffff);
  for (let at = 0; at < 0x1000; at += 4) ram.write32(DATA + at, random.between(0, 0x7fff_ffff));
  hart.pc = HANDLER;
}

/** Lets `stepped` retire as much as `run` has. */
function follow(stepped: Machine, run: Machine): void {
  while (stepped.hart.retired < run.hart.retired) stepped.hart.step();
}

/** The operations of the program's micro-ops. */
function operations(machine: Machine, page: number): number[] {
  const view = new DataView(machine.memory.buffer);
  return Array.from({ length: 64 }, (_op, i) => view.getUint16(page + 2 * i * UOP_SCALE, true) & (ENTRY - 1));
}

/** Where the micro-ops of that page of code are: they are made in the order in which pages are reached. */
const pageOf = (order: number): number =>
  layout.DECODED + layout.DECODED_HEADER + order * layout.DECODED_STRIDE;

const SEEDS = [1, 2, 3, 4];

describe('a sequence does what its instructions do', () => {
  test.each(fusions.map((fusion) => [nameOf(fusion), fusion] as const))('%s', (name, fusion) => {
    const seen = new Set<number>();
    for (const seed of SEEDS) {
      const words = program(new Random(1000 * fusion.op + seed), fusion);
      const [run, stepped] = [smallMachine({ tier: 0 }), smallMachine({ tier: 0 })];
      for (const machine of [run, stepped]) setUp(machine, words, seed);
      for (const budget of [40, 1, 2, 1, 1, 3, 1, 5, 2, 2, 4, 7, 1, 1, 1, 100, 2, 3, 200]) {
        run.hart.run(budget);
        follow(stepped, run);
        expectSame(stepped, run, [[DATA, BYTES]], `${name}, seed ${String(seed)}`);
      }
      for (const op of operations(run, pageOf(1))) seen.add(op);
    }
    expect(seen).toContain(fusion.op);
  });
});

function nameOf({ parts }: Fusion): string {
  return parts
    .map(({ instruction, variant, forwards }) => {
      const form = (variant & COMPRESSED) !== 0 ? 'c.' : '';
      return `${form}${instruction.row.name}${forwards === 0 ? '' : `<${String(forwards)}`}`;
    })
    .join(' ');
}

const [A0, A1, A2] = [10, 11, 12];
const addi = (rd: number, imm: number): number => assemble('c.addi', { rd, rs1: rd, imm });
const bne = (rs1: number, rs2: number, imm: number): number => assemble('bne', { rs1, rs2, imm });
const isFused = (op: number | undefined): boolean => (op ?? 0) >= FIRST_FUSED_OP;

/** `addi a0, a0, 1; bne a0, a1, -2` at `at` of the code, after what a test puts there. */
function loopMachine(at: number): Machine {
  const machine = smallMachine({ tier: 0 });
  place(machine, CODE + at, [addi(A0, 1), bne(A0, A1, -2), addi(A2, 1), addi(A2, 1)]);
  machine.hart.pc = CODE + at;
  machine.hart.x[A1] = 1000;
  return machine;
}

test('where a jump at the end of a sequence goes is noted for the jump', () => {
  const machine = smallMachine({ tier: 0 });
  place(machine, CODE, [addi(A0, 1), assemble('c.jr', { rs1: A1 })]);
  machine.hart.x[A1] = CODE;
  machine.hart.pc = CODE;
  machine.hart.run(5);
  expect(isFused(operations(machine, pageOf(0))[0])).toBe(true);
  const view = new DataView(machine.memory.buffer);
  const noted = [0, 2].map((at) => {
    const site = ((pageOf(0) + at * UOP_SCALE) >>> 3) % layout.PROFILE_SITES;
    const words = layout.PROFILE + site * layout.PROFILE_TARGETS * 4;
    return Array.from({ length: layout.PROFILE_TARGETS }, (_target, i) =>
      view.getUint32(words + 4 * i, true),
    );
  });
  expect(noted[0]).not.toContain(CODE);
  expect(noted[1]).toContain(CODE);
});

describe('what a sequence is made from', () => {
  test('changes: the new instruction is executed', () => {
    const machine = loopMachine(0);
    machine.hart.run(11);
    expect(isFused(operations(machine, pageOf(0))[0])).toBe(true);
    place(machine, CODE + 2, [assemble('addi', { rd: A2, rs1: A0, imm: 0 })]);
    machine.hart.pc = CODE;
    machine.hart.run(2);
    expect(Array.from(machine.hart.x.subarray(A0, A2 + 1))).toEqual([7, 1000, 7]);
  });

  test('has a breakpoint in its midst, and has it no longer', () => {
    const machine = loopMachine(0);
    const { hart } = machine;
    hart.run(4);
    hart.addBreakpoint(CODE + 2);
    expect(hart.run(100)).toEqual({ kind: 'breakpoint', pc: CODE + 2 });
    expect(hart.x[A0]).toBe(3);
    hart.removeBreakpoint(CODE + 2);
    expect(hart.run(101)).toEqual({ kind: 'budget' });
    expect(hart.pc).toBe(CODE);
    expect(isFused(operations(machine, pageOf(0))[0])).toBe(true);
  });

  test('lies in two pages: it is none', () => {
    const machine = loopMachine(4094);
    machine.hart.run(101);
    expect(machine.hart.x[A0]).toBe(51);
    expect(isFused(new DataView(machine.memory.buffer).getUint16(pageOf(0) + 4094 * UOP_SCALE, true))).toBe(
      false,
    );
  });

  test('is decoded in two turns', () => {
    const machine = smallMachine({ tier: 0 });
    // Sixteen instructions at once: the first of the sequence is the last of them.
    const words = [
      ...Array.from({ length: 15 }, () => assemble('mulhu', { rd: A2, rs1: A0, rs2: A0 })),
      addi(A0, 1),
    ];
    place(machine, CODE, [...words, bne(A0, A1, -2)]);
    machine.hart.pc = CODE;
    machine.hart.x[A1] = 1000;
    machine.hart.run(100);
    expect(isFused(operations(machine, pageOf(0))[30])).toBe(true);
  });
});
