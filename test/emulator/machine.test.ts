/** What MachineOptions choose at reset. The ISA and who sets A and D: isa/choice.test.ts, bareMetal/paging.test.ts. */
import { describe, expect, test } from 'vitest';
import { Cause } from '../../emulator/index.ts';
import { Bare, PATHS } from './bareMetal/bare.ts';

/** Enters U mode with the PMP as reset left it. */
const PROGRAM = `
  la    t0, handler
  csrrw x0, mtvec, t0
  la    t0, user
  csrrw x0, mepc, t0
  csrrs a0, pmpcfg0, x0
  csrrs a1, pmpaddr0, x0
  mret
  user: ecall
  .align 4
  handler: j handler`;

describe.each(PATHS)('the PMP at reset (%s)', (path) => {
  test('off: S and U may access nothing, as the specification has it', () => {
    const bare = new Bare(path, PROGRAM);
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.InstructionAccessFault, bare.address('user'), bare.address('user')]);
    expect([bare.x(10), bare.x(11)]).toEqual([0, 0]);
  });

  test('open: entry 0 permits all of it, as in Spike', () => {
    const bare = new Bare(path, PROGRAM, { pmpAtReset: 'open' });
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.EcallFromU, bare.address('user'), 0]);
    expect([bare.x(10), bare.x(11)]).toEqual([0x1f, 0xffff_ffff]);
  });
});

describe.each(PATHS)('shared memory (%s)', (path) => {
  const SUM = `
    addi  a0, x0, 100
    auipc a1, 1
    loop: sw a0, 0(a1)
    lw    a2, 0(a1)
    add   a3, a3, a2
    addi  a0, a0, -1
    bne   a0, x0, loop
    end: j end`;

  test('others see what the machine writes, and nothing else is different', () => {
    const [shared, own] = [{ sharedMemory: true }, {}].map((options) => new Bare(path, SUM, options)) as [
      Bare,
      Bare,
    ];
    for (const bare of [shared, own]) {
      bare.runTo('end');
      expect(bare.x(13)).toBe(5050);
    }
    expect(shared.hart.retired).toBe(own.hart.retired);
    expect(shared.machine.memory.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(own.machine.memory.buffer).toBeInstanceOf(ArrayBuffer);
  });
});
