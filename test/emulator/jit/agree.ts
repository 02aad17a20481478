/**
 * One guest under every tier and with every quantum: the same state after each slice, and the same end whatever the quantum.
 */
import { expect } from 'vitest';
import {
  Machine,
  RAM_BASE,
  type Hart,
  type MachineOptions,
  type StopReason,
} from '../../../emulator/index.ts';
import type { Tier1Stats } from '../../../emulator/jit/stats.ts';
import { Privilege } from '../../../emulator/priv/state.ts';
import { assembleText, type Assembled } from '../bareMetal/assembler.ts';
import { A, D, R, Tables, V, W, X } from '../paging.ts';
import { expectSame, sameBytes, stateOf, type Range } from './twins.ts';

export const QUANTA: readonly number[] = [1, 2, 997, 5003];
const TIERS = [0, 1, 'auto'] as const;

const RAM_BYTES = 16 << 20;
const ALL_OF_RAM: readonly Range[] = [[RAM_BASE, RAM_BYTES]];
/** RAM is compared after so many instructions, registers after every slice. */
const COMPARE_RAM_AFTER = 5000;

export interface Guest {
  /** Puts the guest into a fresh machine. */
  readonly setUp: (machine: Machine) => void;
  /** Instructions to be retired. */
  readonly total: number;
  readonly options?: Omit<MachineOptions, 'tier' | 'ramBytes'>;
  readonly quanta?: readonly number[];
  /** Instructions that regions must have retired with slices of 997 and more. Default: a twentieth. */
  readonly inRegions?: number;
  /** What the host does before a slice, by the instructions retired so far. */
  readonly before?: (machine: Machine, retired: number) => void;
  /** Hears of each stop that is not the end of a slice; the same ones come in all tiers. */
  readonly stopped?: (machine: Machine, stop: StopReason) => void;
  /** Looks at the end, in every tier. */
  readonly verify?: (machine: Machine) => void;
}

/** What tier 1 did, by quantum. */
export type Counts = ReadonlyMap<number, Readonly<Tier1Stats>>;

function sameRegisters(a: Hart, b: Hart): boolean {
  if (a.pc !== b.pc || a.retired !== b.retired || a.privilege !== b.privilege || a.fcsr !== b.fcsr)
    return false;
  for (let i = 0; i < 32; i++) if (a.x[i] !== b.x[i]) return false;
  for (let i = 0; i < 64; i++) if (a.f[i] !== b.f[i]) return false;
  return a.state.mcause === b.state.mcause && a.state.satp === b.state.satp;
}

function slice(guest: Guest, machines: readonly Machine[], length: number, where: string): void {
  const stops: StopReason[] = machines.map(({ hart }) => hart.run(length));
  const [zero, ...others] = machines as [Machine, ...Machine[]];
  for (const [index, other] of others.entries()) {
    if (stops[index + 1]?.kind !== stops[0]?.kind) expect(stops[index + 1], where).toEqual(stops[0]);
    if (!sameRegisters(zero.hart, other.hart))
      expectSame(zero, other, [], `${where}, tier ${TIERS[index + 1]}`);
  }
  for (const [index, stop] of stops.entries()) {
    if (stop.kind !== 'budget') guest.stopped?.(machines[index] as Machine, stop);
  }
  if (stops[0]?.kind === 'trap' || stops[0]?.kind === 'wfi')
    throw new Error(`${where}: ${JSON.stringify(stops[0])}`);
}

function runWith(guest: Guest, quantum: number): Machine[] {
  const machines = TIERS.map(
    (tier) => new Machine({ ...guest.options, ramBytes: RAM_BYTES, tier, compileAfter: 0 }),
  );
  const [zero, ...others] = machines as [Machine, ...Machine[]];
  for (const machine of machines) guest.setUp(machine);
  let compareAt = 0;
  while (zero.hart.retired < guest.total) {
    const { retired } = zero.hart;
    for (const machine of machines) guest.before?.(machine, retired);
    slice(guest, machines, Math.min(quantum, guest.total - retired), `quantum ${quantum}, after ${retired}`);
    if (zero.hart.retired < compareAt) continue;
    compareAt = zero.hart.retired + COMPARE_RAM_AFTER;
    for (const other of others) expectSame(zero, other, ALL_OF_RAM, `quantum ${quantum}, after ${retired}`);
  }
  for (const other of others) expectSame(zero, other, ALL_OF_RAM, `quantum ${quantum}, at the end`);
  for (const machine of machines) guest.verify?.(machine);
  return machines;
}

/** Runs the guest in all tiers with all quanta. Where a region could run, in slices of 997 and more, one must have. */
export function agree(guest: Guest): Counts {
  const counts = new Map<number, Readonly<Tier1Stats>>();
  let end: Machine | undefined;
  for (const quantum of guest.quanta ?? QUANTA) {
    const [zero, one] = runWith(guest, quantum) as [Machine, Machine];
    if (end === undefined) end = zero;
    expect(stateOf(zero.hart), `quantum ${quantum}`).toEqual(stateOf(end.hart));
    expect(sameBytes(zero, end, ALL_OF_RAM), `memory with quantum ${quantum}`).toBe(true);
    one.hart.tier1.count();
    const { stats } = one.hart.tier1;
    if (quantum >= 997)
      expect(stats.retired, `in regions, quantum ${quantum}`).toBeGreaterThan(
        guest.inRegions ?? guest.total / 20,
      );
    counts.set(quantum, stats);
  }
  return counts;
}

/** A program at RAM_BASE in M mode. Traps go to its label `handler`, where it has one. */
export function machineMode(machine: Machine, source: string): Assembled {
  const program = assembleText(RAM_BASE, source);
  machine.ram.writeBytes(RAM_BASE, program.bytes);
  machine.hart.state.mtvec = program.labels.get('handler') ?? 0;
  machine.hart.pc = RAM_BASE;
  return program;
}

export const KERNEL = V | R | W | X | A | D;
/** Where the tests map code; and frames for it, which lie behind the program. */
export const CODE_VA = 0x4000_0000;
export const frame = (n: number): number => RAM_BASE + 0x40_0000 + n * 0x1000;

/** A leaf for the supervisor. */
export const leaf = (pa: number, flags = KERNEL): number => ((pa >>> 12) << 10) | flags;

/** Code for the virtual address `va`, put into frames page by page. */
export function placeCode(machine: Machine, va: number, source: string, frames: readonly number[]): void {
  const { bytes } = assembleText(va, source);
  let from = 0;
  for (const pa of frames) {
    const offset = (va + from) & 0xfff;
    const part = bytes.subarray(from, from + 0x1000 - offset);
    machine.ram.writeBytes(pa + offset, part);
    from += part.length;
  }
  if (from < bytes.length) throw new Error('the code needs more frames');
}

/**
 * A program at RAM_BASE in S mode under Sv32, all of RAM, its page tables too, mapped one to one. `source` may depend on where the
 * tables have their entries. Traps go to its label `handler`, in M mode.
 */
export function supervisorMode(machine: Machine, source: (tables: Tables) => string): Tables {
  const tables = new Tables(machine);
  for (let at = 0; at < RAM_BYTES; at += 4 << 20) tables.mapMegapage(RAM_BASE + at, RAM_BASE + at, KERNEL);
  machineMode(machine, source(tables));
  const { hart } = machine;
  hart.state.pmpaddr[0] = 0xffff_ffff;
  hart.state.pmpcfg[0] = 0x1f;
  hart.mmu.pmpChanged();
  hart.setAddressSpace(tables.satp);
  hart.privilege = Privilege.S;
  return tables;
}
