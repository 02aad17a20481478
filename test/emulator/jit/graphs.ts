/**
 * Random small control-flow graphs as guest code: blocks of random instructions that end in branches, jumps, calls, returns and
 * jumps to computed addresses, anywhere: loops, loops with two entries, calls into the middle of a function, recursion, and small functions
 * that call nobody.
 * Loads and stores go through several base registers, which move over page ends. Nothing ends such a program; its budget does.
 */
import { assemble } from '../../../emulator/index.ts';
import type { Fields } from '../../../emulator/isa/row.ts';
import { Random } from '../differential/random.ts';
import { CODE_VA, DATA_PAGES, DATA_VA } from './userland.ts';

/** ra, and the registers that hold addresses of data, of blocks, and of a frame. */
const RA = 1;
const SP = 2;
const BASES = [8, 9, 10] as const;
const POINTER = 5;
/** Where the program keeps the addresses of its blocks: the last data page. */
export const BLOCK_TABLE = DATA_VA + (DATA_PAGES - 1) * 4096;

const COMPUTE = ['add', 'sub', 'xor', 'mul', 'sltu', 'sll', 'sra', 'divu', 'remu', 'andn', 'max'] as const;
const COMPUTE_IMMEDIATE = ['addi', 'xori', 'andi', 'slti'] as const;
const LOADS = ['lb', 'lbu', 'lh', 'lhu', 'lw'] as const;
const STORES = ['sb', 'sh', 'sw'] as const;
const BRANCHES = ['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu'] as const;
const FLOAT = ['fadd.d', 'fsub.d', 'fmul.d', 'fadd.s', 'fmul.s', 'fsgnj.d', 'fmin.d', 'fmadd.s'] as const;
const ATOMIC = ['amoadd.w', 'amoswap.w', 'amoor.w', 'lr.w', 'sc.w'] as const;

export interface Graph {
  readonly words: readonly number[];
  /** Virtual addresses of the blocks; the first is the entry. */
  readonly blocks: readonly number[];
}

type Emit = (name: string, fields: Partial<Fields>) => void;

/** A jump or branch to a block; its distance is known at the end. */
interface Fixup {
  readonly index: number;
  readonly at: number;
  readonly name: string;
  readonly fields: Partial<Fields>;
  readonly block: number;
}

class GraphMaker {
  readonly #random: Random;
  readonly #count: number;
  readonly words: number[] = [];
  readonly blocks: number[] = [];
  readonly #fixups: Fixup[] = [];
  #pc: number;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#count = this.#random.between(2, 12);
    // Some programs lie across a page's end, with an instruction that straddles it.
    this.#pc = CODE_VA + this.#random.pick([0, 0xe00, 0xf80, 0xffa]);
  }

  readonly #emit: Emit = (name, fields) => {
    const word = assemble(name, fields);
    this.words.push(word);
    this.#pc += (word & 3) === 3 ? 4 : 2;
  };

  #to(name: string, fields: Partial<Fields>, block: number): void {
    this.#fixups.push({ index: this.words.length, at: this.#pc, name, fields, block });
    this.#emit(name, { ...fields, imm: 0 });
  }

  /** A register of no special meaning. */
  #register(): number {
    return this.#random.pick([0, 6, 7, 11, 12, 13, 14, 15, 28, 31]);
  }

  #memory(): void {
    const random = this.#random;
    const base = random.pick(BASES);
    const imm = random.chance(85) ? 8 * random.between(-3, 3) : random.between(-9, 9);
    const kind = random.below(12);
    if (kind < 4) this.#emit(random.pick(LOADS), { rd: this.#register(), rs1: base, imm });
    else if (kind < 8) this.#emit(random.pick(STORES), { rs2: this.#register(), rs1: base, imm });
    else if (kind === 8) {
      // An atomic at an aligned address.
      this.#emit('andi', { rd: POINTER, rs1: base, imm: -8 });
      this.#emit(random.pick(ATOMIC), { rd: this.#register(), rs1: POINTER, rs2: this.#register() });
    } else if (kind === 9) this.#emit(random.pick(['flw', 'fld']), { rd: random.below(4), rs1: base, imm });
    else if (kind === 10) this.#emit(random.pick(['fsw', 'fsd']), { rs2: random.below(4), rs1: base, imm });
    else this.#moveBase(base);
  }

  /** base = DATA_VA + (base + something) % the pages before the table, less room for offsets. */
  #moveBase(base: number): void {
    const random = this.#random;
    this.#emit('addi', { rd: POINTER, rs1: base, imm: random.pick([4, 8, 12, 1, 0x7f8, -0x7f8]) });
    this.#emit('slli', { rd: POINTER, rs1: POINTER, imm: 18 });
    this.#emit('srli', { rd: POINTER, rs1: POINTER, imm: 18 });
    this.#emit('lui', { rd: base, imm: DATA_VA + 0x1000 });
    this.#emit('add', { rd: base, rs1: base, rs2: POINTER });
  }

  #item(): void {
    const random = this.#random;
    const kind = random.below(20);
    if (kind < 6) {
      const fields = { rd: this.#register(), rs1: this.#register(), rs2: this.#register() };
      this.#emit(random.pick(COMPUTE), fields);
    } else if (kind < 10) {
      const imm = random.between(-2048, 2047);
      this.#emit(random.pick(COMPUTE_IMMEDIATE), { rd: this.#register(), rs1: this.#register(), imm });
    } else if (kind < 16) this.#memory();
    else if (kind < 18) {
      const f = (): number => random.below(4);
      this.#emit(random.pick(FLOAT), {
        rd: f(),
        rs1: f(),
        rs2: f(),
        rs3: f(),
        rm: random.chance(90) ? 0 : 7,
      });
    } else if (kind === 18)
      this.#emit('c.addi', { rd: random.pick([6, 7, 11, 12]), imm: random.between(1, 9) });
    else if (random.chance(30)) this.#emit('csrrs', { rd: this.#register(), rs1: 0, csr: 1 });
    else this.#emit('fcvt.w.d', { rd: this.#register(), rs1: random.below(4), rm: 1 });
  }

  #any(): number {
    return this.#random.below(this.#count);
  }

  /** x[POINTER] = the address of a block that some register chooses. */
  #choose(): void {
    this.#emit('andi', { rd: POINTER, rs1: this.#random.pick([6, 7, 11, 12]), imm: 0x1c });
    this.#emit('lui', { rd: 29, imm: BLOCK_TABLE });
    this.#emit('add', { rd: POINTER, rs1: POINTER, rs2: 29 });
    this.#emit('lw', { rd: POINTER, rs1: POINTER, imm: 0 });
  }

  #end(): void {
    const random = this.#random;
    const kind = random.below(16);
    if (kind < 8) {
      this.#to(random.pick(BRANCHES), { rs1: this.#register(), rs2: this.#register() }, this.#any());
    } else if (kind === 8) this.#to('c.bnez', { rs1: random.between(11, 15) }, this.#any());
    else if (kind === 9) this.#to('jal', { rd: 0 }, this.#any());
    else if (kind < 13) this.#to('jal', { rd: random.chance(85) ? RA : 7 }, this.#any());
    else {
      this.#choose();
      const rd = kind === 13 ? RA : 0;
      if (random.chance(25)) this.#emit('ori', { rd: POINTER, rs1: POINTER, imm: 1 });
      this.#emit('jalr', { rd, rs1: random.chance(70) ? POINTER : RA, imm: 0 });
    }
  }

  /** A function that calls nobody, as compilers write it: its callers may have it in their regions. */
  #leaf(): void {
    const random = this.#random;
    const hasFrame = random.chance(70);
    if (hasFrame) {
      this.#emit('addi', { rd: SP, rs1: SP, imm: -16 });
      this.#emit('sw', { rs2: RA, rs1: SP, imm: 12 });
      if (random.chance(50)) this.#emit('addi', { rd: BASES[0], rs1: SP, imm: 16 });
    }
    for (let items = random.below(4); items > 0; items--) this.#item();
    if (random.chance(20))
      this.#to(random.pick(BRANCHES), { rs1: this.#register(), rs2: this.#register() }, this.#any());
    if (hasFrame) {
      this.#emit('lw', { rd: RA, rs1: SP, imm: 12 });
      this.#emit('addi', { rd: SP, rs1: SP, imm: 16 });
    }
    this.#emit('jalr', { rd: 0, rs1: RA, imm: 0 });
  }

  make(): Graph {
    for (let n = 0; n < this.#count; n++) {
      this.blocks.push(this.#pc);
      if (this.#random.chance(25)) {
        this.#leaf();
        continue;
      }
      for (let items = this.#random.below(7); items > 0; items--) this.#item();
      this.#end();
    }
    // Whoever falls out of the last block begins again.
    this.#to('jal', { rd: 0 }, 0);
    for (const { index, at, name, fields, block } of this.#fixups) {
      const imm = (this.blocks[block] as number) - at;
      const fits = name !== 'c.bnez' || (imm >= -256 && imm < 256);
      this.words[index] = fits ? assemble(name, { ...fields, imm }) : 0x0001;
    }
    return { words: this.words, blocks: this.blocks };
  }
}

/** The graph of a seed. */
export function makeGraph(seed: number): Graph {
  return new GraphMaker(seed).make();
}

/** Registers that a graph expects to be addresses at its beginning: all point into the data pages or at the entry. */
export const initialRegisters = (seed: number, graph: Graph): number[] => {
  const random = new Random(seed ^ 0x5bd1_e995);
  const x = Array.from({ length: 32 }, () => (random.chance(50) ? random.below(40) : random.word()));
  x[0] = 0;
  for (const base of BASES) x[base] = DATA_VA + 0x1000 + 8 * random.below(0x400) + random.below(2) * 0xff0;
  x[SP] = DATA_VA + 0x800;
  x[RA] = graph.blocks[0] as number;
  return x;
};
