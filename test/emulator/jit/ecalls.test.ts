/**
 * Environment calls out of hot code. They are served while regions, and functions that called them, wait; so whatever a supervisor may
 * change meanwhile must be seen by all of them: the pc, registers, the unit's state, mappings, the address space, code itself.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble as a, Cause, RAM_BASE, type Hart, type Machine } from '../../../emulator/index.ts';
import { R, Tables, U, V, W } from '../paging.ts';
import { Twins } from './twins.ts';
import {
  CODE_FLAGS,
  CODE_PAGES,
  CODE_VA,
  DATA_FLAGS,
  DATA_PAGES,
  DATA_VA,
  PAGES,
  Pager,
  physicalOf,
} from './userland.ts';

const RA = 1;
const DATA = 8;
const COUNT = 9;
const SUM = 10;
const VALUE = 11;
/** What the callee works on, in the page behind. */
const OWN = 12;

/** Where the loop calls, what it returns to, where the callee lies (in another page), and an instruction of the loop. */
const CALL = CODE_VA + 12;
const BACK = CODE_VA + 16;
const CALLEE = CODE_VA + 0x1000;
const SECOND = CODE_VA + 0x1800;
const CHANGED = BACK + 12;

/** for (;;) { load and store; call { load, ecall, store }; call { ecall, add }; add, load, compute in floating point } */
const LOOP = [
  a('lui', { rd: DATA, imm: DATA_VA }),
  a('lw', { rd: VALUE, rs1: DATA, imm: 0 }),
  a('sw', { rs1: DATA, rs2: COUNT, imm: 64 }),
  a('jal', { rd: RA, imm: CALLEE - CALL }),
  a('jal', { rd: RA, imm: SECOND - BACK }),
  a('lw', { rd: VALUE, rs1: DATA, imm: 64 }),
  a('add', { rd: SUM, rs1: SUM, rs2: VALUE }),
  a('addi', { rd: COUNT, rs1: COUNT, imm: 1 }),
  a('fadd.d', { rd: 1, rs1: 1, rs2: 2 }),
  a('jal', { rd: 0, imm: -36 }),
];
const FUNCTION = [
  a('lw', { rd: VALUE, rs1: OWN, imm: 128 }),
  a('ecall', {}),
  a('sw', { rs1: OWN, rs2: COUNT, imm: 128 }),
  a('add', { rd: SUM, rs1: SUM, rs2: VALUE }),
  a('jalr', { rd: 0, rs1: RA }),
];

const ECALL_FIRST = [
  a('ecall', {}),
  a('add', { rd: SUM, rs1: SUM, rs2: OWN }),
  a('jalr', { rd: 0, rs1: RA }),
];

const ACTIONS = [
  'goOn',
  'leave',
  'flush',
  'unmapData',
  'readOnlyData',
  'unmapCaller',
  'otherSpace',
  'otherCode',
  'toCaller',
  'toStart',
  'registers',
  'rounding',
  'switch',
  'budget',
] as const;
type Action = (typeof ACTIONS)[number];

/** Does at its n-th environment call what the plan says. */
class Caller extends Pager {
  readonly #tables: readonly Tables[];
  readonly #machine: Machine;
  #space = 0;
  #thread: { registers: Int32Array | null; pc: number } = { registers: null, pc: CODE_VA };
  /** The retired count at which runs end. */
  end = 0;
  plan: readonly Action[] = ['goOn'];
  calls = 0;

  constructor(machine: Machine) {
    super(machine);
    this.#machine = machine;
    // The second address space has other data: its pages are the first one's, shifted by one.
    const other = new Tables(machine, RAM_BASE + machine.ram.size - 0x1_0000);
    for (let page = 0; page < CODE_PAGES; page++) {
      const va = CODE_VA + page * 4096;
      other.map(va, physicalOf(va), CODE_FLAGS);
    }
    for (let page = 0; page < DATA_PAGES; page++) {
      other.map(DATA_VA + page * 4096, physicalOf(DATA_VA + ((page + 1) % DATA_PAGES) * 4096), DATA_FLAGS);
    }
    this.#tables = [this.tables, other];
  }

  override trap(hart: Hart, cause: number, tval: number): boolean {
    if (cause !== Cause.EcallFromU) return super.trap(hart, cause, tval);
    this.seen.push([cause, tval, hart.pc, hart.retired]);
    const action = this.plan[this.calls++ % this.plan.length] as Action;
    hart.pc += 4;
    this.#act(hart, action);
    if (action === 'leave') return false;
    if (action !== 'budget' && action !== 'switch') return true;
    if (hart.retired >= this.end) return false;
    hart.setBudget(Math.min(60, this.end - hart.retired));
    return true;
  }

  #act(hart: Hart, action: Action): void {
    if (action === 'switch') {
      // Another thread, which waits in a system call too or begins; all have the same quantum.
      const { registers, pc } = this.#thread;
      this.#thread = { registers: hart.registers.slice(), pc: hart.pc };
      hart.registers.set(registers ?? hart.registers);
      hart.pc = pc;
    }
    const { ram } = this.#machine;
    if (action === 'flush') hart.flushTlbAll(this.tables.satp);
    else if (action === 'unmapData') this.set(DATA_VA, 0);
    else if (action === 'readOnlyData') this.set(DATA_VA, V | R | U);
    else if (action === 'unmapCaller') this.set(CODE_VA, 0);
    else if (action === 'otherCode') {
      const at = physicalOf(CHANGED);
      ram.write32(at, ram.read32(at) ^ 0x0100_0000); // adds another number
    } else if (action === 'toCaller') hart.pc = BACK;
    else if (action === 'toStart') hart.pc = CODE_VA;
    else if (action === 'registers') {
      hart.x[COUNT] = 1000;
      hart.x[SUM] = (hart.x[SUM] as number) ^ 0x55;
    } else if (action === 'rounding') hart.fcsr ^= 0x20;
    else if (action === 'otherSpace') {
      this.#space ^= 1;
      hart.setAddressSpace((this.#tables[this.#space] as Tables).satp);
    }
  }
}

function world(): { twins: Twins; callers: Caller[] } {
  const callers: Caller[] = [];
  const twins = new Twins((machine) => {
    const caller = new Caller(machine);
    callers.push(caller);
    for (let page = 0; page < CODE_PAGES; page++) caller.give(CODE_VA + page * 4096);
    for (let page = 0; page < DATA_PAGES; page++) caller.give(DATA_VA + page * 4096);
    caller.code(CODE_VA, LOOP);
    caller.code(CALLEE, FUNCTION);
    caller.code(SECOND, ECALL_FIRST);
    const { hart, ram } = machine;
    for (let at = 0; at < DATA_PAGES * 4096; at += 4) ram.write32(physicalOf(DATA_VA + at), at * 0x9e37);
    hart.f.set([0, 0x3ff0_0000, 0x9999_999a, 0x3fb9_9999], 2);
    hart.x[OWN] = DATA_VA + 0x1000;
    hart.pc = CODE_VA;
  }, PAGES);
  return { twins, callers };
}

function runWith(w: ReturnType<typeof world>, plan: readonly Action[], budget: number): void {
  for (const caller of w.callers) {
    caller.plan = plan;
    caller.calls = 0;
    caller.end = w.twins.zero.hart.retired + budget;
  }
  const [zero, one] = [w.twins.zero.hart, w.twins.one.hart];
  const end = zero.retired + budget;
  // 'leave' stops a run at each of its calls.
  while (zero.retired < end) w.twins.run(end - zero.retired, plan.join(' '));
  expect(zero.retired).toBe(end);
  expect(one.retired).toBe(end);
  expect(w.callers[1]?.seen).toEqual(w.callers[0]?.seen);
}

describe('an ecall in a function that a hot loop calls', () => {
  test('is executed in its region', () => {
    const w = world();
    runWith(w, ['goOn'], 20_000);
    const { tier1, retired } = w.twins.one.hart;
    tier1.count();
    expect(tier1.stats.retired).toBeGreaterThan(0.9 * retired);
  });

  test.each(ACTIONS)('%s, every time and now and then', (action) => {
    const w = world();
    runWith(w, ['goOn'], 3000);
    expect(w.twins.regions).toBeGreaterThan(0);
    runWith(w, [action], 500);
    runWith(w, ['goOn', 'goOn', action], 2000);
    runWith(w, [...Array<Action>(40).fill('goOn'), action], 5000);
  });

  test('any sequence, cut anywhere', () => {
    const plans = fc.array(fc.constantFrom(...ACTIONS), { minLength: 1, maxLength: 12 });
    const budgets = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(plans, budgets, (plan, cuts) => {
        const w = world();
        runWith(w, ['goOn'], 1000);
        for (const budget of cuts) runWith(w, plan, budget);
      }),
      { numRuns: 25 },
    );
  });

  test('a supervisor that throws leaves the hart as it was at the call', () => {
    const { twins, callers } = world();
    const thrown = new Error('a hook of the host');
    for (const [i, machine] of [twins.zero, twins.one].entries()) {
      const { hart } = machine;
      const caller = callers[i] as Caller;
      hart.run(2000);
      hart.supervisor = {
        trap: () => {
          throw thrown;
        },
      };
      expect(() => hart.run(1000)).toThrow(thrown);
      expect(hart.pc).toBe(CALLEE + 4);
      hart.supervisor = caller;
    }
    twins.compare('after it');
    twins.run(2000, 'and on');
  });
});

describe('a page fault in a hot loop', () => {
  test('is served in place when the page is given, and leaves when the supervisor wants that', () => {
    const w = world();
    const faults = (): void => {
      for (const caller of w.callers) caller.set(DATA_VA, 0);
    };
    runWith(w, ['goOn'], 3000);
    for (let round = 0; round < 30; round++) {
      faults();
      runWith(w, ['goOn'], 7 + round * 13);
    }
    for (const caller of w.callers) caller.set(DATA_VA, V | R | U | W);
    runWith(w, ['goOn'], 1000);
  });
});
