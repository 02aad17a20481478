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
import { UOP_BYTES } from '../tier0/uop.ts';
import { answersAgain, Listener } from './answers.ts';
import { compileBatch, type Compiled, type World } from './batch.ts';
import { BoundedMap, MAX_REMEMBERED } from './boundedMap.ts';
import type { CodeMemory, RememberedBatch } from './codeMemory.ts';
import { Heat, type TierChoice } from './heat.ts';
import { JudgedLooks } from './judgedLooks.ts';
import { Losses } from './losses.ts';
import { MAX_INSTRUCTIONS, type CodeReader } from './region.ts';
import { RegionIndex, type Region } from './regionIndex.ts';
import { RegionStart } from './regionStart.ts';
import { RegionTable, type Linked } from './regionTable.ts';
import { newStats } from './stats.ts';

/** Counts of entries that have not become hot are forgotten at every so manieth call of `cool`. */
const FORGET_AFTER = 10;

/**
 * Instructions that a machine retires before anything is compiled with `auto`, unless it says otherwise. A program that ends soon is
 * interpreted in less time than its hot places would take to compile (with V8's part, 70 ms, in which the interpreter retires some 50 M).
 */
export const COMPILE_AFTER = 10_500_000;

/** What tier 1 reads of the machine. */
export interface TierReader extends CodeReader {
  readonly caches: PageCaches;
  /** The frame, as a number, that the micro-op at that address was made from. */
  frame(uop: number): number;
  /** One look at the TLB may serve several accesses: misaligned ones do not trap. */
  readonly groups: boolean;
}

export class Tier1 {
  readonly stats = newStats();
  #codeMemory: CodeMemory | null = null;
  readonly #words: Int32Array;
  readonly #heat: Heat;
  readonly #time: HostTime;
  readonly #table: RegionTable<Region>;
  readonly #reader: TierReader;
  readonly #caches: PageCaches;
  readonly #looks: JudgedLooks;
  readonly #regions = new RegionIndex();
  /** Micro-ops of entries that cannot be compiled. */
  readonly #refused = new BoundedMap(MAX_REMEMBERED);
  readonly #losses = new Losses();
  readonly #start: RegionStart;
  #counted = 0;
  /** Calls of `cool` since counts were forgotten. */
  #cooled = 0;
  /** `link`: makes a table and an interpreter that calls regions through it. */
  constructor(memory: WebAssembly.Memory, link: () => Linked, time: HostTime, reader: TierReader) {
    this.#words = new Int32Array(memory.buffer);
    this.#heat = new Heat(this.#words);
    this.#reader = reader;
    this.#start = new RegionStart(
      this.#heat,
      reader,
      (pc, uop) => !this.#refused.has(uop) && !this.#find(pc, uop)?.compiled,
    );
    this.#caches = reader.caches;
    this.#looks = new JudgedLooks(reader.caches);
    this.#time = time;
    this.#table = new RegionTable(memory, link, this.stats);
  }

  /** Where code outlives the run; null: nowhere. */
  set codeMemory(memory: CodeMemory | null) {
    this.#codeMemory = memory;
    if (memory?.ready) this.#heat.expectKept();
  }

  get begun(): boolean {
    return this.#heat.begun;
  }

  /** The machine has run so long that compiling is worth while: what has been hot is so when it is met again. */
  begin(): void {
    this.#heat.begin();
  }

  /** Chooses when regions are compiled. */
  choose(choice: TierChoice, mark: number): void {
    this.#heat.choose(choice, mark);
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

  #find(pc: number, uop: number): Region | null {
    return this.#regions.find(pc, uop);
  }

  /**
   * The entry at `pc` has become hot: compiles it unless its region is there, and lets the interpreter find it.
   * `retired`: instructions that the machine has retired.
   */
  hot(pc: number, retired: number): void {
    const uop = this.#uopOf(pc);
    if (uop === 0 || this.#refused.has(uop)) return;
    const heat = this.#heat;
    let region = this.#find(pc, uop);
    // It refuses again and again, for the state that the unit has now.
    if (region?.floating === 'assuming' && !this.#assumptionsHold) {
      this.#drop(region);
      region = null;
    }
    if (region?.compiled) {
      // It refused, or the jump cache had no room for it. So that it is executed at all, it must not be hot again at once.
      heat.refused(uop);
    } else if (heat.patient && this.#losses.mustWait(this.#reader.frame(uop))) {
      this.stats.postponed++;
      heat.postpone(uop);
      return;
    } else {
      const kept = this.#codeMemory?.ready === true && this.#codeMemory.again;
      if (heat.expectant && !kept) {
        heat.expectNone();
        return;
      }
      const early = heat.expectant && !heat.isLate(uop);
      if (!early && heat.patient && !heat.begun && !kept) {
        // Without code of an earlier run nobody enters anything until then.
        heat.waitForBegin(uop, this.stats.recalled > 0);
        return;
      }
      const begun = this.#time.now();
      const start =
        early || !heat.patient || this.#regions.covers(uop) ? pc : this.#start.of(pc, uop, retired);
      if (start === 'again' || start === 'leaf') {
        heat.lookAgain(uop, start);
        return;
      }
      if (start === 'rare') {
        heat.rare(uop);
        return;
      }
      heat.taken(uop, early);
      this.#compile(start, MAX_INSTRUCTIONS, early);
      this.#time.compiling += this.#time.now() - begun;
      region = this.#find(start, this.#uopOf(start));
      if (early && !region?.compiled) {
        heat.setLate(uop);
        return;
      }
      if (start !== pc) {
        // It is entered from the next call on.
        if (!region?.compiled) this.#refused.set(this.#uopOf(start), 1);
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
    this.#heat.forget();
    this.#start.clear();
  }

  /** Regions whose looks did badly are made anew in another way when they are hot again. */
  #judgeLooks(): void {
    for (const region of this.#table.holders) {
      if (region !== null && this.#looks.judge(region.looks)) this.#drop(region);
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
    const region = this.#regions.add(pc, uop, slot);
    this.#table.add(region);
    return region;
  }

  #drop(region: Region): void {
    if (region.compiled) this.stats.dropped++;
    this.#table.remove(region);
    for (const uop of region.uops) this.#heat.uncovered(uop);
    this.#regions.remove(region);
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
    this.#heat.dropPage(page);
    const end = page + layout.DECODED_UOPS * UOP_BYTES;
    this.#refused.deleteRange(page, end);
    this.#looks.deleteRange(page, end);
    this.#start.deleteRange(page, end);
    for (const region of this.#regions.takePage(page)) {
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
      isKnown: (pc) => this.#regions.covers(this.#uopOf(pc)),
      isWarm: (pc) => this.#isWarm(pc),
      isUsed: (pc) => this.#isUsed(pc),
      slotFor: (pc, wish) => {
        const uop = this.#uopOf(pc);
        return uop === 0 ? -1 : this.#reserve(pc, uop, wish).slot;
      },
      decoded: (page) => this.#decoded(page),
      reserve: (write, size, wish) =>
        wish === undefined ? this.#caches.reserve(write, size) : this.#caches.share(wish),
      isWild: (pc) => this.#looks.isWild(this.#uopOf(pc)),
      reachOf: (pc) => this.#looks.reachOf(this.#uopOf(pc)),
      entered: (register) => this.#words[(layout.X >>> 2) + register] as number,
      assumes: () => this.#assumptionsHold,
    };
  }

  #isWarm(pc: number): boolean {
    const uop = this.#uopOf(pc);
    return uop !== 0 && this.#heat.isWarm(uop);
  }

  #isUsed(pc: number): boolean {
    const uop = this.#uopOf(pc);
    if (uop === 0) return false;
    return this.#heat.isWarm(uop) || this.#start.isWaiting(uop) || this.#find(pc, uop)?.compiled === true;
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
    const memory = this.#codeMemory;
    const uopOf = (pc: number): number => this.#uopOf(pc);
    for (const { slot, body, looks, pcs, pages, floating } of regions) {
      const region = this.#table.at(slot) as Region;
      region.compiled = true;
      region.body = body;
      const uops = pcs.map(uopOf);
      this.#regions.fill(
        region,
        uops,
        pages.map((page) => this.#decoded(page)),
      );
      // Where an earlier run had regions there will be some again.
      this.#heat.covered(
        memory === null ? uops : uops.filter((_uop, i) => memory.recall(pcs[i] as number).length === 0),
      );
      region.looks = looks.map((look) => this.#looks.made(look, uopOf));
      region.floating = floating;
      region.size = pcs.length;
      // The interpreter may be on its way there: of the regions of a batch one alone was hot.
      this.#enterInJumpCache(region.pc, region);
      this.stats.regions++;
      this.stats.instructions += pcs.length;
    }
  }
}
