import { describe, expect, test } from 'vitest';
import { CLINT_BASE } from '../../../emulator/devices/clint.ts';
import { PLIC_BASE } from '../../../emulator/devices/plic.ts';
import { UART_SOURCE } from '../../../emulator/devices/platform.ts';
import { UART_BASE } from '../../../emulator/devices/uart.ts';
import { INTERRUPT_BIT, Interrupt } from '../../../emulator/priv/cause.ts';
import { Mstatus, Privilege } from '../../../emulator/priv/state.ts';
import { Bare, PATHS } from './bare.ts';

const MTIMECMP = CLINT_BASE + 0x4000;
const TICK = 100;

/** mtimecmp = ticks; mie.MTIE; mstatus.MIE. */
const timerAt = (ticks: number): string => `
  la    t0, handler
  csrrw x0, mtvec, t0
  li    t0, ${MTIMECMP}
  li    t1, ${ticks}
  sw    t1, 0(t0)
  sw    x0, 4(t0)
  li    t1, ${1 << Interrupt.MachineTimer}
  csrrw x0, mie, t1
  csrrsi x0, mstatus, ${Mstatus.MIE}
`;

describe.each(PATHS)('the timer (%s)', (path) => {
  const loop = `${timerAt(3)}
    loop: addi s0, s0, 1
    j loop
    .align 4
    handler: csrrs a0, instret, x0
    csrrs a1, time, x0
    done: j done`;

  test('interrupts exactly when mtime reaches mtimecmp; mepc is the next instruction', () => {
    const bare = new Bare(path, loop);
    bare.runTo('handler');
    expect(bare.hart.retired).toBe(3 * TICK);
    expect(bare.mtrap[0]).toBe(INTERRUPT_BIT + Interrupt.MachineTimer);
    expect(bare.mtrap[2]).toBe(0);
    const before = bare.address('loop') - 0x8000_0000;
    const retiredInLoop = 3 * TICK - before / 4;
    expect(bare.mtrap[1]).toBe(bare.address('loop') + (retiredInLoop % 2) * 4);
    expect(bare.x(8)).toBe(Math.ceil(retiredInLoop / 2));
    bare.runTo('done');
    expect([bare.x(10), bare.x(11)]).toEqual([300, 3]);
  });

  test.each([1, 7, 97, 1000])('in budgets of %d it arrives at the same instruction', (budget) => {
    const bare = new Bare(path, loop);
    while (bare.hart.retired < 1000) bare.hart.run(Math.min(budget, 1000 - bare.hart.retired));
    const whole = new Bare(path, loop);
    whole.hart.run(1000);
    expect(bare.hart.retired).toBe(1000);
    expect([bare.mtrap, bare.hart.x, bare.hart.pc]).toEqual([whole.mtrap, whole.hart.x, whole.hart.pc]);
  });

  test('stays pending until mtimecmp moves on; a periodic handler counts the periods', () => {
    const bare = new Bare(
      path,
      `${timerAt(2)}
      loop: addi s0, s0, 1
      j loop
      .align 4
      handler: addi s1, s1, 1
      li   t0, ${MTIMECMP}
      lw   t1, 0(t0)
      addi t1, t1, 2
      sw   t1, 0(t0)
      mret`,
    );
    bare.hart.run(2000 - 1);
    expect(bare.x(9)).toBe(9);
    bare.hart.run(2);
    expect(bare.x(9)).toBe(10);
  });

  test('is not taken in M mode while MIE is clear, and at once when it is set', () => {
    const bare = new Bare(
      path,
      `${timerAt(0).replace('csrrsi x0, mstatus', 'csrrci x0, mstatus')}
      csrrs a0, mip, x0
      csrrsi x0, mstatus, ${Mstatus.MIE}
      next: addi s0, s0, 1
      .align 4
      handler: j handler`,
    );
    bare.runTo('handler');
    expect(bare.x(10)).toBe(1 << Interrupt.MachineTimer);
    expect([bare.mtrap[1], bare.x(8)]).toEqual([bare.address('next'), 0]);
  });

  test('vectored: an interrupt goes to BASE + 4 x cause, an exception to BASE', () => {
    const bare = new Bare(
      path,
      `${timerAt(1).replace('la    t0, handler', 'la t0, table\n addi t0, t0, 1')}
      loop: j loop
      .align 64
      table: j table
      .word 0
      .word 0
      j soft
      .word 0
      .word 0
      .word 0
      timer: ecall
      soft: j soft`,
    );
    bare.runTo('timer');
    expect(bare.hart.retired).toBe(TICK);
    bare.runTo('table');
    expect(bare.mtrap[0]).toBe(11);
  });
});

describe.each(PATHS)('wfi (%s)', (path) => {
  test('lets time pass to the timer; the interrupt returns behind it', () => {
    const bare = new Bare(
      path,
      `${timerAt(1000)}
      wfi
      after: j after
      .align 4
      handler: csrrs a1, time, x0
      j handler`,
    );
    bare.runTo('handler');
    expect(bare.mtrap[1]).toBe(bare.address('after'));
    expect(bare.hart.retired).toBeLessThan(20);
    bare.hart.run(1);
    expect(bare.x(11)).toBe(1000);
  });

  test('goes on behind it when the interrupt is enabled in mie but not in mstatus', () => {
    const bare = new Bare(
      path,
      `${timerAt(50)}
      csrrci x0, mstatus, ${Mstatus.MIE}
      wfi
      after: csrrs a1, time, x0
      done: j done
      handler: j handler`,
    );
    bare.runTo('done');
    expect(bare.x(11)).toBe(50);
  });

  test('with nothing to wait for, the host is told; a received byte wakes the hart', () => {
    const bare = new Bare(
      path,
      `
      li    t0, ${PLIC_BASE + 4 * UART_SOURCE}
      li    t1, 1
      sw    t1, 0(t0)
      li    t0, ${PLIC_BASE + 0x2000}
      li    t1, ${1 << UART_SOURCE}
      sw    t1, 0(t0)
      li    t0, ${UART_BASE}
      li    t1, 1
      sb    t1, 1(t0)
      li    t1, ${1 << Interrupt.MachineExternal}
      csrrw x0, mie, t1
      wfi
      after: lbu a0, 0(t0)
      done: j done`,
    );
    expect(bare.hart.run(1000)).toEqual({ kind: 'wfi' });
    expect(bare.hart.run(1000)).toEqual({ kind: 'wfi' });
    const { retired } = bare.hart;
    bare.machine.platform.uart.receive([0x41]);
    bare.runTo('done');
    expect([bare.x(10), bare.hart.retired]).toEqual([0x41, retired + 1]);
  });
});

describe.each(PATHS)('software and external interrupts (%s)', (path) => {
  test('a store to msip interrupts before the next instruction', () => {
    const bare = new Bare(
      path,
      `
      la    t0, handler
      csrrw x0, mtvec, t0
      csrrwi x0, mie, ${1 << Interrupt.MachineSoftware}
      csrrsi x0, mstatus, ${Mstatus.MIE}
      li    t0, ${CLINT_BASE}
      addi  t1, x0, 1
      sw    t1, 0(t0)
      next: addi s0, s0, 1
      done: j done
      .align 4
      handler: sw x0, 0(t0)
      csrrs a0, mip, x0
      mret`,
    );
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([INTERRUPT_BIT + Interrupt.MachineSoftware, bare.address('next'), 0]);
    bare.runTo('done');
    expect([bare.x(10), bare.x(8)]).toEqual([0, 1]);
  });

  test('UART input through the PLIC to S mode: claim, read, complete', () => {
    const bare = new Bare(
      path,
      `
      la    t0, shandler
      csrrw x0, stvec, t0
      li    t0, -1
      csrrw x0, pmpaddr0, t0
      li    t0, 0x1f
      csrrw x0, pmpcfg0, t0
      li    t0, ${1 << Interrupt.SupervisorExternal}
      csrrw x0, mideleg, t0
      csrrw x0, mie, t0
      li    t0, ${PLIC_BASE + 4 * UART_SOURCE}
      li    t1, 1
      sw    t1, 0(t0)
      li    t0, ${PLIC_BASE + 0x2080}
      li    t1, ${1 << UART_SOURCE}
      sw    t1, 0(t0)
      li    s0, ${UART_BASE}
      li    t1, 1
      sb    t1, 1(s0)
      li    t0, ${(Privilege.S << 11) | Mstatus.SPIE}
      csrrw x0, mstatus, t0
      csrrsi x0, mstatus, ${Mstatus.SIE}
      la    t0, idle
      csrrw x0, mepc, t0
      mret
      idle: addi s1, s1, 1
      j idle
      .align 4
      shandler: li t0, ${PLIC_BASE + 0x20_1004}
      lw    a0, 0(t0)
      csrrs a1, sip, x0
      lbu   a2, 0(s0)
      sb    a2, 0(s0)
      sw    a0, 0(t0)
      csrrs a3, sip, x0
      back: sret`,
    );
    const sent: number[] = [];
    bare.machine.platform.uart.output = (byte) => sent.push(byte);
    bare.hart.run(200);
    expect(bare.x(9)).toBeGreaterThan(50);
    bare.machine.platform.uart.receive([0x68, 0x69]);
    bare.hart.run(0);
    bare.runTo('shandler');
    expect(bare.strap[0]).toBe(INTERRUPT_BIT + Interrupt.SupervisorExternal);
    bare.runTo('back');
    expect([bare.x(10), bare.x(11), bare.x(12)]).toEqual([UART_SOURCE, 0, 0x68]);
    expect(bare.x(13)).toBe(1 << Interrupt.SupervisorExternal); // the second byte
    bare.hart.run(100);
    expect(sent).toEqual([0x68, 0x69]);
    expect(bare.x(13)).toBe(0);
  });

  test('M mode raises STIP for S mode, as firmware forwards the timer; S cannot clear it', () => {
    const bare = new Bare(
      path,
      `
      la    t0, shandler
      csrrw x0, stvec, t0
      li    t0, -1
      csrrw x0, pmpaddr0, t0
      li    t0, 0x1f
      csrrw x0, pmpcfg0, t0
      li    t0, ${1 << Interrupt.SupervisorTimer}
      csrrw x0, mideleg, t0
      csrrw x0, mie, t0
      csrrs x0, mip, t0
      la    t1, user
      csrrw x0, mepc, t1
      mret
      user: addi s0, s0, 1
      .align 4
      shandler: csrrc x0, sip, t0
      csrrs a0, sip, x0
      done: j done`,
    );
    bare.runTo('done');
    expect(bare.strap).toEqual([INTERRUPT_BIT + Interrupt.SupervisorTimer, bare.address('user'), 0]);
    expect([bare.x(10), bare.x(8)]).toEqual([1 << Interrupt.SupervisorTimer, 0]);
  });
});

describe.each(PATHS)('counters (%s)', (path) => {
  test('instret counts what retires between two reads; mcountinhibit stops it', () => {
    const bare = new Bare(
      path,
      `
      csrrs a0, instret, x0
      addi  x0, x0, 0
      addi  x0, x0, 0
      csrrs a1, instret, x0
      csrrwi x0, mcountinhibit, 4
      csrrs a2, minstret, x0
      addi  x0, x0, 0
      csrrs a3, minstret, x0
      csrrs a4, cycle, x0
      csrrwi x0, minstret, 9
      csrrwi x0, mcountinhibit, 0
      csrrs a5, minstret, x0
      csrrs a6, minstret, x0
      done: j done`,
    );
    bare.runTo('done');
    expect([10, 11, 12, 13, 14, 15, 16].map((r) => bare.x(r))).toEqual([0, 3, 5, 5, 8, 9, 10]);
  });

  test('an instruction that traps is not counted', () => {
    const bare = new Bare(
      path,
      `
      la    t0, handler
      csrrw x0, mtvec, t0
      csrrs a0, instret, x0
      ecall
      .align 4
      handler: csrrs a1, instret, x0
      done: j done`,
    );
    bare.runTo('done');
    expect(bare.x(11) - bare.x(10)).toBe(1);
  });
});
