import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Access,
  Pte,
  WalkResult,
  dataView,
  oneView,
  fetchView,
  sv32Walk,
} from '../../../emulator/mmu/sv32.ts';
import type { PageTableMemory, TranslationView } from '../../../emulator/mmu/sv32.ts';
import { Cause } from '../../../emulator/priv/cause.ts';
import { Mstatus, PrivState, Privilege } from '../../../emulator/priv/state.ts';

const { U, S, M } = Privilege;
const { Read, Write, Execute } = Access;
const { V, R, W, X, G, A, D } = Pte;

const ROOT = 0x8000_1000;
const TABLE = 0x8000_2000;

/** Words that were set exist; all others are no memory. */
class Words implements PageTableMemory {
  readonly words = new Map<number, number>();
  readonly readOnly = new Set<number>();
  read32(pa: number): number {
    return this.words.get(pa) ?? -1;
  }
  write32(pa: number, value: number): boolean {
    if (!this.words.has(pa) || this.readOnly.has(pa)) return false;
    this.words.set(pa, value);
    return true;
  }
}

function pte(pa: number, flags: number): number {
  return Math.floor(pa / 4096) * 1024 + flags;
}

function view(privilege: Privilege, options: Partial<TranslationView> = {}): TranslationView {
  return { satp: 0x8000_0000 + ROOT / 4096, privilege, sum: false, mxr: false, ...options };
}

/** Maps the page of va 0x1234_5678 to 0x8765_4000 with the given leaf flags. */
const VA = 0x1234_5678;
const ROOT_ENTRY = ROOT + 0x48 * 4; // va[31:22] = 0x048
const LEAF_ENTRY = TABLE + 0x345 * 4; // va[21:12] = 0x345
function mapped(flags: number): Words {
  const mem = new Words();
  mem.words.set(ROOT_ENTRY, pte(TABLE, V));
  mem.words.set(LEAF_ENTRY, pte(0x8765_4000, flags));
  return mem;
}

function walk(
  mem: Words,
  v: TranslationView,
  va: number,
  access: Access,
  hardwareAd = true,
): WalkResult | number {
  const out = new WalkResult();
  return sv32Walk(mem, v, va, access, hardwareAd, out) ? out : out.cause;
}

const pageFaults: [Access, number][] = [
  [Read, Cause.LoadPageFault],
  [Write, Cause.StorePageFault],
  [Execute, Cause.InstructionPageFault],
];
const accessFaults: [Access, number][] = [
  [Read, Cause.LoadAccessFault],
  [Write, Cause.StoreAccessFault],
  [Execute, Cause.InstructionAccessFault],
];

describe('no translation', () => {
  test('in M mode, and under satp.MODE = Bare', () => {
    for (const v of [view(M), view(S, { satp: ROOT / 4096 }), view(U, { satp: 0 })]) {
      const out = walk(new Words(), v, 0xffff_fff0, Execute);
      expect(out).toMatchObject({ pa: 0xffff_fff0, level: -1, allowed: 7 });
    }
  });
});

describe('step 1 and 2: finding the entry', () => {
  test('vpn[1] and vpn[0] index the two tables', () => {
    const mem = mapped(V | R | A | D);
    expect(walk(mem, view(S), VA, Read)).toMatchObject({
      pa: 0x8765_4678,
      level: 0,
      pte: pte(0x8765_4000, V | R | A | D),
      pteAddress: LEAF_ENTRY,
    });
  });

  test('the ASID takes no part in the walk', () => {
    const v = view(S);
    v.satp = (v.satp | 0x7fc0_0000) >>> 0;
    expect(walk(mapped(V | R | A), v, VA, Read)).toMatchObject({ pa: 0x8765_4678 });
  });

  test.each(accessFaults)(
    'a root outside memory: access %d gives an access fault of its own type',
    (access, cause) => {
      expect(walk(new Words(), view(S), VA, access)).toBe(cause);
    },
  );

  test.each(accessFaults)('a table outside memory: access %d', (access, cause) => {
    const mem = new Words();
    mem.words.set(ROOT_ENTRY, pte(TABLE, V));
    expect(walk(mem, view(S), VA, access)).toBe(cause);
  });

  test('tables may lie above 4 GiB: physical addresses have 34 bits', () => {
    const high = 0x3_ffff_f000;
    const mem = new Words();
    mem.words.set(high + 0x48 * 4, pte(high, V));
    mem.words.set(high + 0x345 * 4, pte(0x3_1234_5000, V | R | A));
    expect(walk(mem, view(S, { satp: 0x803f_ffff }), VA, Read)).toMatchObject({
      pa: 0x3_1234_5678,
      pteAddress: high + 0x345 * 4,
    });
  });
});

describe('step 3: invalid and reserved entries', () => {
  test.each(pageFaults)('V = 0, whatever else is set: access %d', (access, cause) => {
    expect(walk(mapped(0xfe), view(U), VA, access)).toBe(cause);
    const mem = mapped(0xff);
    mem.words.set(ROOT_ENTRY, pte(TABLE, 0xfe));
    expect(walk(mem, view(U), VA, access)).toBe(cause);
  });

  test.each([W, W | X])('W without R is reserved: flags %d', (flags) => {
    for (const [access, cause] of pageFaults) {
      expect(walk(mapped(V | A | D | flags), view(S, { mxr: true }), VA, access)).toBe(cause);
    }
  });
});

describe('step 4: pointers', () => {
  test('a pointer at the last level faults', () => {
    for (const [access, cause] of pageFaults) expect(walk(mapped(V), view(S), VA, access)).toBe(cause);
  });

  test.each([
    ['U', Pte.U],
    ['A', A],
    ['D', D],
  ])('%s is reserved in a pointer', (_name, bit) => {
    const mem = mapped(V | R | A | D);
    mem.words.set(ROOT_ENTRY, pte(TABLE, V | bit));
    expect(walk(mem, view(S), VA, Read)).toBe(Cause.LoadPageFault);
  });

  test('G and the two bits for software are not reserved', () => {
    const mem = mapped(V | R | A | D | G | 0x300);
    mem.words.set(ROOT_ENTRY, pte(TABLE, V | G | 0x300));
    expect(walk(mem, view(S), VA, Read)).toMatchObject({ pa: 0x8765_4678 });
  });
});

describe('step 5: permissions', () => {
  /** The accesses (of R, W, X) that succeed. */
  function succeeding(flags: number, v: TranslationView): string {
    return pageFaults
      .map(([access, cause]) => {
        const out = walk(mapped(flags | V | A | D), v, VA, access);
        expect(out instanceof WalkResult ? out.allowed & access : out).toBe(
          out instanceof WalkResult ? access : cause,
        );
        return out instanceof WalkResult ? { [Read]: 'r', [Write]: 'w', [Execute]: 'x' }[access] : '-';
      })
      .join('');
  }

  test.each([
    [R, 'r--'],
    [R | W, 'rw-'],
    [X, '--x'],
    [R | X, 'r-x'],
    [R | W | X, 'rwx'],
  ])('leaf flags %d give %s: S on its own pages, U on user pages', (flags, expected) => {
    expect(succeeding(flags, view(S))).toBe(expected);
    expect(succeeding(flags | Pte.U, view(U))).toBe(expected);
  });

  test('U mode cannot touch supervisor pages', () => {
    expect(succeeding(R | W | X, view(U, { sum: true, mxr: true }))).toBe('---');
  });

  test('S mode cannot touch user pages, but with SUM it loads and stores; it never executes', () => {
    expect(succeeding(R | W | X | Pte.U, view(S))).toBe('---');
    expect(succeeding(R | W | X | Pte.U, view(S, { sum: true }))).toBe('rw-');
  });

  test('MXR makes executable pages readable, and opens nothing else', () => {
    expect(succeeding(X, view(S, { mxr: true }))).toBe('r-x');
    expect(succeeding(X | Pte.U, view(U, { mxr: true }))).toBe('r-x');
    expect(succeeding(X | Pte.U, view(S, { mxr: true }))).toBe('---');
    expect(succeeding(X | Pte.U, view(S, { mxr: true, sum: true }))).toBe('r--');
  });
});

describe('steps 6 and 8: superpages', () => {
  function megapage(pa: number, flags: number): Words {
    const mem = new Words();
    mem.words.set(ROOT_ENTRY, pte(pa, flags));
    return mem;
  }

  test('a leaf at level 1 maps 4 MiB: the offset is va[21:0]', () => {
    expect(walk(megapage(0x8040_0000, V | R | A), view(S), VA, Read)).toMatchObject({
      pa: 0x8040_0000 + (VA & 0x3f_ffff),
      level: 1,
      pteAddress: ROOT_ENTRY,
    });
    expect(walk(megapage(0x3_ffc0_0000, V | R | A), view(S), VA, Read)).toMatchObject({
      pa: 0x3_ffc0_0000 + (VA & 0x3f_ffff),
    });
  });

  test.each([0x1000, 0x20_0000, 0x3f_f000])('misaligned by 0x%s faults', (offset) => {
    for (const [access, cause] of pageFaults) {
      expect(walk(megapage(0x8040_0000 + offset, V | R | W | X | A | D), view(S), VA, access)).toBe(cause);
    }
  });
});

describe('step 7: A and D', () => {
  test('hardware sets A on any access and D on stores, in memory', () => {
    for (const [access] of pageFaults) {
      const mem = mapped(V | R | W | X);
      const expected = V | R | W | X | A | (access === Write ? D : 0);
      expect(walk(mem, view(S), VA, access)).toMatchObject({
        pte: pte(0x8765_4000, expected),
        allowed: access === Write ? 7 : Read | Execute,
      });
      expect(mem.words.get(LEAF_ENTRY)).toBe(pte(0x8765_4000, expected));
      expect(mem.words.get(ROOT_ENTRY)).toBe(pte(TABLE, V));
    }
  });

  test('a failed access sets nothing', () => {
    const mem = mapped(V | R);
    expect(walk(mem, view(S), VA, Write)).toBe(Cause.StorePageFault);
    expect(mem.words.get(LEAF_ENTRY)).toBe(pte(0x8765_4000, V | R));
  });

  test('software management: an unset A, or an unset D on a store, is a page fault', () => {
    const trap = (flags: number, access: Access): WalkResult | number =>
      walk(mapped(V | R | W | X | flags), view(S), VA, access, false);
    for (const [access, cause] of pageFaults) expect(trap(D, access)).toBe(cause);
    expect(trap(A, Read)).toMatchObject({ allowed: Read | Execute });
    expect(trap(A, Execute)).toMatchObject({ allowed: Read | Execute });
    expect(trap(A, Write)).toBe(Cause.StorePageFault);
    expect(trap(A | D, Write)).toMatchObject({ allowed: 7 });
  });

  test('an entry that cannot be written gives an access fault', () => {
    for (const [access, cause] of accessFaults) {
      const mem = mapped(V | R | W | X);
      mem.readOnly.add(LEAF_ENTRY);
      expect(walk(mem, view(S), VA, access)).toBe(cause);
    }
  });
});

describe('the views of a hart', () => {
  test('loads and stores follow MPRV, SUM and MXR; fetches do not', () => {
    const state = new PrivState();
    state.satp = 0x8000_1234;
    const out: TranslationView = { satp: 0, privilege: U, sum: false, mxr: false };
    dataView(state, out);
    expect(out).toEqual({ satp: 0x8000_1234, privilege: M, sum: false, mxr: false });
    state.mstatus = Mstatus.MPRV | (S << 11) | Mstatus.SUM | Mstatus.MXR;
    dataView(state, out);
    expect(out).toEqual({ satp: 0x8000_1234, privilege: S, sum: true, mxr: true });
    fetchView(state, out);
    expect(out).toEqual({ satp: 0x8000_1234, privilege: M, sum: false, mxr: false });
  });

  test('they are one exactly where user mode has them alike', () => {
    const state = new PrivState();
    const data: TranslationView = { satp: 0, privilege: U, sum: false, mxr: false };
    const fetches: TranslationView = { satp: 0, privilege: U, sum: false, mxr: false };
    for (const privilege of [U, S, M] as const) {
      for (const mstatus of [0, Mstatus.SUM, Mstatus.MXR, Mstatus.MPRV | (S << 11)]) {
        Object.assign(state, { satp: 0x8000_1234, privilege, mstatus });
        dataView(state, data);
        fetchView(state, fetches);
        expect(oneView(state)).toBe(privilege === U && mstatus === 0);
        if (oneView(state)) expect(data).toEqual(fetches);
      }
    }
  });
});

describe('any entries', () => {
  test('what `allowed` promises, a second walk confirms without touching memory', () => {
    const word = fc.integer({ min: 0, max: 0xffff_ffff });
    const anyView = fc.record({
      privilege: fc.constantFrom<Privilege>(U, S),
      sum: fc.boolean(),
      mxr: fc.boolean(),
    });
    fc.assert(
      fc.property(
        word,
        word,
        anyView,
        fc.constantFrom<Access>(1, 2, 4),
        fc.boolean(),
        (root, leaf, v, access, ad) => {
          const mem = new Words();
          // Half of the pointers are made to point to our table, else walks would hardly ever get there.
          mem.words.set(ROOT_ENTRY, (root & 0xe) === 0 ? pte(TABLE, root & 0x3ff) : root);
          mem.words.set(LEAF_ENTRY, leaf);
          const first = walk(mem, view(v.privilege, v), VA, access, ad);
          if (!(first instanceof WalkResult)) return;
          const before = [...mem.words];
          for (const again of [1, 2, 4] as const) {
            if ((first.allowed & again) === 0) continue;
            expect(walk(mem, view(v.privilege, v), VA, again, false)).toMatchObject({ pa: first.pa });
          }
          expect(first.allowed & access).toBe(access);
          expect([...mem.words]).toEqual(before);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
