/** Superpages under hot code, data that moves under hot loops, MPRV, and interrupts in the midst of regions. */
import { describe, expect, test } from 'vitest';
import { RAM_BASE } from '../../../emulator/index.ts';
import { Privilege } from '../../../emulator/priv/state.ts';
import { V } from '../paging.ts';
import { agree, CODE_VA, frame, KERNEL, leaf, machineMode, placeCode, supervisorMode } from './agree.ts';
import { adding, alternating, S4, S6, TOTAL, verifyTurns, x } from './rounds.ts';

describe('superpages', () => {
  const MEGA_VA = 0x5000_0000;

  test.each([
    ['an address in the page that differs', MEGA_VA + 0x2000],
    ['another address of the same 4 MiB', MEGA_VA + 0x30_0000],
  ])('code in a megapage, which is split with another page in its place: fence for %s', (_name, fenced) => {
    const start = MEGA_VA + 0x2000;
    const table = RAM_BASE + 0xd0_0000;
    agree({
      setUp: (machine) => {
        const tables = supervisorMode(machine, ({ root }) =>
          alternating(
            `li s8, ${fenced}
             li s1, ${root + (MEGA_VA >>> 22) * 4}
             li s2, ${leaf(frame(0))}
             li s3, ${leaf(table, V)}`,
            'sw s2, 0(s1)',
            'sw s3, 0(s1)',
            fenced === start ? 'sfence.vma s8, x0' : 'sfence.vma x0, x0\n sfence.vma s8, x0',
            start,
          ),
        );
        for (let n = 0; n < 1024; n++) machine.ram.write32(table + 4 * n, leaf(frame(n === 2 ? 3 : n)));
        tables.mapMegapage(MEGA_VA, frame(0), KERNEL);
        placeCode(machine, start, adding(1), [frame(2)]);
        placeCode(machine, start, adding(1000), [frame(3)]);
      },
      total: TOTAL,
      verify: verifyTurns(1, 1000),
    });
  });

  test('one frame executed in a megapage and by a page of its own', () => {
    agree({
      setUp: (machine) => {
        const tables = supervisorMode(machine, () =>
          alternating(
            `li s1, ${CODE_VA}\n li s2, ${MEGA_VA + 0x2000}`,
            'addi s0, s1, 0',
            'addi s0, s2, 0',
            '',
          ),
        );
        tables.map(CODE_VA, frame(2), KERNEL);
        tables.mapMegapage(MEGA_VA, frame(0), KERNEL);
        placeCode(machine, CODE_VA, adding(9), [frame(2)]);
      },
      total: TOTAL,
      verify: verifyTurns(9, 9),
    });
  });

  test('a loop over the border of two megapages', () => {
    const start = MEGA_VA + 0x40_0000 - 16;
    agree({
      setUp: (machine) => {
        const tables = supervisorMode(machine, () => alternating('', '', '', '', start));
        tables.mapMegapage(MEGA_VA, RAM_BASE + 0x80_0000, KERNEL);
        tables.mapMegapage(MEGA_VA + 0x40_0000, frame(0), KERNEL);
        const code = `
          addi t1, x0, 6
          loop: add a1, a1, s4
          xor a2, a2, a1
          addi t1, t1, -1
          addi a3, a3, 1
          bne t1, x0, loop
          addi a0, a0, 4
          jalr x0, 0(ra)`;
        placeCode(machine, start, code, [RAM_BASE + 0xbf_f000, frame(0)]);
      },
      total: TOTAL,
      verify: verifyTurns(4, 4),
    });
  });
});

describe('data in hot loops', () => {
  const DATA_VA = 0x4400_0000;
  const A1 = 11;
  const A3 = 13;
  /** Six loads and stores of the word at s0, which goes into `sum`. */
  const six = (label: string, sum: string): string => `
    addi t1, x0, 6
    ${label}: lw t2, 0(s0)
    add ${sum}, ${sum}, t2
    sw s4, 8(s0)
    addi t1, t1, -1
    bne t1, x0, ${label}`;

  test.each(['sfence.vma x0, x0', 'sfence.vma s0, x0'])('in two frames in turn, by %s', (fence) => {
    agree({
      setUp: (machine) => {
        const tables = supervisorMode(
          machine,
          (t) => `
            li s0, ${DATA_VA}
            li s1, ${t.entry(DATA_VA)}
            li s2, ${leaf(frame(10))}
            li s3, ${leaf(frame(11))}
            again: addi s4, s4, 1
            sw s2, 0(s1)
            ${fence}
            ${six('first', 'a1')}
            sw s3, 0(s1)
            ${fence}
            ${six('second', 'a3')}
            j again
            handler: j handler`,
        );
        tables.map(DATA_VA, frame(10), KERNEL);
        machine.ram.write32(frame(10), 1);
        machine.ram.write32(frame(11), 1000);
      },
      total: TOTAL,
      verify: (machine) => {
        const rounds = x(machine, S4);
        expect(rounds).toBeGreaterThan(40);
        expect([rounds, rounds - 1]).toContain(Math.ceil(x(machine, A1) / 6));
        expect([rounds, rounds - 1]).toContain(Math.ceil(x(machine, A3) / 6000));
        expect([rounds, rounds - 1]).toContain(machine.ram.read32(frame(11) + 8));
      },
    });
  });

  test('through MPRV and without, in M mode', () => {
    // Under MPRV the address belongs to a megapage that is mapped elsewhere.
    const va = RAM_BASE + 0x80_a000;
    agree({
      setUp: (machine) => {
        const tables = supervisorMode(
          machine,
          () => `
            li s0, ${va}
            li s1, ${1 << 17}
            again: addi s4, s4, 1
            csrrs x0, mstatus, s1
            ${six('first', 'a1')}
            csrrc x0, mstatus, s1
            ${six('second', 'a3')}
            j again
            handler: j handler`,
        );
        tables.mapMegapage(RAM_BASE + 0x80_0000, frame(0), KERNEL);
        machine.ram.write32(frame(10), 1);
        machine.ram.write32(va, 1000);
        machine.hart.privilege = Privilege.M;
        machine.hart.state.mstatus |= Privilege.S << 11;
      },
      total: TOTAL,
      verify: (machine) => {
        const rounds = x(machine, S4);
        expect([rounds, rounds - 1]).toContain(Math.ceil(x(machine, A1) / 6));
        expect([rounds, rounds - 1]).toContain(Math.ceil(x(machine, A3) / 6000));
      },
    });
  });
});

test('timer interrupts come at the same instruction in hot code, whatever the tier and the slices', () => {
  // The handler asks for the next one 3 ticks later (300 instructions) and hashes where it came.
  const source = `
    la t0, handler
    csrrw x0, mtvec, t0
    li s0, 0x2004000
    li s1, 0x200bff8
    lw t0, 0(s1)
    addi t0, t0, 3
    sw t0, 0(s0)
    sw x0, 4(s0)
    li t0, 128
    csrrw x0, mie, t0
    csrrsi x0, mstatus, 8
    again: addi a0, a0, 1
    jal ra, f
    add a1, a1, a0
    bne a0, x0, again
    f: addi a2, x0, 5
    g: xor a3, a3, a1
    mul a4, a3, a2
    addi a2, a2, -1
    bne a2, x0, g
    jalr x0, 0(ra)
    .align 4
    handler: csrrs t2, mepc, x0
    slli t3, s5, 5
    sub s5, t3, s5
    add s5, s5, t2
    addi s6, s6, 1
    lw t2, 0(s1)
    addi t2, t2, 3
    sw t2, 0(s0)
    mret`;
  agree({
    setUp: (machine) => void machineMode(machine, source),
    total: 30_000,
    verify: (machine) => expect(x(machine, S6)).toBeGreaterThan(60),
  });
});
