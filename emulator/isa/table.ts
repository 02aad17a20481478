/**
 * The instruction table: every row of every extension, and the check that no two overlap.
 */
import { traitsOf, type RowTraits } from './probe.ts';
import { extractFields, isAllowed, parsePattern, type CompressedRow, type Pattern, type Row } from './row.ts';
import { zba, zbb, zbc, zbs } from './bitmanip.ts';
import { privileged } from './privileged.ts';
import { rv32a } from './rv32a.ts';
import { rv32c } from './rv32c.ts';
import { rv32d } from './d.ts';
import { rv32f } from './f.ts';
import { rv32i } from './rv32i.ts';
import { rv32m } from './rv32m.ts';
import { zcb } from './zcb.ts';
import { zfa } from './zfa.ts';
import { zicond } from './zicond.ts';
import { zicsr } from './zicsr.ts';

/** Registers of an operand: integer, floating-point, or none. */
export type RegisterClass = 'x' | 'f' | '';

/** A row with what follows from it. `index` is its place in `instructions`. */
export interface Instruction {
  readonly index: number;
  readonly row: Row;
  readonly pattern: Pattern;
  readonly traits: RowTraits;
  readonly rd: RegisterClass;
  readonly rs1: RegisterClass;
  readonly rs2: RegisterClass;
  readonly rs3: RegisterClass;
}

export interface CompressedInstruction {
  readonly row: CompressedRow;
  readonly pattern: Pattern;
  readonly expansion: Instruction;
}

/** How assembly spells an operand that is an f register. */
const FLOAT_OPERAND = { rd: 'fd', rs1: 'fs1', rs2: 'fs2', rs3: 'fs3' } as const;

function registerClass(row: Row, pattern: Pattern, name: keyof typeof FLOAT_OPERAND): RegisterClass {
  if (!pattern.fields.has(name)) return '';
  if (row.asm.includes(FLOAT_OPERAND[name])) return 'f';
  // FENCE and FENCE.I have the field and write nothing.
  return name === 'rd' && !row.asm.includes('rd') ? '' : 'x';
}

const rows: readonly Row[] = [
  ...rv32i,
  ...rv32m,
  ...rv32a,
  ...rv32f,
  ...rv32d,
  ...zicsr,
  ...privileged,
  ...zba,
  ...zbb,
  ...zbc,
  ...zbs,
  ...zicond,
  ...zfa,
];

type Facts = Pick<Instruction, 'traits' | 'rd' | 'rs1' | 'rs2' | 'rs3'>;

function factsOf(row: Row, pattern: Pattern): Facts {
  return {
    traits: traitsOf(row),
    rd: registerClass(row, pattern, 'rd'),
    rs1: registerClass(row, pattern, 'rs1'),
    rs2: registerClass(row, pattern, 'rs2'),
    rs3: registerClass(row, pattern, 'rs3'),
  };
}

/** Most of what follows from a row is asked of few rows in any run, and found then. */
class TableInstruction implements Instruction {
  readonly index: number;
  readonly row: Row;
  #pattern: Pattern | null = null;
  #facts: Facts | null = null;

  constructor(row: Row, index: number) {
    this.index = index;
    this.row = row;
  }

  get pattern(): Pattern {
    return (this.#pattern ??= parsePattern(this.row.pattern));
  }

  get traits(): RowTraits {
    return (this.#facts ??= factsOf(this.row, this.pattern)).traits;
  }

  get rd(): RegisterClass {
    return (this.#facts ??= factsOf(this.row, this.pattern)).rd;
  }

  get rs1(): RegisterClass {
    return (this.#facts ??= factsOf(this.row, this.pattern)).rs1;
  }

  get rs2(): RegisterClass {
    return (this.#facts ??= factsOf(this.row, this.pattern)).rs2;
  }

  get rs3(): RegisterClass {
    return (this.#facts ??= factsOf(this.row, this.pattern)).rs3;
  }
}

export const instructions: readonly Instruction[] = rows.map(
  (row, index) => new TableInstruction(row, index),
);

/** The instruction of that index. */
export function instructionAt(index: number): Instruction {
  return instructions[index] as Instruction;
}

const byName = new Map(instructions.map((i) => [i.row.name, i]));

/** The instruction of that name, or undefined. */
export function instructionNamed(name: string): Instruction | undefined {
  return byName.get(name);
}

class CompressedTableInstruction implements CompressedInstruction {
  readonly row: CompressedRow;
  readonly expansion: Instruction;
  #pattern: Pattern | null = null;

  constructor(row: CompressedRow) {
    const expansion = byName.get(row.expands);
    if (expansion === undefined) throw new Error(`${row.name} expands to unknown ${row.expands}`);
    this.row = row;
    this.expansion = expansion;
  }

  get pattern(): Pattern {
    return (this.#pattern ??= parsePattern(this.row.pattern));
  }
}

export const compressedInstructions: readonly CompressedInstruction[] = [...rv32c, ...zcb].map(
  (row) => new CompressedTableInstruction(row),
);

/** Pairs of names that claim a common encoding; empty when the table is sound. Used by the suite. */
export function overlaps(): string[] {
  const found: string[] = [];
  for (const [i, a] of instructions.entries()) {
    for (const b of instructions.slice(i + 1)) {
      const common = a.pattern.mask & b.pattern.mask;
      if ((a.pattern.match & common) === (b.pattern.match & common))
        found.push(`${a.row.name} ${b.row.name}`);
    }
  }
  for (let insn = 0; insn < 0x1_0000; insn++) {
    if ((insn & 3) === 3) continue;
    const claims = compressedInstructions.filter((c) => matchesCompressed(c, insn));
    if (claims.length > 1) found.push(claims.map((c) => c.row.name).join(' '));
  }
  return [...new Set(found)];
}

export function matchesCompressed(c: CompressedInstruction, insn: number): boolean {
  if ((insn & c.pattern.mask) !== c.pattern.match) return false;
  return isAllowed(c.row, extractFields(c.pattern, insn));
}
