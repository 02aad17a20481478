/** The hart as a whole: exact budgets, faults as data, translated code that changes, breakpoints, reports. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble as a, Cause, Machine, RAM_BASE, type Hart, type Supervisor } from '../../emulator/index.ts';
import { CODE, DATA, execute, PATHS, place, smallMachine } from './harness.ts';
import { A, D, R, RWX, Tables, U, V, W, X } from './paging.ts';

interface Seen {
  cause: number;
  tval: number;
  pc: number;
}

/** A hosted machine: user mode under a supervisor that notes traps and stops. */
function hosted(options = {}): { machine: Machine; hart: Hart; seen: Seen[]; tables: Tables } {
  const machine = new Machine({ ramBytes: 16 << 20, ...options });
  const seen: Seen[] = [];
  const supervisor: Supervisor = {
    trap(hart, cause, tval) {
      seen.push({ cause, tval, pc: hart.pc });
      return false;
    },
  };
  machine.hart.enterHostedUserMode(supervisor);
  const tables = new Tables(machine);
  machine.hart.setAddressSpace(tables.satp);
  return { machine, hart: machine.hart, seen, tables };
}

/** A loop with loads, stores, branches and calls: sums and stores, for ever. */
const LOOP = [
  a('addi', { rd: 5, rs1: 5, imm: 1 }),
  a('c.addi', { rd: 6, imm: 3 }),
  a('sw', { rs1: 10, rs2: 6, imm: 0 }),
  a('lw', { rd: 7, rs1: 10, imm: 0 }),
  a('add', { rd: 8, rs1: 8, rs2: 7 }),
  a('andi', { rd: 9, rs1: 5, imm: 3 }),
  a('beq', { rs1: 9, rs2: 0, imm: 8 }),
  a('jal', { rd: 1, imm: -26 }),
  a('c.j', { imm: -30 }),
];

function looping(): Machine {
  const machine = smallMachine();
  place(machine, CODE, LOOP);
  machine.hart.x[10] = DATA;
  machine.hart.pc = CODE;
  return machine;
}

const state = ({ hart }: Machine): number[] => [hart.pc, hart.retired, ...hart.x.subarray(0, 32)];

describe('run(budget)', () => {
  test('retires exactly the budget, however it is cut', () => {
    const whole = looping();
    whole.hart.run(5000);
    expect(whole.hart.retired).toBe(5000);
    const expected = state(whole);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 997 }), { maxLength: 12 }), (cuts) => {
        const machine = looping();
        for (const cut of cuts) {
          if (machine.hart.retired + cut > 5000) break;
          const before = machine.hart.retired;
          expect(machine.hart.run(cut)).toEqual({ kind: 'budget' });
          expect(machine.hart.retired).toBe(before + cut);
        }
        machine.hart.run(5000 - machine.hart.retired);
        expect(state(machine)).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });

  test('single steps reach the same state', () => {
    const whole = looping();
    whole.hart.run(300);
    const stepped = looping();
    for (let i = 0; i < 300; i++) stepped.hart.step();
    expect(state(stepped)).toEqual(state(whole));
  });

  test('reports every retired instruction when asked, and changes nothing by it', () => {
    const whole = looping();
    whole.hart.run(300);
    const observed = looping();
    const pcs: number[] = [];
    const stores: number[] = [];
    observed.hart.onRetire = (r) => {
      pcs.push(r.pc);
      for (const m of r.accesses) if (m.kind === 'w') stores.push(m.va);
    };
    observed.hart.run(300);
    expect(state(observed)).toEqual(state(whole));
    expect(pcs.length).toBe(300);
    expect(pcs.slice(0, 3)).toEqual([CODE, CODE + 4, CODE + 6]);
    expect(new Set(stores)).toEqual(new Set([DATA]));
  });
});

describe.each(PATHS)('faults, on the path `%s`', (path) => {
  test('a load that faults leaves rd, the pc and the count as they were', () => {
    const { hart, machine, seen, tables } = hosted();
    tables.map(0x1000, CODE, V | R | X | U | A | D);
    place(machine, CODE, [a('addi', { rd: 5, rs1: 0, imm: 7 }), a('lw', { rd: 5, rs1: 6, imm: 4 })]);
    hart.x[6] = 0x5000;
    const stop = execute(machine, path, 0x1000, 2);
    expect(stop).toEqual({ kind: 'trap', cause: Cause.LoadPageFault, tval: 0x5004, pc: 0x1004 });
    expect(seen).toEqual([{ cause: Cause.LoadPageFault, tval: 0x5004, pc: 0x1004 }]);
    expect(hart.x[5]).toBe(7);
    expect(hart.retired).toBe(1);
  });

  test('a store that crosses into a page that may not be written writes nothing and names that page', () => {
    const { hart, machine, tables } = hosted();
    tables.map(0x1000, CODE);
    tables.map(0x4000, DATA);
    tables.map(0x5000, DATA + 0x1000, V | R | U | A);
    place(machine, CODE, [a('sw', { rs1: 6, rs2: 7, imm: 0 })]);
    hart.x[6] = 0x4ffe;
    hart.x[7] = -1;
    const stop = execute(machine, path, 0x1000);
    expect(stop).toMatchObject({ kind: 'trap', cause: Cause.StorePageFault, tval: 0x5000 });
    expect(machine.ram.read16(DATA + 0xffe)).toBe(0);
  });

  test('loads and stores across pages that are not neighbours in RAM', () => {
    const { hart, machine, tables } = hosted();
    tables.map(0x1000, CODE);
    tables.map(0x4000, DATA + 0x3000);
    tables.map(0x5000, DATA);
    place(machine, CODE, [a('sw', { rs1: 6, rs2: 7, imm: 0 }), a('lw', { rd: 8, rs1: 6, imm: 0 })]);
    hart.x[6] = 0x4ffe;
    hart.x[7] = 0x1122_3344;
    execute(machine, path, 0x1000, 2);
    expect(hart.x[8]).toBe(0x1122_3344);
    expect(machine.ram.read8(DATA)).toBe(0x22);
    expect(machine.ram.read8(DATA + 0x3ffe)).toBe(0x44);
  });

  test('a fetch from a page without X, and one from nowhere', () => {
    const { machine, tables } = hosted();
    tables.map(0x1000, CODE, V | R | W | U | A | D);
    expect(execute(machine, path, 0x1000)).toMatchObject({ cause: Cause.InstructionPageFault, tval: 0x1000 });
    expect(execute(machine, path, 0x7000)).toMatchObject({ cause: Cause.InstructionPageFault, tval: 0x7000 });
  });

  test('an illegal instruction has its encoding in tval; c. ones their 16 bits', () => {
    const { machine, tables } = hosted();
    tables.map(0x1000, CODE);
    place(machine, CODE, [0xffff_ffff]);
    expect(execute(machine, path, 0x1000)).toMatchObject({
      cause: Cause.IllegalInstruction,
      tval: 0xffff_ffff,
    });
    machine.ram.write32(CODE, 0xabcd_0000);
    expect(execute(machine, path, 0x1000)).toMatchObject({ cause: Cause.IllegalInstruction, tval: 0 });
  });

  test('an instruction whose second half is in a page that cannot be fetched faults there', () => {
    const { machine, tables, hart } = hosted();
    tables.map(0x1000, CODE);
    place(machine, CODE + 0xffe, [a('addi', { rd: 5, rs1: 0, imm: 1 })]);
    const stop = execute(machine, path, 0x1ffe);
    expect(stop).toEqual({ kind: 'trap', cause: Cause.InstructionPageFault, tval: 0x2000, pc: 0x1ffe });
    tables.map(0x2000, CODE + 0x1000);
    execute(machine, path, 0x1ffe);
    expect(hart.x[5]).toBe(1);
  });

  test('misaligned accesses trap when the machine says so', () => {
    const { machine, tables, hart } = hosted({ misaligned: 'trap' });
    tables.map(0x1000, CODE);
    tables.map(0x4000, DATA);
    place(machine, CODE, [a('lh', { rd: 5, rs1: 6, imm: 1 }), a('sw', { rs1: 6, rs2: 5, imm: 2 })]);
    hart.x[6] = 0x4000;
    expect(execute(machine, path, 0x1000)).toMatchObject({
      cause: Cause.LoadAddressMisaligned,
      tval: 0x4001,
    });
    expect(execute(machine, path, 0x1004)).toMatchObject({
      cause: Cause.StoreAddressMisaligned,
      tval: 0x4002,
    });
  });

  test('atomics must be aligned', () => {
    const { machine, tables, hart } = hosted();
    tables.map(0x1000, CODE);
    tables.map(0x4000, DATA);
    place(machine, CODE, [a('lr.w', { rd: 5, rs1: 6 }), a('amoadd.w', { rd: 5, rs1: 6, rs2: 6 })]);
    hart.x[6] = 0x4002;
    expect(execute(machine, path, 0x1000)).toMatchObject({ cause: Cause.LoadAddressMisaligned });
    expect(execute(machine, path, 0x1004)).toMatchObject({ cause: Cause.StoreAddressMisaligned });
  });
});

describe('an instruction that straddles two pages', () => {
  test('changes with the page that follows, in a loop that stays hot', () => {
    const { machine, tables, hart } = hosted();
    const second = [CODE + 0x1000, CODE + 0x2000];
    // addi x5, x5, 1 in one following page and addi x5, x5, 2 in the other; then back to the start.
    for (const [i, page] of second.entries()) {
      const insn = a('addi', { rd: 5, rs1: 5, imm: i + 1 });
      machine.ram.write16(CODE + 0xffe, insn & 0xffff);
      machine.ram.write16(page, insn >>> 16);
      place(machine, page + 2, [a('jal', { rd: 0, imm: -4 })]);
    }
    tables.map(0x1000, CODE);
    tables.map(0x2000, second[0] ?? 0);
    hart.pc = 0x1ffe;
    hart.run(200);
    expect(hart.x[5]).toBe(100);
    tables.map(0x2000, second[1] ?? 0);
    hart.flushTlbPage(tables.satp, 0x2000);
    hart.run(200);
    expect(hart.x[5]).toBe(300);
  });
});

describe('translated code and the bytes it came from', () => {
  const counter = (imm: number): number => a('addi', { rd: 5, rs1: 5, imm });

  test('a guest store into code takes effect at the next instruction', () => {
    const { machine, tables, hart } = hosted();
    tables.map(0x1000, CODE);
    // x6 = address of the third instruction, x7 = its replacement.
    place(machine, CODE, [counter(1), a('sw', { rs1: 6, rs2: 7, imm: 0 }), counter(10), counter(100)]);
    hart.x[6] = 0x1008;
    hart.x[7] = counter(20);
    hart.pc = 0x1000;
    hart.run(4);
    expect(hart.x[5]).toBe(121);
  });

  test('through another virtual address, and after the loop was hot', () => {
    const { machine, tables, hart } = hosted();
    tables.map(0x1000, CODE);
    tables.map(0x9000, CODE, V | R | W | U | A | D);
    place(machine, CODE, [counter(1), a('jal', { rd: 0, imm: -4 })]);
    place(machine, CODE + 0x100, [a('sw', { rs1: 6, rs2: 7, imm: 0 }), a('jal', { rd: 0, imm: -0x104 })]);
    hart.x[6] = 0x9000;
    hart.x[7] = counter(3);
    hart.pc = 0x1000;
    hart.run(1000);
    expect(hart.x[5]).toBe(500);
    hart.pc = 0x1100;
    hart.run(2 + 1000);
    expect(hart.x[5]).toBe(500 + 1500);
  });

  test.each(PATHS)('an atomic that changes its own page has its operands all the same (%s)', (path) => {
    const { machine, tables, hart } = hosted();
    tables.map(0x1000, CODE);
    place(machine, CODE, [
      a('amoadd.w', { rd: 7, rs1: 6, rs2: 5 }),
      a('lr.w', { rd: 8, rs1: 6 }),
      a('sc.w', { rd: 9, rs1: 6, rs2: 5 }),
      a('sc.w', { rd: 11, rs1: 6, rs2: 5 }),
    ]);
    hart.x[5] = 3;
    hart.x[6] = 0x1100;
    hart.x[9] = 77;
    machine.ram.write32(CODE + 0x100, 40);
    execute(machine, path, 0x1000, 4);
    expect([...hart.x.subarray(5, 12)]).toEqual([3, 0x1100, 40, 43, 0, 0, 1]);
    expect(hart.x[0]).toBe(0);
    expect(machine.ram.read32(CODE + 0x100)).toBe(3);
  });

  test.each(PATHS)('a load whose walk sets A in the page that the load lies in (%s)', (path) => {
    const { machine, tables, hart } = hosted();
    const table = (tables.entry(0) & ~0xfff) >>> 0;
    tables.map(0x1000, table);
    tables.map(0x2000, DATA, RWX & ~A);
    // Behind the entries that are used.
    place(machine, table + 0xf00, [a('lw', { rd: 7, rs1: 6, imm: 4 }), a('flw', { rd: 7, rs1: 6, imm: 4 })]);
    machine.ram.write32(DATA + 4, 1234);
    hart.x[6] = 0x2000;
    execute(machine, path, 0x1f00);
    expect([hart.x[0], hart.x[7]]).toEqual([0, 1234]);
    tables.map(0x2000, DATA, RWX & ~A);
    hart.flushTlbPage(tables.satp, 0x2000);
    execute(machine, path, 0x1f04);
    expect([hart.f[0], hart.f[14]]).toEqual([0, 1234]);
  });

  test('the host writes through the one gate', () => {
    const machine = looping();
    machine.hart.run(1);
    machine.ram.write32(CODE, a('addi', { rd: 5, rs1: 0, imm: -7 }));
    machine.hart.pc = CODE;
    machine.hart.run(1);
    expect(machine.hart.x[5]).toBe(-7);
    machine.ram.writeBytes(CODE, Uint8Array.of(0x93, 0x02, 0x10, 0x00)); // li x5, 1
    machine.hart.pc = CODE;
    machine.hart.run(1);
    expect(machine.hart.x[5]).toBe(1);
  });

  test('more code pages than there are decoded pages', () => {
    const machine = smallMachine({ ramBytes: 32 << 20 });
    const pages = 3000;
    for (let i = 0; i < pages; i++) {
      const page = CODE + 0x10_0000 + i * 4096;
      place(machine, page, [counter(1), a('jal', { rd: 0, imm: 4092 })]);
    }
    machine.hart.pc = CODE + 0x10_0000;
    machine.hart.run(2 * pages);
    expect(machine.hart.x[5]).toBe(pages);
    expect(machine.hart.invalidations).toBeGreaterThan(900);
  });

  test('code and data in one page: stores that keep changing code are slow, not wrong', () => {
    const { machine, tables, hart } = hosted();
    tables.map(0x1000, CODE);
    // loop: sw x5 -> data word of this very page; addi x5, x5, 1; loop
    place(machine, CODE, [a('sw', { rs1: 6, rs2: 5, imm: 0 }), counter(1), a('jal', { rd: 0, imm: -8 })]);
    hart.x[6] = 0x1800;
    hart.pc = 0x1000;
    hart.run(3000);
    expect(machine.ram.read32(CODE + 0x800)).toBe(999);
  });
});

describe('address spaces', () => {
  test('more of them than TLB views, each with its own page at one address', () => {
    const machine = new Machine({ ramBytes: 16 << 20 });
    machine.hart.enterHostedUserMode({ trap: () => false });
    place(machine, CODE, [a('lw', { rd: 5, rs1: 0, imm: 0x400 }), a('jal', { rd: 0, imm: -4 })]);
    const spaces = Array.from({ length: 60 }, (_v, i) => {
      const tables = new Tables(machine, RAM_BASE + 0x80_0000 + i * 0x4000);
      tables.map(0x1000, CODE, V | R | X | U | A);
      tables.map(0, DATA + i * 4096, V | R | U | A);
      machine.ram.write32(DATA + i * 4096 + 0x400, 1000 + i);
      return tables;
    });
    for (let round = 0; round < 3; round++) {
      for (const [i, tables] of spaces.entries()) {
        machine.hart.setAddressSpace(tables.satp);
        machine.hart.pc = 0x1000;
        machine.hart.run(3);
        expect(machine.hart.x[5]).toBe(1000 + i);
      }
    }
  });

  test('a flushed page is translated anew; one that is not keeps its translation', () => {
    const { machine, tables, hart } = hosted();
    tables.map(0x1000, CODE);
    tables.map(0x4000, DATA);
    place(machine, CODE, [a('lw', { rd: 5, rs1: 6, imm: 0 }), a('jal', { rd: 0, imm: -4 })]);
    machine.ram.write32(DATA, 1);
    machine.ram.write32(DATA + 4096, 2);
    hart.x[6] = 0x4000;
    hart.pc = 0x1000;
    hart.run(2);
    expect(hart.x[5]).toBe(1);
    tables.map(0x4000, DATA + 4096);
    hart.run(2);
    expect(hart.x[5], 'stale until flushed, as on a real machine').toBe(1);
    hart.flushTlbPage(tables.satp, 0x4000);
    hart.run(2);
    expect(hart.x[5]).toBe(2);
    expect(hart.tlbEntries(tables.satp)).toContainEqual({
      va: 0x4000,
      ramOffset: DATA + 4096 - RAM_BASE,
      writable: true,
    });
  });

  test('a clean page takes a walk for its first write, which sets D', () => {
    const { machine, tables, hart } = hosted();
    tables.map(0x1000, CODE);
    tables.map(0x4000, DATA, V | R | W | U);
    place(machine, CODE, [a('lw', { rd: 5, rs1: 6, imm: 0 }), a('sw', { rs1: 6, rs2: 5, imm: 4 })]);
    hart.x[6] = 0x4000;
    hart.pc = 0x1000;
    hart.run(1);
    expect(machine.ram.read32(tables.entry(0x4000)) & (A | D)).toBe(A);
    hart.run(1);
    expect(machine.ram.read32(tables.entry(0x4000)) & (A | D)).toBe(A | D);
  });

  test('a megapage maps 4 MiB', () => {
    const { machine, tables, hart } = hosted();
    tables.map(0x1000, CODE);
    tables.mapMegapage(0x40_0000, RAM_BASE + 0x40_0000, RWX);
    place(machine, CODE, [a('lw', { rd: 5, rs1: 6, imm: 0 })]);
    machine.ram.write32(RAM_BASE + 0x7f_fffc, 77);
    hart.x[6] = 0x7f_fffc;
    hart.pc = 0x1000;
    hart.run(1);
    expect(hart.x[5]).toBe(77);
  });
});

describe('breakpoints', () => {
  test('stop before the instruction, and let a second run go on', () => {
    const machine = looping();
    machine.hart.addBreakpoint(CODE + 10);
    expect(machine.hart.run(1000)).toEqual({ kind: 'breakpoint', pc: CODE + 10 });
    expect(machine.hart.retired).toBe(3);
    expect(machine.hart.run(1000)).toEqual({ kind: 'breakpoint', pc: CODE + 10 });
    expect(machine.hart.x[5]).toBe(2);
    machine.hart.removeBreakpoint(CODE + 10);
    expect(machine.hart.run(100)).toEqual({ kind: 'budget' });
  });
});

describe('machine options', () => {
  test.each([0, 1 << 20, (16 << 20) + 1, 4096 * 1024 * 1024, NaN])(
    'RAM of %s bytes is not possible',
    (ramBytes) => {
      expect(() => new Machine({ ramBytes })).toThrow(RangeError);
    },
  );

  test('2 GiB of RAM, used at its end', () => {
    const machine = new Machine({ ramBytes: 2 ** 31 });
    place(machine, CODE, [a('sw', { rs1: 6, rs2: 7, imm: -4 }), a('lw', { rd: 5, rs1: 6, imm: -4 })]);
    machine.hart.x[6] = 0;
    machine.hart.x[7] = 99;
    execute(machine, 'run', CODE, 2);
    expect(machine.hart.x[5]).toBe(99);
    expect(machine.ram.read32(0xffff_fffc)).toBe(99);
  });
});
