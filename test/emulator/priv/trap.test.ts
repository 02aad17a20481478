import { describe, expect, test } from 'vitest';
import { Cause, INTERRUPT_BIT, Interrupt, causeName } from '../../../emulator/priv/cause.ts';
import { ILLEGAL } from '../../../emulator/priv/csr.ts';
import { Mstatus, PrivState, Privilege, copyPrivState, dataPrivilege } from '../../../emulator/priv/state.ts';
import {
  ArchitecturalTraps,
  NO_INTERRUPT,
  enterTrap,
  mret,
  pendingInterrupt,
  sfenceVmaLegal,
  sret,
  trapTarget,
  wakesFromWfi,
  wfiLegal,
} from '../../../emulator/priv/trap.ts';
import { TestHart } from './context.ts';

const { U, S, M } = Privilege;

function stateIn(privilege: Privilege, fields: Partial<PrivState> = {}): PrivState {
  return Object.assign(new PrivState(), { privilege, mtvec: 0x8000_0100, stvec: 0x8000_0200 }, fields);
}

describe('taking a trap into M', () => {
  test.each([U, S, M])('from privilege %d: MPP, MPIE, MIE, mepc, mcause, mtval', (privilege) => {
    const state = stateIn(privilege, { mstatus: Mstatus.MIE | Mstatus.SIE });
    expect(enterTrap(state, Cause.LoadAccessFault, 0x8000_0042, 0xdead_beef)).toBe(0x8000_0100);
    expect(state.privilege).toBe(M);
    expect(state.mstatus).toBe(Mstatus.MPIE | Mstatus.SIE | (privilege << 11));
    expect([state.mepc, state.mcause, state.mtval]).toEqual([0x8000_0042, 5, 0xdead_beef]);
    expect([state.sepc, state.scause, state.stval]).toEqual([0, 0, 0]);
  });

  test('MPIE takes MIE, whichever it was, and MPRV is not touched', () => {
    const state = stateIn(M, { mstatus: Mstatus.MPIE | Mstatus.MPRV });
    enterTrap(state, Cause.EcallFromM, 0, 0);
    expect(state.mstatus).toBe(Mstatus.MPRV | Mstatus.MPP);
    enterTrap(state, Cause.EcallFromM, 0, 0);
    expect(state.mstatus).toBe(Mstatus.MPRV | Mstatus.MPP);
  });

  test('vectored mode moves interrupts only', () => {
    const state = stateIn(U, { mtvec: 0xffff_ff01 });
    expect(enterTrap(state, INTERRUPT_BIT + Interrupt.MachineTimer, 0, 0)).toBe(0xffff_ff1c);
    expect(state.mcause).toBe(0x8000_0007);
    expect(enterTrap(state, Cause.IllegalInstruction, 0, 0)).toBe(0xffff_ff00);
  });
});

describe('delegation', () => {
  test('a delegated exception from U or S enters S: SPP, SPIE, SIE, sepc, scause, stval', () => {
    for (const privilege of [U, S] as const) {
      const state = stateIn(privilege, {
        medeleg: 1 << Cause.LoadPageFault,
        mstatus: Mstatus.SIE | Mstatus.MIE,
      });
      expect(enterTrap(state, Cause.LoadPageFault, 0x1001, 0x2003)).toBe(0x8000_0200);
      expect(state.privilege).toBe(S);
      expect(state.mstatus).toBe(Mstatus.SPIE | Mstatus.MIE | (privilege === S ? Mstatus.SPP : 0));
      expect([state.sepc, state.scause, state.stval]).toEqual([0x1000, 13, 0x2003]);
      expect([state.mepc, state.mcause, state.mtval]).toEqual([0, 0, 0]);
    }
  });

  test('a trap in M mode is never delegated', () => {
    const state = stateIn(M, { medeleg: 0xb3ff, mideleg: 0x222 });
    expect(trapTarget(state, Cause.Breakpoint)).toBe(M);
    expect(trapTarget(state, INTERRUPT_BIT + Interrupt.SupervisorTimer)).toBe(M);
  });

  test('exceptions look at medeleg, interrupts at mideleg', () => {
    const state = stateIn(U, { medeleg: 1 << 5 });
    expect(trapTarget(state, 5)).toBe(S);
    expect(trapTarget(state, INTERRUPT_BIT + 5)).toBe(M);
    state.mideleg = 1 << 5;
    expect(trapTarget(state, INTERRUPT_BIT + 5)).toBe(S);
  });

  test('vectored stvec', () => {
    const state = stateIn(U, { mideleg: 0x222, stvec: 0x9000_0001 });
    expect(enterTrap(state, INTERRUPT_BIT + Interrupt.SupervisorExternal, 0, 0)).toBe(0x9000_0024);
  });
});

describe('mret', () => {
  test('is illegal below M', () => {
    expect(mret(stateIn(S))).toBe(ILLEGAL);
    expect(mret(stateIn(U))).toBe(ILLEGAL);
  });

  test.each([
    [U, 0],
    [S, 0],
    [M, Mstatus.MPRV],
  ])('to %d: MIE = MPIE, MPIE = 1, MPP = U, MPRV survives only in M', (mpp, mprv) => {
    for (const mpie of [0, Mstatus.MPIE]) {
      const state = stateIn(M, { mstatus: mpie | (mpp << 11) | Mstatus.MPRV, mepc: 0x8000_1234 });
      expect(mret(state)).toBe(0x8000_1234);
      expect(state.privilege).toBe(mpp);
      expect(state.mstatus).toBe(Mstatus.MPIE | (mpie === 0 ? 0 : Mstatus.MIE) | mprv);
    }
  });
});

describe('sret', () => {
  test('is illegal in U, and in S under TSR; not in M', () => {
    expect(sret(stateIn(U))).toBe(ILLEGAL);
    expect(sret(stateIn(S, { mstatus: Mstatus.TSR }))).toBe(ILLEGAL);
    expect(sret(stateIn(M, { mstatus: Mstatus.TSR, sepc: 4 }))).toBe(4);
  });

  test.each([
    [0, U],
    [Mstatus.SPP, S],
  ])('SPP 0x%s returns to %d: SIE = SPIE, SPIE = 1, SPP = 0, MPRV = 0', (spp, target) => {
    for (const spie of [0, Mstatus.SPIE]) {
      const state = stateIn(S, { mstatus: spie | spp | Mstatus.MPRV, sepc: 0x1234 });
      expect(sret(state)).toBe(0x1234);
      expect(state.privilege).toBe(target);
      expect(state.mstatus).toBe(Mstatus.SPIE | (spie === 0 ? 0 : Mstatus.SIE));
    }
  });
});

describe('pending interrupts', () => {
  const all = { mie: 0xaaa, lines: 0xaaa };

  test('nothing without pending and enabled', () => {
    expect(pendingInterrupt(stateIn(U, { mie: 0xaaa }))).toBe(NO_INTERRUPT);
    expect(pendingInterrupt(stateIn(U, { lines: 0xaaa }))).toBe(NO_INTERRUPT);
  });

  test('the order is MEI MSI MTI SEI SSI STI', () => {
    const state = stateIn(U, all);
    const order: number[] = [];
    for (let cause = pendingInterrupt(state); cause !== NO_INTERRUPT; cause = pendingInterrupt(state)) {
      order.push(cause - INTERRUPT_BIT);
      state.lines &= ~(1 << (cause & 31));
    }
    expect(order).toEqual([11, 3, 7, 9, 1, 5]);
  });

  test('what goes to M comes before what goes to S, whatever the kind', () => {
    expect(pendingInterrupt(stateIn(U, { ...all, mideleg: 0x222 })) - INTERRUPT_BIT).toBe(11);
    expect(pendingInterrupt(stateIn(U, { mie: 0xaaa, lines: 0x220, mideleg: 0x200 })) - INTERRUPT_BIT).toBe(
      5,
    );
  });

  test.each([
    [M, 0, false],
    [M, Mstatus.MIE, true],
    [S, 0, true],
    [U, 0, true],
  ])('for M, in privilege %d with mstatus %d: %s', (privilege, mstatus, taken) => {
    const state = stateIn(privilege, { mie: 0x80, lines: 0x80, mstatus });
    expect(pendingInterrupt(state) !== NO_INTERRUPT).toBe(taken);
  });

  test.each([
    [M, Mstatus.MIE | Mstatus.SIE, false],
    [S, 0, false],
    [S, Mstatus.SIE, true],
    [U, 0, true],
  ])('delegated, in privilege %d with mstatus %d: %s', (privilege, mstatus, taken) => {
    const state = stateIn(privilege, { mie: 0x20, mip: 0x20, mideleg: 0x20, mstatus });
    expect(pendingInterrupt(state) !== NO_INTERRUPT).toBe(taken);
  });
});

describe('wfi and sfence.vma', () => {
  test('wfi is illegal in U, and in S under TW', () => {
    expect([M, S, U].map((p) => wfiLegal(stateIn(p)))).toEqual([true, true, false]);
    expect([M, S, U].map((p) => wfiLegal(stateIn(p, { mstatus: Mstatus.TW })))).toEqual([true, false, false]);
  });

  test('wfi ends for an interrupt that is enabled in mie, even when it cannot be taken', () => {
    expect(wakesFromWfi(stateIn(M, { mie: 0x80, lines: 0x80 }))).toBe(true);
    expect(wakesFromWfi(stateIn(M, { mie: 0x80, lines: 0x08 }))).toBe(false);
    expect(wakesFromWfi(stateIn(S, { mie: 0x20, mip: 0x20, mideleg: 0x20 }))).toBe(true);
  });

  test('sfence.vma is illegal in U, and in S under TVM', () => {
    expect([M, S, U].map((p) => sfenceVmaLegal(stateIn(p)))).toEqual([true, true, false]);
    const tvm = { mstatus: Mstatus.TVM };
    expect([M, S, U].map((p) => sfenceVmaLegal(stateIn(p, tvm)))).toEqual([true, false, false]);
  });
});

describe('ArchitecturalTraps', () => {
  test('delivers to stvec', () => {
    const hart = new TestHart().in(U);
    hart.state.stvec = 0x8000_0200;
    hart.pc = 0x1_0000;
    expect(new ArchitecturalTraps().trap(hart, Cause.EcallFromU, 0)).toBe(true);
    expect([hart.pc, hart.state.sepc, hart.state.scause, hart.state.privilege]).toEqual([
      0x8000_0200,
      0x1_0000,
      8,
      S,
    ]);
  });
});

describe('the state', () => {
  test('MPRV lets loads and stores of M use MPP', () => {
    expect(dataPrivilege(stateIn(M))).toBe(M);
    expect(dataPrivilege(stateIn(M, { mstatus: Mstatus.MPRV }))).toBe(U);
    expect(dataPrivilege(stateIn(M, { mstatus: Mstatus.MPRV | (S << 11) }))).toBe(S);
    expect(dataPrivilege(stateIn(S, { mstatus: U << 11 }))).toBe(S);
  });

  test('a copy is equal and independent', () => {
    const state = stateIn(S, { mepc: 4 });
    state.pmpaddr[3] = 9;
    const copy = copyPrivState(state);
    expect(copy).toEqual(state);
    copy.pmpaddr[3] = 1;
    copy.mcycle.low = 1;
    copy.mepc = 8;
    expect([state.pmpaddr[3], state.mcycle.low, state.mepc]).toEqual([9, 0, 4]);
  });

  test('causes have names', () => {
    expect(causeName(Cause.StorePageFault)).toBe('StorePageFault');
    expect(causeName(INTERRUPT_BIT + 7)).toBe('MachineTimer interrupt');
    expect(causeName(24)).toBe('exception 24');
  });
});
