/**
 * Compiling: from a hot entry to one WebAssembly module of its region and of those that it calls, as far as they are warm.
 *
 * What comes out depends on nothing but the answers of a `World`, so who has heard the same answers may take what was made then
 * (answers.ts).
 */
import * as layout from '../layout.ts';
import { LOOK_UP_TYPE } from '../tier0/lookUp.ts';
import { encodeModule, flat, type FunctionBody } from '../wasm/encode.ts';
import { ECALL_SLOT, REGION_TYPE } from './convention.ts';
import type { CheckContext } from './checks.ts';
import { regionFunction } from './emit.ts';
import { analyse } from './flow.ts';
import { inlineCalls } from './inlineCalls.ts';
import type { Look } from './lookups.ts';
import { floatTypes } from './registers.ts';
import { discoverBeside, type CodeReader, type RegionCode } from './region.ts';

/** Regions compiled together at most, and instructions in them. */
const MAX_BATCH = 16;
const MAX_BATCH_INSTRUCTIONS = 2000;

/**
 * What compiling asks. Answers are numbers, so that they can be kept. Slots and page caches are given away: `wish` is what an earlier run
 * got, and is granted if it can be.
 */
export interface World extends CodeReader, CheckContext {
  /** One look at the TLB may serve several accesses: misaligned ones do not trap. */
  readonly groups: boolean;
  /** Instructions that a region at `pc` may have; 0: it is there already, or cannot be. */
  room(pc: number): number;
  /** The instruction lies in some region. */
  isKnown(pc: number): boolean;
  /** An entry that will be hot soon. */
  isWarm(pc: number): boolean;
  /** The same, or it waits for its callers, or has a region. */
  isUsed(pc: number): boolean;
  /** Gives the region at `pc` a slot of its own, if it has none. -1: its page has not been executed from. */
  slotFor(pc: number, wish?: number): number;
  /** The address of the micro-ops from which a page is fetched. */
  decoded(page: number): number;
  /** Gives away a page cache: its address. */
  reserve(write: boolean, size: number, wish?: number): number;
  isWild(pc: number): boolean;
  /** Regions may assume that NX is accrued, the rounding mode RNE, and FS dirty. */
  assumes(): boolean;
}

/** A compiled region. */
export interface Compiled {
  readonly pc: number;
  readonly slot: number;
  readonly body: FunctionBody;
  readonly looks: readonly Look[];
  /** Its own instructions. */
  readonly pcs: readonly number[];
  /** The virtual pages that its code lies in. */
  readonly pages: readonly number[];
  /** It computes in floating point: with assumptions about the unit's state, or with none. */
  readonly floating: 'no' | 'assuming' | 'anyhow';
}

/** The regions at `pc` and those that it calls, as far as they are warm; empty when there is none at `pc`. */
export function compileBatch(world: World, pc: number): Compiled[] {
  const wanted = [pc];
  const found: { readonly code: RegionCode; readonly slot: number }[] = [];
  const seen = new Set<number>();
  let size = 0;
  while (wanted.length > 0 && found.length < MAX_BATCH && size < MAX_BATCH_INSTRUCTIONS) {
    const at = wanted.shift() as number;
    if (seen.has(at)) continue;
    seen.add(at);
    const room = world.room(at);
    const alone = room === 0 ? null : discoverBeside(world, at, room, (pc) => world.isKnown(pc));
    if (alone === null) continue;
    const code = inlineCalls(world, alone, (pc) => world.isUsed(pc));
    found.push({ code, slot: world.slotFor(at) });
    for (const { insns, end } of code.blocks) {
      size += insns.length;
      if (end.kind === 'call' && typeof end.target === 'number' && world.isWarm(end.target))
        wanted.push(end.target);
    }
  }
  return found.map(({ code, slot }) => compile(world, code, slot));
}

function compile(world: World, code: RegionCode, slot: number): Compiled {
  const types = floatTypes(code);
  const assumes = types.size > 0 && world.assumes();
  const flow = analyse(code, assumes ? types : new Map(), world.groups ? world : null);
  const { body, looks } = regionFunction(code, flow, world);
  const pcs: number[] = [];
  for (let k = 0; k < code.own; k++) {
    const { insns } = code.blocks[k];
    for (let i = 0; i < insns.length; i++) pcs.push(insns[i].pc);
  }
  return {
    pc: code.entry,
    slot,
    body: { ...body, code: flat(body.code) },
    looks,
    pcs,
    pages: code.pages,
    floating: types.size === 0 ? 'no' : assumes ? 'assuming' : 'anyhow',
  };
}

/**
 * One module of regions; its instances put them into their slots. `sharedMemory`: what the machine has. The memory's type lets it grow:
 * otherwise V8 keeps its address in a register throughout, which costs more than to read it anew behind calls.
 */
export function regionModule(
  regions: readonly { readonly body: FunctionBody; readonly slot: number }[],
  sharedMemory: boolean,
): Uint8Array<ArrayBuffer> {
  return encodeModule({
    memory: layout.memoryType(sharedMemory),
    imports: [{ name: 'lookUp', type: LOOK_UP_TYPE }],
    table: ECALL_SLOT + 1,
    indirect: REGION_TYPE,
    functions: regions.map(({ body }) => body),
    slots: regions.map(({ slot }) => slot),
  });
}
