/**
 * The row-driven suite: it iterates over the instruction table, so a row without a test fails here.
 * Each row runs on both paths of tier 0 (the fast loop and `step`) at its edge values.
 */
import { describe, expect, test } from 'vitest';
import { assemble, type Machine } from '../../../emulator/index.ts';
import { instructions } from '../../../emulator/isa/table.ts';
import { CODE, DATA, EDGES, execute, PATHS, place, smallMachine, type Path } from '../harness.ts';
import { amos, compute, immediateForm, loads, register, stores, taken, unary } from './reference.ts';

const machine = smallMachine();
const { hart, ram } = machine;
const RD = 7;
const RS1 = 8;
const RS2 = 9;

/** Runs one instruction; every register but rd must keep its value. */
function one(m: Machine, path: Path, insn: number, a: number, b: number, pc = CODE): void {
  if (m.ram.read32(pc) !== insn) place(m, pc, [insn]);
  m.hart.x[RS1] = a;
  m.hart.x[RS2] = b;
  expect(execute(m, path, pc)).toEqual({ kind: 'budget' });
  expect(m.hart.x[0]).toBe(0);
}

/** Every single bit, and every run of ones from either end. */
const UNARY_EDGES = [
  ...EDGES,
  ...Array.from({ length: 32 }, (_v, i) => [1 << i, -1 << i, (1 << i) - 1]).flat(),
  ...[0x0100_0001, 0x0080_0100, 0x8000_8000, 0x00ff_0080, 0x1020_3040].map((v) => v | 0),
];

/** Rows whose immediate is five bits without sign. */
const SHIFTS = new Set(['slli', 'srli', 'srai', 'rori', 'bclri', 'bexti', 'binvi', 'bseti']);

const IMMEDIATES = [0, 1, -1, 2, 31, 0x7ff, -0x800, 0x555, -0x556];

/** A test for each row: by name, by extension where other files hold the tests. */
function testOf(name: string): ((path: Path) => void) | undefined {
  const binary = compute[name];
  if (binary !== undefined) {
    return (path) => {
      const insn = assemble(name, { rd: RD, rs1: RS1, rs2: RS2 });
      for (const a of EDGES) {
        for (const b of EDGES) {
          one(machine, path, insn, a, b);
          expect(hart.x[RD], `${name} ${a}, ${b}`).toBe(register(binary(BigInt(a), BigInt(b))));
        }
      }
    };
  }
  const alone = unary[name];
  if (alone !== undefined) {
    return (path) => {
      const insn = assemble(name, { rd: RD, rs1: RS1 });
      for (const a of UNARY_EDGES) {
        one(machine, path, insn, a, 0);
        expect(hart.x[RD], `${name} ${a}`).toBe(register(alone(BigInt(a))));
      }
    };
  }
  const form = immediateForm[name];
  if (form !== undefined) return (path) => immediateRow(path, name, form);
  if (taken[name] !== undefined) return (path) => branchRow(path, name);
  if (loads[name] !== undefined) return (path) => loadRow(path, name);
  if (stores[name] !== undefined) return (path) => storeRow(path, name);
  if (amos[name] !== undefined) return (path) => amoRow(path, name);
  return single[name];
}

function immediateRow(path: Path, name: string, form: string): void {
  const values = SHIFTS.has(name) ? [0, 1, 7, 8, 15, 16, 30, 31] : IMMEDIATES;
  for (const imm of values) {
    const insn = assemble(name, { rd: RD, rs1: RS1, imm });
    for (const a of EDGES) {
      one(machine, path, insn, a, 0);
      expect(hart.x[RD], `${name} ${a}, ${imm}`).toBe(
        register(compute[form]?.(BigInt(a), BigInt(imm)) ?? 0n),
      );
    }
  }
}

function branchRow(path: Path, name: string): void {
  const pc = CODE + 0x2800;
  // Near, and into other pages: those are different micro-ops.
  for (const imm of [8, -8, 0x7fe, 0xffe, -0x1000]) {
    const insn = assemble(name, { rs1: RS1, rs2: RS2, imm });
    for (const a of EDGES) {
      for (const b of [a, ...EDGES.slice(0, 6), -0x8000_0000]) {
        one(machine, path, insn, a, b, pc);
        const goes = taken[name]?.(BigInt(a), BigInt(b)) === true;
        expect(hart.pc, `${name} ${a}, ${b}`).toBe(goes ? pc + imm : pc + 4);
      }
    }
  }
}

function loadRow(path: Path, name: string): void {
  const { size, signed } = loads[name] ?? { size: 0, signed: false };
  const bytes = Uint8Array.from({ length: 64 }, (_v, i) => (i * 37 + 0x83) & 0xff);
  ram.writeBytes(DATA, bytes);
  // Every offset, so that each misalignment occurs.
  for (let offset = 0; offset < 16; offset++) {
    one(machine, path, assemble(name, { rd: RD, rs1: RS1, imm: offset - 8 }), DATA + 16, 0);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[8 + offset + i] ?? 0);
    const expected = signed ? BigInt.asIntN(8 * size, value) : value;
    expect(hart.x[RD], `${name} at ${offset}`).toBe(register(expected));
  }
}

function storeRow(path: Path, name: string): void {
  const size = stores[name] ?? 0;
  for (let offset = 0; offset < 16; offset++) {
    ram.writeBytes(DATA, new Uint8Array(32).fill(0xee));
    one(machine, path, assemble(name, { rs1: RS1, rs2: RS2, imm: offset }), DATA, 0x8192_a3b4 | 0);
    const expected = new Uint8Array(32).fill(0xee);
    expected.set([0xb4, 0xa3, 0x92, 0x81].slice(0, size), offset);
    expect(ram.readBytes(DATA, 32), `${name} at ${offset}`).toEqual(expected);
  }
}

function amoRow(path: Path, name: string): void {
  const insn = assemble(name, { rd: RD, rs1: RS1, rs2: RS2 });
  for (const old of EDGES) {
    for (const b of EDGES) {
      ram.write32(DATA, old);
      one(machine, path, insn, DATA, b);
      expect(hart.x[RD], `${name} rd`).toBe(old);
      expect(ram.read32(DATA) | 0, `${name} ${old}, ${b}`).toBe(
        register(amos[name]?.(BigInt(old), BigInt(b)) ?? 0n),
      );
    }
  }
  // rd = rs2: the operand is read before rd is written.
  ram.write32(DATA, 5);
  one(machine, path, assemble(name, { rd: RS2, rs1: RS1, rs2: RS2 }), DATA, 9);
  expect(hart.x[RS2]).toBe(5);
}

const single: Readonly<Record<string, (path: Path) => void>> = {
  lui: (path) => {
    for (const imm of [0, 0x1000, 0x7fff_f000, -0x8000_0000, -0x1000]) {
      one(machine, path, assemble('lui', { rd: RD, imm }), 0, 0);
      expect(hart.x[RD]).toBe(imm);
    }
  },
  auipc: (path) => {
    for (const imm of [0, 0x1000, 0x7fff_f000, -0x1000]) {
      one(machine, path, assemble('auipc', { rd: RD, imm }), 0, 0, CODE + 0x10);
      expect(hart.x[RD]).toBe((CODE + 0x10 + imm) | 0);
    }
  },
  jal: (path) => {
    for (const imm of [4, -4, 0x7fe, 0xf_fffe, -0x10_0000]) {
      const pc = CODE + 0x20_0000;
      one(machine, path, assemble('jal', { rd: RD, imm }), 0, 0, pc);
      expect(hart.pc).toBe(pc + imm);
      expect(hart.x[RD]).toBe((pc + 4) | 0);
    }
  },
  jalr: (path) => {
    for (const imm of [0, 1, -1, 0x7ff, -0x800]) {
      one(machine, path, assemble('jalr', { rd: RD, rs1: RS1, imm }), CODE + 0x5000, 0);
      expect(hart.pc, 'bit 0 is cleared').toBe(
        (CODE + 0x5000 + imm) & ~1 ? ((CODE + 0x5000 + imm) & ~1) >>> 0 : 0,
      );
      // rd = rs1: the target is taken before rd is written.
      one(machine, path, assemble('jalr', { rd: RS1, rs1: RS1, imm: 0 }), CODE + 0x5000, 0);
      expect(hart.pc).toBe(CODE + 0x5000);
      expect(hart.x[RS1]).toBe((CODE + 4) | 0);
    }
  },
  'lr.w': (path) => {
    ram.write32(DATA, 0x8000_0001);
    one(machine, path, assemble('lr.w', { rd: RD, rs1: RS1 }), DATA, 0);
    expect(hart.x[RD]).toBe(0x8000_0001 | 0);
  },
  'sc.w': (path) => {
    const lr = assemble('lr.w', { rd: RD, rs1: RS1 });
    const sc = assemble('sc.w', { rd: RD, rs1: RS1, rs2: RS2 });
    ram.write32(DATA, 1);
    one(machine, path, lr, DATA, 0);
    one(machine, path, sc, DATA, 42);
    expect(hart.x[RD], 'the reservation holds').toBe(0);
    expect(ram.read32(DATA)).toBe(42);
    one(machine, path, sc, DATA, 43);
    expect(hart.x[RD], 'an SC ends it').toBe(1);
    expect(ram.read32(DATA)).toBe(42);
    one(machine, path, lr, DATA + 4, 0);
    one(machine, path, sc, DATA, 44);
    expect(hart.x[RD], 'another address').toBe(1);
    expect(ram.read32(DATA)).toBe(42);
  },
  fence: (path) => {
    one(machine, path, assemble('fence', { imm: 0xff }), 1, 2);
    expect(hart.pc).toBe(CODE + 4);
  },
};

/** Extensions whose rows have their tests in other files, which iterate over the table as well. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  F: 'test/emulator/fp',
  D: 'test/emulator/fp',
  Zfa: 'test/emulator/fp/zfa.test.ts',
  Zicsr: 'test/emulator/priv',
  Zifencei: 'test/emulator/priv',
  Privileged: 'test/emulator/priv',
};
const TRAPPING = new Set(['ecall', 'ebreak']);

describe.each(PATHS)('on the path `%s`', (path) => {
  for (const { row } of instructions) {
    if (ELSEWHERE[row.ext] !== undefined || TRAPPING.has(row.name)) continue;
    test(row.name, () => {
      const body = testOf(row.name);
      expect(body, `no test for the row ${row.name}`).toBeDefined();
      body?.(path);
    });
  }

  test('x0 stays zero whatever is written to it', () => {
    for (const name of ['addi', 'lui', 'lw', 'jal', 'add', 'amoadd.w']) {
      one(machine, path, assemble(name, { rd: 0, rs1: RS1, rs2: RS2, imm: 0 }), DATA, 1);
    }
  });
});
