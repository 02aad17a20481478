/**
 * Fused sequences: instructions that often follow each other have one handler together in the fast loop, without a dispatch between them.
 *
 * Only the operation of the first one's micro-op says so (fuser.ts). All others stay as they are, so jumps into the midst, a later part that
 * has to be executed by `step`, and the end of the budget need nothing special. A sequence lies within a page, since micro-ops do.
 */
import { instructionNamed, instructions, type Instruction } from '../isa/table.ts';
import { COMPRESSED, FIRST_ROW_OP } from './uop.ts';

/** One instruction of a sequence. */
export interface Part {
  readonly instruction: Instruction;
  /** Variant bits of its operation. */
  readonly variant: number;
  /** Which sources are what the part before has just written, and need not come from memory: RS1, RS2. */
  readonly forwards: number;
}

export const RS1 = 1;
export const RS2 = 2;

export interface Fusion {
  readonly parts: readonly Part[];
  /** Its operation: FIRST_FUSED_OP + 2 * its index + the COMPRESSED bit of its first part. */
  readonly op: number;
}

/**
 * Rows, with `c.` where they are compressed; `<1`, `<2`: the row's rs1 or rs2 is what the instruction before has written.
 *
 * Made by test/bench/sequences.ts: chosen by how often they come in the bench kernels and the C tests, one after the other, each by the
 * dispatches that it saves beside those already chosen, over the length of its code to the power of 0.6. They save 41 of 100 dispatches, and
 * stand in the order of what they save. To compile the loop takes V8 half as long again with them as without, 15 to 40 ms of the
 * processor's time (interpreterModule.ts says where that is too much). In a loop with 143, from 8192 virtual registers on, V8 of Node 20
 * takes a fast register allocator, which keeps everything on the stack, and the loop is slower by a quarter than with 60; with 108 it did not yet.
 */
const SEQUENCES: readonly string[] = [
  'sb c.addi bne<1',
  'c.sw c.addi c.addi',
  'mul c.add<1 c.sw<2',
  'c.fld c.fld c.addi',
  'c.addi c.sw<1 c.sw',
  'add lbu<1',
  'c.addi bne<1',
  'auipc jalr<1',
  'c.lw c.lw',
  'c.add c.add c.add',
  'c.addi bne',
  'xori c.add<1 lbu<1',
  'srli c.add c.add',
  'slli c.sub<1',
  'c.sw c.sw',
  'sb c.addi',
  'c.lw c.addi c.jalr',
  'c.slli c.add<1 c.lw<1',
  'c.add c.add',
  'addi bne',
  'c.addi c.bne',
  'lbu c.addi c.bne',
  'c.lui c.addi<1 bltu<2',
  'c.addi sb<2',
  'c.addi auipc jalr<1',
  'add c.lw c.lw',
  'c.addi c.add c.bne',
  'c.addi c.addi',
  'c.addi c.addi c.bne',
  'c.add c.lw',
  'c.addi c.jalr',
  'lw lw',
  'c.add c.addi bltu',
  'c.addi c.add bltu',
  'lw c.addi<1 sw<2',
  'c.add c.lw<1',
  'c.addi bltu',
  'fld fld',
  'flw flw',
  'c.addi addi',
  'add lbu<1 c.beq<1',
  'sb sb',
  'c.addi c.add',
  'mul c.add<1',
  'slli c.addi c.add',
  'sw sw',
  'slli srli',
  'lbu lbu',
  'c.add c.jalr',
  'srli c.andi<1',
  'or slli',
  'fsd c.fld',
  'c.fsd fld',
  'fsw c.flw',
  'c.fsw flw',
  'c.addi bltu<1',
  'c.add sw<2',
  'c.sw c.jal',
  'lui addi<1',
  'lh lh',
  'c.addi bne<2',
  'c.addi c.sw<1',
  'addi c.sw<2',
  'c.addi c.sw<2',
  'addi addi',
  'c.addi slli<1',
  'c.add addi',
  'c.add sltu',
  'c.addi c.bne<1',
  'addi bne<1',
  'c.lui addi<1',
  'srli srli',
  'c.add lbu<1',
  'c.slli c.add<1',
];

/** Behind the operations of rows. */
export const FIRST_FUSED_OP = FIRST_ROW_OP + 4 * instructions.length;

/** A part as the list has it. */
export function partOf(text: string): Part {
  const [name = '', forwards = '0'] = text.split('<');
  const compressed = name.startsWith('c.');
  const row = compressed ? name.slice(2) : name;
  const instruction = instructionNamed(row);
  if (instruction === undefined) throw new Error(`no row ${row}`);
  return { instruction, variant: compressed ? COMPRESSED : 0, forwards: Number(forwards) };
}

/** The operation of the part alone. */
export const singleOp = ({ instruction, variant }: Part): number =>
  FIRST_ROW_OP + 4 * instruction.index + variant;

/** All sequences; those that begin alike follow each other. */
export const fusions: readonly Fusion[] = SEQUENCES.map((text) => text.split(' ').map(partOf))
  .sort(([a], [b]) => singleOp(a as Part) - singleOp(b as Part))
  .map((parts, index) => ({
    parts,
    op: FIRST_FUSED_OP + 2 * index + ((parts[0] as Part).variant & COMPRESSED),
  }));

/** The longest of these sequences has so many parts. */
export const mostParts = (among: readonly Fusion[]): number =>
  among.reduce((most, { parts }) => Math.max(most, parts.length), 1);
