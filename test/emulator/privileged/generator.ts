/**
 * Random bare-metal programs for the privileged differential: what both QEMU 7.2 and the specification determine.
 *
 * A program is a chain of segments. Each begins in M mode: it logs all registers, chooses delegation, interrupts, satp, PMP and
 * mstatus, and enters a mode; its body then does what that mode may and may not do (operations.ts), changes mode by
 * mret and sret on its way, and ends with an ecall to M. Traps are logged by the handlers. At the end the log, the
 * page tables (with their A and D bits) and the arena are printed.
 * Masked, because QEMU 7.2 differs from the specification or makes another permitted choice, are the places that say so.
 */
import { ADUE, Mstatus } from '../../../emulator/priv/state.ts';
import { Random } from '../differential/random.ts';
import { Code } from './code.ts';
import { emitHandlers, S10, S11, S8, S9 } from './handlers.ts';
import {
  ARENA,
  ARENA_PAGES,
  ARENA_VA,
  CLINT,
  CODE,
  csr,
  DATA_PARTS,
  FINISHER,
  HANDLERS,
  HOLE,
  LEAVES,
  LOG,
  MEGA_VA,
  ROOTS,
  STRADDLING_STUB,
  STUB,
  UART,
  USER_CODE,
} from './image.ts';
import type { Program } from './image.ts';
import { Body, hasUserAlias, pmpConfiguration, randomPte, satpValue } from './operations.ts';
import type { World } from './operations.ts';

const T0 = 5;
const T1 = 6;
const T2 = 7;
/** x0 to x23 belong to the bodies. */
const BODY_REGISTERS = 24;
const SEGMENTS = 24;

function writeTables(c: Code, random: Random): void {
  const word = (pa: number, value: number): void => {
    c.pc = pa;
    c.word(value);
  };
  ROOTS.forEach((root, space) => {
    const leaf = LEAVES[space] as number;
    const mega = (va: number, pa: number, flags: number): void =>
      word(root + (va >>> 22) * 4, ((pa >>> 12) << 10) | flags);
    mega(HANDLERS, HANDLERS, 0xcf | (random.chance(50) ? 0x20 : 0)); // S: V R W X A D, perhaps G
    mega(ARENA, ARENA, 0xcf);
    mega(USER_CODE, HANDLERS, 0x5b); // U: V R X A
    word(root + (ARENA_VA >>> 22) * 4, ((leaf >>> 12) << 10) | 1);
    for (let i = 0; i < 3; i++) word(root + ((MEGA_VA >>> 22) + i) * 4, randomPte(random, true));
    for (let page = 0; page < ARENA_PAGES; page++) {
      const pte = page === ARENA_PAGES - 1 ? ((HOLE >>> 12) << 10) | 0xdf : randomPte(random, false);
      word(leaf + page * 4, pte);
    }
  });
}

/** Registers, stubs in the arena, mtimecmp, the PMP's catch-all. */
function prologue(c: Code, random: Random, world: World): void {
  // QEMU runs with two harts, since with one it makes an AMO a load and a store that fault separately.
  c.csrRead(T0, 'mhartid');
  c.to('first', 'beq', { rs1: T0, rs2: 0 });
  c.label('park');
  c.emit('wfi');
  c.to('park');
  c.label('first');
  c.li(S11, LOG);
  c.li(T0, c.address('mDirect'));
  c.csrWrite('mtvec', T0);
  c.li(T0, c.address('sDirect'));
  c.csrWrite('stvec', T0);
  c.li(T0, CLINT + 0x4000);
  c.emit('addi', { rd: T1, rs1: 0, imm: -1 });
  c.emit('sw', { rs1: T0, rs2: T1, imm: 4 });
  c.emit('sw', { rs1: T0, rs2: T1, imm: 0 });
  c.csrWrite('pmpaddr15', T1);
  c.li(T1, 0x1f00_0000);
  c.csrWrite('pmpcfg3', T1);
  // QEMU 7.2 resets some of these to values that the specification leaves open.
  for (const name of [
    'medeleg',
    'mideleg',
    'mie',
    'satp',
    'mcounteren',
    'scounteren',
    'mepc',
    'mcause',
    'mtval',
  ])
    c.csrWrite(name, 0);
  if (world.young) c.csrWrite('menvcfgh', 0);
  for (let entry = 0; entry < 8; entry++) {
    c.li(T0, ARENA / 4);
    c.csrWrite(`pmpaddr${entry}`, T0);
  }
  const addi = 0x0015_0513; // addi a0, a0, 1
  const jump = 0x000d_0067; // jalr x0, 0(s10)
  c.li(T0, ARENA);
  c.li(T2, ARENA + 0x1000 * ARENA_PAGES);
  c.label('fill');
  const at = (offset: number, value: number, store: string): void => {
    c.li(T1, offset);
    c.emit('add', { rd: T1, rs1: T1, rs2: T0 });
    c.li(10, value);
    c.emit(store, { rs1: T1, rs2: 10 });
  };
  at(STUB, addi, 'sw');
  at(STUB + 4, jump, 'sw');
  at(STRADDLING_STUB, addi & 0xffff, 'sh');
  at(0, addi >>> 16, 'sh');
  at(2, jump & 0xffff, 'sh');
  at(4, jump >>> 16, 'sh');
  c.li(T1, 0x1000);
  c.emit('add', { rd: T0, rs1: T0, rs2: T1 });
  c.to('fill', 'bltu', { rs1: T0, rs2: T2 });
  c.emit('fence.i');
  c.li(T0, Mstatus.FS);
  c.csrWrite('mstatus', T0);
  for (let x = 1; x < BODY_REGISTERS; x++) c.li(x, random.word());
  for (let f = 0; f < 32; f++) c.emit('fcvt.d.w', { rd: f, rs1: f % BODY_REGISTERS, rm: 0 });
  c.emit('addi', { rd: S9, rs1: 0, imm: 0 });
}

function logRegisters(c: Code): void {
  for (let x = 1; x < BODY_REGISTERS; x++) c.emit('sw', { rs1: S11, rs2: x, imm: 4 * (x - 1) });
  c.emit('addi', { rd: S11, rs1: S11, imm: 4 * (BODY_REGISTERS - 1) });
}

/** M mode between segments; bodies begin with what it leaves. */
function setup(c: Code, random: Random, index: number, world: World): Body {
  c.label(`segment${index}`);
  c.li(30, Mstatus.MPRV | Mstatus.MIE);
  c.emit('csrrc', { rd: 0, rs1: 30, csr: csr('mstatus') });
  c.csrWrite('mie', 0);
  logRegisters(c);
  const set = (name: string, value: number): void => {
    c.li(T0, value);
    c.csrWrite(name, T0);
  };
  // ecall from S stays M's: it ends segments. QEMU 7.2 lets bit 11 be set, which the specification makes read-only zero.
  let virtualization = 0;
  for (const bit of [Mstatus.TVM, Mstatus.TW, Mstatus.TSR]) if (random.chance(15)) virtualization |= bit;
  // Under TSR the S handler's own sret is illegal, which must not come back to it.
  const delegable = (virtualization & Mstatus.TSR) !== 0 ? 0xb1fb : 0xb1ff;
  set('medeleg', random.chance(30) ? 0 : random.word() & delegable);
  set('mideleg', random.chance(30) ? 0 : random.word() & 0x222);
  set('mip', random.word() & random.word() & 0x222);
  if (world.young) set('menvcfgh', random.chance(50) ? ADUE : 0);
  set('mtvec', random.chance(50) ? c.address('mDirect') : c.address('mVectors') + 1);
  set('stvec', random.chance(50) ? c.address('sDirect') : c.address('sVectors') + 1);
  if (random.chance(40)) pmpConfiguration(c, random, world);
  if (random.chance(30)) {
    c.li(T0, CLINT);
    c.emit('addi', { rd: T1, rs1: 0, imm: random.below(2) });
    c.emit('sw', { rs1: T0, rs2: T1, imm: 0 });
    c.li(T0, CLINT + 0x4000);
    c.emit('addi', { rd: T1, rs1: 0, imm: -random.below(2) });
    c.emit('sw', { rs1: T0, rs2: T1, imm: 4 });
    c.emit('sw', { rs1: T0, rs2: T1, imm: 0 });
  }
  const mode = random.pick([0, 0, 1, 1, 3] as const);
  const satp = satpValue(random);
  set('satp', satp);
  c.emit('sfence.vma');
  let mstatus =
    random.word() &
    (Mstatus.SIE | Mstatus.SPIE | Mstatus.MPIE | Mstatus.SPP | Mstatus.SUM | Mstatus.MXR | Mstatus.FS);
  mstatus |= virtualization;
  if (mode === 3) {
    mstatus |= random.pick([0, 1, 3]) << 11; // MPP = 2 is stored by QEMU 7.2; here it is read as 0
    if (random.chance(40)) mstatus |= Mstatus.MPRV;
  } else mstatus |= mode << 11;
  // Interrupts that are pending and not delegated are taken at once below M; those for M mode at the end of this.
  set('mstatus', mstatus);
  const body = new Body(c, random, mode, satp, virtualization, world);
  return body;
}

function segment(c: Code, random: Random, index: number, world: World): void {
  const body = setup(c, random, index, world);
  // A jump over a word that jumps to the next segment: s8 is the address of that word.
  c.emit('auipc', { rd: S8, imm: 0 });
  c.emit('addi', { rd: S8, rs1: S8, imm: 12 });
  c.emit('jal', { rd: 0, imm: 8 });
  c.to(`segment${index + 1}`);
  const enable = random.chance(50) ? random.word() & 0xaaa : 0;
  c.li(30, enable);
  if (body.mode === 3) {
    c.csrWrite('mie', 30);
    if (random.chance(50)) c.emit('csrrsi', { rd: 0, rs1: 8, csr: csr('mstatus') });
  } else {
    const entry = c.pc + 28;
    c.li(31, body.mode === 0 && hasUserAlias(body.satp) ? entry - HANDLERS + USER_CODE : entry);
    c.csrWrite('mepc', 31);
    c.csrWrite('mie', 30);
    c.emit('addi', { rd: S10, rs1: 0, imm: 0 });
    c.emit('addi', { rd: 0, rs1: 0, imm: 0 });
    c.emit('mret');
  }
  body.run(random.between(25, 45));
  c.emit('addi', { rd: S9, rs1: 0, imm: 1 });
  c.emit('ecall');
  c.emit('jal', { rd: 0, imm: -8 });
}

/** Logs floating-point registers, tables and arena, prints the log, ends. */
function epilogue(c: Code): void {
  c.label(`segment${SEGMENTS}`);
  c.li(T0, Mstatus.MPRV | Mstatus.MIE);
  c.emit('csrrc', { rd: 0, rs1: T0, csr: csr('mstatus') });
  logRegisters(c);
  c.li(T0, Mstatus.FS);
  c.emit('csrrs', { rd: 0, rs1: T0, csr: csr('mstatus') });
  for (let f = 0; f < 32; f++) c.emit('fsd', { rs1: S11, rs2: f, imm: 8 * f });
  c.emit('addi', { rd: S11, rs1: S11, imm: 256 });
  // A locked PMP entry may cover arena pages: the copy then logs the faults.
  const copy = (from: number, bytes: number): void => {
    c.li(T0, from);
    for (let offset = 0; offset < bytes; offset += 4) {
      c.emit('addi', { rd: T1, rs1: 0, imm: 0 });
      c.emit('lw', { rd: T1, rs1: T0, imm: offset });
      c.emit('sw', { rs1: S11, rs2: T1, imm: offset });
    }
    c.emit('addi', { rd: S11, rs1: S11, imm: bytes });
  };
  for (let space = 0; space < 2; space++) {
    copy((ROOTS[space] as number) + (ARENA_VA >>> 22) * 4, 16);
    copy(LEAVES[space] as number, 4 * ARENA_PAGES);
  }
  for (let page = 0; page < ARENA_PAGES - 1; page++)
    for (const [from, to] of DATA_PARTS) copy(ARENA + 0x1000 * page + from, to - from + 8);
  c.label('dump');
  c.li(T0, UART);
  c.li(T1, LOG);
  c.label('wait');
  c.emit('lbu', { rd: T2, rs1: T0, imm: 5 });
  c.emit('andi', { rd: T2, rs1: T2, imm: 0x20 });
  c.to('wait', 'beq', { rs1: T2, rs2: 0 });
  c.emit('lbu', { rd: T2, rs1: T1, imm: 0 });
  c.emit('sb', { rs1: T0, rs2: T2, imm: 0 });
  c.emit('addi', { rd: T1, rs1: T1, imm: 1 });
  c.to('wait', 'bltu', { rs1: T1, rs2: S11 });
  c.li(T0, FINISHER);
  c.li(T1, 0x5555);
  c.emit('sw', { rs1: T0, rs2: T1, imm: 0 });
  c.emit('jal', { rd: 0, imm: 0 });
}

/**
 * The program of a seed.
 * @param young for QEMU 10.0: with menvcfg.ADUE, and with less masked
 */
export function generate(seed: number, young = false): Program {
  const random = new Random(seed);
  const c = new Code(HANDLERS);
  const world: World = { young, locked: false, pmp: false };
  c.to('begin');
  emitHandlers(c);
  writeTables(c, random);
  c.pc = CODE;
  c.label('begin');
  prologue(c, random, world);
  for (let index = 0; index < SEGMENTS; index++) segment(c, random, index, world);
  epilogue(c);
  return { seed, young, image: c.bytes(HANDLERS), dump: c.address('dump') };
}
