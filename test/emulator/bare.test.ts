/** Bare-metal images: loading, HTIF, signatures, commit lines, and how a run ends. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BareMachine,
  commitLine,
  isElfProblem,
  Machine,
  RAM_BASE,
  signatureText,
} from '../../emulator/index.ts';
import type { BareOptions, BareStop } from '../../emulator/index.ts';
import { elf, type FixtureOptions } from '../kernel-ts/process/elfFixture.ts';
import { assembleText } from './bareMetal/assembler.ts';

const TOHOST = RAM_BASE + 0x1000;
const FROMHOST = TOHOST + 64;
const DATA = RAM_BASE + 0x2000;

/** An image of that code at RAM_BASE, with a page for tohost and one for data. */
function image(source: string, options: FixtureOptions = {}): Uint8Array {
  const { bytes } = assembleText(RAM_BASE, source);
  return elf({
    segments: [
      { vaddr: RAM_BASE, bytes },
      { vaddr: TOHOST, bytes: new Uint8Array(128), flags: 6 },
      { vaddr: DATA, bytes: Uint8Array.from({ length: 32 }, (_unused, i) => i), memsz: 64, flags: 6 },
    ],
    symbols: [
      { name: 'tohost', value: TOHOST, type: 1 },
      { name: 'fromhost', value: FROMHOST, type: 1 },
    ],
    ...options,
  });
}

function load(bytes: Uint8Array, options: BareOptions = {}): BareMachine {
  const bare = BareMachine.load(bytes, { ramBytes: 16 << 20, ...options });
  if (isElfProblem(bare)) throw new Error(bare.problem);
  return bare;
}

/** What an image prints and how it ends. */
function run(
  source: string,
  options: FixtureOptions = {},
): { printed: string; stop: BareStop; retired: number; bare: BareMachine } {
  let printed = '';
  const bare = load(image(source, options), { output: (byte) => (printed += String.fromCharCode(byte)) });
  const stop = bare.run(100_000);
  return { printed, stop, retired: bare.machine.hart.retired, bare };
}

function problem(bytes: Uint8Array): string {
  const result = BareMachine.load(bytes, { ramBytes: 16 << 20 });
  return isElfProblem(result) ? result.problem : 'accepted';
}

const EXIT = (code: number): string => `
  la t0, ${String(TOHOST)}
  li t1, ${String(code * 2 + 1)}
  sw t1, 0(t0)
  sw x0, 4(t0)
  stop: j stop
`;

describe('loading', () => {
  test('begins at the entry in M mode, with a0 and a1 zero and the rest of a segment cleared', () => {
    const bare = load(image('addi a0, a0, 1', { entry: RAM_BASE }));
    const { hart, ram } = bare.machine;
    expect([hart.pc, hart.privilege, hart.x[10], hart.x[11]]).toEqual([RAM_BASE, 3, 0, 0]);
    expect(ram.read32(DATA)).toBe(0x03020100);
    expect(ram.read32(DATA + 32)).toBe(0);
  });

  test('loads by physical address', () => {
    const bytes = image(EXIT(0), {
      patch: (view) => view.setUint32(52 + 2 * 32 + 8, 0xc000_0000, true), // vaddr of the third segment
    });
    expect(load(bytes).machine.ram.read32(DATA)).toBe(0x03020100);
  });

  test('leaves out the file’s headers in front of RAM', () => {
    const { bytes } = assembleText(RAM_BASE, EXIT(0));
    const headers = 0x1000;
    const text = new Uint8Array(headers + bytes.length);
    text.set(bytes, headers);
    const whole = elf({
      entry: RAM_BASE,
      segments: [{ vaddr: RAM_BASE - headers, bytes: text }],
      patch: (view) => view.setUint32(52 + 4, 0, true), // p_offset
    });
    const { ram } = load(whole).machine;
    expect(ram.readBytes(RAM_BASE, 4)).toEqual(whole.slice(headers, headers + 4));
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['no ELF file', new Uint8Array(64), /^not an ELF file$/],
    ['ELF64', elf({ patch: (v) => v.setUint8(4, 2) }), /ELF64/],
    [
      'below RAM',
      elf(),
      /^the segment 0x10000 to 0x10004 is not in RAM \(RAM is 0x80000000 to 0x81000000, see --ram\)$/,
    ],
    [
      'beyond RAM',
      elf({ segments: [{ vaddr: RAM_BASE, bytes: new Uint8Array(4), memsz: (16 << 20) + 1 }] }),
      /0x81000001 is not in RAM/,
    ],
    [
      'truncated',
      image('c.nop').subarray(0, 0x1000),
      /^truncated: segment at 0x80000000 needs file bytes up to 0x1002/,
    ],
    ['an entry elsewhere', image('c.nop', { entry: 0x1000 }), /^the entry point 0x1000 is not in RAM/],
    ['an odd entry', image('c.nop', { entry: RAM_BASE + 1 }), /odd address/],
    ['dynamic', image('c.nop', { interpreter: '/lib/ld.so' }), /^dynamically linked/],
    [
      'a tohost elsewhere',
      image('c.nop', { symbols: [{ name: 'tohost', value: 0x1000 }] }),
      /symbol tohost \(0x1000\)/,
    ],
  ])('%s is refused in one line', (_name, bytes, message) => {
    expect(problem(bytes)).toMatch(message);
  });

  test('no bytes make it throw', () => {
    const good = image(EXIT(0));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        problem(bytes);
      }),
    );
  });
});

describe('HTIF', () => {
  test.each([0, 1, 7, 1337])('exits with %i', (code) => {
    const { stop, retired } = run(EXIT(code));
    expect(stop).toEqual({ kind: 'exit', code });
    expect(retired).toBe(6); // la and li are two instructions each; the last is the second store
  });

  test('the count at the exit does not depend on budgets', () => {
    for (const budget of [1, 2, 3, 1000]) {
      const bare = load(image(EXIT(3)));
      let stop: BareStop;
      do stop = bare.run(budget);
      while (stop.kind === 'budget');
      expect([stop, bare.machine.hart.retired]).toEqual([{ kind: 'exit', code: 3 }, 6]);
    }
  });

  test.each([
    ['repeated', 'again: sw t1, 0(t0)\n j again'],
    ['followed by a loop', 'sw t1, 0(t0)\n again: j again'],
    ['followed by WFI', 'sw t1, 0(t0)\n again: wfi\n j again'],
    ['by an atomic', 'amoswap.w x0, t1, (t0)\n sw x0, 4(t0)\n again: j again'],
  ])('one store exits too: %s', (_name, end) => {
    const { stop } = run(`la t0, ${String(TOHOST)}\n li t1, 11\n ${end}`);
    expect(stop).toEqual({ kind: 'exit', code: 5 });
  });

  const COMMAND = 0x0101_0000;
  test.each([
    ['low half first', ['sw t1, 0(t0)', 'sw t2, 4(t0)']],
    ['high half first', ['sw t2, 4(t0)', 'sw t1, 0(t0)']],
    ['far apart', ['sw t1, 0(t0)', 'c.nop\n'.repeat(20), 'sw t2, 4(t0)']],
  ])('prints, %s', (_name, stores) => {
    const put = (c: string): string => `
      li t1, ${String(c.charCodeAt(0))}
      li t2, ${String(COMMAND)}
      ${stores.join('\n')}
      wait${String(c.charCodeAt(0))}: lw t3, 4(t0)
      bne t3, x0, wait${String(c.charCodeAt(0))}`;
    const { printed, stop } = run(
      `la t0, ${String(TOHOST)}\n ${put('A')} ${put('b')} ${put('\n')} ${EXIT(0)}`,
    );
    expect(printed).toBe('Ab\n');
    expect(stop).toEqual({ kind: 'exit', code: 0 });
  });

  test('serves the write call, and answers', () => {
    const call = `
      la t0, ${String(DATA)}
      li t1, 64
      sw t1, 0(t0)
      li t1, 1
      sw t1, 8(t0)
      la t1, ${String(DATA + 128)}
      sw t1, 16(t0)
      li t2, 0x0a6b6f
      sw t2, 0(t1)
      li t1, 3
      sw t1, 24(t0)
      la t1, ${String(TOHOST)}
      sw t0, 0(t1)
      sw x0, 4(t1)
      wait: lw t2, ${String(FROMHOST - TOHOST)}(t1)
      beq t2, x0, wait
      lw a0, 0(t0)`;
    const { printed, stop, bare } = run(call + EXIT(0));
    expect(printed).toBe('ok\n');
    expect(bare.machine.hart.x[10]).toBe(3);
    expect(stop.kind).toBe('exit');
  });

  test('stores beside tohost in its page are only stores', () => {
    const { stop, bare } = run(
      `la t0, ${String(TOHOST)}\n li t1, 3\n sw t1, 8(t0)\n sb t1, 16(t0)\n ${EXIT(0)}`,
    );
    expect(stop).toEqual({ kind: 'exit', code: 0 });
    expect([bare.machine.ram.read32(TOHOST + 8), bare.machine.ram.read32(TOHOST + 16)]).toEqual([3, 3]);
  });
});

describe('other ends', () => {
  test('a WFI that nothing can end', () => {
    const { stop } = run('wfi', { symbols: [] });
    expect(stop).toEqual({ kind: 'wfi', pc: RAM_BASE + 4 });
  });

  test('a trap handler that traps into itself', () => {
    const { stop } = run(`la t0, handler\n csrrw x0, mtvec, t0\n handler: ecall`);
    expect(stop).toMatchObject({ kind: 'trapLoop', cause: 11 });
  });

  test('the budget', () => {
    const { stop, retired } = run('stop: j stop');
    expect([stop, retired]).toEqual([{ kind: 'budget' }, 100_000]);
  });
});

describe('a signature', () => {
  const { ram } = new Machine({ ramBytes: 16 << 20 });
  ram.writeBytes(
    RAM_BASE,
    Uint8Array.from({ length: 20 }, (_unused, i) => 0xa0 + i),
  );

  test.each([
    [1, 4, 'a0\na1\na2\na3\n'],
    [2, 4, 'a1a0\na3a2\n'],
    [4, 8, 'a3a2a1a0\na7a6a5a4\n'],
    [8, 8, 'a7a6a5a4a3a2a1a0\n'],
    [16, 20, 'afaeadacabaaa9a8a7a6a5a4a3a2a1a0\n000000000000000000000000b3b2b1b0\n'],
  ])('in lines of %i bytes', (granularity, length, text) => {
    expect(signatureText(ram, RAM_BASE, RAM_BASE + length, granularity)).toBe(text);
  });

  test('of nothing is nothing', () => {
    expect(signatureText(ram, RAM_BASE, RAM_BASE, 4)).toBe('');
  });
});

describe('commit lines', () => {
  /** The lines of a program, without what they have in common. */
  function lines(source: string, count: number): string[] {
    const { machine } = load(image(source));
    const found: string[] = [];
    machine.hart.onRetire = (retired) => found.push(commitLine(machine.hart, machine.ram, retired));
    machine.hart.run(count);
    return found;
  }

  /** What the lines say behind the encoding. */
  const effects = (source: string, count: number): string[] =>
    lines(source, count).map((line) => line.slice(line.indexOf(')') + 1));

  test('as Spike writes them', () => {
    expect(
      lines('auipc t0, 0\n c.li a0, -1\n addi x0, t0, 1\n jal ra, next\n next: csrrw a1, mscratch, a0', 5),
    ).toEqual([
      'core   0: 3 0x80000000 (0x00000297) x5  0x80000000',
      'core   0: 3 0x80000004 (0x557d) x10 0xffffffff',
      'core   0: 3 0x80000006 (0x00128013)',
      'core   0: 3 0x8000000a (0x004000ef) x1  0x8000000e',
      'core   0: 3 0x8000000e (0x340515f3) x11 0x00000000 c832_mscratch 0xffffffff',
    ]);
  });

  test('loads give addresses, stores values as wide as the access, atomics both', () => {
    const source = `
      la t0, ${String(DATA)}
      li t1, -2
      sb t1, 1(t0)
      sh t1, 2(t0)
      lw a0, 0(t0)
      amoadd.w a1, t1, (t0)
      lr.w a2, (t0)
      sc.w a3, t1, (t0)
      sc.w a4, t1, (t0)`;
    expect(effects(source, 11).slice(4)).toEqual([
      ' mem 0x80002001 0xfe',
      ' mem 0x80002002 0xfffe',
      ' x10 0xfffefe00 mem 0x80002000',
      ' x11 0xfffefe00 mem 0x80002000 mem 0x80002000 0xfffefdfe',
      ' x12 0xfffefdfe mem 0x80002000',
      ' x13 0x00000000 mem 0x80002000 0xfffffffe',
      ' x14 0x00000001',
    ]);
  });

  test('floating point: 16 digits, the flags an instruction raises, FS when it becomes dirty', () => {
    const source = `
      li t0, 0x2000
      csrrs x0, mstatus, t0
      fcvt.s.w f8, x0, rne
      fcvt.d.w f1, t0, rne
      fdiv.s f9, f8, f8, rne
      fdiv.s f0, f8, f8, rne
      feq.s a0, f8, f8
      csrrwi x0, fcsr, 0x1f`;
    expect(effects(source, 9).slice(2)).toEqual([
      ' c768_mstatus 0x00002000',
      ' f8  0xffffffff00000000 c768_mstatus 0x80006000',
      ' f1  0x40c0000000000000',
      ' c1_fflags 0x00000010 f9  0xffffffff7fc00000',
      ' f0  0xffffffff7fc00000 c1_fflags 0x00000010',
      ' x10 0x00000001',
      ' c1_fflags 0x0000001f c2_frm 0x00000000',
    ]);
  });

  test('CSRs go by the register that holds them; constants and mere reads are not written', () => {
    const source = `
      li t0, 0x100
      csrrs x0, sstatus, t0
      csrrs t1, mstatus, x0
      csrrwi x0, mhpmcounter3, 1
      la t0, user
      csrrw x0, mepc, t0
      mret
      user:`;
    expect(effects(source, 9).slice(2)).toEqual([
      ' c768_mstatus 0x00000100',
      ' x6  0x00000100',
      '',
      expect.stringMatching(/^ x5 /),
      expect.stringMatching(/^ x5 /),
      ' c833_mepc 0x80000024',
      ' c768_mstatus 0x00000180 c784_mstatush 0x00000000',
    ]);
  });

  // csrs.cc at 9a46080: sie_csr_t logs itself after mie, mip_csr_t and sip_csr_t log mvip before mip.
  test('interrupt registers come with their aliases', () => {
    const source = `
      li t0, 0x222
      csrrw x0, mideleg, t0
      csrrw x0, sie, t0
      csrrw x0, mip, t0
      csrrwi x0, sip, 0
      csrrwi x0, mie, 8`;
    expect(effects(source, 7).slice(2)).toEqual([
      ' c771_mideleg 0x00000222',
      ' c260_sie 0x00000222 c772_mie 0x00000222',
      ' c777_mvip 0x00000200 c836_mip 0x00000222',
      ' c777_mvip 0x00000222 c836_mip 0x00000220',
      ' c772_mie 0x00000008',
    ]);
  });

  // pmpaddr_csr_t::unlogged_write and pmpcfg_csr_t::unlogged_write, with 16 entries.
  test('PMP registers that a write does not reach are not logged', () => {
    const source = `
      csrrwi x0, pmpaddr1, 5
      li t0, 0x8800
      csrrw x0, pmpcfg0, t0
      csrrwi x0, pmpaddr0, 5
      csrrwi x0, pmpaddr1, 6
      csrrwi x0, pmpaddr2, 7
      csrrwi x0, pmpcfg0, 0
      csrrwi x0, pmpaddr16, 1
      csrrwi x0, pmpcfg4, 1
      csrrwi x0, tdata1, 1
      csrrwi x0, mhpmevent3, 1`;
    expect(effects(source, 12)).toEqual([
      ' c945_pmpaddr1 0x00000005',
      expect.stringMatching(/^ x5 /),
      expect.stringMatching(/^ x5 /),
      ' c928_pmpcfg0 0x00008800',
      '',
      '',
      ' c946_pmpaddr2 0x00000007',
      ' c928_pmpcfg0 0x00008800',
      '',
      '',
      '',
      ' c803_mhpmevent3 0x00000000',
    ]);
  });
});
