import { describe, expect, test } from 'vitest';
import {
  ILLEGAL,
  csrName,
  csrNumber,
  csrRead,
  csrWrite,
  isReadOnly,
  lowestPrivilege,
} from '../../../emulator/priv/csr.ts';
import { csrRows } from '../../../emulator/priv/csrTable.ts';
import { Effect } from '../../../emulator/priv/effect.ts';
import { Fs, MISA, Mstatus, Privilege } from '../../../emulator/priv/state.ts';
import { TestHart, csr, execute } from './context.ts';

const { U, S, M } = Privilege;
const rows = csrRows();

describe('the table', () => {
  test('has each number and each name once', () => {
    expect(new Set(rows.map((r) => r.number)).size).toBe(rows.length);
    expect(new Set(rows.map((r) => r.name)).size).toBe(rows.length);
  });

  test.each(rows.map((row) => [row.name, row] as const))('%s', (_name, row) => {
    // Number bits 11..10 say read-only: exactly those rows have no write function.
    expect(row.write === undefined).toBe(isReadOnly(row.number));
    expect(csrName(row.number)).toBe(row.name);
    expect(csrNumber(row.name)).toBe(row.number);
    // Readable with everything enabled at its lowest privilege, and the value is a u32.
    const hart = new TestHart();
    hart.state.mcounteren = hart.state.scounteren = 0xffff_ffff;
    hart.in(lowestPrivilege(row.number) as 0 | 1 | 3);
    const value = csrRead(hart, row.number);
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value >>> 0).toBe(value);
    // Below its lowest privilege it does not exist.
    for (const below of [U, S].filter((p) => p < lowestPrivilege(row.number))) {
      expect(csrRead(hart.in(below), row.number)).toBe(ILLEGAL);
      expect(csrWrite(hart, row.number, 0)).toBe(ILLEGAL);
    }
    expect(csrWrite(hart.in(M), row.number, value) !== ILLEGAL).toBe(row.write !== undefined);
  });

  // Locked PMP entries do not take a second write; the parts of fcsr are tested on their own.
  const writable = rows.filter((row) => row.write !== undefined && !row.name.startsWith('pmpcfg'));
  test.each(writable.map((row) => [row.name, row.number]))(
    '%s keeps the legal value that it made',
    (_name, number) => {
      const hart = new TestHart();
      for (const pattern of [0, 0xffff_ffff, 0xaaaa_aaaa, 0x5555_5555]) {
        hart.fs = Fs.Dirty;
        csrWrite(hart, number as number, pattern);
        hart.retired++;
        const legalised = csrRead(hart, number as number);
        expect(legalised >>> 0).toBe(legalised);
        csrWrite(hart, number as number, legalised);
        hart.retired++;
        expect(csrRead(hart, number as number)).toBe(legalised);
      }
    },
  );

  test('names a CSR that does not exist by its number', () => {
    expect(csrName(0x7c0)).toBe('csr_0x7c0');
    expect(csrNumber('nonsense')).toBeUndefined();
  });

  test.each([0x004, 0x181, 0x200, 0x7b0, 0xb01, 0xb81, 0x7c0, 0xfff])('0x%s does not exist', (number) => {
    expect(csrRead(new TestHart(), number)).toBe(ILLEGAL);
    expect(csrWrite(new TestHart(), number, 0)).toBe(ILLEGAL);
  });
});

describe('the CSR instructions', () => {
  test.each([
    ['csrrw', 0xf0f0_0000, 0xf0f0_0000],
    ['csrrs', 0xf0f0_0000, 0xf0ff_00ff],
    ['csrrc', 0xf0f0_0000, 0x000f_00ff],
  ] as const)('%s gives rd the old value and writes the new one', (op, operand, expected) => {
    const hart = new TestHart();
    hart.state.mscratch = 0x00ff_00ff;
    expect(execute(hart, op, 'mscratch', 5, 6, operand)).toEqual({
      legal: true,
      value: 0x00ff_00ff,
      effects: 0,
    });
    expect(hart.state.mscratch).toBe(expected);
  });

  test.each([
    ['csrrwi', 0x11],
    ['csrrsi', 0x1f],
    ['csrrci', 0x0e],
  ] as const)('%s takes its operand from the rs1 field, zero-extended', (op, expected) => {
    const hart = new TestHart();
    hart.state.mscratch = 0x0f;
    expect(execute(hart, op, 'mscratch', 5, 0x11, 0xdead_beef).value).toBe(0x0f);
    expect(hart.state.mscratch).toBe(expected);
  });

  test('csrrs and csrrc with x0 do not write, so they may read read-only registers', () => {
    const hart = new TestHart();
    expect(execute(hart, 'csrrs', 'mhartid', 5, 0).legal).toBe(true);
    expect(execute(hart, 'csrrc', 'cycle', 5, 0).legal).toBe(true);
    expect(execute(hart, 'csrrsi', 'cycle', 5, 0).legal).toBe(true);
    expect(execute(hart, 'csrrci', 'cycle', 5, 0).legal).toBe(true);
  });

  test('csrrs with a register that holds zero does write', () => {
    const hart = new TestHart();
    expect(execute(hart, 'csrrs', 'mhartid', 5, 6, 0).legal).toBe(false);
    hart.fs = Fs.Clean;
    execute(hart, 'csrrs', 'fflags', 5, 6, 0);
    expect(hart.fs).toBe(Fs.Dirty);
  });

  test('csrrw to a read-only register is illegal even from x0', () => {
    expect(execute(new TestHart(), 'csrrw', 'mhartid', 5, 0).legal).toBe(false);
    expect(execute(new TestHart(), 'csrrwi', 'mhartid', 0, 0).legal).toBe(false);
  });

  test('csrrw with rd = x0 does not read', () => {
    const hart = new TestHart();
    hart.state.mscratch = 7;
    expect(execute(hart, 'csrrw', 'mscratch', 0, 6, 9)).toEqual({ legal: true, value: 0, effects: 0 });
    expect(hart.state.mscratch).toBe(9);
  });

  test('an illegal one changes nothing', () => {
    const hart = new TestHart().in(S);
    hart.state.mscratch = 7;
    expect(execute(hart, 'csrrw', 'mscratch', 5, 6, 9)).toEqual({ legal: false, value: -1, effects: -1 });
    expect(hart.state.mscratch).toBe(7);
  });
});

describe('misa', () => {
  test('says RV32 IMAFDCB with S and U, and cannot be changed', () => {
    const hart = new TestHart();
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter((_, i) => ((MISA >>> i) & 1) !== 0).join('');
    expect(letters).toBe('ABCDFIMSU');
    expect(MISA >>> 30).toBe(1);
    csrWrite(hart, csr('misa'), 0);
    expect(csrRead(hart, csr('misa'))).toBe(MISA);
  });
});

describe('mstatus', () => {
  test('keeps exactly its fields; MPP = 2 becomes 0; SD is derived', () => {
    const hart = new TestHart();
    csrWrite(hart, csr('mstatus'), 0xffff_ffff);
    expect(csrRead(hart, csr('mstatus'))).toBe(0x807e_79aa);
    csrWrite(hart, csr('mstatus'), 0x807e_79aa & ~Mstatus.FS);
    expect(csrRead(hart, csr('mstatus'))).toBe(0x007e_19aa);
    csrWrite(hart, csr('mstatus'), 2 << 11);
    expect(csrRead(hart, csr('mstatus'))).toBe(0);
  });

  test.each([Fs.Off, Fs.Initial, Fs.Clean, Fs.Dirty])('FS = %d is held; SD only when dirty', (fs) => {
    const hart = new TestHart();
    csrWrite(hart, csr('mstatus'), fs << 13);
    expect(hart.fs).toBe(fs);
    expect(csrRead(hart, csr('mstatus'))).toBe(((fs << 13) | (fs === Fs.Dirty ? Mstatus.SD : 0)) >>> 0);
  });

  test('sstatus shows SIE SPIE SPP FS SUM MXR SD and writes nothing else', () => {
    const hart = new TestHart();
    csrWrite(hart, csr('mstatus'), 0xffff_ffff);
    expect(csrRead(hart, csr('sstatus'))).toBe(0x800c_6122);
    csrWrite(hart.in(S), csr('sstatus'), 0);
    expect(csrRead(hart.in(M), csr('mstatus'))).toBe(0x0072_1888);
    csrWrite(hart, csr('mstatus'), 0);
    csrWrite(hart.in(S), csr('sstatus'), 0xffff_ffff);
    expect(csrRead(hart.in(M), csr('mstatus'))).toBe(0x800c_6122);
  });

  test('reports what the hart must look at again', () => {
    const hart = new TestHart();
    const write = (value: number): number => csrWrite(hart, csr('mstatus'), value);
    expect(write(0)).toBe(0);
    expect(write(Mstatus.MIE)).toBe(Effect.InterruptsChanged);
    expect(write(Mstatus.MIE)).toBe(0);
    expect(write(Mstatus.MIE | Mstatus.MPRV)).toBe(Effect.ViewChanged);
    expect(write(Mstatus.SUM)).toBe(Effect.ViewChanged | Effect.InterruptsChanged);
    expect(write(Mstatus.SUM | Mstatus.MXR)).toBe(Effect.ViewChanged);
    expect(write(Mstatus.SUM | Mstatus.MXR | Mstatus.TVM | Mstatus.FS)).toBe(0);
  });
});

describe('floating-point CSRs', () => {
  test.each(['fflags', 'frm', 'fcsr'])('%s is illegal while FS is off', (name) => {
    const hart = new TestHart().in(U);
    hart.fs = Fs.Off;
    expect(csrRead(hart, csr(name))).toBe(ILLEGAL);
    expect(csrWrite(hart, csr(name), 0)).toBe(ILLEGAL);
    hart.fs = Fs.Initial;
    expect(csrRead(hart, csr(name))).toBe(0);
    expect(hart.fs).toBe(Fs.Initial);
  });

  test('fflags and frm are parts of fcsr, and a write makes FS dirty', () => {
    const hart = new TestHart().in(U);
    hart.fs = Fs.Clean;
    csrWrite(hart, csr('fcsr'), 0xffff_ff5a);
    expect(hart.fs).toBe(Fs.Dirty);
    expect(csrRead(hart, csr('fcsr'))).toBe(0x5a);
    expect(csrRead(hart, csr('fflags'))).toBe(0x1a);
    expect(csrRead(hart, csr('frm'))).toBe(2);
    csrWrite(hart, csr('frm'), 0xffff_fffc);
    csrWrite(hart, csr('fflags'), 0xffff_ffe1);
    expect(csrRead(hart, csr('fcsr'))).toBe(0x81);
  });
});

describe('delegation and interrupt registers', () => {
  test('medeleg holds all but ecall from M; mideleg only supervisor interrupts', () => {
    const hart = new TestHart();
    csrWrite(hart, csr('medeleg'), 0xffff_ffff);
    csrWrite(hart, csr('mideleg'), 0xffff_ffff);
    expect(csrRead(hart, csr('medeleg'))).toBe(0xb3ff);
    expect(csrRead(hart, csr('mideleg'))).toBe(0x222);
  });

  test('mie holds the six standard interrupts; sie is its view through mideleg', () => {
    const hart = new TestHart();
    csrWrite(hart, csr('mie'), 0xffff_ffff);
    expect(csrRead(hart, csr('mie'))).toBe(0xaaa);
    expect(csrRead(hart, csr('sie'))).toBe(0);
    csrWrite(hart, csr('mideleg'), 0x220);
    expect(csrRead(hart, csr('sie'))).toBe(0x220);
    expect(csrWrite(hart.in(S), csr('sie'), 0x002)).toBe(Effect.InterruptsChanged);
    expect(csrRead(hart.in(M), csr('mie'))).toBe(0x88a);
  });

  test('mip: software writes SSIP, STIP and SEIP; the machine bits come from devices', () => {
    const hart = new TestHart();
    csrWrite(hart, csr('mip'), 0xffff_ffff);
    expect(csrRead(hart, csr('mip'))).toBe(0x222);
    csrWrite(hart, csr('mip'), 0);
    hart.state.lines = 0x888;
    expect(csrRead(hart, csr('mip'))).toBe(0x888);
  });

  test("a read-modify-write of mip does not latch the external controller's SEIP", () => {
    const hart = new TestHart();
    hart.state.lines = 0x200;
    expect(execute(hart, 'csrrsi', 'mip', 5, 2).value).toBe(0x200);
    hart.state.lines = 0;
    expect(csrRead(hart, csr('mip'))).toBe(0x002);
  });

  test('sip: S mode sees what is delegated and writes SSIP alone', () => {
    const hart = new TestHart();
    csrWrite(hart, csr('mip'), 0x222);
    expect(csrRead(hart.in(S), csr('sip'))).toBe(0);
    csrWrite(hart, csr('sip'), 0);
    expect(hart.state.mip).toBe(0x222);
    hart.state.mideleg = 0x222;
    csrWrite(hart, csr('sip'), 0);
    expect(csrRead(hart, csr('sip'))).toBe(0x220);
    csrWrite(hart, csr('sip'), 0xffff_ffff);
    expect(csrRead(hart, csr('sip'))).toBe(0x222);
  });
});

describe('WARL masks', () => {
  test.each([
    ['mtvec', 0xffff_ffff, 0xffff_fffd],
    ['mtvec', 0x8000_0003, 0x8000_0001],
    ['stvec', 0x8000_0002, 0x8000_0000],
    ['stvec', 0x8000_0001, 0x8000_0001],
    ['mepc', 0xffff_ffff, 0xffff_fffe],
    ['sepc', 0xffff_ffff, 0xffff_fffe],
    ['mcause', 0x8000_000b, 0x8000_000b],
    ['satp', 0xffff_ffff, 0xffff_ffff],
    ['menvcfg', 0xffff_ffff, 1],
    ['menvcfgh', 0xffff_ffff, 0x2000_0000],
    ['senvcfg', 0xffff_ffff, 1],
    ['mstatush', 0xffff_ffff, 0],
    ['mcounteren', 0xffff_ffff, 0xffff_ffff],
    ['mcountinhibit', 0xffff_ffff, 5],
    ['mhpmevent3', 0xffff_ffff, 0],
    ['mhpmcounter31h', 0xffff_ffff, 0],
    ['tselect', 0xffff_ffff, 0],
    ['tdata1', 0xffff_ffff, 0],
    ['pmpaddr15', 0xffff_ffff, 0xffff_ffff],
    ['pmpaddr16', 0xffff_ffff, 0],
    ['pmpcfg4', 0xffff_ffff, 0],
  ] as const)('%s written with 0x%s', (name, written, expected) => {
    const hart = new TestHart();
    csrWrite(hart, csr(name), written);
    expect(csrRead(hart, csr(name))).toBe(expected);
  });
});

describe('satp', () => {
  test('writing it changes the view', () => {
    const hart = new TestHart().in(S);
    expect(csrWrite(hart, csr('satp'), 0x8000_1234)).toBe(Effect.ViewChanged);
    expect(csrRead(hart, csr('satp'))).toBe(0x8000_1234);
  });

  test('TVM makes it illegal in S mode, not in M mode', () => {
    const hart = new TestHart();
    hart.state.mstatus = Mstatus.TVM;
    expect(csrRead(hart, csr('satp'))).toBe(0);
    expect(csrRead(hart.in(S), csr('satp'))).toBe(ILLEGAL);
    expect(csrWrite(hart, csr('satp'), 0)).toBe(ILLEGAL);
  });
});

describe('counters', () => {
  test.each([
    ['cycle', 0],
    ['time', 1],
    ['instret', 2],
    ['hpmcounter3', 3],
    ['hpmcounter31', 31],
    ['cycleh', 0],
    ['timeh', 1],
    ['instreth', 2],
    ['hpmcounter31h', 31],
  ] as const)('%s needs bit %d of mcounteren in S mode, and of scounteren too in U mode', (name, bit) => {
    const hart = new TestHart();
    const legal = (p: 0 | 1 | 3): boolean => csrRead(hart.in(p), csr(name)) !== ILLEGAL;
    expect([legal(M), legal(S), legal(U)]).toEqual([true, false, false]);
    hart.state.mcounteren = (1 << bit) >>> 0;
    expect([legal(M), legal(S), legal(U)]).toEqual([true, true, false]);
    hart.state.scounteren = (1 << bit) >>> 0;
    expect([legal(M), legal(S), legal(U)]).toEqual([true, true, true]);
    hart.state.mcounteren = 0;
    expect([legal(M), legal(S), legal(U)]).toEqual([true, false, false]);
    hart.state.mcounteren = ~(1 << bit) >>> 0;
    expect([legal(M), legal(S), legal(U)]).toEqual([true, false, false]);
  });

  test('instret is the number of instructions before the reading one', () => {
    const hart = new TestHart();
    hart.retired = 2 ** 32 + 5;
    expect(csrRead(hart, csr('instret'))).toBe(5);
    expect(csrRead(hart, csr('instreth'))).toBe(1);
    expect(csrRead(hart, csr('mcycle'))).toBe(5);
    expect(csrRead(hart, csr('cycleh'))).toBe(1);
  });

  test('time comes from the clock', () => {
    const hart = new TestHart();
    hart.timeNow = 3 * 2 ** 32 + 9;
    expect(csrRead(hart, csr('time'))).toBe(9);
    expect(csrRead(hart, csr('timeh'))).toBe(3);
  });

  test('the instruction after a write reads what was written', () => {
    const hart = new TestHart();
    hart.retired = 1000;
    execute(hart, 'csrrw', 'minstret', 0, 6, 0xffff_fffe);
    expect(execute(hart, 'csrrs', 'minstret', 5, 0).value).toBe(0xffff_fffe);
    expect(execute(hart, 'csrrs', 'minstret', 5, 0).value).toBe(0xffff_ffff);
    expect(execute(hart, 'csrrs', 'minstreth', 5, 0).value).toBe(1);
    expect(execute(hart, 'csrrs', 'mcycle', 5, 0).value).toBe(1004);
  });

  test('mcountinhibit stops mcycle and minstret separately', () => {
    const hart = new TestHart();
    hart.retired = 100;
    expect(execute(hart, 'csrrwi', 'mcountinhibit', 0, 4).effects).toBe(Effect.Counters);
    hart.retired = 200;
    expect(csrRead(hart, csr('minstret'))).toBe(101);
    expect(csrRead(hart, csr('mcycle'))).toBe(200);
    execute(hart, 'csrrwi', 'mcountinhibit', 0, 0);
    expect(csrRead(hart, csr('minstret'))).toBe(101);
    hart.retired += 10;
    expect(csrRead(hart, csr('minstret'))).toBe(111);
  });
});
