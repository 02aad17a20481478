import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  counterHigh,
  counterLow,
  newCounter,
  setCounterRunning,
  sumHigh,
  sumLow,
  writeCounterHalf,
} from '../../../emulator/priv/counters.ts';

describe('64-bit sums in two halves', () => {
  test('agree with BigInt', () => {
    const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(u32, u32, fc.maxSafeNat(), (high, low, delta) => {
        const sum = BigInt.asUintN(64, (BigInt(high) << 32n) + BigInt(low) + BigInt(delta));
        expect(BigInt(sumLow(low, delta))).toBe(sum & 0xffff_ffffn);
        expect(BigInt(sumHigh(high, low, delta))).toBe(sum >> 32n);
      }),
    );
  });

  test('wrap at 2^64', () => {
    expect(sumLow(0xffff_ffff, 1)).toBe(0);
    expect(sumHigh(0xffff_ffff, 0xffff_ffff, 1)).toBe(0);
  });
});

describe('a counter', () => {
  test('counts retired instructions since power-on', () => {
    const counter = newCounter();
    expect(counterLow(counter, 2 ** 40 + 3)).toBe(3);
    expect(counterHigh(counter, 2 ** 40 + 3)).toBe(256);
  });

  test('keeps the other half when one is written', () => {
    const counter = newCounter();
    writeCounterHalf(counter, 'high', 7, 41);
    expect(counterHigh(counter, 42)).toBe(7);
    expect(counterLow(counter, 42)).toBe(41);
    writeCounterHalf(counter, 'low', 0xffff_ffff, 42);
    expect(counterHigh(counter, 44)).toBe(8);
    expect(counterLow(counter, 44)).toBe(0);
  });

  test('holds still while it is stopped, and can be written then', () => {
    const counter = newCounter();
    setCounterRunning(counter, false, 9);
    expect(counterLow(counter, 1000)).toBe(10);
    writeCounterHalf(counter, 'low', 50, 1000);
    expect(counterLow(counter, 2000)).toBe(50);
    setCounterRunning(counter, true, 2000);
    setCounterRunning(counter, true, 2005);
    expect(counterLow(counter, 2011)).toBe(60);
  });
});
