import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addSignal,
  defaultAction,
  emptySet,
  firstDeliverable,
  hasSignal,
  removeSignal,
  signalName,
  signalsOf,
  sigset,
  withoutUnblockable,
} from '../../../kernel-ts/process/signalSet.ts';

test('names and default actions are those of signal(7)', () => {
  expect([1, 9, 11, 17, 19, 31, 34].map(signalName)).toEqual([
    'SIGHUP',
    'SIGKILL',
    'SIGSEGV',
    'SIGCHLD',
    'SIGSTOP',
    'SIGSYS',
    'SIGRT_2',
  ]);
  expect([1, 11, 17, 18, 19, 23, 40].map(defaultAction)).toEqual([
    'term',
    'core',
    'ignore',
    'cont',
    'stop',
    'ignore',
    'term',
  ]);
});

test('a set holds what was added and not removed', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 64 })),
      fc.integer({ min: 1, max: 64 }),
      (sigs, gone) => {
        const set = emptySet();
        for (const sig of sigs) addSignal(set, sig);
        removeSignal(set, gone);
        expect(signalsOf(set)).toEqual(sigs.filter((s) => s !== gone).sort((a, b) => a - b));
        expect(hasSignal(set, gone)).toBe(false);
      },
    ),
  );
});

test('the lowest signal that is not blocked is next', () => {
  const pending = emptySet();
  for (const sig of [40, 32, 15, 10]) addSignal(pending, sig);
  const blocked = emptySet();
  expect(firstDeliverable(pending, blocked)).toBe(10);
  addSignal(blocked, 10);
  addSignal(blocked, 15);
  expect(firstDeliverable(pending, blocked)).toBe(32);
  addSignal(blocked, 32);
  expect(firstDeliverable(pending, blocked)).toBe(40);
});

test('SIGKILL and SIGSTOP cannot be in a mask', () => {
  expect(signalsOf(withoutUnblockable({ lo: 0xffffffff, hi: 0 })).filter((s) => s === 9 || s === 19)).toEqual(
    [],
  );
});

test('sets that nobody changes are what was asked for, and mostly the same object again', () => {
  const word = fc.oneof(
    fc.constantFrom(0, -1, 1, -0x8000_0000),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word), { maxLength: 200 }), (asked) => {
      const sets = asked.map(([lo, hi]) => sigset(lo, hi));
      // One that took the place of another has not become it.
      expect(sets).toEqual(asked.map(([lo, hi]) => ({ lo, hi })));
    }),
  );
  expect(sigset(-1, -1)).toBe(sigset(-1, -1));
  expect(withoutUnblockable(sigset(-1, -1))).toEqual({ lo: ~(0x100 | 0x4_0000), hi: -1 });
});
