/**
 * Random programs for the differential tests: every row of the table but the privileged ones takes part by itself. Those of
 * YOUNG are left to the corpus and to their own campaigns, so that a QEMU that does not know them can run the others.
 *
 * A program loads all registers from a table, runs a few hundred random instructions (straight code, forward branches,
 * jumps and calls, counted loops; loads and stores, aligned or not, over an arena of two pages), writes all registers
 * behind the arena, and the lot to standard output. Nothing in it depends on the system it runs on, and nothing traps.
 *
 * Three registers keep their meaning throughout: sp and s0 point into the arena, s11 counts the loop.
 * Left out, since they are not the same everywhere: counters, SC after a store, LR/SC to other addresses.
 */
import { assemble } from '../../../emulator/isa/assemble.ts';
import { decode } from '../../../emulator/isa/decode.ts';
import type { Fields } from '../../../emulator/isa/row.ts';
import { compressedInstructions, instructions } from '../../../emulator/isa/table.ts';
import type { CompressedInstruction, Instruction } from '../../../emulator/isa/table.ts';
import {
  ARENA,
  ARENA_BYTES,
  DATA_BYTES,
  DUMP,
  DUMP_F,
  DUMP_FCSR,
  INITIAL,
  INITIAL_F,
  INITIAL_FCSR,
  OUTPUT_BYTES,
  TEXT,
  TEXT_BYTES,
} from './image.ts';
import type { Program } from './image.ts';
import { Random } from './random.ts';

const RA = 1;
const SP = 2;
const S0 = 8;
const COUNTER = 27; // s11
const reserved: ReadonlySet<number> = new Set([SP, S0, COUNTER]);

/** c.beqz and c.bnez; a body that is longer is not jumped over. */
const SHORT_BRANCH_REACH = 254;
const NOP = 0x0001;

const FCSR_NUMBERS = [1, 2, 3];
/** Static rounding modes and DYN; 5 and 6 are reserved. */
const ROUNDING = [0, 1, 2, 3, 4, 7];

const SPECIAL_WORDS = [
  0, 1, 2, 0xffff_ffff, 0xffff_fffe, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff, 0xffff_8000, 0x7f80_0000,
  0xff80_0000, 0x7fc0_0000, 0x7f80_0001, 0x0080_0000, 0x007f_ffff, 0x3f80_0000, 0x4f00_0000, 0xcf00_0000,
  0x5f80_0000,
] as const;
const SPECIAL_DOUBLES = [
  0,
  -0,
  1,
  -1,
  0.5,
  1.5,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 53 + 2,
  1e300,
  -1e-300,
  5e-324,
  2 ** -1022,
  2 ** -126,
  2 ** 127,
  3.4028235e38,
  Infinity,
  -Infinity,
  NaN,
  1 / 3,
] as const;

const isLeaf = (i: Instruction): boolean => i.traits.helper === null && !i.traits.control;
const inExtensions = (i: Instruction, extensions: string): boolean =>
  extensions.split(' ').includes(i.row.ext);

const computing = (extensions: string): readonly Instruction[] =>
  instructions.filter((i) => isLeaf(i) && !i.traits.load && !i.traits.store && inExtensions(i, extensions));
const shortOf = (extensions: string): readonly CompressedInstruction[] =>
  compressedInstructions.filter((c) => extensions.split(' ').includes(c.row.ext) && isLeaf(c.expansion));

/** Extensions that qemu 7.2 does not know, and 10.0 does. */
export const YOUNG: ReadonlySet<string> = new Set(['Zicond', 'Zfa', 'Zcb']);

/** What programs are made of. */
interface Vocabulary {
  readonly plain: readonly Instruction[];
  readonly floating: readonly Instruction[];
  readonly short: readonly CompressedInstruction[];
}
const OLD: Vocabulary = {
  plain: computing('I M Zba Zbb Zbc Zbs'),
  floating: computing('F D'),
  short: shortOf('C'),
};
const ALL: Vocabulary = {
  plain: computing('I M Zba Zbb Zbc Zbs Zicond'),
  floating: computing('F D Zfa'),
  short: shortOf('C Zcb'),
};

const memory = instructions.filter((i) => (i.traits.load || i.traits.store) && inExtensions(i, 'I F D'));
const atomic = instructions.filter((i) => inExtensions(i, 'A') && !/^(lr|sc)\./.test(i.row.name));
const csrs = instructions.filter((i) => i.row.ext === 'Zicsr');
const branches = instructions.filter((i) => i.traits.relative && i.row.name !== 'jal');

/** What a campaign's extension adds: rows that a program may use anywhere, or (C and Zcb) compressed ones. */
interface Focus {
  readonly name: string;
  readonly wide: readonly Instruction[];
  readonly short: readonly CompressedInstruction[];
}

function focusOn(name: string): Focus {
  return {
    name,
    wide: instructions.filter((i) => i.row.ext === name && isLeaf(i)),
    short: shortOf(name),
  };
}

/** Is there an extension of that name with rows for a campaign? */
export function hasFocus(name: string): boolean {
  const { wide, short } = focusOn(name);
  return wide.length + short.length > 0;
}

/** Emits instructions into the text; knows where it is. */
class Generator {
  readonly random: Random;
  /** Extension that most instructions come from; null: the mixture of the corpus. */
  readonly focus: Focus | null;
  readonly vocabulary: Vocabulary;
  readonly text = new Uint8Array(TEXT_BYTES);
  readonly #view = new DataView(this.text.buffer);
  /** Address of the next instruction. */
  pc: number;
  /** Instructions emitted, loops counted once. */
  emitted = 0;

  constructor(seed: number, focus: string | null) {
    this.random = new Random(seed);
    this.focus = focus === null ? null : focusOn(focus);
    this.vocabulary = focus === null || YOUNG.has(focus) ? ALL : OLD;
    this.pc = TEXT + 0x200 + 2 * this.random.below(0x700);
  }

  #write(at: number, insn: number): number {
    this.#view.setUint16(at - TEXT, insn & 0xffff, true);
    if ((insn & 3) !== 3) return 2;
    this.#view.setUint16(at - TEXT + 2, insn >>> 16, true);
    return 4;
  }

  word(insn: number): void {
    this.pc += this.#write(this.pc, insn);
    this.emitted++;
  }

  emit(name: string, fields: Partial<Fields> = {}): void {
    this.word(assemble(name, fields));
  }

  /** Emits an instruction whose immediate is the distance to what `body` leaves behind it. */
  over(name: string, fields: Partial<Fields>, body: () => void, from = this.pc): void {
    const at = this.pc;
    this.emit(name, fields);
    body();
    const imm = this.pc - from;
    const fits = imm <= SHORT_BRANCH_REACH || !name.startsWith('c.b');
    this.#write(at, fits ? assemble(name, { ...fields, imm }) : NOP);
  }

  li(rd: number, value: number): void {
    const low = (value << 20) >> 20;
    this.emit('lui', { rd, imm: (value - low) | 0 });
    this.emit('addi', { rd, rs1: rd, imm: low });
  }

  /** A register that may be written. */
  destination(): number {
    const rd = this.random.below(32);
    return reserved.has(rd) ? this.destination() : rd;
  }

  /** One that may be written and is not x0. */
  temporary(): number {
    const rd = this.destination();
    return rd === 0 ? this.temporary() : rd;
  }

  /** A random encoding of the row, with what must not be random put right. */
  encoding(i: Instruction): number {
    const { pattern } = i;
    const insn = ((this.random.word() & ~pattern.mask) | pattern.match) >>> 0;
    const d = decode(insn);
    if (d === null || d.instruction !== i) return this.encoding(i);
    const fields: Partial<Fields> = { ...d.fields };
    if (i.rd !== 'f' && pattern.fields.has('rd')) fields.rd = this.destination();
    if (pattern.fields.has('rm')) fields.rm = this.random.pick(ROUNDING);
    if (i.traits.load || i.traits.store) fields.rs1 = this.random.chance(80) ? S0 : SP;
    return assemble(i.row.name, fields);
  }

  /** A compressed instruction that leaves the reserved registers alone and accesses memory through them only. */
  short(from = this.vocabulary.short): void {
    const c = this.random.pick(from);
    for (;;) {
      const insn = ((this.random.word() & ~c.pattern.mask) | c.pattern.match) & 0xffff;
      const d = decode(insn);
      if (d === null || d.compressed !== c) continue;
      const { traits } = c.expansion;
      if (c.expansion.rd === 'x' && reserved.has(d.fields.rd)) {
        if (c.row.name === 'c.addi16sp') return;
        continue;
      }
      if ((traits.load || traits.store) && d.fields.rs1 !== S0 && d.fields.rs1 !== SP) continue;
      this.word(insn);
      return;
    }
  }

  /**
   * QEMU 10.0 believes that FROUND and FROUNDNX have no side effects: it drops one whose result is overwritten unread, and
   * its flags with it. So the result is stored.
   */
  #floating(i: Instruction): void {
    const insn = this.encoding(i);
    this.word(insn);
    if (i.row.name.startsWith('fround'))
      this.emit('fsw', { rs2: decode(insn)?.fields.rd ?? 0, rs1: SP, imm: 0 });
  }

  /** t = the address of a word of the arena that some register chooses. */
  #wordAddress(t: number): void {
    this.emit('andi', { rd: t, rs1: this.random.below(32), imm: 0x7fc });
    this.li(RA, ARENA + 0x400);
    this.emit('add', { rd: t, rs1: t, rs2: RA });
  }

  #atomic(): void {
    let t = this.temporary();
    while (t === RA) t = this.temporary();
    this.#wordAddress(t);
    const { random } = this;
    const aq = random.below(2);
    const rl = random.below(2);
    if (random.chance(70)) {
      const i = random.pick(atomic);
      this.emit(i.row.name, { rd: this.destination(), rs1: t, rs2: random.below(32), aq, rl });
      return;
    }
    let rd = this.destination();
    while (rd === t) rd = this.destination();
    if (random.chance(80)) this.emit('lr.w', { rd, rs1: t, aq, rl });
    let between = this.destination();
    while (between === t) between = this.destination();
    this.emit('xori', { rd: between, rs1: rd, imm: -1 });
    this.emit('sc.w', { rd: this.destination(), rs1: t, rs2: between, aq, rl });
    if (random.chance(30)) this.emit('sc.w', { rd: this.destination(), rs1: SP, rs2: between, aq, rl });
  }

  #csr(): void {
    const { random } = this;
    const i = random.pick(csrs);
    const csr = random.pick(FCSR_NUMBERS);
    // frm must stay a rounding mode: it is written by immediates alone, fflags by anything.
    if (csr === 1) return this.emit(i.row.name, { rd: this.destination(), rs1: random.below(32), csr });
    if (csr === 2) return this.emit('csrrwi', { rd: this.destination(), rs1: random.below(5), csr });
    if (random.chance(50)) return this.emit('csrrs', { rd: this.destination(), rs1: 0, csr });
    this.emit('csrrci', { rd: this.destination(), rs1: random.below(32), csr });
  }

  #branch(depth: number): void {
    const { random } = this;
    const body = (): void => this.block(random.between(1, 6), depth + 1);
    switch (random.below(6)) {
      case 0:
      case 1:
        return this.over(
          random.pick(branches).row.name,
          { rs1: random.below(32), rs2: random.below(32) },
          body,
        );
      case 2:
        return this.over(random.pick(['c.beqz', 'c.bnez']), { rs1: random.between(8, 15) }, body);
      case 3:
        return random.chance(50)
          ? this.over('jal', { rd: this.destination() }, body)
          : this.over(random.pick(['c.j', 'c.jal']), {}, body);
      default: {
        const t = this.temporary();
        const from = this.pc;
        this.emit('auipc', { rd: t, imm: 0 });
        if (random.chance(50)) return this.over('jalr', { rd: this.destination(), rs1: t }, body, from);
        return this.over(
          'addi',
          { rd: t, rs1: t },
          () => {
            this.word(assemble(random.pick(['c.jr', 'c.jalr']), { rs1: t }));
            body();
          },
          from,
        );
      }
    }
  }

  /** A counted loop; loops do not nest, since one register counts. */
  #loop(depth: number): void {
    this.emit('addi', { rd: COUNTER, rs1: 0, imm: this.random.between(1, 5) });
    const top = this.pc;
    this.block(this.random.between(2, 12), depth + 1);
    this.emit('addi', { rd: COUNTER, rs1: COUNTER, imm: -1 });
    this.emit(this.random.pick(['bne', 'blt']), { rs1: 0, rs2: COUNTER, imm: top - this.pc });
  }

  /** An instruction of the campaign's extension. */
  #focused({ name, wide, short }: Focus): void {
    if (name === 'A') return this.#atomic();
    if (short.length > 0) return this.short(short);
    const i = this.random.pick(wide);
    if (name === 'Zfa') this.#floating(i);
    else this.word(this.encoding(i));
  }

  item(depth: number): void {
    const { random, focus } = this;
    if (focus !== null && random.chance(70)) return this.#focused(focus);
    const kind = random.below(100);
    if (kind < 28) return this.word(this.encoding(random.pick(this.vocabulary.plain)));
    if (kind < 46) return this.short();
    if (kind < 62) return this.word(this.encoding(random.pick(memory)));
    if (kind < 80) return this.#floating(random.pick(this.vocabulary.floating));
    if (kind < 85) return this.#atomic();
    if (kind < 88) return this.#csr();
    if (kind < 89) return this.emit('fence.i');
    if (kind < 97 || depth > 0) return depth < 3 ? this.#branch(depth) : this.short();
    return this.#loop(depth);
  }

  block(items: number, depth: number): void {
    for (let n = 0; n < items; n++) this.item(depth);
  }

  prologue(): void {
    this.li(RA, INITIAL_FCSR);
    this.emit('lw', { rd: RA, rs1: RA, imm: 0 });
    this.emit('csrrw', { rd: 0, rs1: RA, csr: 3 });
    this.li(RA, INITIAL_F);
    for (let f = 0; f < 32; f++) this.emit('fld', { rd: f, rs1: RA, imm: 8 * f });
    this.li(RA, INITIAL);
    for (let x = 31; x >= 1; x--) this.emit('lw', { rd: x, rs1: RA, imm: 4 * x });
  }

  /** Dumps the registers (all but the counter, which addresses the dump), writes the output, exits. */
  epilogue(): void {
    this.li(COUNTER, DUMP);
    for (let x = 1; x < 32; x++) this.emit('sw', { rs2: x, rs1: COUNTER, imm: 4 * x });
    for (let f = 0; f < 32; f++) this.emit('fsd', { rs2: f, rs1: COUNTER, imm: DUMP_F + 8 * f });
    this.emit('csrrs', { rd: RA, rs1: 0, csr: 3 });
    this.emit('sw', { rs2: RA, rs1: COUNTER, imm: DUMP_FCSR });
    this.emit('addi', { rd: 10, rs1: 0, imm: 1 });
    this.li(11, ARENA);
    this.li(12, OUTPUT_BYTES);
    this.emit('addi', { rd: 17, rs1: 0, imm: 64 }); // write
    this.emit('ecall');
    this.emit('addi', { rd: 10, rs1: 0, imm: 0 });
    this.emit('addi', { rd: 17, rs1: 0, imm: 93 }); // exit
    this.emit('ecall');
  }
}

/** Initial registers and arena. */
function initialData(random: Random): Uint8Array {
  const data = new Uint8Array(DATA_BYTES);
  const view = new DataView(data.buffer);
  const word = (): number => (random.chance(40) ? random.pick(SPECIAL_WORDS) : random.word());
  for (let x = 0; x < 32; x++) view.setUint32(4 * x, random.chance(20) ? random.below(64) : word(), true);
  view.setUint32(4 * SP, ARENA + 0x800 + 4 * random.below(8), true);
  view.setUint32(4 * S0, ARENA + ARENA_BYTES / 2 + random.below(16), true);
  for (let f = 0; f < 32; f++) {
    const at = INITIAL_F - INITIAL + 8 * f;
    if (random.chance(40)) {
      view.setUint32(at, word(), true);
      view.setUint32(at + 4, random.chance(90) ? 0xffff_ffff : word(), true); // NaN-boxed, or nearly
    } else if (random.chance(50)) view.setFloat64(at, random.pick(SPECIAL_DOUBLES), true);
    else view.setFloat64(at, (random.word() / 65536) * 2 ** random.between(-40, 40), true);
  }
  view.setUint32(INITIAL_FCSR - INITIAL, (random.below(5) << 5) | random.below(32), true);
  for (let at = ARENA - INITIAL; at < ARENA - INITIAL + ARENA_BYTES; at += 4)
    view.setUint32(at, word(), true);
  return data;
}

/** Long enough for a campaign, and short enough for TEXT_BYTES. */
const FOCUSED_LENGTH = 2000;

/**
 * The program of a seed.
 * @param focus an extension for a campaign: a longer program with most instructions from it
 */
export function generate(seed: number, focus: string | null = null): Program {
  const g = new Generator(seed, focus);
  const entry = g.pc;
  g.prologue();
  const target = g.emitted + (focus === null ? g.random.between(200, 400) : FOCUSED_LENGTH);
  while (g.emitted < target) g.item(0);
  g.epilogue();
  return { seed, entry, text: g.text, data: initialData(g.random) };
}
