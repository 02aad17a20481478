import { describe, expect, test } from 'vitest';
import { csrRead, csrWrite } from '../../../emulator/priv/csr.ts';
import { Effect } from '../../../emulator/priv/effect.ts';
import { Pmp, PmpAccess, pmpCheck, pmpPermitsAll } from '../../../emulator/priv/pmp.ts';
import { PrivState, Privilege, handOffToSupervisor } from '../../../emulator/priv/state.ts';
import { TestHart, csr } from './context.ts';

const { Read, Write, Execute } = PmpAccess;
const RWX = Pmp.R | Pmp.W | Pmp.X;

function entries(...list: [cfg: number, addr: number][]): PrivState {
  const state = new PrivState();
  list.forEach(([cfg, addr], i) => {
    state.pmpcfg[i] = cfg;
    state.pmpaddr[i] = addr;
  });
  return state;
}

function readable(state: PrivState, pa: number, len = 1, privilege: Privilege = Privilege.U): boolean {
  return pmpCheck(state, pa, len, Read, privilege);
}

describe('matching', () => {
  test('with no active entry, M may do everything and S and U nothing', () => {
    const state = new PrivState();
    expect(readable(state, 0x8000_0000, 4, Privilege.M)).toBe(true);
    expect(readable(state, 0x8000_0000, 4, Privilege.S)).toBe(false);
    expect(readable(state, 0x8000_0000, 4, Privilege.U)).toBe(false);
  });

  test('NA4 covers four bytes', () => {
    const state = entries([Pmp.Na4 | Pmp.R, 0x8000_1000 / 4]);
    expect(readable(state, 0x8000_1000, 4)).toBe(true);
    expect(readable(state, 0x8000_0fff)).toBe(false);
    expect(readable(state, 0x8000_1004)).toBe(false);
  });

  test.each([
    [0x2000_0000, 0x8000_0000, 8],
    [0x2000_0001, 0x8000_0000, 16],
    [0x2000_01ff, 0x8000_0000, 4096],
    [0x1fff_ffff, 0, 2 ** 32],
    [0x7fff_ffff, 0, 2 ** 34],
    [0xffff_ffff, 0, 2 ** 34],
    [0xbfff_ffff, 2 ** 33, 2 ** 33],
    [0xffff_fffe, 2 ** 34 - 8, 8],
  ])('NAPOT address %d covers from %d on %d bytes', (address, base, size) => {
    const state = entries([Pmp.Napot | Pmp.R, address]);
    expect(readable(state, base)).toBe(true);
    expect(readable(state, base + size - 1)).toBe(true);
    expect(readable(state, base - 1)).toBe(false);
    expect(readable(state, base + size)).toBe(false); // above 2^34 nothing matches either
  });

  test('TOR covers from the address below, or from zero, up to its own', () => {
    const state = entries([Pmp.Tor | Pmp.R, 0x1000 / 4], [0, 0x2000 / 4], [Pmp.Tor | Pmp.R, 0x3000 / 4]);
    expect(readable(state, 0)).toBe(true);
    expect(readable(state, 0xfff)).toBe(true);
    expect(readable(state, 0x1000)).toBe(false);
    expect(readable(state, 0x1fff)).toBe(false);
    expect(readable(state, 0x2000)).toBe(true);
    expect(readable(state, 0x3000)).toBe(false);
  });

  test('TOR whose bounds are the wrong way round matches nothing', () => {
    const state = entries([0, 0x3000 / 4], [Pmp.Tor | Pmp.R, 0x2000 / 4]);
    expect(readable(state, 0x2800)).toBe(false);
  });

  test('the lowest-numbered match decides, and it must match all bytes', () => {
    const state = entries([Pmp.Na4 | Pmp.R, 0x1000 / 4], [Pmp.Napot | RWX, 0x7fff_ffff]);
    expect(pmpCheck(state, 0x1000, 4, Write, Privilege.U)).toBe(false);
    expect(pmpCheck(state, 0x1004, 4, Write, Privilege.U)).toBe(true);
    expect(readable(state, 0x1002, 4)).toBe(false);
    expect(readable(state, 0x0ffe, 4)).toBe(false);
    expect(readable(state, 0x1002, 4, Privilege.M)).toBe(false); // a partial match fails for M too
  });

  test.each([
    [Pmp.R, [true, false, false]],
    [Pmp.R | Pmp.W, [true, true, false]],
    [Pmp.X, [false, false, true]],
    [0, [false, false, false]],
  ])('permissions 0x%s', (permissions, expected) => {
    const unlocked = entries([Pmp.Napot | permissions, 0x7fff_ffff]);
    const locked = entries([Pmp.Napot | Pmp.L | permissions, 0x7fff_ffff]);
    const results = (state: PrivState, p: Privilege): boolean[] =>
      [Read, Write, Execute].map((access) => pmpCheck(state, 0x8000_0000, 4, access, p));
    expect(results(unlocked, Privilege.U)).toEqual(expected);
    expect(results(unlocked, Privilege.S)).toEqual(expected);
    expect(results(unlocked, Privilege.M)).toEqual([true, true, true]);
    expect(results(locked, Privilege.M)).toEqual(expected);
  });
});

describe('pmpcfg and pmpaddr', () => {
  test('four entries to a pmpcfg; bits 5 and 6 and R = 0, W = 1 are not legal', () => {
    const hart = new TestHart();
    expect(csrWrite(hart, csr('pmpcfg1'), 0x1f7f_0a02)).toBe(Effect.PmpChanged);
    expect(csrRead(hart, csr('pmpcfg1'))).toBe(0x1f1f_0800);
    expect(Array.from(hart.state.pmpcfg.subarray(4, 8))).toEqual([0, 8, 0x1f, 0x1f]);
    expect(csrRead(hart, csr('pmpcfg0'))).toBe(0);
  });

  test('a locked entry keeps configuration and address; a locked TOR entry also the address below', () => {
    const hart = new TestHart();
    csrWrite(hart, csr('pmpaddr1'), 0x1000);
    csrWrite(hart, csr('pmpaddr2'), 0x2000);
    csrWrite(hart, csr('pmpcfg0'), (Pmp.L | Pmp.Tor | Pmp.R) << 16);
    csrWrite(hart, csr('pmpcfg0'), 0xffff_ffff);
    csrWrite(hart, csr('pmpcfg0'), 0);
    for (const name of ['pmpaddr1', 'pmpaddr2']) csrWrite(hart, csr(name), 0);
    expect(hart.state.pmpcfg[2]).toBe(Pmp.L | Pmp.Tor | Pmp.R);
    expect(csrRead(hart, csr('pmpaddr1'))).toBe(0x1000);
    expect(csrRead(hart, csr('pmpaddr2'))).toBe(0x2000);
  });
});

describe('pmpPermitsAll', () => {
  test('is true after the hand-off to a supervisor, and false at reset', () => {
    const state = new PrivState();
    expect(pmpPermitsAll(state)).toBe(false);
    handOffToSupervisor(state);
    expect(pmpPermitsAll(state)).toBe(true);
    expect(pmpCheck(state, 2 ** 34 - 4, 4, Write, Privilege.U)).toBe(true);
  });

  test('is false when a more important entry restricts, or the range is not everything', () => {
    expect(pmpPermitsAll(entries([Pmp.Na4, 0], [Pmp.Napot | RWX, 0x7fff_ffff]))).toBe(false);
    expect(pmpPermitsAll(entries([Pmp.Napot | RWX, 0x3fff_ffff]))).toBe(false);
    expect(pmpPermitsAll(entries([Pmp.Napot | Pmp.R, 0x7fff_ffff]))).toBe(false);
    expect(pmpPermitsAll(entries([0, 5], [Pmp.Napot | RWX, 0x7fff_ffff]))).toBe(true);
  });
});
