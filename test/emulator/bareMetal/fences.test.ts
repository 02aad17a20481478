/** When a change to the translation or to the PMP takes effect, for fetches too. */
import { describe, expect, test } from 'vitest';
import { Cause, RAM_BASE } from '../../../emulator/index.ts';
import { Privilege } from '../../../emulator/priv/state.ts';
import { Tables, U, V } from '../paging.ts';
import { Bare, PATHS } from './bare.ts';
import { DATA_VA, FIRST, KERNEL, SECOND, supervisor } from './supervisor.ts';

/** Code of the kernel, mapped where the test wants it. */
const CODE_VA = 0x4800_0000;

/** Maps the guest's own entry for `va` at DATA_VA + 0x1000 and leaves its address in a4. */
function mapEntry(bare: Bare & { tables: Tables }, entry: number): void {
  bare.tables.map(DATA_VA + 0x1000, entry & ~0xfff, KERNEL);
  bare.hart.x[14] = DATA_VA + 0x1000 + (entry & 0xfff);
}

describe.each(PATHS)('what the next instruction sees (%s)', (path) => {
  test('a write to satp: the next fetch is translated by the new tables', () => {
    const bare = supervisor(path, 'start: jalr x0, 0(a1)');
    const other = new Tables(bare.machine, RAM_BASE + 0xe0_0000);
    other.mapMegapage(RAM_BASE, RAM_BASE, KERNEL);
    bare.tables.map(CODE_VA, FIRST, KERNEL);
    other.map(CODE_VA, SECOND, KERNEL);
    bare.place(FIRST, 'addi a0, x0, 1\n csrrw x0, satp, a2\n addi a0, x0, 2\n ebreak');
    bare.place(SECOND, 'addi a0, x0, 3\n addi x0, x0, 0\n addi a0, a0, 40\n ebreak');
    bare.hart.x[11] = CODE_VA;
    bare.hart.x[12] = other.satp;
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.Breakpoint, CODE_VA + 12, CODE_VA + 12]);
    expect(bare.x(10)).toBe(41);
  });

  test('SFENCE.VMA: the next fetch uses the entry that was changed before it', () => {
    for (const fence of ['sfence.vma a1, x0', 'sfence.vma x0, x0', 'sfence.vma a1, a5']) {
      const bare = supervisor(path, 'start: jalr x0, 0(a1)');
      bare.tables.map(CODE_VA, FIRST, KERNEL);
      mapEntry(bare, bare.tables.entry(CODE_VA));
      bare.place(FIRST, `sw a3, 0(a4)\n ${fence}\n addi a0, x0, 2\n ebreak`);
      bare.hart.x[11] = CODE_VA;
      bare.hart.x[13] = 0;
      bare.runTo('handler');
      // A fetch may see the change before the fence, and must see it after.
      const [cause, epc] = bare.mtrap;
      expect(cause).toBe(Cause.InstructionPageFault);
      expect([CODE_VA + 4, CODE_VA + 8]).toContain(epc);
    }
  });

  test('a write to pmpcfg: the next fetch is checked by the new rules', () => {
    const bare = supervisor(
      path,
      `start: csrrw x0, pmpaddr0, a2
       csrrw x0, pmpcfg0, a3
       here: addi a0, x0, 2`,
    );
    bare.hart.privilege = Privilege.M;
    bare.hart.state.pmpaddr[1] = (RAM_BASE + 0x200) / 4; // the handler lies behind it
    bare.hart.state.mtvec = RAM_BASE + 0x200;
    bare.place(RAM_BASE + 0x200, 'caught: j caught');
    bare.hart.x[12] = RAM_BASE / 4;
    bare.hart.x[13] = 0x0000_8900; // entry 1: locked, TOR, readable only
    bare.runTo('caught');
    expect(bare.mtrap).toEqual([Cause.InstructionAccessFault, bare.address('here'), bare.address('here')]);
  });
});

describe.each(PATHS)('SFENCE.VMA with an address (%s)', (path) => {
  test('orders the leaf that translates the address: all 4 MiB of a megapage', () => {
    const bare = supervisor(
      path,
      `start: lw a0, 0(a1)
       lw    a2, 0(a6)
       sw    a3, 0(a4)
       sfence.vma a1, x0
       lw    a0, 0(a1)
       lw    a2, 0(a6)
       ok: j ok`,
    );
    const va = 0x5000_0000;
    bare.tables.mapMegapage(va, RAM_BASE + 0x40_0000, KERNEL);
    bare.machine.ram.write32(RAM_BASE + 0x40_0000, 0x10);
    bare.machine.ram.write32(RAM_BASE + 0x41_0000, 0x11);
    bare.machine.ram.write32(RAM_BASE + 0x80_0000, 0x20);
    bare.machine.ram.write32(RAM_BASE + 0x81_0000, 0x21);
    mapEntry(bare, bare.tables.root + (va >>> 22) * 4);
    bare.hart.x[11] = va;
    bare.hart.x[16] = va + 0x1_0000;
    bare.hart.x[13] = (((RAM_BASE + 0x80_0000) >>> 12) << 10) | KERNEL;
    bare.runTo('ok');
    expect([bare.x(10), bare.x(12)]).toEqual([0x20, 0x21]);
  });

  test('the same for code in a megapage', () => {
    const bare = supervisor(
      path,
      'start: jalr ra, 0(a1)\n sw a3, 0(a4)\n sfence.vma a2, x0\n jalr ra, 0(a1)',
    );
    const va = 0x5000_0000;
    bare.tables.mapMegapage(va, RAM_BASE + 0x40_0000, KERNEL);
    bare.place(RAM_BASE + 0x41_0000, 'addi a0, x0, 1\n jalr x0, 0(ra)');
    mapEntry(bare, bare.tables.root + (va >>> 22) * 4);
    bare.hart.x[11] = va + 0x1_0000;
    bare.hart.x[12] = va;
    bare.hart.x[13] = 0;
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.InstructionPageFault, va + 0x1_0000, va + 0x1_0000]);
    expect(bare.x(10)).toBe(1);
  });

  test('an entry of another address space, or a global one, goes too: a fence may forget more than it must', () => {
    const bare = supervisor(
      path,
      `start: lw a0, 0(a1)
       csrrw a5, satp, a2
       lw    a0, 0(a1)
       sw    a3, 0(a4)
       sfence.vma a1, x0
       csrrw x0, satp, a5
       lw    a0, 0(a1)
       ok: j ok`,
    );
    const G = 32;
    bare.tables.map(DATA_VA, FIRST, KERNEL | G);
    mapEntry(bare, bare.tables.entry(DATA_VA));
    bare.hart.x[11] = DATA_VA;
    bare.hart.x[12] = (bare.tables.satp | (5 << 22)) >>> 0; // the same tables under ASID 5
    bare.hart.x[13] = ((SECOND >>> 12) << 10) | KERNEL | G;
    bare.runTo('ok');
    expect(bare.x(10)).toBe(0x2222);
  });
});

describe.each(PATHS)('accesses that cross pages (%s)', (path) => {
  const NEXT = DATA_VA + 0x1000;

  test('a load or store takes its two parts from two pages, which need not be neighbours', () => {
    const bare = supervisor(path, 'start: lw a0, -2(a1)\n sw a2, -1(a1)\n lhu a3, -1(a1)\n ok: j ok');
    bare.tables.map(NEXT, SECOND, KERNEL);
    bare.machine.ram.write16(FIRST + 0xffe, 0xbbaa);
    bare.machine.ram.write16(SECOND, 0xddcc);
    bare.hart.x[11] = NEXT;
    bare.hart.x[12] = 0x4433_2211;
    bare.runTo('ok');
    expect(bare.x(10)).toBe(0xddcc_bbaa);
    expect(bare.x(13)).toBe(0x2211);
    expect(bare.machine.ram.read8(FIRST + 0xfff)).toBe(0x11);
    expect(bare.machine.ram.read32(SECOND) & 0xff_ffff).toBe(0x44_3322);
  });

  test.each([
    ['lw a0, -2(a1)', Cause.LoadPageFault],
    ['sw a0, -2(a1)', Cause.StorePageFault],
  ])(
    '%s with the second page missing: tval names the second part, nothing is stored',
    (instruction, cause) => {
      const bare = supervisor(path, `start: addi a0, x0, -1\n here: ${instruction}`);
      bare.hart.x[11] = NEXT;
      bare.runTo('handler');
      expect(bare.mtrap).toEqual([cause, bare.address('here'), NEXT]);
      expect(bare.machine.ram.read16(FIRST + 0xffe)).toBe(0);
    },
  );

  test('an instruction whose second half is missing: epc is its start, tval the second page', () => {
    const bare = supervisor(path, 'start: jalr x0, -2(a1)');
    bare.tables.map(NEXT, SECOND, KERNEL & ~V);
    bare.machine.ram.write16(FIRST + 0xffe, 0x0513); // the first half of addi
    bare.hart.x[11] = NEXT;
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.InstructionPageFault, NEXT - 2, NEXT]);
  });
});

describe.each(PATHS)('the PMP and page tables (%s)', (path) => {
  /** Denies [pa, pa + 4096) the rights that `cfg` does not give; the rest of memory stays open. */
  function restrict(bare: Bare, pa: number, cfg: number): void {
    bare.hart.state.pmpaddr.set([pa / 4 + 0x1ff, 0xffff_ffff]);
    bare.hart.state.pmpcfg.set([0x18 | cfg, 0x1f]);
    bare.hart.mmu.pmpChanged();
  }

  test('A cannot be set in a table that may only be read: access fault of the original kind', () => {
    const bare = supervisor(path, 'start: sw a0, 0(a1)', { flags: KERNEL & ~(64 | 128) });
    restrict(bare, (bare.tables.entry(DATA_VA) & ~0xfff) >>> 0, 1);
    bare.hart.x[11] = DATA_VA;
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.StoreAccessFault, bare.address('start'), DATA_VA]);
  });

  test('a table that need not be changed may be read-only', () => {
    const bare = supervisor(path, 'start: lw a0, 0(a1)\n ok: j ok');
    restrict(bare, (bare.tables.entry(DATA_VA) & ~0xfff) >>> 0, 1);
    bare.hart.x[11] = DATA_VA;
    bare.runTo('ok');
    expect(bare.x(10)).toBe(0x1111);
  });

  test('after reset no entry matches, so S and U may access nothing', () => {
    for (const privilege of [Privilege.S, Privilege.U]) {
      const bare = new Bare(
        path,
        `la t0, handler
         csrrw x0, mtvec, t0
         la    t0, low
         csrrw x0, mepc, t0
         li    t0, ${privilege << 11}
         csrrs x0, mstatus, t0
         mret
         low:  addi a0, x0, 1
         .align 4
         handler: j handler`,
      );
      bare.runTo('handler');
      expect(bare.mtrap).toEqual([Cause.InstructionAccessFault, bare.address('low'), bare.address('low')]);
    }
  });

  test('a user page that only the supervisor may reach by SUM is still checked as S', () => {
    const bare = supervisor(path, 'start: lw a0, 0(a1)', { flags: KERNEL | U });
    bare.hart.state.mstatus |= 1 << 18;
    bare.hart.mmu.selectViews();
    restrict(bare, FIRST, 0);
    bare.hart.x[11] = DATA_VA;
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.LoadAccessFault, bare.address('start'), DATA_VA]);
  });
});
