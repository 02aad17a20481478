import { describe, expect, test } from 'vitest';
import { Cause, RAM_BASE } from '../../../emulator/index.ts';
import { Mstatus, Privilege } from '../../../emulator/priv/state.ts';
import { A, D, R, Tables, U, V, W, X } from '../paging.ts';
import { Bare, PATHS } from './bare.ts';
import type { Path } from './bare.ts';
import { DATA_VA, FIRST, KERNEL, SECOND, supervisor } from './supervisor.ts';

const { S, M } = Privilege;

const access: Readonly<Record<string, string>> = {
  load: 'lw a0, 8(a1)',
  store: 'sw a0, 8(a1)',
  fetch: 'jalr ra, 8(a1)',
};
const pageFault: Readonly<Record<string, number>> = {
  load: Cause.LoadPageFault,
  store: Cause.StorePageFault,
  fetch: Cause.InstructionPageFault,
};

/** Does the access succeed in S mode with these leaf flags and mstatus bits? A fault must be the right one. */
function permits(path: Path, kind: string, flags: number, mstatus = 0): boolean {
  const bare = supervisor(
    path,
    `start: li a1, ${DATA_VA}
     here: ${access[kind]}
     ok: j ok`,
    { flags },
  );
  bare.place(FIRST + 8, 'fetched: ebreak');
  bare.hart.state.mstatus |= mstatus;
  bare.hart.mmu.selectViews();
  bare.hart.run(20);
  const [cause, epc, tval] = bare.mtrap;
  if (bare.hart.pc === bare.address('ok')) return true;
  if (kind === 'fetch' && cause === Cause.Breakpoint) return true;
  expect([cause, epc, tval]).toEqual([
    pageFault[kind],
    kind === 'fetch' ? DATA_VA + 8 : bare.address('here'),
    DATA_VA + 8,
  ]);
  return false;
}

describe.each(PATHS)('permissions in S mode (%s)', (path) => {
  test.each([
    ['its own page', KERNEL, 0, [true, true, true]],
    ['its own page, read only', V | R | A | D, 0, [true, false, false]],
    ['its own page, execute only', V | X | A | D, 0, [false, false, true]],
    ['its own page, execute only, with MXR', V | X | A | D, Mstatus.MXR, [true, false, true]],
    ['a user page', KERNEL | U, 0, [false, false, false]],
    ['a user page with SUM', KERNEL | U, Mstatus.SUM, [true, true, false]],
    ['an invalid page', KERNEL & ~V, 0, [false, false, false]],
    ['a page with the reserved combination W and not R', V | W | X | A | D, 0, [false, false, false]],
  ])('%s', (_what, flags, mstatus, expected) => {
    expect(['load', 'store', 'fetch'].map((kind) => permits(path, kind, flags, mstatus))).toEqual(expected);
  });

  test('setting and clearing SUM takes effect at the next instruction', () => {
    const bare = supervisor(
      path,
      `start: li a1, ${DATA_VA}
       li    t0, ${Mstatus.SUM}
       csrrs x0, sstatus, t0
       lw    a0, 0(a1)
       csrrc x0, sstatus, t0
       here: lw a2, 0(a1)`,
      { flags: KERNEL | U },
    );
    bare.runTo('handler');
    expect(bare.x(10)).toBe(0x1111);
    expect(bare.mtrap).toEqual([Cause.LoadPageFault, bare.address('here'), DATA_VA]);
  });
});

describe.each(PATHS)('address spaces (%s)', (path) => {
  test('sfence.vma makes a changed entry visible: of one page, and of all', () => {
    for (const fence of ['sfence.vma a1, x0', 'sfence.vma x0, x0', 'sfence.vma a1, a1']) {
      const bare = supervisor(
        path,
        `start: li a1, ${DATA_VA}
         lw    a0, 0(a1)
         sw    a3, 0(a4)
         ${fence}
         lw    a2, 0(a1)
         sw    a2, 4(a1)
         ok: j ok`,
      );
      // The page tables are memory like any other: map the word that holds the entry, and let the guest change it.
      const entry = bare.tables.entry(DATA_VA);
      bare.tables.map(DATA_VA + 0x1000, entry & ~0xfff, KERNEL);
      bare.hart.x[14] = DATA_VA + 0x1000 + (entry & 0xfff);
      bare.hart.x[13] = ((SECOND >>> 12) << 10) | KERNEL;
      bare.runTo('ok');
      expect([bare.x(10), bare.x(12)]).toEqual([0x1111, 0x2222]);
      expect(bare.machine.ram.read32(SECOND + 4)).toBe(0x2222);
    }
  });

  test('a write to satp changes the address space at the next instruction, without a fence', () => {
    const bare = supervisor(
      path,
      `start: li a1, ${DATA_VA}
       lw    a0, 0(a1)
       csrrw a3, satp, a4
       lw    a2, 0(a1)
       csrrw x0, satp, a3
       lw    a5, 0(a1)
       csrrw x0, satp, x0          # Bare: DATA_VA is no memory
       here: lw a6, 0(a1)`,
    );
    const other = new Tables(bare.machine, RAM_BASE + 0xe0_0000);
    other.mapMegapage(RAM_BASE, RAM_BASE, KERNEL);
    other.map(DATA_VA, SECOND, KERNEL);
    bare.hart.x[14] = other.satp;
    bare.runTo('handler');
    expect([bare.x(10), bare.x(12), bare.x(15)]).toEqual([0x1111, 0x2222, 0x1111]);
    expect(bare.x(13)).toBe(bare.tables.satp);
    expect(bare.mtrap).toEqual([Cause.LoadAccessFault, bare.address('here'), DATA_VA]);
  });

  test('a megapage maps 4 MiB; one that is not aligned faults', () => {
    const bare = supervisor(
      path,
      `start: lw a0, 0(a1)
       here: lw a2, 0(a3)`,
    );
    bare.tables.mapMegapage(0x5000_0000, RAM_BASE + 0x40_0000, KERNEL);
    bare.tables.mapMegapage(0x5040_0000, RAM_BASE + 0x40_1000, KERNEL);
    bare.machine.ram.write32(RAM_BASE + 0x7f_fffc, 0x7777);
    bare.hart.x[11] = 0x503f_fffc;
    bare.hart.x[13] = 0x5040_0000;
    bare.runTo('handler');
    expect(bare.x(10)).toBe(0x7777);
    expect(bare.mtrap).toEqual([Cause.LoadPageFault, bare.address('here'), 0x5040_0000]);
  });

  test('page tables outside RAM give access faults, of the kind of the access', () => {
    const bare = supervisor(path, 'start: addi x0, x0, 0');
    bare.hart.setAddressSpace(0x8000_0100);
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.InstructionAccessFault, bare.address('start'), bare.address('start')]);
  });
});

describe.each(PATHS)('A and D (%s)', (path) => {
  const source = `start: li a1, ${DATA_VA}
    lw    a0, 0(a1)
    read: lw a0, 4(a1)
    sw    a0, 0(a1)
    written: j written`;

  test('the hardware sets A at the first access and D at the first store', () => {
    const bare = supervisor(path, source, { flags: V | R | W });
    const entry = bare.tables.entry(DATA_VA);
    expect(bare.machine.ram.read32(entry) & 0xff).toBe(V | R | W);
    bare.runTo('read');
    expect(bare.machine.ram.read32(entry) & 0xff).toBe(V | R | W | A);
    bare.runTo('written');
    expect(bare.machine.ram.read32(entry) & 0xff).toBe(V | R | W | A | D);
  });

  test('or software does: page faults with exact tval, and the handler sets the bits', () => {
    const bare = supervisor(path, source, { flags: V | R | W, adUpdate: 'trap' });
    const entry = bare.tables.entry(DATA_VA);
    const faults: number[][] = [];
    for (const bit of [A, D]) {
      bare.runTo('handler');
      faults.push(bare.mtrap);
      bare.machine.ram.write32(entry, bare.machine.ram.read32(entry) | bit);
      bare.hart.mmu.tlb.flushEverything();
      bare.hart.pc = bare.hart.state.mepc;
      bare.hart.privilege = S;
    }
    bare.runTo('written');
    const start = bare.address('start');
    expect(faults).toEqual([
      [Cause.LoadPageFault, start + 8, DATA_VA],
      [Cause.StorePageFault, start + 16, DATA_VA],
    ]);
  });
});

describe.each(PATHS)('menvcfg.ADUE (%s)', (path) => {
  /** M-mode code that writes a2 to menvcfgh, reads it into a3, and stores through the tables as S. */
  const source = `start:
    csrrw x0, menvcfgh, a2
    csrrs a3, menvcfgh, x0
    li    t0, ${Mstatus.MPP}
    csrrc x0, mstatus, t0
    li    t0, ${Mstatus.MPRV | (S << 11)}
    csrrs x0, mstatus, t0
    here: sw a0, 0(a1)
    ok: j ok`;
  const ADUE = 1 << 29;

  test.each([
    ['hardware', ADUE, ADUE, true],
    ['hardware', 0, 0, false],
    ['menvcfg', ADUE, ADUE, true],
    ['menvcfg', 0, 0, false],
    ['trap', ADUE, 0, false],
  ] as const)(
    'switch %s, ADUE written with %d: reads %d, the walk sets D: %s',
    (adUpdate, written, read, sets) => {
      const bare = supervisor(path, source, { flags: V | R | W, adUpdate });
      bare.hart.privilege = M;
      bare.hart.x[11] = DATA_VA;
      bare.hart.x[12] = written;
      bare.runTo(sets ? 'ok' : 'handler');
      expect(bare.x(13)).toBe(read);
      expect(bare.machine.ram.read32(bare.tables.entry(DATA_VA)) & (A | D)).toBe(sets ? A | D : 0);
      if (!sets) expect(bare.mtrap).toEqual([Cause.StorePageFault, bare.address('here'), DATA_VA]);
    },
  );

  test.each([
    ['hardware', ADUE],
    ['menvcfg', 0],
    ['trap', 0],
  ] as const)('after reset with the switch %s menvcfgh is %d', (adUpdate, value) => {
    expect(new Bare(path, 'start: j start', { adUpdate }).hart.state.menvcfgh).toBe(value);
  });
});

describe.each(PATHS)('MPRV (%s)', (path) => {
  /** M-mode code that loads from a1 into a0 with MPRV set and the given MPP. */
  const source = (mpp: number): string => `start:
    li    t0, ${Mstatus.MPP}
    csrrc x0, mstatus, t0
    li    t0, ${Mstatus.MPRV | (mpp << 11)}
    csrrs x0, mstatus, t0
    here: lw a0, 0(a1)
    csrrc x0, mstatus, t0
    done: j done`;

  function inMachineMode(mpp: number, flags: number): Bare {
    const bare = supervisor(path, source(mpp), { flags });
    bare.hart.privilege = M;
    bare.hart.x[11] = DATA_VA;
    bare.hart.run(9);
    return bare;
  }

  test('M mode loads through the tables with the rights of MPP; its fetches stay physical', () => {
    const asSupervisor = inMachineMode(S, KERNEL);
    expect([asSupervisor.x(10), asSupervisor.hart.pc]).toEqual([0x1111, asSupervisor.address('done')]);
    const asUser = inMachineMode(Privilege.U, KERNEL | U);
    expect(asUser.x(10)).toBe(0x1111);
  });

  test('and faults as MPP would', () => {
    const bare = inMachineMode(Privilege.U, KERNEL);
    expect(bare.mtrap).toEqual([Cause.LoadPageFault, bare.address('here'), DATA_VA]);
    // The trap put M into MPP, so MPRV, still set, now means M: the handler's loads are physical.
    expect(bare.hart.state.mstatus & (Mstatus.MPP | Mstatus.MPRV)).toBe(Mstatus.MPP | Mstatus.MPRV);
    expect(bare.hart.dataPrivilege).toBe(M);
  });

  test('with MPP = M it changes nothing', () => {
    const bare = inMachineMode(M, KERNEL);
    expect(bare.mtrap).toEqual([Cause.LoadAccessFault, bare.address('here'), DATA_VA]);
  });

  test('the instruction after MPRV is cleared is physical again', () => {
    const bare = supervisor(path, `${source(S)}\nmore: lw a2, 0(a3)\nend: j end`);
    bare.hart.privilege = M;
    bare.hart.x[11] = DATA_VA;
    bare.hart.x[13] = SECOND;
    bare.runTo('done');
    bare.hart.pc = bare.address('more');
    bare.runTo('end');
    expect(bare.x(12)).toBe(0x2222);
  });
});

describe.each(PATHS)('PMP (%s)', (path) => {
  const source = `start: li a1, ${DATA_VA}
    li    a0, 99
    here: lw a0, 0(a1)
    sw    a0, 4(a1)
    ok: j ok`;

  test('a denied physical address gives an access fault with the virtual address in tval', () => {
    const bare = supervisor(path, source);
    const { state } = bare.hart;
    state.pmpaddr.set([FIRST / 4 + 0x1ff, 0xffff_ffff]); // 4 KiB at FIRST, then everything
    state.pmpcfg.set([0x18, 0x1f]);
    bare.hart.mmu.pmpChanged();
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.LoadAccessFault, bare.address('here'), DATA_VA]);
    expect(bare.x(10)).toBe(99);
  });

  test('one word of a page may be denied', () => {
    const bare = supervisor(path, source);
    const { state } = bare.hart;
    state.pmpaddr.set([FIRST / 4 + 1, 0xffff_ffff]); // NA4 at FIRST + 4
    state.pmpcfg.set([0x11, 0x1f]);
    bare.hart.mmu.pmpChanged();
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.StoreAccessFault, bare.address('here') + 4, DATA_VA + 4]);
    expect([bare.x(10), bare.machine.ram.read32(FIRST + 4)]).toEqual([0x1111, 0]);
  });

  test('page tables are read as S mode', () => {
    const bare = supervisor(path, source);
    const { state } = bare.hart;
    const table = bare.tables.entry(DATA_VA) & ~0xfff;
    state.pmpaddr.set([(table >>> 0) / 4 + 0x1ff, 0xffff_ffff]);
    state.pmpcfg.set([0x18, 0x1f]);
    bare.hart.mmu.pmpChanged();
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.LoadAccessFault, bare.address('here'), DATA_VA]);
  });

  test('a locked entry binds M mode too, from the instruction that writes it on', () => {
    const bare = supervisor(
      path,
      `start: lw a0, 0(a1)
       csrrw x0, pmpaddr0, a2
       li    t0, 0x1f98            # entry 0: locked, NAPOT, no rights; entry 1: everything
       csrrw x0, pmpcfg0, t0
       here: lw a3, 0(a1)`,
    );
    bare.hart.state.pmpaddr[1] = 0xffff_ffff;
    bare.hart.privilege = M;
    bare.hart.x[11] = FIRST;
    bare.hart.x[12] = FIRST / 4 + 0x1ff;
    bare.runTo('handler');
    expect(bare.x(10)).toBe(0x1111);
    expect(bare.mtrap).toEqual([Cause.LoadAccessFault, bare.address('here'), FIRST]);
  });
});
