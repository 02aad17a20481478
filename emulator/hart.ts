/**
 * One RISC-V hart: RV32IMAFDC, M/S/U, on the tier-0 interpreter.
 *
 * The registers lie in the machine's memory, where compiled code works on them; the fields here are views.
 * `run` and `step` never throw for anything a guest does: traps go to the supervisor or to the M-mode
 * handler, and what the host must know comes back as a StopReason.
 * Missing: further harts; the debug specification's triggers (breakpoints are the host's).
 */
import type { Platform } from './devices/platform.ts';
import { FETCH, Fetcher, type Fetch } from './fetcher.ts';
import { FloatRows } from './floatRows.ts';
import { HostTime } from './hostTime.ts';
import { ECALL_CAUSE, helpers } from './helpers.ts';
import type { Isa } from './isa/choice.ts';
import { instructionAt } from './isa/table.ts';
import * as layout from './layout.ts';
import { RAM_BASE, type PhysicalMemory } from './memory.ts';
import { Mmu, type MemoryAccess, type MmuOptions } from './mmu/mmu.ts';
import { Tlb, type TlbEntry } from './mmu/tlb.ts';
import { Cause } from './priv/cause.ts';
import type { CsrContext, TimeSource } from './priv/csr.ts';
import { dataPrivilege, handOffToSupervisor, Privilege, PrivState, type FpStatus } from './priv/state.ts';
import {
  ArchitecturalTraps,
  enterMachineTrap,
  enterTrap,
  NO_INTERRUPT,
  pendingInterrupt,
  trapTarget,
  wakesFromWfi,
} from './priv/trap.ts';
import { ECALL_SLOT, MAX_DEPTH, TABLE_SIZE } from './jit/convention.ts';
import type { TierChoice } from './jit/heat.ts';
import type { Linked } from './jit/regionTable.ts';
import { Tier1 } from './jit/tier1.ts';
import type { Retired, StopReason, Supervisor } from './supervisor.ts';
import { CodeCache } from './tier0/codeCache.ts';
import { instantiateInterpreter, type Interpreter, type InterpreterImports } from './tier0/interpreter.ts';
import { ECALL, STATUS } from './tier0/step.ts';
import { ENTRY, FIRST_ROW_OP, OP_BREAKPOINT, OP_ILLEGAL, OP_JUMP, OP_STRADDLE } from './tier0/uop.ts';

const BUDGET_STOP: StopReason = { kind: 'budget' };
const WATCH_STOP: StopReason = { kind: 'watch' };
/** fcsr.fflags. */
const FFLAGS = 0x1f;
/** The longest stretch inside the fast loop: a function is only replaced by its optimised code when called anew. */
const LONGEST_SLICE = 4_000_000;

/** Instructions in which an entry must become hot. */
const COOL_AFTER = 20_000_000;

/** What came of a trap: `run` stops or (null) goes on, or the supervisor threw. */
type Served = { readonly stop: StopReason | null } | { readonly error: unknown };

export class Hart implements CsrContext {
  /** x0 to x31: what a context switch copies. */
  readonly registers: Int32Array;
  /** x0 to x31, and the junk slot at 32 that takes writes to x0. */
  readonly x: Int32Array;
  /** f0 to f31 as low and high words. */
  readonly f: Uint32Array;
  readonly state = new PrivState();
  readonly mmu: Mmu;
  readonly fp: FpStatus;
  readonly clock: TimeSource;
  readonly tier1: Tier1;
  readonly hostTime: HostTime;
  supervisor: Supervisor = new ArchitecturalTraps();
  /** When set, every retired instruction is reported, and execution is much slower. */
  onRetire: ((retired: Retired) => void) | null = null;
  /** WFI was executed and nothing has ended it. */
  waiting = false;

  readonly #words: Int32Array;
  readonly #uops: DataView;
  readonly #platform: Platform;
  readonly #code: CodeCache;
  readonly #fetcher: Fetcher;
  /** Instructions begin at its multiples. */
  readonly #ialign: 2 | 4;
  #interpreter!: Interpreter;
  /** Retired before the present stretch in the interpreter, and that stretch's length; 0 outside. */
  #committed = 0;
  #slice = 0;
  /** The retired count at which the present `run` ends. */
  #end = 0;
  #checkInterrupts = true;
  /** The retired count at which entries that are not hot by then are cold again. */
  #coolAt: number;
  /** The retired count up to which no device raises an interrupt by itself. */
  #nextEventAt = 0;
  #cause = 0;
  #tval = 0;
  /** The watched range was stored to, and `run` has not said so yet. */
  #watchHit = false;
  /** The fast loop is running: traps are delivered while it waits. */
  #serves = false;
  /** What came of the trap so delivered, when the loop had to leave for it. */
  #served: Served | null = null;

  constructor(
    memory: WebAssembly.Memory,
    ram: PhysicalMemory,
    platform: (hart: Hart) => Platform,
    options: MmuOptions & {
      readonly isa: Isa;
      readonly tier: TierChoice;
      readonly compileAfter: number;
      readonly clock: (() => number) | null;
    },
  ) {
    this.registers = new Int32Array(memory.buffer, layout.X, 32);
    this.x = new Int32Array(memory.buffer, layout.X, 33);
    this.f = new Uint32Array(memory.buffer, layout.F, 64);
    const words = new Int32Array(memory.buffer, 0, 0x4000);
    this.#words = words;
    this.#uops = new DataView(memory.buffer);
    this.#platform = platform(this);
    this.clock = this.#platform.clint;
    this.fp = {
      getFs: () => words[layout.FS >>> 2] as number,
      setFs: (fs) => void (words[layout.FS >>> 2] = fs),
      getFcsr: () => words[layout.FCSR >>> 2] as number,
      setFcsr: (fcsr) => void (words[layout.FCSR >>> 2] = fcsr & 0xff),
    };
    const floatRows = new FloatRows(memory);
    const tlb = new Tlb(memory);
    this.mmu = new Mmu(memory, ram, this.#platform.bus, this.state, tlb, options);
    this.mmu.onDevice = () => {
      this.state.lines = this.#platform.interruptLines();
      this.#checkInterrupts = true;
    };
    this.#code = new CodeCache(memory, ram, tlb, options.isa, options.tier !== 0);
    this.mmu.decodedPages = this.#code.pageOfFrame;
    this.#fetcher = new Fetcher(memory, ram, this.mmu, this.#code);
    this.#ialign = options.isa.compressed ? 2 : 4;
    this.state.misa = options.isa.misa;
    this.state.epcMask = -this.#ialign >>> 0;
    const { mmu } = this;
    const imports: Omit<InterpreterImports, 'region'> = {
      load: (va, size) => {
        const status = mmu.load(va, size);
        return status === STATUS.trap && this.#faultServed() ? mmu.load(va, size) : status;
      },
      store: (va, size) => {
        const status = mmu.store(va, size);
        return status === STATUS.trap && this.#faultServed() ? mmu.store(va, size) : status;
      },
      translate: (va, write) => {
        const host = mmu.translateAtomic(va, write);
        return host === 0 && this.#faultServed() ? mmu.translateAtomic(va, write) : host;
      },
      ecall: (_unused, _unusedToo) => {
        const { generation } = tlb;
        if (!this.#serve(ECALL_CAUSE[this.state.privilege] as number, 0)) return ECALL.leave;
        return tlb.generation === generation ? ECALL.goOn : ECALL.changed;
      },
      fp: (index, _unused) => floatRows.execute(index),
      helper: (index, insn) => this.#executeHelper(index, insn),
    };
    const link = (): Linked => {
      const table = new WebAssembly.Table({
        element: 'anyfunc',
        initial: ECALL_SLOT + 1,
        maximum: TABLE_SIZE,
      });
      const region = (budget: number, slot: number): number =>
        hostTime.region(table.get(slot) as Interpreter['stub'], budget, MAX_DEPTH);
      this.#interpreter = instantiateInterpreter(memory, table, { ...imports, region }, options.tier === 0);
      ram.bulk = this.#interpreter;
      this.#code.decoder = this.#interpreter;
      return { table, ...this.#interpreter };
    };
    const hostTime = new HostTime(options.clock);
    this.hostTime = hostTime;
    words[layout.TIMED >>> 2] = options.clock === null ? 0 : 1;
    this.tier1 = new Tier1(memory, link, hostTime, {
      half: (va) => this.#code.half(words[layout.TLB_FETCH >>> 2] as number, va),
      targets: (pc) => this.#code.targets(words[layout.TLB_FETCH >>> 2] as number, pc),
      frame: (uop) => this.#code.frameOf(uop),
      stopsAt: (va) => this.#code.breakpoints.has(va),
      isa: options.isa,
      caches: tlb.caches,
      groups: options.misalignedInHardware,
    });
    this.tier1.choose(options.tier, ENTRY);
    this.#coolAt = options.compileAfter;
    this.#code.onDrop = (page, changed) => {
      this.tier1.dropPage(page, changed);
    };
    this.pc = RAM_BASE;
  }

  // State

  get pc(): number {
    return (this.#words[layout.PC >>> 2] as number) >>> 0;
  }

  set pc(value: number) {
    this.#words[layout.PC >>> 2] = value & ~1;
  }

  /** Address of the instruction under way; means something only inside a helper. */
  get instructionPc(): number {
    const words = this.#words;
    const distance = (words[layout.IP >>> 2] as number) - (words[layout.ANCHOR_IP >>> 2] as number);
    return ((words[layout.ANCHOR_PC >>> 2] as number) + (distance >> 2)) >>> 0;
  }

  get fcsr(): number {
    return this.fp.getFcsr();
  }

  set fcsr(value: number) {
    this.fp.setFcsr(value);
  }

  /** mstatus.FS: one of Fs. */
  get fs(): number {
    return this.fp.getFs();
  }

  set fs(value: number) {
    this.fp.setFs(value);
  }

  /** 0 U, 1 S, 3 M. */
  get privilege(): number {
    return this.state.privilege;
  }

  set privilege(value: number) {
    if (value === this.state.privilege) return;
    this.state.privilege = value as Privilege;
    this.mmu.selectViews();
    this.#checkInterrupts = true;
  }

  /** Instructions retired since power-on; exact inside helpers and devices too. */
  get retired(): number {
    if (this.#slice === 0) return this.#committed;
    return this.#committed + this.#slice - (this.#words[layout.BUDGET >>> 2] as number) - 1;
  }

  /** Decoded pages dropped because their bytes changed or their place was needed. */
  get invalidations(): number {
    return this.#code.invalidations;
  }

  // Address spaces

  /** Writes satp. Switches TLB views and forgets nothing. */
  setAddressSpace(satp: number): void {
    if (satp >>> 0 === this.state.satp) return;
    this.state.satp = satp >>> 0;
    this.mmu.selectViews();
  }

  flushTlbPage(satp: number, va: number): void {
    this.mmu.tlb.flushPage(satp, va);
  }

  flushTlbAll(satp: number): void {
    this.mmu.tlb.flushAll(satp);
  }

  /** The address space will not be used again. */
  dropAddressSpace(satp: number): void {
    this.mmu.tlb.drop(satp);
  }

  /** The user-mode data entries of an address space, for comparing them with its tables. */
  tlbEntries(satp: number): TlbEntry[] {
    return this.mmu.tlb.entries(satp);
  }

  /** Between an LR and its SC: a preemption now would make the SC fail. */
  get reserved(): boolean {
    return this.#words[layout.RESERVATION >>> 2] !== 0;
  }

  clearReservation(): void {
    this.#words[layout.RESERVATION >>> 2] = 0;
  }

  /** FENCE.I: nothing to do, since every write to translated code drops the translation. */
  fenceI(): void {}

  /**
   * Leaves the hart as firmware leaves it to a hosted kernel: all of S mode's traps delegated, memory open, FS on,
   * user mode. The supervisor handles what user code raises.
   */
  enterHostedUserMode(supervisor: Supervisor): void {
    handOffToSupervisor(this.state);
    this.supervisor = supervisor;
    this.fp.setFs(3);
    this.mmu.pmpChanged();
    this.privilege = Privilege.U;
  }

  // Breakpoints

  get breakpoints(): ReadonlySet<number> {
    return this.#code.breakpoints;
  }

  /** Stops `run` before the instruction at that virtual address, in any address space. */
  addBreakpoint(pc: number): void {
    this.#code.breakpoints.add(pc >>> 0);
    this.#code.invalidateAll();
  }

  removeBreakpoint(pc: number): void {
    if (this.#code.breakpoints.delete(pc >>> 0)) this.#code.invalidateAll();
  }

  /**
   * Makes `run` and `step` stop after each instruction that stores to [pa, pa + size) of RAM, an atomic one at the next
   * occasion. Only stores to its pages pay for it.
   */
  watchStores(pa: number, size: number, heard: (pa: number, size: number) => void): void {
    this.mmu.onWatched = (at, length) => {
      this.#watchHit = true;
      heard(at, length);
    };
    this.mmu.watch(pa, size);
  }

  #takeWatch(): StopReason | null {
    if (!this.#watchHit) return null;
    this.#watchHit = false;
    return WATCH_STOP;
  }

  // Execution

  /**
   * Compiles the region at pc however cold it is, of `limit` instructions at most; whoever runs from there next enters it.
   * Tests want that, and nobody else. False when pc cannot be fetched or tier 1 leaves its instruction to tier 0.
   */
  compileAt(pc: number, limit: number): boolean {
    if (this.#fetcher.decodeEntry(pc) !== FETCH.ready) {
      this.mmu.cause = NO_CAUSE;
      return false;
    }
    return this.tier1.force(pc, limit);
  }

  /** Raises an exception at the instruction under way; a helper returns what this returns. */
  raise(cause: number, tval: number): number {
    this.#cause = cause;
    this.#tval = tval >>> 0;
    return STATUS.trap;
  }

  interruptsChanged(): void {
    this.#checkInterrupts = true;
  }

  /**
   * Retires up to `budget` instructions, exactly. A trap's instruction does not retire. A breakpoint at the
   * present pc does not stop it again.
   * @param budget integer >= 0
   */
  run(budget: number): StopReason {
    const begun = this.hostTime.now();
    const stop = this.#run(budget);
    this.hostTime.total += this.hostTime.now() - begun;
    return stop;
  }

  #run(budget: number): StopReason {
    this.#end = this.#committed + budget;
    this.#checkInterrupts = true; // the host may have fed a device
    const start = this.pc;
    let first = true;
    while (this.#committed < this.#end) {
      const stop = this.#beforeSlice();
      if (stop !== null) return stop;
      if (this.pc !== start) first = false; // an interrupt: its handler may begin with a breakpoint
      const horizon = Math.min(this.#end, this.#nextEventAt);
      const length = Math.max(1, Math.min(horizon - this.#committed, LONGEST_SLICE));
      const reason = this.onRetire === null ? this.#fast(length, first) : this.#stepOnce(first);
      first = false;
      if (reason !== null) return reason;
      if (this.#watchHit) return this.#takeWatch() ?? BUDGET_STOP;
      if (horizon <= this.#committed) this.#checkInterrupts = true;
    }
    return BUDGET_STOP;
  }

  /**
   * Lets the present `run` retire `budget` instructions more than it has by now. For a supervisor during a trap.
   * @param budget integer > 0
   */
  setBudget(budget: number): void {
    const { retired } = this;
    this.#end = retired + budget;
    if (this.#slice === 0) return;
    const words = this.#words;
    const horizon = Math.min(this.#end, this.#nextEventAt, this.#committed + LONGEST_SLICE);
    const left = Math.max(1, horizon - retired) - 1;
    this.#slice += left - (words[layout.BUDGET >>> 2] as number);
    words[layout.BUDGET >>> 2] = left;
  }

  /** Executes one instruction, or takes one trap. */
  step(): StopReason {
    this.#checkInterrupts = true;
    return this.#beforeSlice() ?? this.#stepOnce(true) ?? this.#takeWatch() ?? BUDGET_STOP;
  }

  /** Interrupts and WFI. */
  #beforeSlice(): StopReason | null {
    if (!this.#checkInterrupts && !this.waiting) return null;
    this.#checkInterrupts = false;
    const { state } = this;
    if (state.privilege === Privilege.U && state.mie === 0 && !this.waiting) {
      // Nothing can interrupt, and user mode cannot see what is pending: devices need not be asked.
      this.#nextEventAt = Infinity;
      return null;
    }
    this.#nextEventAt = this.#platform.nextEventAt();
    state.lines = this.#platform.interruptLines();
    if (this.waiting && !wakesFromWfi(state)) {
      this.#platform.clint.skipToTimer();
      this.#nextEventAt = this.#platform.nextEventAt();
      state.lines = this.#platform.interruptLines();
      if (!wakesFromWfi(state)) return { kind: 'wfi' };
    }
    this.waiting = false;
    const cause = pendingInterrupt(state);
    if (cause !== NO_INTERRUPT) {
      this.pc = enterTrap(state, cause, this.pc, 0);
      this.mmu.selectViews();
    }
    return null;
  }

  /** What tier 1 is to do now and then. */
  #cool(): void {
    if (this.tier1.begun) {
      this.tier1.cool();
      this.tier1.count();
    } else this.tier1.begin();
    this.#coolAt = this.#committed + COOL_AFTER;
  }

  /** One stretch of the fast loop. null: go on. */
  #fast(length: number, first: boolean): StopReason | null {
    if (this.#committed >= this.#coolAt) this.#cool();
    const begun = this.#committed;
    this.#slice = length;
    this.#serves = true;
    const status = this.#interpreter.run(length);
    this.#serves = false;
    // A supervisor may have changed it.
    const slice = this.#slice;
    this.#slice = 0;
    const left = this.#words[layout.BUDGET >>> 2] as number;
    if (status === STATUS.hot) {
      this.#committed += slice - left;
      this.tier1.hot(this.pc, this.#committed);
      return null;
    }
    if (status === STATUS.ok || status === STATUS.leave || status === STATUS.fetchMiss) {
      this.#committed += slice - left;
      // With the budget used up the fault, if there is one, belongs to the next call.
      return status === STATUS.fetchMiss && left > 0
        ? this.#fetched(this.#fetcher.page(this.pc), first && this.#committed === begun)
        : null;
    }
    // The instruction at IP was counted and has not retired.
    this.#committed += slice - left - 1;
    if (this.#served !== null) return this.#takeServed(this.#served);
    this.pc = this.instructionPc;
    if (status === STATUS.trap) return this.#trapFromInterpreter();
    return this.#special(first && this.#committed === begun);
  }

  /**
   * Delivers a trap while the interpreter waits, which saves leaving it and coming back. The instruction at PC has been counted
   * and will not retire.
   * @returns true: the interpreter goes on at PC; false: it must leave with STATUS.trap, the trap being delivered
   */
  #serve(cause: number, tval: number): boolean {
    try {
      const stop = this.#deliver(cause, tval);
      if (stop === null && !this.#checkInterrupts && this.onRetire === null) return true;
      this.#served = { stop };
    } catch (error) {
      // A hook of the host's: it shall not unwind the interpreter before the retired instructions are counted.
      this.#served = { error };
    }
    return false;
  }

  /** After a fault of the access under way: serves it. True when the access may be tried again. */
  #faultServed(): boolean {
    if (!this.#serves) return false;
    const { mmu, pc: next, instructionPc: pc } = this;
    const { cause, tval } = mmu;
    mmu.cause = NO_CAUSE;
    this.pc = pc;
    if (!this.#serve(cause, tval)) return false;
    if (this.pc !== pc) {
      this.#served = { stop: null };
      return false;
    }
    this.pc = next;
    return true;
  }

  #takeServed(served: Served): StopReason | null {
    this.#served = null;
    if ('error' in served) throw served.error;
    return served.stop;
  }

  #trapFromInterpreter(): StopReason | null {
    const { mmu } = this;
    const cause = mmu.cause === NO_CAUSE ? this.#cause : mmu.cause;
    const tval = mmu.cause === NO_CAUSE ? this.#tval : mmu.tval;
    mmu.cause = NO_CAUSE;
    return this.#deliver(cause, tval);
  }

  /** Delivers an exception of the instruction at pc. null: go on. */
  #deliver(cause: number, tval: number): StopReason | null {
    const { state } = this;
    if (trapTarget(state, cause) === Privilege.S) {
      const pc = this.pc;
      const { privilege } = state;
      const begun = this.hostTime.now();
      const goOn = this.supervisor.trap(this, cause, tval);
      this.hostTime.supervisor += this.hostTime.now() - begun;
      // A supervisor that changes satp does so by setAddressSpace.
      if (state.privilege !== privilege) this.mmu.selectViews();
      if (state.privilege !== privilege) this.#checkInterrupts = true;
      return goOn ? null : { kind: 'trap', cause, tval, pc };
    }
    const { pc } = this;
    // The handler's first instruction traps into the handler: nothing will ever retire again.
    const stuck = state.privilege === Privilege.M && pc === (state.mtvec & ~3) >>> 0;
    this.pc = enterMachineTrap(state, cause, pc, tval);
    this.mmu.selectViews();
    this.#checkInterrupts = true;
    return stuck ? { kind: 'trap', cause, tval, pc } : null;
  }

  /** After the code at pc was looked for. */
  #fetched(outcome: Fetch, resuming: boolean): StopReason | null {
    if (outcome === FETCH.ready) return null;
    return outcome === FETCH.fault ? this.#trapFromInterpreter() : this.#stepOnce(resuming);
  }

  /** What a micro-op that is not a row asks for. */
  #special(resuming: boolean): StopReason | null {
    const ip = this.#words[layout.IP >>> 2] as number;
    const op = this.#uops.getUint16(ip, true) & (ENTRY - 1);
    if (op >= FIRST_ROW_OP || op === OP_ILLEGAL)
      return this.#deliver(Cause.IllegalInstruction, this.#fetcher.encoding(this.pc));
    if (op === OP_BREAKPOINT) {
      const stops = this.#code.breakpoints.has(this.pc) && !resuming;
      return stops ? { kind: 'breakpoint', pc: this.pc } : this.#stepOnce(true);
    }
    if (op === OP_JUMP) return this.#stepOnce(true);
    const { pc } = this;
    return this.#fetched(op === OP_STRADDLE ? this.#fetcher.straddle(pc) : this.#fetcher.decode(pc), true);
  }

  /** Executes the instruction at pc in `step`; reports it when it retires. */
  #stepOnce(resuming: boolean): StopReason | null {
    const { pc, mmu } = this;
    if (!resuming && this.#code.breakpoints.has(pc)) return { kind: 'breakpoint', pc };
    const insn = this.#fetcher.encoding(pc);
    if (insn < 0) return this.#trapFromInterpreter();
    this.#fetcher.locate(pc, insn);
    const observer = this.onRetire;
    const accesses: MemoryAccess[] | null = observer === null ? null : [];
    const { privilege, mip } = this.state;
    const fs = this.fp.getFs();
    // To see which flags it raises, an arithmetic instruction begins with none.
    const flags = observer !== null && isFloatArithmetic(insn) ? this.fcsr & FFLAGS : 0;
    if (flags !== 0) this.fcsr &= ~FFLAGS;
    mmu.accesses = accesses;
    this.#words[layout.BUDGET >>> 2] = 0;
    this.#slice = 1;
    const written = this.x[rdField(insn)] as number;
    const status = this.#interpreter.step();
    this.#slice = 0;
    mmu.accesses = null;
    const raised = isFloatArithmetic(insn) ? this.fcsr & FFLAGS : 0;
    if (flags !== 0) this.fcsr |= flags;
    if (status === STATUS.ok || status === STATUS.leave) {
      if (this.pc % this.#ialign !== 0) {
        // Only a jump or branch comes here; it must not have changed its link register.
        const target = this.pc;
        this.pc = pc;
        this.x[rdField(insn)] = written;
        return this.#deliver(Cause.InstructionAddressMisaligned, target);
      }
      this.#committed++;
      if (observer !== null && accesses !== null)
        observer({ pc, privilege, insn, accesses, fs, mip, raised });
      return null;
    }
    this.pc = pc;
    if (status === STATUS.trap) return this.#trapFromInterpreter();
    return this.#deliver(Cause.IllegalInstruction, insn);
  }

  #executeHelper(index: number, insn: number): number {
    const { name } = instructionAt(index).row;
    return (helpers[name] as (typeof helpers)[string])(this, insn);
  }

  /** The privilege that loads and stores use now. */
  get dataPrivilege(): number {
    return dataPrivilege(this.state);
  }
}

/** OP-FP and the fused operations: all that raise floating-point exceptions. */
function isFloatArithmetic(insn: number): boolean {
  const opcode = insn & 0x7f;
  return opcode === 0x53 || (opcode & 0x73) === 0x43;
}

/** The rd field, where an instruction has one. */
const rdField = (insn: number): number => (insn >>> 7) & 31;

/** In Mmu.cause: the trap did not come from the MMU. */
const NO_CAUSE = -1;
