/**
 * Hot code that is looked at from some moment on: breakpoints in it, stores that are watched, every instruction traced. What is seen
 * is the same in all tiers, and looking changes nothing.
 */
import { expect, test } from 'vitest';
import { RAM_BASE, type Machine } from '../../../emulator/index.ts';
import { agree, machineMode } from './agree.ts';

const DATA = RAM_BASE + 0x10_0000;
/** The host begins to look after so many instructions, and stops after so many. */
const FROM = 3000;
const TO = 7000;
const TOTAL = 10_000;

const source = `
  li s0, ${DATA}
  again: addi s2, s2, 1
  addi t1, x0, 6
  loop: add a1, a1, s2
  inside: addi t1, t1, -1
  bne t1, x0, loop
  jal ra, f
  sw a1, 0(s0)
  j again
  f: lw a2, 0(s0)
  add a3, a3, a2
  sh a3, 6(s0)
  jalr x0, 0(ra)`;

/** What each machine said, a list for each, in the order in which they first said something. */
class Heard {
  readonly #lists = new Map<Machine, unknown[]>();

  add(machine: Machine, what: unknown): void {
    const list = this.#lists.get(machine);
    if (list === undefined) this.#lists.set(machine, [what]);
    else list.push(what);
  }

  get lists(): unknown[][] {
    return [...this.#lists.values()];
  }
}

/** All tiers said the same, and more than so many things. */
function expectAlike({ lists }: Heard, more: number, where: string): void {
  const [zero = [], one, auto] = lists;
  expect(one, where).toEqual(zero);
  expect(auto, where).toEqual(zero);
  expect(zero.length, where).toBeGreaterThan(more);
}

/** Calls `on` at the first slice from FROM on, and `off` at the first from TO on. */
function between(on: (machine: Machine) => void, off: (machine: Machine) => void) {
  const looking = new Set<Machine>();
  const done = new Set<Machine>();
  return (machine: Machine, retired: number): void => {
    if (retired >= FROM && !looking.has(machine)) {
      looking.add(machine);
      on(machine);
    }
    if (retired >= TO && !done.has(machine)) {
      done.add(machine);
      off(machine);
    }
  };
}

/** Slices with an end between FROM and TO. */
const QUANTA = [1, 2, 997, 2500];

test.each(['loop', 'inside', 'f', 'again'])('a breakpoint at %s, set and taken away', (label) => {
  // A slice never stops at its own beginning, so slices of one instruction never stop.
  for (const quantum of QUANTA.slice(1)) {
    const heard = new Heard();
    let at = 0;
    agree({
      setUp: (machine) => {
        at = machineMode(machine, source).labels.get(label) ?? 0;
      },
      total: TOTAL,
      quanta: [quantum],
      before: between(
        ({ hart }) => hart.addBreakpoint(at),
        ({ hart }) => hart.removeBreakpoint(at),
      ),
      stopped: (machine, stop) =>
        heard.add(machine, { stop, retired: machine.hart.retired, pc: machine.hart.pc }),
    });
    expectAlike(heard, 50, `quantum ${quantum}`);
  }
});

test.each([
  ['a word', 0, 4],
  ['a byte that only the halfword store reaches', 7, 1],
])('stores to %s are watched from some moment on', (_name, offset, size) => {
  for (const quantum of QUANTA) {
    const heard = new Heard();
    agree({
      setUp: (machine) => void machineMode(machine, source),
      total: TOTAL,
      quanta: [quantum],
      before: between(
        (machine) =>
          machine.hart.watchStores(DATA + offset, size, (pa, length) =>
            heard.add(machine, { pa, length, retired: machine.hart.retired }),
          ),
        // Nobody stores there: as good as not watching.
        ({ hart }) => hart.watchStores(DATA + 0x8000, 4, () => {}),
      ),
      stopped: (machine, stop) => heard.add(machine, { stop, retired: machine.hart.retired }),
    });
    expectAlike(heard, 100, `quantum ${quantum}`);
  }
});

test('every instruction is reported from some moment on', () => {
  for (const quantum of QUANTA) {
    const heard = new Heard();
    agree({
      setUp: (machine) => void machineMode(machine, source),
      total: TOTAL,
      quanta: [quantum],
      before: between(
        (machine) => {
          machine.hart.onRetire = ({ pc, insn, accesses }) => heard.add(machine, [pc, insn, [...accesses]]);
        },
        ({ hart }) => {
          hart.onRetire = null;
        },
      ),
    });
    expectAlike(heard, 2000, `quantum ${quantum}`);
  }
});
