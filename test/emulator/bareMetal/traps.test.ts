import { describe, expect, test } from 'vitest';
import { Cause, RAM_BASE } from '../../../emulator/index.ts';
import { Mstatus, Privilege } from '../../../emulator/priv/state.ts';
import { Bare, PATHS } from './bare.ts';

const { U, S, M } = Privilege;

/** Sets mtvec and opens the PMP to lower privileges. */
const START = `
  la    t0, handler
  csrrw x0, mtvec, t0
  li    t0, -1
  csrrw x0, pmpaddr0, t0
  li    t0, 0x1f
  csrrw x0, pmpcfg0, t0
`;

/** Goes on at `label` in a lower privilege. */
const enter = (privilege: number, label: string): string => `
  li    t0, ${Mstatus.MPP}
  csrrc x0, mstatus, t0
  li    t0, ${privilege << 11}
  csrrs x0, mstatus, t0
  la    t0, ${label}
  csrrw x0, mepc, t0
  mret
`;

describe.each(PATHS)('traps into M mode (%s)', (path) => {
  test.each([
    [M, Cause.EcallFromM],
    [S, Cause.EcallFromS],
    [U, Cause.EcallFromU],
  ])('ecall from privilege %d has cause %d, tval 0, and comes back by mret', (privilege, cause) => {
    const bare = new Bare(
      path,
      `${START} ${enter(privilege, 'user')}
      user:    ecall
      after:   addi a0, x0, 7
      done:    j done
      .align 4
      handler: csrrs t1, mepc, x0
               addi  t1, t1, 4
               csrrw x0, mepc, t1
      back:    mret`,
    );
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([cause, bare.address('user'), 0]);
    expect(bare.hart.state.mstatus & Mstatus.MPP).toBe(privilege << 11);
    bare.runTo('done');
    expect([bare.x(10), bare.hart.privilege]).toEqual([7, privilege]);
  });

  test.each([
    ['an undefined encoding', '.word 0xffffffff', 0xffff_ffff],
    ['all zeros', 'c.addi4spn a0, sp, 0', 0x0008],
    ['a CSR that does not exist', 'csrrw a0, 0x7c0, a1', 0x7c05_9573],
    ['a write to a read-only CSR', 'csrrw a0, mhartid, a1', 0xf145_9573],
    ['a reserved rounding mode', '.word 0x00b55553', 0x00b5_5553],
  ])('illegal instruction, %s: tval is the encoding', (_what, instruction, encoding) => {
    const bare = new Bare(
      path,
      `${START}
      li    t0, ${Mstatus.FS}
      csrrs x0, mstatus, t0
      bad:  ${instruction}
      .align 4
      handler: j handler`,
    );
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.IllegalInstruction, bare.address('bad'), encoding]);
  });

  test.each([
    ['mret', S, 0x3020_0073],
    ['mret', U, 0x3020_0073],
    ['sret', U, 0x1020_0073],
    ['wfi', U, 0x1050_0073],
    ['sfence.vma x0, x0', U, 0x1200_0073],
    ['csrrs a0, mstatus, x0', S, 0x3000_2573],
    ['csrrs a0, sstatus, x0', U, 0x1000_2573],
    ['csrrs a0, cycle, x0', S, 0xc000_2573],
  ])('%s is illegal in privilege %d', (instruction, privilege, encoding) => {
    const bare = new Bare(
      path,
      `${START} ${enter(privilege, 'low')}
      low:  ${instruction}
      .align 4
      handler: j handler`,
    );
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.IllegalInstruction, bare.address('low'), encoding]);
  });

  test.each([
    ['sret', Mstatus.TSR],
    ['wfi', Mstatus.TW],
    ['sfence.vma x0, x0', Mstatus.TVM],
    ['csrrw x0, satp, x0', Mstatus.TVM],
  ])('%s in S mode is illegal under mstatus bit %d, and legal without', (instruction, bit) => {
    const source = (set: number): string => `${START}
      li    t0, ${set}
      csrrs x0, mstatus, t0
      la    t0, done
      csrrw x0, sepc, t0
      csrrwi x0, mideleg, 2
      csrrwi x0, mie, 2           # a supervisor interrupt that is pending and not taken: wfi ends at once
      csrrwi x0, mip, 2
      ${enter(S, 'low')}
      low:  ${instruction}
      done: j done
      .align 4
      handler: j handler`;
    const trapped = new Bare(path, source(bit));
    trapped.runTo('handler');
    expect(trapped.mtrap.slice(0, 2)).toEqual([Cause.IllegalInstruction, trapped.address('low')]);
    const legal = new Bare(path, source(0));
    legal.hart.state.mstatus |= Mstatus.SPP; // sret stays in S, where SIE is clear
    expect(legal.runTo('done').kind).toBe('breakpoint');
  });

  test('ebreak and c.ebreak: tval is the pc', () => {
    for (const instruction of ['ebreak', 'c.ebreak']) {
      const bare = new Bare(
        path,
        `${START}
        here: ${instruction}
        .align 4
        handler: j handler`,
      );
      bare.runTo('handler');
      expect(bare.mtrap).toEqual([Cause.Breakpoint, bare.address('here'), bare.address('here')]);
    }
  });

  test.each([
    ['lw a0, 3(a1)', Cause.LoadAccessFault, 0x4000_0003],
    ['sb a0, -1(a1)', Cause.StoreAccessFault, 0x3fff_ffff],
    ['lr.w a0, (a1)', Cause.LoadAccessFault, 0x4000_0000],
    ['sc.w a0, a0, (a1)', Cause.StoreAccessFault, 0x4000_0000],
    ['amoadd.w a0, a0, (a1)', Cause.StoreAccessFault, 0x4000_0000],
    ['fld f0, 8(a1)', Cause.LoadAccessFault, 0x4000_0008],
  ])('%s where no memory is: cause %d, tval 0x%s', (instruction, cause, tval) => {
    const bare = new Bare(
      path,
      `${START}
      li    t0, ${Mstatus.FS}
      csrrs x0, mstatus, t0
      li    a0, 99
      li    a1, 0x40000000
      here: ${instruction}
      .align 4
      handler: j handler`,
    );
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([cause, bare.address('here'), tval]);
    expect(bare.x(10)).toBe(99);
  });

  test('a jump to where no memory is faults there; the jump has retired', () => {
    const bare = new Bare(
      path,
      `${START}
      li    a1, 0x40000002
      jalr  ra, 0(a1)
      next: .align 4
      handler: j handler`,
    );
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.InstructionAccessFault, 0x4000_0002, 0x4000_0002]);
    expect(bare.x(1)).toBe(bare.address('next'));
  });

  test('misaligned accesses trap when the machine says so, and atomics always', () => {
    const fault = (instruction: string, misaligned: 'hardware' | 'trap'): number[] => {
      const bare = new Bare(
        path,
        `${START}
        li    a1, ${RAM_BASE + 0x1001}
        here: ${instruction}
        ebreak
        .align 4
        handler: j handler`,
        { misaligned },
      );
      bare.runTo('handler');
      return bare.mtrap.filter((_, i) => i !== 1);
    };
    expect(fault('lw a0, 0(a1)', 'trap')).toEqual([Cause.LoadAddressMisaligned, 0x8000_1001]);
    expect(fault('sh a0, 2(a1)', 'trap')).toEqual([Cause.StoreAddressMisaligned, 0x8000_1003]);
    expect(fault('lw a0, 0(a1)', 'hardware')[0]).toBe(Cause.Breakpoint);
    expect(fault('lr.w a0, (a1)', 'hardware')).toEqual([Cause.LoadAddressMisaligned, 0x8000_1001]);
    expect(fault('amoor.w a0, a0, (a1)', 'hardware')).toEqual([Cause.StoreAddressMisaligned, 0x8000_1001]);
  });

  test('a handler whose first instruction traps stops the run instead of hanging it', () => {
    const bare = new Bare(
      path,
      `
      li    t0, 0x40000000
      csrrw x0, mtvec, t0
      ecall`,
    );
    expect(bare.hart.run(100)).toEqual({
      kind: 'trap',
      cause: Cause.InstructionAccessFault,
      tval: 0x4000_0000,
      pc: 0x4000_0000,
    });
    expect(bare.hart.retired).toBe(3);
  });
});

describe.each(PATHS)('delegation (%s)', (path) => {
  const source = `${START}
    la    t0, shandler
    csrrw x0, stvec, t0
    li    t0, ${1 << Cause.EcallFromU}
    csrrw x0, medeleg, t0
    ${enter(S, 'supervisor')}
    supervisor:
    li    t0, ${Mstatus.SPP}
    csrrc x0, sstatus, t0
    li    t0, ${Mstatus.SIE}
    csrrs x0, sstatus, t0
    la    t0, user
    csrrw x0, sepc, t0
    back: sret
    user: ecall
    resumed: ebreak
    .align 4
    shandler: csrrs t1, sepc, x0
    addi  t1, t1, 4
    csrrw x0, sepc, t1
    sret
    .align 4
    handler: j handler`;

  test('a delegated ecall from U enters S at stvec and returns by sret', () => {
    const bare = new Bare(path, source);
    bare.runTo('shandler');
    expect(bare.strap).toEqual([Cause.EcallFromU, bare.address('user'), 0]);
    expect(bare.hart.privilege).toBe(S);
    // sret to U had set SIE from SPIE = 0 and SPIE = 1; the trap moved SIE into SPIE.
    expect(bare.hart.state.mstatus & (Mstatus.SIE | Mstatus.SPIE | Mstatus.SPP)).toBe(0);
    bare.runTo('resumed');
    expect(bare.hart.privilege).toBe(U);
  });

  test('what is not delegated goes on to M', () => {
    const bare = new Bare(path, source);
    bare.runTo('handler');
    expect(bare.mtrap).toEqual([Cause.Breakpoint, bare.address('resumed'), bare.address('resumed')]);
    expect(bare.hart.state.mstatus & Mstatus.MPP).toBe(0);
  });

  test('an S-mode handler whose first instruction traps into itself stops the run', () => {
    const bare = new Bare(
      path,
      `${START}
      li    t0, 0x40000000
      csrrw x0, stvec, t0
      li    t0, 0xffff
      csrrw x0, medeleg, t0
      ${enter(U, 'user')}
      user: ecall
      handler: j handler`,
    );
    expect(bare.hart.run(1000)).toMatchObject({
      kind: 'trap',
      cause: Cause.InstructionAccessFault,
      pc: 0x4000_0000,
    });
  });
});

describe.each(PATHS)('floating-point state (%s)', (path) => {
  test.each([
    ['fadd.s f0, f1, f2'],
    ['flw f0, 0(sp)'],
    ['c.fldsp f0, 0(sp)'],
    ['fsw f0, 0(sp)'],
    ['csrrs a0, fflags, x0'],
  ])('%s is illegal while FS is off', (instruction) => {
    const bare = new Bare(
      path,
      `${START}
      la   sp, handler
      bad: ${instruction}
      .align 4
      handler: j handler`,
    );
    bare.hart.fp.setFs(0);
    bare.runTo('handler');
    expect(bare.mtrap.slice(0, 2)).toEqual([Cause.IllegalInstruction, bare.address('bad')]);
    expect(bare.mtrap[2]).toBe(
      instruction.startsWith('c.')
        ? bare.machine.ram.read16(bare.address('bad'))
        : bare.machine.ram.read32(bare.address('bad')),
    );
  });

  test.each([
    ['fadd.s f0, f1, f2', 3],
    ['flw f0, 0(sp)', 3],
    ['fcvt.w.s a0, f1, rne', 3],
    ['csrrwi x0, frm, 1', 3],
    ['fsw f0, 0(sp)', 1],
    ['csrrs a0, frm, x0', 1],
  ])('%s leaves FS at %d when it was initial', (instruction, fs) => {
    const bare = new Bare(
      path,
      `${START}
      la    sp, data
      li    t0, ${1 << 13}
      csrrs x0, mstatus, t0
      ${instruction}
      done: j done
      handler: j handler
      data: .word 0`,
    );
    bare.runTo('done');
    expect(bare.hart.fp.getFs()).toBe(fs);
  });
});
