import { describe, expect, test } from 'vitest';
import { Bus } from '../../../emulator/devices/bus.ts';
import { CLINT_BASE, Clint } from '../../../emulator/devices/clint.ts';
import { Htif } from '../../../emulator/devices/htif.ts';
import { PLIC_BASE, Plic } from '../../../emulator/devices/plic.ts';
import { Platform, UART_SOURCE } from '../../../emulator/devices/platform.ts';
import { UART_BASE, Uart } from '../../../emulator/devices/uart.ts';

describe('the bus', () => {
  const platform = new Platform({ retired: 0 });

  test('routes by physical address and knows where nothing is', () => {
    const { bus } = platform;
    expect(bus.store(CLINT_BASE, 4, 1)).toBe(true);
    expect(bus.load(CLINT_BASE, 4)).toBe(1);
    for (const pa of [0, CLINT_BASE - 4, CLINT_BASE + 0x1_0000, UART_BASE + 8, 0x3_0000_0000]) {
      expect(bus.load(pa, 4)).toBe(-1);
      expect(bus.store(pa, 4, 0)).toBe(false);
    }
  });

  test('an access must lie inside one device, and be aligned', () => {
    expect(platform.bus.load(UART_BASE + 7, 1)).toBe(0);
    expect(platform.bus.load(UART_BASE + 6, 4)).toBe(-1);
    expect(platform.bus.load(CLINT_BASE + 2, 4)).toBe(-1);
    expect(new Bus([]).load(0, 1)).toBe(-1);
  });
});

describe('CLINT', () => {
  const MTIMECMP = 0x4000;
  const MTIME = 0xbff8;

  test('mtime ticks once in 100 retired instructions', () => {
    const hart = { retired: 0 };
    const clint = new Clint(hart);
    hart.retired = 99;
    expect(clint.load(MTIME, 4)).toBe(0);
    hart.retired = 100;
    expect(clint.load(MTIME, 4)).toBe(1);
    hart.retired = 100 * (2 ** 32 + 7);
    expect([clint.load(MTIME, 4), clint.load(MTIME + 4, 4)]).toEqual([7, 1]);
    expect([clint.timeLow(), clint.timeHigh()]).toEqual([7, 1]);
  });

  test('mtime can be written, one half at a time', () => {
    const hart = { retired: 1000 };
    const clint = new Clint(hart);
    clint.store(MTIME, 4, 0xffff_ffff);
    clint.store(MTIME + 4, 4, 5);
    hart.retired += 100;
    expect([clint.timeHigh(), clint.timeLow()]).toEqual([6, 0]);
  });

  test('the timer line is up exactly while mtime >= mtimecmp', () => {
    const hart = { retired: 0 };
    const clint = new Clint(hart);
    expect(clint.timerInterrupt()).toBe(false);
    clint.store(MTIMECMP, 4, 10);
    clint.store(MTIMECMP + 4, 4, 0);
    hart.retired = 999;
    expect(clint.timerInterrupt()).toBe(false);
    hart.retired = 1000;
    expect(clint.timerInterrupt()).toBe(true);
    clint.store(MTIMECMP, 4, 11);
    expect(clint.timerInterrupt()).toBe(false);
    expect([clint.load(MTIMECMP, 4), clint.load(MTIMECMP + 4, 4)]).toEqual([11, 0]);
  });

  test('timerDueAt is the first retired count at which the line is up', () => {
    const hart = { retired: 123 };
    const clint = new Clint(hart);
    expect(clint.timerDueAt()).toBe(Infinity);
    clint.store(MTIME, 4, 5); // tick 5 begins at 123
    clint.store(MTIMECMP + 4, 4, 0);
    clint.store(MTIMECMP, 4, 8);
    expect(clint.timerDueAt()).toBe(423);
    hart.retired = 422;
    expect([clint.timerInterrupt(), clint.timerDueAt()]).toEqual([false, 423]);
    hart.retired = 423;
    expect([clint.timerInterrupt(), clint.timerDueAt()]).toEqual([true, 423]);
  });

  test('skipToTimer lets idle time pass', () => {
    const hart = { retired: 50 };
    const clint = new Clint(hart);
    clint.store(MTIMECMP, 4, 3);
    clint.skipToTimer();
    expect([clint.timeHigh(), clint.timeLow()]).toEqual([0xffff_ffff, 3]);
    expect(clint.timerInterrupt()).toBe(true);
    clint.skipToTimer();
    expect(clint.timeLow()).toBe(3);
  });

  test('msip has one bit', () => {
    const clint = new Clint({ retired: 0 });
    expect(clint.softwareInterrupt()).toBe(false);
    clint.store(0, 4, 0xffff_ffff);
    expect([clint.softwareInterrupt(), clint.load(0, 4)]).toEqual([true, 1]);
    clint.store(0, 4, 0xffff_fffe);
    expect(clint.softwareInterrupt()).toBe(false);
  });

  test("other harts' registers and other sizes refuse", () => {
    const clint = new Clint({ retired: 0 });
    expect([clint.load(4, 4), clint.load(MTIME, 1), clint.load(0x4008, 4)]).toEqual([-1, -1, -1]);
    expect([clint.store(4, 4, 0), clint.store(MTIME, 2, 0)]).toEqual([false, false]);
    expect(() => new Clint({ retired: 0 }, 0)).toThrow(RangeError);
  });
});

describe('UART', () => {
  const IER = 1;
  const IIR = 2;
  const LCR = 3;
  const LSR = 5;

  test('transmits at once; LSR says empty', () => {
    const sent: number[] = [];
    const uart = new Uart((byte) => sent.push(byte));
    uart.store(0, 1, 0x148);
    uart.store(0, 1, 0x69);
    expect(sent).toEqual([0x48, 0x69]);
    expect(uart.load(LSR, 1)).toBe(0x60);
  });

  test('receives in order; LSR says data ready until the queue is empty', () => {
    const uart = new Uart();
    uart.receive([1, 2]);
    expect([
      uart.load(LSR, 1),
      uart.load(0, 1),
      uart.load(LSR, 1),
      uart.load(0, 1),
      uart.load(LSR, 1),
    ]).toEqual([0x61, 1, 0x61, 2, 0x60]);
    expect(uart.load(0, 1)).toBe(0);
  });

  test('the divisor latch hides RBR, THR and IER while LCR.DLAB is set', () => {
    const sent: number[] = [];
    const uart = new Uart((byte) => sent.push(byte));
    uart.store(LCR, 1, 0x83);
    uart.store(0, 1, 0x0d);
    uart.store(1, 1, 0x01);
    expect([uart.load(0, 1), uart.load(1, 1), uart.load(LCR, 1)]).toEqual([0x0d, 0x01, 0x83]);
    uart.store(LCR, 1, 0x03);
    expect([uart.load(IER, 1), sent]).toEqual([0, []]);
  });

  test('the receive interrupt is up while there are data', () => {
    const uart = new Uart();
    uart.receive([7]);
    expect(uart.interrupt()).toBe(false);
    uart.store(IER, 1, 1);
    expect([uart.interrupt(), uart.load(IIR, 1)]).toEqual([true, 4]);
    uart.load(0, 1);
    expect([uart.interrupt(), uart.load(IIR, 1)]).toEqual([false, 1]);
  });

  test('the THR-empty interrupt: raised by enabling it and by emptying THR, ended by reading IIR', () => {
    const uart = new Uart();
    uart.store(IER, 1, 2);
    expect(uart.interrupt()).toBe(true);
    expect([uart.load(IIR, 1), uart.load(IIR, 1), uart.interrupt()]).toEqual([2, 1, false]);
    uart.store(0, 1, 0x41);
    expect(uart.load(IIR, 1)).toBe(2);
    uart.store(IER, 1, 2); // it was enabled already
    expect(uart.interrupt()).toBe(false);
  });

  test('received data come before THR empty; reading IIR then does not end the latter', () => {
    const uart = new Uart();
    uart.receive([1]);
    uart.store(IER, 1, 3);
    expect(uart.load(IIR, 1)).toBe(4);
    uart.load(0, 1);
    expect(uart.load(IIR, 1)).toBe(2);
  });

  test('FCR enables and clears the FIFOs', () => {
    const uart = new Uart();
    uart.receive([1, 2]);
    uart.store(2, 1, 1);
    expect(uart.load(IIR, 1)).toBe(0xc1);
    uart.store(2, 1, 3);
    expect(uart.load(LSR, 1)).toBe(0x60);
  });

  test('scratch and modem registers; LSR cannot be written; words refuse', () => {
    const uart = new Uart();
    uart.store(7, 1, 0x5a);
    uart.store(4, 1, 0xff);
    uart.store(LSR, 1, 0);
    expect([uart.load(7, 1), uart.load(4, 1), uart.load(LSR, 1), uart.load(6, 1)]).toEqual([
      0x5a, 0x1f, 0x60, 0xb0,
    ]);
    expect([uart.load(0, 4), uart.store(0, 2, 0)]).toEqual([-1, false]);
  });
});

describe('PLIC', () => {
  const ENABLE_M = 0x2000;
  const ENABLE_S = 0x2080;
  const THRESHOLD_S = 0x20_1000;
  const CLAIM_M = 0x20_0004;
  const CLAIM_S = 0x20_1004;

  function plicWith(...up: number[]): { plic: Plic; lines: Set<number> } {
    const lines = new Set(up);
    const line = (source: number): { source: number; interrupt: () => boolean } => ({
      source,
      interrupt: () => lines.has(source),
    });
    return { plic: new Plic([line(1), line(10), line(31)]), lines };
  }

  test('forwards a source that is up, enabled and above the threshold', () => {
    const { plic, lines } = plicWith(10);
    expect(plic.load(0x1000, 4)).toBe(1 << 10);
    expect(plic.interrupt(1)).toBe(false);
    plic.store(ENABLE_S, 4, 1 << 10);
    expect(plic.interrupt(1)).toBe(false); // priority 0 never interrupts
    plic.store(4 * 10, 4, 1);
    expect([plic.interrupt(0), plic.interrupt(1)]).toEqual([false, true]);
    plic.store(THRESHOLD_S, 4, 1);
    expect(plic.interrupt(1)).toBe(false);
    plic.store(THRESHOLD_S, 4, 0);
    lines.clear();
    expect(plic.interrupt(1)).toBe(false);
  });

  test('a claim takes the highest priority, the lowest number among equals; until completion it is silent', () => {
    const { plic } = plicWith(1, 10, 31);
    plic.store(ENABLE_M, 4, 0xffff_ffff);
    for (const [source, priority] of [
      [1, 2],
      [10, 7],
      [31, 7],
    ] as const)
      plic.store(4 * source, 4, priority);
    expect([plic.load(CLAIM_M, 4), plic.load(CLAIM_M, 4), plic.load(CLAIM_M, 4)]).toEqual([10, 31, 1]);
    expect([plic.interrupt(0), plic.load(CLAIM_M, 4)]).toEqual([false, 0]);
    plic.store(CLAIM_S, 4, 31); // context 1 has not enabled it: ignored
    expect(plic.interrupt(0)).toBe(false);
    plic.store(CLAIM_M, 4, 31);
    expect([plic.interrupt(0), plic.load(CLAIM_M, 4)]).toEqual([true, 31]);
  });

  test('registers hold what is legal', () => {
    const { plic } = plicWith();
    plic.store(0, 4, 7);
    plic.store(4, 4, 0xff);
    plic.store(ENABLE_S, 4, 0xffff_ffff);
    plic.store(THRESHOLD_S, 4, 0xff);
    plic.store(0x2100, 4, 1);
    plic.store(0x30_0000, 4, 1);
    expect([0, 4, ENABLE_S, THRESHOLD_S, 0x2100, 0x30_0000, 0xffc].map((at) => plic.load(at, 4))).toEqual([
      0, 7, 0xffff_fffe, 7, 0, 0, 0,
    ]);
    expect([plic.load(0, 1), plic.store(0, 2, 0)]).toEqual([-1, false]);
  });
});

describe('the platform', () => {
  test("carries the devices' lines into mip's positions", () => {
    const hart = { retired: 0 };
    const platform = new Platform(hart);
    const { bus } = platform;
    expect(platform.interruptLines()).toBe(0);
    bus.store(CLINT_BASE, 4, 1);
    expect(platform.interruptLines()).toBe(0x008);
    bus.store(CLINT_BASE + 0x4000, 4, 2);
    bus.store(CLINT_BASE + 0x4004, 4, 0);
    expect(platform.nextEventAt()).toBe(200);
    hart.retired = 200;
    expect(platform.interruptLines()).toBe(0x088);
    expect(platform.nextEventAt()).toBe(Infinity);
    bus.store(PLIC_BASE + 4 * UART_SOURCE, 4, 1);
    bus.store(PLIC_BASE + 0x2000, 4, 1 << UART_SOURCE);
    bus.store(PLIC_BASE + 0x2080, 4, 1 << UART_SOURCE);
    bus.store(UART_BASE + 1, 1, 1);
    platform.uart.receive([65]);
    expect(platform.interruptLines()).toBe(0xa88);
    expect(bus.load(UART_BASE, 1)).toBe(65);
    expect(platform.interruptLines()).toBe(0x088);
  });
});

describe('HTIF', () => {
  class Ram {
    readonly bytes = new Uint8Array(256);
    readonly view = new DataView(this.bytes.buffer);
    contains(pa: number, len = 1): boolean {
      return pa >= 0 && pa + len <= 256;
    }
    read32(pa: number): number {
      return this.view.getUint32(pa, true);
    }
    write32(pa: number, value: number): void {
      this.view.setUint32(pa, value, true);
    }
    readBytes(pa: number, len: number): Uint8Array {
      return this.bytes.slice(pa, pa + len);
    }
  }

  function machine(): { ram: Ram; htif: Htif; out: number[]; poll: (low: number, high?: number) => void } {
    const ram = new Ram();
    const out: number[] = [];
    const htif = new Htif({ tohost: 0, fromhost: 8 }, (byte) => out.push(byte));
    const poll = (low: number, high = 0): void => {
      ram.write32(0, low);
      ram.write32(4, high);
      htif.poll(ram);
    };
    return { ram, htif, out, poll };
  }

  test('an odd word exits: 1 passes, (test << 1) | 1 names the failed test', () => {
    const { htif, poll } = machine();
    poll(0);
    expect(htif.exitCode).toBeNull();
    poll(1);
    expect(htif.exitCode).toBe(0);
    poll((17 << 1) | 1);
    expect(htif.exitCode).toBe(17);
  });

  test('device 1 command 1 prints a byte, without an answer', () => {
    const { ram, out, poll } = machine();
    poll(0x41, 0x0101_0000);
    expect(out).toEqual([0x41]);
    expect([ram.read32(0), ram.read32(4), ram.read32(8), ram.read32(12)]).toEqual([0, 0, 0, 0]);
    poll(0, 0x0100_0000); // a read of the keyboard is not served
    expect(out).toEqual([0x41]);
  });

  test('two stores make a command, in either order; the same half twice does too', () => {
    const { htif, ram } = machine();
    expect(htif.pending).toBe('nothing');
    for (const [first, second] of [
      [0, 4],
      [4, 0],
      [0, 0],
    ] as const) {
      htif.stored(first, 4);
      expect(htif.pending).toBe('half');
      htif.stored(second, 4);
      expect(htif.pending).toBe('command');
      htif.poll(ram);
      expect(htif.pending).toBe('nothing');
    }
    htif.stored(0, 8);
    expect(htif.pending).toBe('command');
  });

  test('the proxied system calls write and exit; others are ENOSYS', () => {
    const { ram, htif, out, poll } = machine();
    const call = (...words: number[]): number => {
      words.forEach((w, i) => ram.write32(64 + 8 * i, w));
      poll(64);
      return ram.read32(64);
    };
    ram.bytes.set([72, 105], 200);
    expect(call(64, 1, 200, 2)).toBe(2);
    expect(out).toEqual([72, 105]);
    expect(ram.read32(8)).toBe(1);
    expect(call(64, 1, 200, 2000)).toBe(-38 >>> 0);
    expect(call(63, 0, 200, 2)).toBe(-38 >>> 0);
    expect(ram.read32(68)).toBe(0xffff_ffff);
    call(93, 3);
    expect(htif.exitCode).toBe(3);
    poll(4000); // a block outside memory
    expect(htif.exitCode).toBe(3);
  });
});
