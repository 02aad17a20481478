/**
 * Runs a generated program on our machine in user mode, with a supervisor that serves write and exit alone.
 */
import { Machine, RAM_BASE } from '../../../emulator/index.ts';
import type { Hart, MachineOptions, Supervisor } from '../../../emulator/index.ts';
import { DATA_BYTES, INITIAL, TEXT, TEXT_BYTES } from './image.ts';
import type { Program } from './image.ts';

/** How instructions are executed. */
export interface Mode {
  readonly name: string;
  /** Under Sv32, with each page somewhere else in RAM; else virtual addresses are physical ones. */
  readonly paged: boolean;
  /** Budgets given to `run`, in turn; 0 single-steps. */
  readonly budgets: readonly number[];
  /** Default: the machine's. */
  readonly tier?: MachineOptions['tier'];
}

export const MODES: readonly Mode[] = [
  { name: 'physical, in one run', paged: false, budgets: [1_000_000] },
  { name: 'Sv32, budgets 1, 7 and 97 in turn', paged: true, budgets: [1, 7, 97] },
  { name: 'Sv32, single steps', paged: true, budgets: [0] },
  { name: 'tier 1, physical, in one run', paged: false, budgets: [1_000_000], tier: 1 },
  {
    name: 'tier 1, Sv32, budgets 5003, 1, 2 and 97 in turn',
    paged: true,
    budgets: [5003, 1, 2, 97],
    tier: 1,
  },
];

const SYS_WRITE = 64;
const SYS_EXIT = 93;
const ECALL_FROM_U = 8;
/** Far more than any program retires. */
const LIMIT = 100_000;

/** Where pages go under Sv32: page n of the image lies at PHYSICAL + stride pages. */
const ROOT = RAM_BASE + 0x80_0000;
const TABLE = ROOT + 0x1000;
const PHYSICAL = RAM_BASE + 0x90_0000;

export class DifferentialMachine implements Supervisor {
  readonly #machine: Machine;
  #paged = false;
  #output: Uint8Array = new Uint8Array(0);
  #exited = false;

  constructor(tier: MachineOptions['tier'] = 'auto') {
    this.#machine = new Machine({ ramBytes: 16 << 20, tier });
    this.#machine.hart.enterHostedUserMode(this);
  }

  /** Regions that tier 1 has made. */
  get regions(): number {
    return this.#machine.hart.tier1.stats.regions;
  }

  /** Instructions retired by all programs. */
  get retired(): number {
    return this.#machine.hart.retired;
  }

  trap(hart: Hart, cause: number, tval: number): boolean {
    const number = hart.x[17];
    if (cause !== ECALL_FROM_U)
      throw new Error(`cause ${cause} at 0x${hart.pc.toString(16)}, tval 0x${tval.toString(16)}`);
    hart.pc += 4;
    if (number === SYS_WRITE) {
      const from = (hart.x[11] as number) >>> 0;
      this.#output = this.#read(from, hart.x[12] as number);
      hart.x[10] = this.#output.length;
    }
    this.#exited = number === SYS_EXIT;
    return !this.#exited;
  }

  /** What the program writes. Throws when it traps or does not end. */
  run(program: Program, mode: Mode): Uint8Array {
    const { hart } = this.#machine;
    this.#paged = mode.paged;
    if (mode.paged) this.#map();
    const satp = mode.paged ? (0x8000_0000 | (ROOT / 4096)) >>> 0 : 0;
    hart.setAddressSpace(satp);
    hart.flushTlbAll(satp);
    this.#write(TEXT, program.text);
    this.#write(INITIAL, program.data);
    hart.x.fill(0);
    hart.f.fill(0);
    hart.fcsr = 0;
    hart.clearReservation();
    hart.pc = program.entry;
    this.#exited = false;
    const end = hart.retired + LIMIT;
    for (let turn = 0; !this.#exited; turn++) {
      const budget = mode.budgets[turn % mode.budgets.length] as number;
      if (budget === 0) hart.step();
      else hart.run(budget);
      if (hart.retired > end) throw new Error(`seed ${program.seed} does not end`);
    }
    return this.#output;
  }

  /** Page tables with every page of the image readable, writable and executable by the user; A and D clear. */
  #map(): void {
    const { ram } = this.#machine;
    ram.zero(ROOT, 0x2000);
    ram.write32(ROOT + (TEXT >>> 22) * 4, ((TABLE >>> 12) << 10) | 1);
    for (const [start, bytes] of [
      [TEXT, TEXT_BYTES],
      [INITIAL, DATA_BYTES],
    ] as const) {
      for (let va = start; va < start + bytes; va += 4096) {
        ram.write32(TABLE + ((va >>> 12) & 0x3ff) * 4, ((physical(va) >>> 12) << 10) | 0x1f);
      }
    }
  }

  #place(va: number): number {
    return this.#paged ? physical(va) : va;
  }

  #write(va: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 4096) {
      this.#machine.ram.writeBytes(this.#place(va + at), bytes.subarray(at, at + 4096));
    }
  }

  #read(va: number, length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at += 4096) {
      out.set(this.#machine.ram.readBytes(this.#place(va + at), Math.min(4096, length - at)), at);
    }
    return out;
  }
}

/** Neighbours in virtual memory are not neighbours in RAM. */
function physical(va: number): number {
  const page = (va >>> 12) & 0x3ff;
  return PHYSICAL + ((page * 37) % 1024) * 4096 + (va & 0xfff);
}
