/**
 * Hot code in S mode whose translation changes: other code at the same address, the same code at other addresses, regions that lose
 * one of their pages, other address spaces, the PMP. The guest does all of it by itself.
 */
import { describe, expect, test } from 'vitest';
import { RAM_BASE, type Machine } from '../../../emulator/index.ts';
import { A, D, R, Tables, U, V, W, X } from '../paging.ts';
import { agree, CODE_VA, frame, KERNEL, leaf, placeCode, supervisorMode } from './agree.ts';
import { A0, adding, alternating, S4, S6, TOTAL, verifyTurns, x } from './rounds.ts';

describe('other code at the same virtual address', () => {
  /** The entry of CODE_VA alternates between two frames. */
  const source =
    (fence: string) =>
    (tables: Tables): string =>
      alternating(
        `li s1, ${tables.entry(CODE_VA)}\n li s2, ${leaf(frame(0))}\n li s3, ${leaf(frame(1))}`,
        'sw s2, 0(s1)',
        'sw s3, 0(s1)',
        fence,
      );
  const setUp =
    (fence: string) =>
    (machine: Machine): void => {
      supervisorMode(machine, source(fence)).map(CODE_VA, frame(0), KERNEL);
      placeCode(machine, CODE_VA, adding(1), [frame(0)]);
      placeCode(machine, CODE_VA, adding(1000), [frame(1)]);
    };

  test.each(['sfence.vma x0, x0', 'sfence.vma s0, x0', 'sfence.vma s0, s5', 'sfence.vma x0, s5'])(
    'its entry is changed, and %s',
    (fence) => {
      const counts = agree({ setUp: setUp(fence), total: TOTAL, verify: verifyTurns(1, 1000) });
      // Both stay compiled: nothing is dropped when an entry changes.
      expect(counts.get(5003)?.dropped).toBe(0);
    },
  );

  test('its entry is changed without a fence: the old code may go on, and does in all tiers', () => {
    agree({ setUp: setUp('addi x0, x0, 0'), total: TOTAL });
  });

  test.each([
    ['satp, with the ASID', 1],
    ['satp, with ASID 0 in both', 0],
  ])('by a write of %s', (_name, asid) => {
    const top = RAM_BASE + 0xe0_0000;
    const other = (0x8000_0000 | (asid << 22) | (top >>> 12)) >>> 0;
    agree({
      setUp: (machine) => {
        const tables = supervisorMode(machine, ({ satp }) =>
          alternating(`li s2, ${satp}\n li s3, ${other}`, 'csrrw x0, satp, s2', 'csrrw x0, satp, s3', ''),
        );
        tables.map(CODE_VA, frame(0), KERNEL);
        const second = new Tables(machine, top);
        for (let at = 0; at < 16 << 20; at += 4 << 20)
          second.mapMegapage(RAM_BASE + at, RAM_BASE + at, KERNEL);
        second.map(CODE_VA, frame(1), KERNEL);
        placeCode(machine, CODE_VA, adding(3), [frame(0)]);
        placeCode(machine, CODE_VA, adding(500), [frame(1)]);
      },
      total: TOTAL,
      verify: verifyTurns(3, 500),
    });
  });

  test('the ASID alone is switched, and the code rewritten in one of them', () => {
    agree({
      setUp: (machine) => {
        const tables = supervisorMode(
          machine,
          ({ satp }) =>
            alternating(
              `li s2, ${satp}
             li s3, ${(satp | (7 << 22)) >>> 0}
             li s1, ${frame(0)}
             lw s5, 0(s1)
             la s7, plus
             lw s7, 0(s7)`,
              'csrrw x0, satp, s2\n sw s5, 0(s1)',
              'csrrw x0, satp, s3\n sw s7, 0(s1)',
              'fence.i',
            ) + '\n plus: addi a0, a0, 700',
        );
        tables.map(CODE_VA, frame(0), KERNEL);
        placeCode(machine, CODE_VA, adding(2), [frame(0)]);
      },
      total: TOTAL,
      verify: verifyTurns(2, 700),
    });
  });
});

describe('one frame at two virtual addresses', () => {
  const SECOND_VA = CODE_VA + 0x9000;

  test.each([
    ['never written', ''],
    ['rewritten between the calls, at a third address', 'xor s7, s7, s8\n sw s7, 0(s9)'],
  ])('%s', (_name, write) => {
    agree({
      setUp: (machine) => {
        const tables = supervisorMode(machine, () =>
          alternating(
            `li s1, ${CODE_VA}
             li s2, ${SECOND_VA}
             li s9, ${frame(0)}
             lw s7, 0(s9)
             li s8, ${1 << 24}`,
            `addi s0, s1, 0\n ${write}`,
            `addi s0, s2, 0`,
            '',
          ),
        );
        tables.map(CODE_VA, frame(0), KERNEL);
        tables.map(SECOND_VA, frame(0), KERNEL);
        placeCode(machine, CODE_VA, `first: addi a0, a0, 1\n auipc a2, 0\n add a3, a3, a2\n ${adding(1)}`, [
          frame(0),
        ]);
      },
      total: TOTAL,
      verify: (machine) => {
        // What AUIPC gives depends on the address of the call alone.
        const rounds = x(machine, S4);
        const sum = (n: number): number =>
          (Math.ceil(n / 2) * (CODE_VA + 4) + Math.floor(n / 2) * (SECOND_VA + 4)) % 2 ** 32;
        expect([sum(rounds), sum(rounds - 1)]).toContain(x(machine, 13));
        if (write === '') verifyTurns(2, 2)(machine);
      },
    });
  });
});

describe('a region in two pages', () => {
  const NEXT_VA = CODE_VA + 0x1000;
  /** The entry of the second page alternates between two frames. */
  const setUp =
    (code: (n: number) => string, start: number) =>
    (machine: Machine): void => {
      const tables = supervisorMode(machine, (t) =>
        alternating(
          `li s8, ${NEXT_VA}
           li s1, ${t.entry(NEXT_VA)}
           li s2, ${leaf(frame(1))}
           li s3, ${leaf(frame(2))}`,
          'sw s2, 0(s1)',
          'sw s3, 0(s1)',
          'sfence.vma s8, x0',
          start,
        ),
      );
      tables.map(CODE_VA, frame(0), KERNEL);
      tables.map(NEXT_VA, frame(1), KERNEL);
      placeCode(machine, start, code(1000), [frame(0), frame(2)]);
      placeCode(machine, start, code(1), [frame(0), frame(1)]);
    };

  test('whose second is replaced: a loop over the border', () => {
    const code = (n: number): string => `
      addi t1, x0, 6
      loop: add a1, a1, a0
      xor a2, a2, a1
      addi t1, t1, -1
      addi a0, a0, ${n}
      bne t1, x0, loop
      jalr x0, 0(ra)`;
    agree({ setUp: setUp(code, NEXT_VA - 16), total: TOTAL, verify: verifyPartly });
  });

  test('and an instruction that straddles them', () => {
    const code = (n: number): string => `
      c.nop
      addi t1, x0, 6
      loop: add a1, a1, a0
      xor a2, a2, a1
      addi a0, a0, ${n}
      addi t1, t1, -1
      bne t1, x0, loop
      jalr x0, 0(ra)`;
    // The lower halves of both additions are the same, so only the second page differs.
    agree({ setUp: setUp(code, NEXT_VA - 16), total: TOTAL, verify: verifyPartly });
  });

  /** Six additions of 1 or 1000 in each round; the last round may be under way. */
  function verifyPartly(machine: Machine): void {
    const rounds = x(machine, S4);
    expect(rounds).toBeGreaterThan(50);
    const after = (n: number): number => 6 * (Math.ceil(n / 2) + 1000 * Math.floor(n / 2));
    expect(x(machine, A0)).toBeGreaterThanOrEqual(after(rounds - 1));
    expect(x(machine, A0)).toBeLessThanOrEqual(after(rounds));
  }
});

describe('faults on the way into hot code', () => {
  test.each([
    ['is invalid', 0],
    ['lacks X', V | R | W | A | D],
    ['is the user’s', V | R | X | U | A | D],
    ['has a reserved combination', V | W | X | A | D],
  ])('the entry %s every other time, and the handler repairs it', (_name, flags) => {
    agree({
      setUp: (machine) => {
        const tables = supervisorMode(machine, (t) =>
          alternating(
            `li s1, ${t.entry(CODE_VA)}
             li s2, ${leaf(frame(0))}
             li s3, ${leaf(frame(0), flags)}`,
            '',
            'sw s3, 0(s1)',
            'sfence.vma s0, x0',
          ).replace(
            'handler: j handler',
            `.align 4
             handler: addi s6, s6, 1
             csrrs t2, mcause, x0
             add s7, s7, t2
             csrrs t2, mtval, x0
             xor s8, s8, t2
             sw s2, 0(s1)
             sfence.vma x0, x0
             mret`,
          ),
        );
        tables.map(CODE_VA, frame(0), KERNEL);
        placeCode(machine, CODE_VA, adding(5), [frame(0)]);
      },
      total: TOTAL,
      verify: (machine) => {
        verifyTurns(5, 5)(machine);
        expect(Math.abs(x(machine, S6) - x(machine, S4) / 2)).toBeLessThanOrEqual(1);
        expect(x(machine, 23)).toBe(12 * x(machine, S6));
      },
    });
  });

  test('the PMP forbids what was hot, and permits it again', () => {
    // ECALL takes away X of the frame; the access fault gives it back.
    const handler = `.align 4
      handler: csrrs t2, mcause, x0
      addi t3, x0, 9
      beq t2, t3, deny
      addi s6, s6, 1
      csrrw x0, pmpcfg0, s3
      mret
      deny: csrrw x0, pmpcfg0, s2
      csrrs t2, mepc, x0
      addi t2, t2, 4
      csrrw x0, mepc, t2
      mret`;
    agree({
      setUp: (machine) => {
        const tables = supervisorMode(machine, () =>
          alternating(`li s2, ${0x1f1b}\n li s3, ${0x1f1f}`, 'addi x0, x0, 0', 'ecall', '').replace(
            'handler: j handler',
            handler,
          ),
        );
        tables.map(CODE_VA, frame(0), KERNEL);
        placeCode(machine, CODE_VA, adding(5), [frame(0)]);
        const { state, mmu } = machine.hart;
        state.pmpaddr.set([frame(0) / 4 + 0x1ff, 0xffff_ffff]);
        state.pmpcfg.set([0x1f, 0x1f]);
        mmu.pmpChanged();
      },
      total: TOTAL,
      verify: (machine) => {
        verifyTurns(5, 5)(machine);
        expect(Math.abs(x(machine, S6) - x(machine, S4) / 2)).toBeLessThanOrEqual(1);
      },
    });
  });
});
