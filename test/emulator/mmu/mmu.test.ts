import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { Machine, type Supervisor } from '../../../emulator/index.ts';
import { assemble } from '../../../emulator/isa/assemble.ts';
import { RAM_BASE } from '../../../emulator/memory.ts';
import { Access, fetchView, Pte, sv32Walk, WalkResult } from '../../../emulator/mmu/sv32.ts';
import { TABLE_READ, TABLE_WRITE } from '../../../emulator/mmu/tlb.ts';
import { hardwareAd } from '../../../emulator/priv/state.ts';
import { A, RWX, Tables } from '../paging.ts';

const RAM = 16 << 20;
const ROOT = RAM_BASE + 0x1000;
const TABLE = RAM_BASE + 0x2000;
const DATA = RAM_BASE + 0x8000;

const nobody: Supervisor = { trap: () => false };

/** A machine in user mode with one table of each level. */
function machineWith(mxr: boolean): Machine {
  const machine = new Machine({ ramBytes: RAM });
  machine.hart.enterHostedUserMode(nobody);
  if (mxr) machine.hart.state.mstatus |= 1 << 19;
  machine.hart.setAddressSpace((0x8000_0000 + ROOT / 4096) >>> 0);
  return machine;
}

const plain = machineWith(false);
const readsCode = machineWith(true);

const entry = (pa: number, flags: number): number => ((pa / 4096) * 1024 + flags) >>> 0;

/** Any flags, and often those of a page that has been used. */
const flags = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(
    Pte.V | Pte.U | Pte.A | Pte.R,
    Pte.V | Pte.U | Pte.A | Pte.D | Pte.R | Pte.W,
    0x57,
    0x5b,
    0xdf,
  ),
);
/** In RAM, behind it, and far away. */
const places = fc.constantFrom(DATA, DATA + 0x5000, RAM_BASE + RAM, 0x1000_0000, 0x3_ffff_f000);

test('translates as the walk of the specification does, whatever is in the tables', () => {
  fc.assert(
    fc.property(
      fc.record({
        va: fc.nat(0xffff_ffff).map((va) => (va & ~3) >>> 0),
        pointer: fc.oneof({ weight: 4, arbitrary: fc.constant(Pte.V as number) }, flags),
        table: fc.oneof({ weight: 6, arbitrary: fc.constant(TABLE) }, places),
        leaf: flags,
        place: fc.oneof({ weight: 4, arbitrary: fc.constant(DATA) }, places),
        access: fc.constantFrom(Access.Read, Access.Write, Access.Execute),
        mxr: fc.boolean(),
      }),
      ({ va, pointer, table, leaf, place, access, mxr }) => {
        const { ram, hart } = mxr ? readsCode : plain;
        const { mmu, state } = hart;
        ram.zero(ROOT, 0x2000);
        const pointerAt = ROOT + (va >>> 22) * 4;
        const leafAt = TABLE + ((va >>> 12) & 0x3ff) * 4;
        ram.write32(leafAt, entry(place, leaf));
        ram.write32(pointerAt, entry(table, pointer));
        mmu.tlb.flushEverything();
        mmu.selectViews();
        // The reference, which sets A and D.
        const memory = {
          read32: (pa: number): number => (ram.contains(pa, 4) ? ram.read32(pa) : -1),
          write32: (pa: number, value: number): boolean => {
            ram.write32(pa, value);
            return true;
          },
        };
        const view = { satp: 0, privilege: state.privilege, sum: false, mxr: false };
        fetchView(state, view);
        view.mxr = mxr && access !== Access.Execute;
        const out = new WalkResult();
        const ok = sv32Walk(memory, view, va, access, hardwareAd(state), out);
        const isRam = ok && ram.contains(out.pa, 4);
        const entries = [ram.read32(pointerAt), ram.read32(leafAt)];
        ram.write32(leafAt, entry(place, leaf));
        ram.write32(pointerAt, entry(table, pointer));

        mmu.cause = -1;
        if (access === Access.Execute) {
          expect(mmu.translateFetch(va)).toBe(isRam ? out.pa - RAM_BASE : -1);
        } else {
          ram.write32(DATA + (va & 0xffc), 0x1234_5678);
          const status = access === Access.Read ? mmu.load(va, 4) : mmu.store(va, 4);
          expect(status === 0).toBe(isRam);
          const { tlb } = mmu;
          const index = [...Array(24).keys()].find((n) => tlb.entry(n, TABLE_READ, va) !== 0);
          // What may be accessed from now on without a look.
          expect(index !== undefined).toBe(isRam && (out.allowed & Access.Read) !== 0);
          if (isRam && index !== undefined)
            expect(tlb.entry(index, TABLE_WRITE, va) !== 0).toBe((out.allowed & Access.Write) !== 0);
        }
        if (!ok) expect([mmu.cause, mmu.tval]).toEqual([out.cause, va]);
        expect([ram.read32(pointerAt), ram.read32(leafAt)]).toEqual(entries);
      },
    ),
    { numRuns: 2000 },
  );
});

/** `jal x0` from page to page, and what a second round of it has to translate. */
function fetchesAfterFlush(flags: readonly number[], pages: readonly number[]): number[] {
  const machine = new Machine({ ramBytes: RAM });
  const { hart, ram } = machine;
  hart.enterHostedUserMode(nobody);
  const tables = new Tables(machine);
  hart.setAddressSpace(tables.satp);
  pages.forEach((page, n) => {
    const next = pages[(n + 1) % pages.length] ?? 0;
    tables.map(page << 12, DATA + n * 4096);
    ram.write32(DATA + n * 4096, assemble('jal', { rd: 0, imm: (next - page) << 12 }));
  });
  hart.pc = (pages[0] ?? 0) << 12;
  hart.run(100);
  pages.forEach((page, n) => {
    tables.map(page << 12, DATA + n * 4096, flags[n]);
  });
  hart.flushTlbAll(tables.satp);
  const spy = vi.spyOn(hart.mmu, 'translateFetch');
  hart.run(100);
  const walked = spy.mock.calls.map(([va]) => va >>> 12);
  spy.mockRestore();
  return walked;
}

test('the first fetch after a flush brings the decoded pages of the same 64 KiB', () => {
  const all = [RWX, RWX, RWX, RWX];
  expect(fetchesAfterFlush(all, [0x10, 0x12, 0x1f, 0x11])).toEqual([0x10]);
  // Of the next 64 KiB each comes by itself.
  expect(fetchesAfterFlush(all, [0x10, 0x1f, 0x20, 0x21])).toEqual([0x10, 0x20, 0x21]);
  // A that is not set has to be, by a walk.
  expect(fetchesAfterFlush([RWX, RWX & ~A, RWX, RWX], [0x10, 0x12, 0x1f, 0x11])).toEqual([0x10, 0x12]);
});
