/** Two machines that differ in their tier alone, and must not differ in anything else. */
import { expect } from 'vitest';
import type { Hart, Machine, MachineOptions, StopReason } from '../../../emulator/index.ts';
import { Machine as EmulatedMachine } from '../../../emulator/index.ts';
import * as layout from '../../../emulator/layout.ts';

/** All that the guest could see of a hart. */
export function stateOf(hart: Hart): Record<string, unknown> {
  const { state } = hart;
  return {
    pc: hart.pc,
    retired: hart.retired,
    privilege: hart.privilege,
    fcsr: hart.fcsr,
    fs: hart.fp.getFs(),
    waiting: hart.waiting,
    x: Array.from(hart.x.subarray(0, 32)),
    f: Array.from(hart.f),
    mstatus: state.mstatus,
    satp: state.satp,
    mepc: state.mepc,
    mcause: state.mcause,
    mtval: state.mtval,
    sepc: state.sepc,
    scause: state.scause,
    stval: state.stval,
  };
}

/** A range of physical addresses. */
export type Range = readonly [start: number, bytes: number];

export function sameBytes(a: Machine, b: Machine, ranges: readonly Range[]): boolean {
  return ranges.every(
    ([start, bytes]) => Buffer.compare(a.ram.view(start, bytes), b.ram.view(start, bytes)) === 0,
  );
}

/** Compares harts and those ranges of RAM. `where` is printed when they differ. */
export function expectSame(zero: Machine, one: Machine, ranges: readonly Range[], where = ''): void {
  expect(stateOf(one.hart), where).toEqual(stateOf(zero.hart));
  expect(reservationOf(one), `${where}: reservation`).toBe(reservationOf(zero));
  expect(sameBytes(zero, one, ranges), `${where}: memory`).toBe(true);
}

/** The reservation's address belongs to the state, and is the same in both: RAM lies at one place. */
function reservationOf(machine: Machine): number {
  return new DataView(machine.memory.buffer).getUint32(layout.RESERVATION, true);
}

function expectStop(stop: StopReason, expected: StopReason, where: string): void {
  expect(stop, where).toEqual(expected);
}

/** A machine of each tier, made and driven alike. */
export class Twins {
  readonly zero: Machine;
  readonly one: Machine;
  readonly #ranges: readonly Range[];

  /** `ranges`: what of RAM is compared. */
  constructor(
    setUp: (machine: Machine) => void,
    ranges: readonly Range[],
    options: Omit<MachineOptions, 'tier'> = {},
  ) {
    this.zero = new EmulatedMachine({ ramBytes: 16 << 20, ...options, tier: 0 });
    this.one = new EmulatedMachine({ ramBytes: 16 << 20, ...options, tier: 1 });
    this.#ranges = ranges;
    this.both(setUp);
  }

  both(act: (machine: Machine) => void): void {
    act(this.zero);
    act(this.one);
  }

  compare(where = ''): void {
    expectSame(this.zero, this.one, this.#ranges, where);
  }

  /** Runs both for that budget; they must stop alike and be alike. */
  run(budget: number, where = ''): StopReason {
    const stop = this.zero.hart.run(budget);
    expectStop(this.one.hart.run(budget), stop, where);
    this.compare(where);
    return stop;
  }

  /** Regions that the second machine has made so far: a test that compiles nothing tests nothing. */
  get regions(): number {
    return this.one.hart.tier1.stats.regions;
  }
}
