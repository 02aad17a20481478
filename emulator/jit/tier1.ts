/**
 * Tier 1: which regions there are, when they come and when they go.
 *
 * The interpreter counts how often an entry is reached; at the threshold `hot` makes a region of it, together with the
 * functions that it calls. A region belongs to a place in a physical page (the address of its first micro-op) and to a virtual
 * address, so processes that share code share its regions. It looks at the fetch table itself before it runs, so nothing need be
 * done when address spaces change; when bytes of its pages change, the code cache drops it.
 * Nothing here is called while a region runs, but for what an environment call drops: a region leaves for everything that it cannot do.
 */
import * as layout from '../layout.ts';
import type { HostTime } from '../hostTime.ts';
import type { PageCaches } from '../mmu/pageCaches.ts';
import { ENTRY } from '../tier0/uop.ts';
import type { FunctionBody } from '../wasm/encode.ts';
import { answersAgain, Listener } from './answers.ts';
import { compileBatch, type Compiled, type World } from './batch.ts';
import { BoundedMap } from './boundedMap.ts';
import type { Reach } from './checks.ts';
import type { CodeMemory, RememberedBatch } from './codeMemory.ts';
import { Losses } from './losses.ts';
import type { Look } from './lookups.ts';
import { MAX_INSTRUCTIONS, type CodeReader } from './region.ts';
import { RegionTable, type Linked, type TableStats } from './regionTable.ts';

/** When a hart compiles: never, at once, or what is hot. */
export type TierChoice = 0 | 1 | 'auto';

/** Executions of an entry before its region is compiled. */
const THRESHOLD = { 0: 0, 1: 1, auto: 2000 } as const;
/** The same for entries that an earlier run may have compiled; if it has not, they have to become hot. */
const EARLY = 500;
/** Counts of entries that have not become hot are forgotten at every so manieth call of `cool`. */
const FORGET_AFTER = 10;

/** With less budget regions refuse for its sake, and what is interpreted then says nothing about what is hot. */
const AMPLE = { 0: 0, 1: 0, auto: 2000 } as const;

/** Micro-ops of a page. */
const UOPS = 2048;

/**
 * Instructions that a machine retires before anything is compiled with `auto`, unless it says otherwise. A program that ends soon is
 * interpreted in less time than its hot places would take to compile (with V8's part, 70 ms, in which the interpreter retires 25 M).
 */
export const COMPILE_AFTER = 12_000_000;

/** Executions of an entry whose region refuses before it is looked at again. */
const PATIENCE = 15;

/** Executions of an entry that must wait, before it is looked at again. */
const WAIT = 10_000;

/**
 * Executions, beyond THRESHOLD, of an entry in the midst of a region before it has one of its own. Control comes there when that region
 * had to be left, and compiling a second one costs as much as interpreting the way back to where a region begins that many times.
 */
const SIDE_PATIENCE = 20_000;

/** Micro-ops remembered at most, of each sort. */
const MAX_REMEMBERED = 4096;

/** Looks at other pages than the last, and looks in vain, until others are tried; between two calls of `cool`. */
const MAX_MISSES = 300_000;
const MAX_FAILURES = 20;

/** What tier 1 reads of the machine. */
export interface TierReader extends CodeReader {
  readonly caches: PageCaches;
  /** The frame, as a number, that the micro-op at that address was made from. */
  frame(uop: number): number;
  /** One look at the TLB may serve several accesses: misaligned ones do not trap. */
  readonly groups: boolean;
}

/** A look at the TLB in a region, and how it was made. */
interface JudgedLook {
  /** The micro-op that looks, and those that it looks for. */
  readonly uop: number;
  readonly uops: readonly number[];
  readonly cache: number;
  readonly reach: Reach;
  readonly wild: boolean;
}

interface Region {
  readonly pc: number;
  /** Address of the entry's micro-op. */
  readonly uop: number;
  readonly slot: number;
  /** Micro-op pages that its code lies in; empty while only its slot is there. */
  pages: readonly number[];
  compiled: boolean;
  /** Its code, for the next table; null while only its slot is there. */
  body: FunctionBody | null;
  /** Instructions. */
  size: number;
  looks: readonly JudgedLook[];
  /** Its micro-ops. */
  uops: readonly number[];
  /** It computes in floating point: with assumptions about the unit's state, or with none. */
  floating: 'no' | 'assuming' | 'anyhow';
}

/** Counters, for `--stats`. */
export interface Tier1Stats extends TableStats {
  /** Regions compiled, and guest instructions in them. */
  regions: number;
  instructions: number;
  /** Regions that are gone: their code changed, or their slot was needed. */
  dropped: number;
  /** Entries that cannot be compiled. */
  refused: number;
  /** Times that a hot entry had to wait, because the code of its page changes too often. */
  postponed: number;
  /** Instructions that regions have retired; the interpreter retired the others. */
  retired: number;
  /** Regions, of those counted, whose code an earlier run has made. */
  recalled: number;
}

export class Tier1 {
  readonly stats: Tier1Stats = {
    regions: 0,
    instructions: 0,
    modules: 0,
    tables: 0,
    bytes: 0,
    dropped: 0,
    refused: 0,
    postponed: 0,
    retired: 0,
    recalled: 0,
  };
  #codeMemory: CodeMemory | null = null;
  /** It is worth while to compile, not only to take what an earlier run has made. */
  #begun = false;
  /** Micro-ops that were entries and have been hot before that, as many as are remembered: meanwhile they are none, and not counted. */
  readonly #waiting = new BoundedMap(MAX_REMEMBERED);
  /** Micro-ops of entries that no earlier run has compiled. */
  readonly #late = new BoundedMap(MAX_REMEMBERED);
  readonly #words: Int32Array;
  readonly #time: HostTime;
  readonly #table: RegionTable<Region>;
  readonly #reader: TierReader;
  readonly #caches: PageCaches;
  /** How much looks may ask for, by the micro-op that looks. */
  readonly #reach = new BoundedMap(MAX_REMEMBERED);
  /** Micro-ops of instructions whose looks meet too many pages for a page cache. */
  readonly #wild = new BoundedMap(MAX_REMEMBERED);
  /** By address of the entry's micro-op: usually one. */
  readonly #regions = new Map<number, Region[]>();
  readonly #byPage = new Map<number, Set<Region>>();
  /** Micro-ops of entries that cannot be compiled. */
  readonly #refused = new BoundedMap(MAX_REMEMBERED);
  readonly #losses = new Losses();
  /** What the interpreter marks entries with; 0: tier 1 wants none. */
  #mark = 0;
  /** Changing code may have to wait. */
  #patient = true;
  #counted = 0;
  /** Calls of `cool` since counts were forgotten. */
  #cooled = 0;
  /** Micro-ops of regions. */
  readonly #covered = new Set<number>();

  /** `link`: makes a table and an interpreter that calls regions through it. */
  constructor(memory: WebAssembly.Memory, link: () => Linked, time: HostTime, reader: TierReader) {
    this.#words = new Int32Array(memory.buffer);
    this.#reader = reader;
    this.#caches = reader.caches;
    this.#time = time;
    this.#table = new RegionTable(memory, link, this.stats);
  }

  /** Where code outlives the run; null: nowhere. */
  set codeMemory(memory: CodeMemory | null) {
    this.#codeMemory = memory;
    if (this.#patient && memory?.ready) this.#words[layout.THRESHOLD >>> 2] = EARLY;
  }

  get begun(): boolean {
    return this.#begun;
  }

  /** The machine has run so long that compiling is worth while: what has been hot is so when it is met again. */
  begin(): void {
    this.#begun = true;
    const words = this.#words;
    words[layout.MARK >>> 2] = this.#mark;
    for (const uop of this.#waiting.addresses()) {
      words[this.#heatAt(uop)] = (words[layout.THRESHOLD >>> 2] as number) - 1;
      words[uop >>> 2] = (words[uop >>> 2] as number) | ENTRY;
    }
    this.#waiting.clear();
  }

  /** Chooses when regions are compiled. */
  choose(choice: TierChoice, mark: number): void {
    this.#patient = choice === 'auto';
    this.#mark = choice === 0 ? 0 : mark;
    this.#words[layout.MARK >>> 2] = this.#mark;
    this.#words[layout.THRESHOLD >>> 2] = THRESHOLD[choice];
    this.#words[layout.AMPLE >>> 2] = AMPLE[choice];
  }

  get #fetchTable(): number {
    return this.#words[layout.TLB_FETCH >>> 2] as number;
  }

  /** The micro-op page behind a virtual page in the present view, 0 when there is none. */
  #decoded(page: number): number {
    return this.#words[(this.#fetchTable >>> 2) + page] as number;
  }

  /** Regions may assume that NX is accrued, the rounding mode RNE, and FS dirty. */
  get #assumptionsHold(): boolean {
    return ((this.#words[layout.FCSR >>> 2] as number) & 0xe1) === 1 && this.#words[layout.FS >>> 2] === 3;
  }

  #uopOf(pc: number): number {
    const page = this.#decoded(pc >>> 12);
    return page === 0 ? 0 : page + (pc & 0xfff) * 4;
  }

  #heatAt(uop: number): number {
    return (layout.HEAT >>> 2) + ((uop >>> 3) & (layout.HEAT_SIZE - 1));
  }

  #find(pc: number, uop: number): Region | null {
    return this.#regions.get(uop)?.find((r) => r.pc === pc) ?? null;
  }

  /** The entry at `pc` has become hot: compiles it unless its region is there, and lets the interpreter find it. */
  hot(pc: number): void {
    const uop = this.#uopOf(pc);
    if (uop === 0 || this.#refused.has(uop)) return;
    const heat = this.#heatAt(uop);
    let region = this.#find(pc, uop);
    // It refuses again and again, for the state that the unit has now.
    if (region?.floating === 'assuming' && !this.#assumptionsHold) {
      this.#drop(region);
      region = null;
    }
    if (region?.compiled) {
      // It refused, or the jump cache had no room for it. So that it is executed at all, it must not be hot again at once.
      this.#words[heat] = -PATIENCE;
    } else if (this.#patient && this.#losses.mustWait(this.#reader.frame(uop))) {
      this.stats.postponed++;
      this.#words[heat] = -WAIT;
      return;
    } else {
      const ready = this.#codeMemory?.ready ? this.#codeMemory : null;
      const early = ready !== null && this.#patient && !this.#late.has(uop);
      if (!early && this.#patient && !this.#begun && ready?.again !== true) {
        this.#words[heat] = -WAIT;
        // Without code of an earlier run nobody enters anything until then.
        if (this.stats.recalled === 0) this.#words[layout.MARK >>> 2] = 0;
        if (this.#waiting.isFull) return;
        this.#waiting.set(uop, 1);
        this.#words[uop >>> 2] = (this.#words[uop >>> 2] as number) & ~ENTRY;
        return;
      }
      const begun = this.#time.now();
      this.#words[heat] = early ? EARLY - THRESHOLD.auto : 0;
      this.#compile(pc, MAX_INSTRUCTIONS, early);
      this.#time.compiling += this.#time.now() - begun;
      region = this.#find(pc, uop);
      if (early && !region?.compiled) {
        this.#late.set(uop, 1);
        return;
      }
    }
    if (region === null || !region.compiled) {
      this.stats.refused++;
      this.#refused.set(uop, 1);
      return;
    }
    this.#enterInJumpCache(pc, region);
  }

  /** Compiles the region at `pc`, of `limit` instructions at most, if it is not there. False where that cannot be. */
  force(pc: number, limit: number): boolean {
    const uop = this.#uopOf(pc);
    if (uop === 0) return false;
    const present = this.#find(pc, uop);
    // The variant for the state that the floating-point unit has now.
    if (present !== null && present.floating === (this.#assumptionsHold ? 'anyhow' : 'assuming'))
      this.#drop(present);
    if (!this.#find(pc, uop)?.compiled) this.#compile(pc, limit);
    const region = this.#find(pc, uop);
    if (!region?.compiled) return false;
    this.#enterInJumpCache(pc, region);
    return true;
  }

  #enterInJumpCache(pc: number, region: Region): void {
    const fetch = this.#fetchTable;
    const hash = ((pc >>> 1) ^ (fetch >>> layout.JUMP_CACHE_VIEW_SHIFT)) & (layout.JUMP_CACHE_SIZE - 1);
    const entry = (layout.JUMP_CACHE >>> 2) + 2 * hash;
    this.#words[entry] = pc;
    this.#words[entry + 1] = region.slot ^ fetch;
  }

  /**
   * Forgets what is not hot yet. Regions made when nothing could be assumed of the
   * floating-point unit are made anew if it can be now.
   */
  cool(): void {
    this.#judgeLooks();
    if (this.#assumptionsHold) {
      for (const region of this.#table.holders) if (region?.floating === 'anyhow') this.#drop(region);
    }
    this.#losses.forget();
    if (++this.#cooled < FORGET_AFTER) return;
    this.#cooled = 0;
    // What waits goes on waiting: who comes again and again gets a region in the end.
    const words = this.#words;
    const first = layout.HEAT >>> 2;
    for (let at = first; at < first + layout.HEAT_SIZE; at++) if ((words[at] as number) > 0) words[at] = 0;
    this.#late.clear();
  }

  /** Micro-ops of regions are not hot for long. */
  #waitFor(uops: Iterable<number>): void {
    if (!this.#patient) return;
    for (const uop of uops) this.#words[this.#heatAt(uop)] = -SIDE_PATIENCE;
  }

  #judged({ pc, pcs, cache }: Look): JudgedLook {
    const uop = this.#uopOf(pc);
    const uops = pcs.map((p) => this.#uopOf(p));
    const reach = Math.max(...uops.map((u) => this.#reach.get(u) ?? 0)) as Reach;
    return { uop, uops, cache, reach, wild: this.#wild.has(uop) };
  }

  /** Regions whose looks did badly are made anew in another way when they are hot again. */
  #judgeLooks(): void {
    for (const region of this.#table.holders) {
      let better = false;
      for (const { uop, uops, reach, wild, cache } of region?.looks ?? []) {
        const { misses, failures } = this.#caches.counts(cache);
        if (failures >= MAX_FAILURES && reach < 2) {
          for (const one of uops) this.#reach.set(one, Math.max(reach + 1, this.#reach.get(one) ?? 0));
          better = true;
        }
        if (misses >= MAX_MISSES && !wild) {
          this.#wild.set(uop, 1);
          better = true;
        }
      }
      if (better && region !== null) this.#drop(region);
    }
    this.#caches.resetCounts();
  }

  /** The region of a place, with a slot of its own; made when there is none yet. */
  #reserve(pc: number, uop: number, wish = 0): Region {
    const existing = this.#find(pc, uop);
    if (existing !== null) return existing;
    const slot = this.#table.choose(wish);
    const previous = this.#table.at(slot);
    if (previous !== null) this.#drop(previous);
    const region: Region = {
      pc,
      uop,
      slot,
      pages: [],
      looks: [],
      uops: [],
      compiled: false,
      body: null,
      size: 0,
      floating: 'no',
    };
    this.#table.add(region);
    const others = this.#regions.get(uop);
    if (others === undefined) this.#regions.set(uop, [region]);
    else others.push(region);
    this.#note(region, [uop - (pc & 0xfff) * 4]);
    return region;
  }

  #note(region: Region, pages: readonly number[]): void {
    for (const page of pages) {
      const there = this.#byPage.get(page);
      if (there === undefined) this.#byPage.set(page, new Set([region]));
      else there.add(region);
    }
    region.pages = pages;
  }

  #drop(region: Region): void {
    if (region.compiled) this.stats.dropped++;
    this.#table.remove(region);
    for (const uop of region.uops) {
      this.#covered.delete(uop);
      this.#words[this.#heatAt(uop)] = 0;
    }
    const rest = this.#regions.get(region.uop)?.filter((r) => r !== region) ?? [];
    if (rest.length === 0) this.#regions.delete(region.uop);
    else this.#regions.set(region.uop, rest);
    for (const page of region.pages) this.#byPage.get(page)?.delete(region);
  }

  /** Brings `stats.retired` up to date; to be called at least once in 2^32 instructions. */
  count(): void {
    const now = this.#words[layout.REGION_RETIRED >>> 2] as number;
    this.stats.retired += (now - this.#counted) >>> 0;
    this.#counted = now;
  }

  /**
   * The micro-ops of a page are gone, and with them every region that has code there, and what was known of its entries.
   * `changed`: because the code changes.
   */
  dropPage(page: number, changed: boolean): void {
    const first = (page >>> 3) & (layout.HEAT_SIZE - 1);
    const heat = layout.HEAT >>> 2;
    this.#words.fill(0, heat + first, heat + Math.min(first + UOPS, layout.HEAT_SIZE));
    this.#words.fill(0, heat, heat + Math.max(0, first + UOPS - layout.HEAT_SIZE));
    for (const map of [this.#refused, this.#reach, this.#wild, this.#late, this.#waiting])
      map.deleteRange(page, page + UOPS * 8);
    const there = this.#byPage.get(page);
    if (there === undefined) return;
    this.#byPage.delete(page);
    for (const region of there) {
      if (changed && region.compiled) this.#losses.note(this.#reader.frame(page), region.size);
      this.#drop(region);
    }
  }

  /** What compiling asks, for regions of `limit` instructions at most. */
  #world(limit: number): World {
    const reader = this.#reader;
    return {
      isa: reader.isa,
      groups: reader.groups,
      half: (va) => reader.half(va),
      targets: (pc) => reader.targets(pc),
      stopsAt: (va) => reader.stopsAt(va),
      room: (pc) => {
        const uop = this.#uopOf(pc);
        return uop === 0 || this.#find(pc, uop)?.compiled ? 0 : limit;
      },
      isKnown: (pc) => this.#covered.has(this.#uopOf(pc)),
      isWarm: (pc) => this.#isWarm(pc),
      slotFor: (pc, wish) => {
        const uop = this.#uopOf(pc);
        return uop === 0 ? -1 : this.#reserve(pc, uop, wish).slot;
      },
      decoded: (page) => this.#decoded(page),
      reserve: (write, size, wish) =>
        wish === undefined ? this.#caches.reserve(write, size) : this.#caches.share(wish),
      isWild: (pc) => this.#wild.has(this.#uopOf(pc)),
      reachOf: (pc) => (this.#reach.get(this.#uopOf(pc)) ?? 0) as Reach,
      entered: (register) => this.#words[(layout.X >>> 2) + register] as number,
      assumes: () => this.#assumptionsHold,
    };
  }

  #isWarm(pc: number): boolean {
    const uop = this.#uopOf(pc);
    if (uop === 0) return false;
    const heat = this.#words[this.#heatAt(uop)] as number;
    if (!this.#patient) return heat >= 0;
    return heat + (this.#late.has(uop) ? THRESHOLD.auto - EARLY : 0) >= THRESHOLD.auto >>> 3;
  }

  /**
   * Compiles the region at `pc` and those that it calls, as far as they are warm; or takes what an earlier run has made of them, which
   * is all that is done `early`.
   */
  #compile(pc: number, limit: number, early = false): void {
    this.#table.renew();
    const world = this.#world(limit);
    const codeMemory = this.#codeMemory;
    if (codeMemory === null) {
      this.#make(world, pc);
    } else if (!this.#recall(codeMemory, world, pc) && !early) {
      const listener = new Listener(world);
      const made = this.#make(listener, pc);
      if (made === null) return;
      const { regions, bytes, module } = made;
      this.#tell(codeMemory, { pc, answers: listener.answers, regions, bytes }, module);
    }
  }

  #make(
    world: World,
    pc: number,
  ): { regions: readonly Compiled[]; bytes: Uint8Array<ArrayBuffer>; module: WebAssembly.Module } | null {
    const regions = this.#kept(compileBatch(world, pc));
    if (regions.length === 0) return null;
    const bytes = this.#table.encode(regions);
    const module = new WebAssembly.Module(bytes);
    this.#install(regions, module, bytes.length);
    return { regions, bytes, module };
  }

  #recall(memory: CodeMemory, world: World, pc: number): boolean {
    for (const batch of memory.recall(pc)) {
      const { answers, regions, bytes } = batch;
      if (!answersAgain(world, answers) || this.#kept(regions).length < regions.length) continue;
      const module = memory.module(batch);
      this.#install(regions, module, bytes.length);
      this.stats.recalled += regions.length;
      this.#tell(memory, batch, module);
      return true;
    }
    return false;
  }

  #tell(memory: CodeMemory, batch: RememberedBatch, module: WebAssembly.Module): void {
    const functions = batch.regions.map(({ slot }) => this.#table.functionAt(slot));
    memory.used(batch, module, functions);
  }

  /** Those that still have their slots: making room for a call's slot may have taken one of these. */
  #kept(regions: readonly Compiled[]): readonly Compiled[] {
    return regions.filter(({ pc, slot }) => this.#table.at(slot)?.pc === pc);
  }

  /** `module` is that of the regions. */
  #install(regions: readonly Compiled[], module: WebAssembly.Module, bytes: number): void {
    this.#table.instantiate(module, bytes);
    for (const { slot, body, looks, pcs, pages, floating } of regions) {
      const region = this.#table.at(slot) as Region;
      region.compiled = true;
      region.body = body;
      region.uops = pcs.map((pc) => this.#uopOf(pc));
      for (const at of region.uops) this.#covered.add(at);
      // Where an earlier run had regions there will be some again.
      this.#waitFor(region.uops.filter((_uop, i) => !this.#codeMemory?.recall(pcs[i] as number).length));
      region.looks = looks.map((look) => this.#judged(look));
      region.floating = floating;
      region.size = pcs.length;
      this.#byPage.get(region.pages[0] as number)?.delete(region);
      this.#note(
        region,
        pages.map((page) => this.#decoded(page)),
      );
      this.stats.regions++;
      this.stats.instructions += pcs.length;
    }
  }
}
