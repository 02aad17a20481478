/** What the bodies of generated programs do, mode by mode. */
import { decode } from '../../../emulator/isa/decode.ts';
import type { Fields } from '../../../emulator/isa/row.ts';
import { instructions } from '../../../emulator/isa/table.ts';
import { ADUE, Mstatus } from '../../../emulator/priv/state.ts';
import type { Random } from '../differential/random.ts';
import type { Code } from './code.ts';
import { S10 } from './handlers.ts';
import {
  ARENA,
  ARENA_PAGES,
  ARENA_VA,
  csr,
  DATA_PARTS,
  HANDLERS,
  HOLE,
  LEAVES,
  MEGA_VA,
  ROOTS,
  STRADDLING_STUB,
  STUB,
  USER_CODE,
} from './image.ts';

const T0 = 5;
const T1 = 6;
const REGISTERS = 24;
/** Page of the arena that always maps the hole: AMOs stay away from it (QEMU 7.2 reports them as loads there). */
const HOLE_PAGE = ARENA_PAGES - 1;

type ModeNumber = 0 | 1 | 3;

/** What a program remembers across segments. */
export interface World {
  /** For QEMU 10.0. */
  readonly young: boolean;
  /** A locked PMP entry exists in pmpcfg1: it must not be configured again. */
  locked: boolean;
  /** Some PMP entry over the arena is in use. */
  pmp: boolean;
}

/** Bare, or one of the two address spaces under some ASID. */
export function satpValue(random: Random): number {
  if (random.chance(25)) return 0;
  return (0x8000_0000 | (random.below(512) << 22) | (random.pick(ROOTS) >>> 12)) >>> 0;
}

/** Does U mode have to run at USER_CODE? */
export function hasUserAlias(satp: number): boolean {
  return satp >>> 31 === 1;
}

const RIGHTS = [0x2, 0x6, 0x6, 0x6, 0xa, 0xe, 0xe, 0x8, 0x4, 0xc, 0x0];

/** An entry of a leaf table, or of a root, where R = W = X = 0 makes it a pointer. */
export function randomPte(random: Random, root: boolean): number {
  const rights = random.pick(RIGHTS);
  const page = (ARENA >>> 12) + random.below(HOLE_PAGE);
  const frame = !root ? page : rights === 0 ? LEAVES[0] >>> 12 : random.chance(70) ? ARENA >>> 12 : page;
  let pte = (frame << 10) | rights | (random.below(4) << 8);
  if (random.chance(92)) pte |= 1;
  for (const [bit, percent] of [
    [0x10, 50],
    [0x20, 10],
    [0x40, 65],
    [0x80, 55],
  ] as const) {
    if (random.chance(rights === 0 ? 15 : percent)) pte |= bit;
  }
  return pte >>> 0;
}

/**
 * New contents for four PMP entries over the arena, and the fence that the specification asks for (QEMU 7.2 also needs it: writes
 * to pmpaddr do not flush its TLB). Masked: regions smaller than a page (QEMU 7.2 caches whole pages when an entry is
 * off), R = 0 with W = 1 (QEMU 7.2 stores it), locked TOR entries (QEMU 7.2 locks the configuration below too).
 */
export function pmpConfiguration(c: Code, random: Random, world: World): void {
  world.pmp = true;
  if (world.young) return smallRegions(c, random, world);
  const register = world.locked ? 0 : random.below(2);
  let cfg = 0;
  let aligned = false;
  c.csrWrite(`pmpcfg${register}`, 0);
  for (let i = 0; i < 4; i++) {
    const page = ARENA + 0x1000 * random.below(ARENA_PAGES);
    const mode: number = random.pick(aligned ? [0, 1, 1, 3] : [0, 0, 3, 3]);
    const large = random.chance(30);
    const address =
      mode === 3 ? ((large ? page & ~0x1fff : page) >>> 2) | (large ? 0x3ff : 0x1ff) : page >>> 2;
    c.li(T0, address);
    c.csrWrite(`pmpaddr${4 * register + i}`, T0);
    let entry = (mode << 3) | random.pick([0, 1, 3, 4, 5, 7]);
    if (register === 1 && mode === 3 && random.chance(3)) {
      entry |= 0x80;
      world.locked = true;
    }
    cfg |= entry << (8 * i);
    aligned = mode !== 3;
  }
  c.li(T0, cfg);
  c.csrWrite(`pmpcfg${register}`, T0);
  c.emit('sfence.vma');
}

const PMP_RIGHTS = [0, 1, 3, 4, 5, 7];

/** Bits 33..2 of where data accesses go, or of a page's beginning. */
function dataAddress(random: Random): number {
  const [from, to] = random.pick(DATA_PARTS);
  const offset = random.chance(60) ? random.between(from, to) & ~3 : 0;
  return (ARENA + 0x1000 * random.below(ARENA_PAGES) + offset) >>> 2;
}

/** Bits 33..2 of the address of a leaf. */
const tableEntry = (random: Random): number => (random.pick(LEAVES) + 4 * random.below(ARENA_PAGES)) >>> 2;

/** Regions of any size and place in the arena, or over entries of page tables, any rights, and locks of any entry. */
function smallRegions(c: Code, random: Random, world: World): void {
  const register = world.locked ? 0 : random.below(2);
  let cfg = 0;
  c.csrWrite(`pmpcfg${register}`, 0);
  let overTables = true;
  for (let i = 0; i < 4; i++) {
    // TOR never follows nothing or a region over the tables: it would reach over code and log.
    const mode: number = random.pick(overTables ? [0, 0, 2, 3, 3] : [0, 0, 1, 1, 2, 3, 3]);
    overTables = mode !== 1 && random.chance(12);
    const start = overTables ? tableEntry(random) : dataAddress(random);
    const ones = overTables || random.chance(60) ? random.below(5) : 9 + random.below(2);
    const napot = (((start >>> (ones + 1)) << (ones + 1)) | (2 ** ones - 1)) >>> 0;
    c.li(T0, mode === 3 ? napot : start);
    c.csrWrite(`pmpaddr${4 * register + i}`, T0);
    let entry = (mode << 3) | random.pick(PMP_RIGHTS);
    if (register === 1 && mode !== 0 && !overTables && random.chance(3)) {
      entry |= 0x80;
      world.locked = true;
    }
    cfg |= entry << (8 * i);
  }
  c.li(T0, cfg);
  c.csrWrite(`pmpcfg${register}`, T0);
  c.emit('sfence.vma');
}

const MSTATUS_TRAFFIC =
  Mstatus.SIE |
  Mstatus.MIE |
  Mstatus.SPIE |
  Mstatus.MPIE |
  Mstatus.SPP |
  Mstatus.FS |
  Mstatus.SUM |
  Mstatus.MXR |
  Mstatus.MPRV;

/**
 * The bits that a CSR is written with; outside them QEMU stores what the specification makes read-only.
 * The second mask is for QEMU 10.0, where it differs.
 */
type Traffic = readonly [name: string, mask: number, young?: number];
/** Without LCOFI, the VS levels and the local interrupts of AIA, which QEMU stores in mip, mie and mideleg. */
const CORE_INTERRUPTS = 0xdbbb;
const FLOATING: readonly Traffic[] = [
  ['fflags', 0x1f],
  ['frm', 7],
  ['fcsr', 0xff],
];
const SUPERVISOR: readonly Traffic[] = [
  ['sstatus', Mstatus.SIE | Mstatus.SPIE | Mstatus.SPP | Mstatus.FS | Mstatus.SUM | Mstatus.MXR],
  ['sie', 0x222],
  ['sip', 0x222],
  ['sscratch', 0xffff_ffff],
  ['sepc', 0xffff_fffe],
  ['scause', 0xffff_ffff],
  ['stval', 0xffff_ffff],
  ['scounteren', 7],
  ['senvcfg', 1],
];
const MACHINE: readonly Traffic[] = [
  ['mstatus', MSTATUS_TRAFFIC],
  ['mscratch', 0xffff_ffff],
  ['mepc', 0xffff_fffe],
  ['mcause', 0xffff_ffff],
  ['mtval', 0xffff_ffff],
  ['medeleg', 0xb1ff],
  ['mideleg', 0x222, CORE_INTERRUPTS],
  ['mie', 0xaaa, CORE_INTERRUPTS],
  ['mip', 0x222, CORE_INTERRUPTS],
  ['mcounteren', 7],
  ['mcountinhibit', 5, 0xffff_ffff],
  ['menvcfg', 1],
  ['mstatush', 0, 0xffff_ffff],
];
const YOUNG_MACHINE: readonly Traffic[] = [...MACHINE, ['menvcfgh', ADUE]];
/** marchid and mimpid identify the machine, so they differ; misa.B is younger than QEMU 7.2. */
const READABLE = ['mvendorid', 'mhartid', 'mconfigptr', 'pmpcfg0', 'pmpcfg1', 'pmpaddr2', 'pmpaddr9'];
/** Neither machine has them: hypervisor, custom, debug, reserved. */
const ABSENT = [0x004, 0x015, 0x200, 0x205, 0x280, 0x600, 0x643, 0x680, 0x7b0, 0x7c0, 0x800, 0xa00, 0xcc0];
const USER_COUNTERS = ['cycle', 'time', 'instret', 'cycleh', 'timeh', 'instreth'];

const LOADS = ['lb', 'lbu', 'lh', 'lhu', 'lw', 'lw', 'flw', 'fld'];
const STORES = ['sb', 'sh', 'sw', 'sw', 'fsw', 'fsd'];
const atomics = instructions.filter((i) => i.row.ext === 'A' && !/^(lr|sc)\./.test(i.row.name));
const plain = instructions.filter(
  (i) =>
    (i.row.ext === 'I' || i.row.ext === 'M') &&
    i.traits.helper === null &&
    !i.traits.control &&
    !i.traits.load &&
    !i.traits.store &&
    i.row.name !== 'auipc',
);
const ILLEGAL = [0xffff_ffff, 0x0000_000b, 0x0000_007b, 0xfe00_7033, 0x0210_1013, 0x0000_7003, 0x0000_3023];

export class Body {
  /** What the body believes: a blocked sret (TSR) may leave it in S. */
  mode: ModeNumber;
  satp: number;
  readonly #c: Code;
  readonly #random: Random;
  readonly #tvm: boolean;
  readonly #tsr: boolean;
  readonly #world: World;
  /** mode is certain. */
  #certain = true;

  constructor(c: Code, random: Random, mode: ModeNumber, satp: number, virtualization: number, world: World) {
    this.#c = c;
    this.#random = random;
    this.mode = mode;
    this.satp = satp;
    this.#tvm = (virtualization & Mstatus.TVM) !== 0;
    this.#tsr = (virtualization & Mstatus.TSR) !== 0;
    this.#world = world;
  }

  run(operations: number): void {
    for (let n = 0; n < operations; n++) this.#operation();
  }

  #destination(): number {
    return this.#random.below(REGISTERS);
  }

  #operation(): void {
    const kind = this.#random.below(100);
    if (kind < 22) return this.#compute();
    if (kind < 47) return this.#access();
    if (kind < 53) return this.#fetch();
    if (kind < 75) return this.#csr();
    if (kind < 82) return this.#editTables();
    if (kind < 88) return this.#trap();
    if (kind < 91) return this.#floating();
    if (kind < 93) return this.#misalignedAtomic();
    if (kind < 95) return this.#reservation();
    if (kind < 97) return this.#fence();
    return this.#changeMode();
  }

  #compute(): void {
    const { random, c } = { random: this.#random, c: this.#c };
    const i = random.pick(plain);
    const insn = ((random.word() & ~i.pattern.mask) | i.pattern.match) >>> 0;
    const d = decode(insn);
    if (d === null || d.instruction !== i) return this.#compute();
    const fields: Partial<Fields> = { ...d.fields, rd: this.#destination() };
    if (i.pattern.fields.has('rs1')) fields.rs1 = random.below(REGISTERS);
    if (i.pattern.fields.has('rs2')) fields.rs2 = random.below(REGISTERS);
    c.emit(i.row.name, fields);
  }

  /** @param atomic stays away from the hole, and from what M mode sees of the arena's virtual addresses */
  #address(atomic: boolean): number {
    const random = this.#random;
    const [from, to] = random.pick(DATA_PARTS);
    const { young } = this.#world;
    const page = random.below(atomic && !young ? HOLE_PAGE : ARENA_PAGES) * 0x1000;
    const translated = this.mode !== 3 && hasUserAlias(this.satp);
    // Where there is no memory QEMU 7.2 reports the aligned address around a misaligned access.
    const odd = translated && (young || page !== HOLE_PAGE * 0x1000) && random.chance(30);
    const offset = odd ? random.between(from, to - 1) : random.between(from, to - 8) & ~7;
    const kind = random.below(20);
    if (atomic) return (translated && this.#certain && kind < 15 ? ARENA_VA : ARENA) + page + (offset & ~3);
    if (kind < 13) return ARENA_VA + page + offset;
    if (kind < 16) return MEGA_VA + 0x40_0000 * random.below(3) + (page % 0xf000) + offset;
    if (kind < 19) return ARENA + (page % 0xf000) + offset;
    return HOLE + (offset & ~7);
  }

  #access(): void {
    const random = this.#random;
    const c = this.#c;
    const { young } = this.#world;
    const kind = random.below(10);
    if (kind < 2) {
      c.li(T0, this.#address(true));
      const { name } = random.pick(atomics).row;
      c.emit(name, { rd: this.#destination(), rs1: T0, rs2: random.below(REGISTERS), aq: 0, rl: 0 });
    } else if (kind < 3 && this.mode !== 3 && hasUserAlias(this.satp) && (young || !this.#world.pmp)) {
      // Across two pages; loads only, since code lies at the border. Not under PMP entries: QEMU 7.2 checks the
      // whole length at the first part's physical address.
      c.li(T0, ARENA_VA + 0x1000 * random.between(1, HOLE_PAGE - 1));
      c.emit(random.pick(['lw', 'lh', 'lhu']), { rd: this.#destination(), rs1: T0, imm: -1 });
    } else {
      c.li(T0, this.#address(false));
      if (kind < 7) c.emit(random.pick(LOADS), { rd: this.#destination(), rs1: T0, imm: 0 });
      else c.emit(random.pick(STORES), { rs2: random.below(REGISTERS), rs1: T0, imm: 0 });
    }
  }

  /**
   * Masked by fences for QEMU 7.2, which has one TLB for data and fetches, so that S mode executes a user page that it has loaded from
   * under SUM, and M mode fetches through what MPRV has translated, or loads through what it has fetched.
   */
  #fetch(): void {
    const random = this.#random;
    const c = this.#c;
    const maySupervise = this.mode !== 0 || (!this.#certain && this.#tsr);
    if (maySupervise && this.mode !== 3 && this.#tvm) return this.#compute();
    const fences = !this.#world.young;
    if (maySupervise && fences) c.emit('sfence.vma');
    const stub = random.chance(60) ? STUB : STRADDLING_STUB;
    const page = 0x1000 * random.below(HOLE_PAGE - 1);
    const base = random.pick([ARENA_VA, ARENA_VA, ARENA_VA, MEGA_VA, MEGA_VA + 0x40_0000, ARENA, HOLE]);
    c.emit('auipc', { rd: S10, imm: 0 });
    c.emit('addi', { rd: S10, rs1: S10, imm: 20 });
    c.li(T0, base + page + stub);
    c.emit('jalr', { rd: 1, rs1: T0, imm: 0 });
    if (this.mode === 3 && fences) c.emit('sfence.vma');
  }

  #csr(): void {
    const random = this.#random;
    const c = this.#c;
    const kind = random.below(20);
    if (kind < 1) {
      const form = random.pick(['csrrw', 'csrrs', 'csrrci']);
      return c.emit(form, {
        rd: this.#destination(),
        rs1: random.below(REGISTERS),
        csr: random.pick(ABSENT),
      });
    }
    if (kind < 3) {
      c.csrRead(T0, random.pick(USER_COUNTERS)); // legal or not; the value is the machine's own
      return c.emit('addi', { rd: T0, rs1: 0, imm: 0 });
    }
    if (kind < 5) return c.csrRead(this.#destination(), random.pick(READABLE));
    if (kind < 7) return this.#satp();
    if (kind < 8 && this.mode === 3) return this.#counter();
    if (kind < 9 && this.mode === 3) return pmpConfiguration(c, random, this.#world);
    if (kind < 10 && this.mode === 3 && this.#world.young) return this.#waitForInterrupt();
    const machine = this.#world.young ? YOUNG_MACHINE : MACHINE;
    const lists =
      this.mode === 3 ? [machine, machine, SUPERVISOR, FLOATING] : [SUPERVISOR, SUPERVISOR, FLOATING];
    if (this.mode === 0 || random.chance(10)) lists.push(machine);
    this.#traffic(random.pick(random.pick(lists)));
  }

  #traffic([name, oldMask, youngMask]: Traffic): void {
    const random = this.#random;
    const c = this.#c;
    const { young } = this.#world;
    let mask = young ? (youngMask ?? oldMask) : oldMask;
    const rd = this.#destination();
    const form = random.pick(['csrrw', 'csrrs', 'csrrc']);
    if (name === 'medeleg' && this.#tsr) mask &= ~4; // see setup
    if (random.chance(20)) {
      c.emit(`${form}i`, { rd, rs1: random.word() & mask & 31, csr: csr(name) });
      return;
    }
    let value = random.chance(50) ? random.word() & mask : random.word() & random.word() & mask;
    // MPP changes as a whole, so that it is never 2 for QEMU 7.2, which stores it.
    if (name === 'mstatus' && form === 'csrrw')
      value |= (young ? random.below(4) : random.pick([0, 1, 3])) << 11;
    if (name === 'mstatus' && form !== 'csrrw' && random.chance(30)) value |= 3 << 11;
    // Setting or clearing nothing still writes, and so makes FS dirty (Zicsr); QEMU 7.2 then does not write.
    if (FLOATING.some(([floating]) => floating === name)) value |= 1;
    c.li(T0, value);
    c.emit(form, { rd, rs1: random.chance(8) && form !== 'csrrw' ? 0 : T0, csr: csr(name) });
  }

  #satp(): void {
    const c = this.#c;
    // In S, where it was believed to be in U, the body would no longer know whether addresses are translated.
    if (!this.#certain && this.#tsr) return this.#compute();
    const value = satpValue(this.#random);
    c.li(T0, value);
    c.emit('csrrw', { rd: this.#destination(), rs1: T0, csr: csr('satp') });
    if (this.mode === 3 || (this.mode === 1 && !this.#tvm)) this.satp = value;
  }

  /** Counters under mcountinhibit hold what is written. */
  #counter(): void {
    const random = this.#random;
    const c = this.#c;
    const name = random.pick(['mcycle', 'minstret']);
    c.emit('csrrwi', { rd: 0, rs1: 5, csr: csr('mcountinhibit') });
    c.li(T0, random.word());
    c.csrWrite(name, T0);
    c.csrWrite(`${name}h`, random.below(REGISTERS));
    c.csrRead(this.#destination(), name);
    c.csrRead(this.#destination(), `${name}h`);
  }

  /** WFI with an interrupt pending and enabled in mie, which mstatus.MIE keeps from being taken. */
  #waitForInterrupt(): void {
    const c = this.#c;
    const bit = this.#random.pick([1, 5, 9]);
    c.emit('csrrci', { rd: 0, rs1: 8, csr: csr('mstatus') });
    c.li(T0, 1 << bit);
    c.emit('csrrs', { rd: 0, rs1: T0, csr: csr('mip') });
    c.emit('csrrs', { rd: 0, rs1: T0, csr: csr('mie') });
    c.emit('wfi');
  }

  /** A changed entry, and the fence for it. */
  #editTables(): void {
    const random = this.#random;
    const c = this.#c;
    if (this.mode === 0 || (this.mode === 1 && this.#tvm) || !this.#certain) return this.#access();
    const space = random.below(2);
    const root = random.chance(20);
    const index = random.below(root ? 3 : HOLE_PAGE);
    const entry = root
      ? (ROOTS[space] as number) + ((MEGA_VA >>> 22) + index) * 4
      : (LEAVES[space] as number) + index * 4;
    c.li(T0, entry);
    c.li(T1, randomPte(random, root));
    c.emit('sw', { rs1: T0, rs2: T1, imm: 0 });
    c.li(T0, ARENA_VA + 0x1000 * index);
    // Entries that may be pointers need the fence without an address, and so does a table with two places in the root.
    const everything = root || random.chance(50) || space === 0;
    c.emit('sfence.vma', { rs1: everything ? 0 : T0, rs2: 0 });
  }

  #trap(): void {
    const random = this.#random;
    const c = this.#c;
    switch (random.below(6)) {
      case 0:
        return c.emit('ecall');
      case 1:
        return c.emit('ebreak');
      case 2:
        return c.pair(0x0001, 0x9002); // c.nop, c.ebreak
      case 3:
        return c.pair(0x0000, 0x0001); // the compressed encoding that is defined to be illegal, c.nop
      case 4:
        if (this.mode === 3) return c.emit('ecall');
        return c.emit(this.mode === 0 && random.chance(50) ? 'sret' : 'mret');
      default:
        return c.word(random.pick(ILLEGAL));
    }
  }

  /** Only what certainly makes the state dirty: how precisely FS follows is the implementation's choice. */
  #floating(): void {
    const random = this.#random;
    const rs1 = random.below(32);
    const rm = 7;
    const rs2 = random.below(32);
    const rd = random.below(32);
    this.#c.emit(random.pick(['fadd.s', 'fmul.d', 'fsub.d', 'fmv.w.x', 'fdiv.s']), {
      rd,
      rs1: rs1 % 24,
      rs2,
      rm,
    });
  }

  #misalignedAtomic(): void {
    const random = this.#random;
    const c = this.#c;
    c.li(T0, this.#address(true) + random.between(1, 3));
    const fields = { rd: this.#destination(), rs1: T0, aq: 0, rl: 0 };
    if (random.chance(30)) c.emit('lr.w', fields);
    else c.emit(random.pick(atomics).row.name, { ...fields, rs2: random.below(REGISTERS) });
  }

  /** SC only to a page that can be written, at once after its LR: what a failing SC may raise is left open. */
  #reservation(): void {
    const random = this.#random;
    const c = this.#c;
    c.li(T0, this.#address(true));
    c.emit('lr.w', { rd: this.#destination(), rs1: T0 });
    if (this.mode === 0 || !this.#certain) return;
    c.li(T0, LEAVES[1] + 4 * ARENA_PAGES);
    const fields = { rd: this.#destination(), rs1: T0, rs2: random.below(REGISTERS), aq: 1, rl: 1 };
    if (this.mode === 3) return;
    const rd = 1 + random.below(4);
    c.emit('lr.w', { rd, rs1: T0 });
    c.emit('sc.w', fields);
  }

  #fence(): void {
    const random = this.#random;
    this.#c.emit('sfence.vma', { rs1: random.below(REGISTERS), rs2: random.below(REGISTERS) });
    if (this.mode !== 0 || !this.#certain) return;
    // QEMU 10.0 reports an illegal WFI at the end of a page one page further on.
    if (this.#world.young && (this.#c.pc & 0xfff) === 0xffc) this.#c.emit('addi');
    this.#c.emit('wfi');
  }

  /** mret from M to any mode, sret from S to S or U; the body goes on behind it. */
  #changeMode(): void {
    const random = this.#random;
    const c = this.#c;
    if (this.mode === 0 || !this.#certain) return this.#trap();
    const machine = this.mode === 3;
    const target = machine ? random.pick([0, 1, 3] as const) : random.pick([0, 1] as const);
    const status = csr(machine ? 'mstatus' : 'sstatus');
    // QEMU 7.2 does not clear MPRV when MRET leaves M mode, as 1.12 demands.
    const mprv = this.#world.young ? 0 : Mstatus.MPRV;
    const previous = machine ? Mstatus.MPP | mprv : Mstatus.SPP;
    c.emit('csrrci', { rd: 0, rs1: machine ? 8 : 2, csr: status }); // no interrupt may overwrite the epc
    c.li(T0, previous);
    c.emit('csrrc', { rd: 0, rs1: T0, csr: status });
    c.li(T0, machine ? target << 11 : target << 8);
    c.emit('csrrs', { rd: 0, rs1: T0, csr: status });
    const next = c.pc + 16;
    c.li(T0, target === 0 && hasUserAlias(this.satp) ? next - HANDLERS + USER_CODE : next);
    c.csrWrite(machine ? 'mepc' : 'sepc', T0);
    c.emit(machine ? 'mret' : 'sret');
    this.mode = target;
    if (!machine) this.#certain = false; // TSR may have made it illegal
  }
}
