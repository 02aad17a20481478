/** The rows that a choice of extensions has (choice.ts). */
import type { Isa } from './choice.ts';
import {
  compressedInstructions,
  instructions,
  type CompressedInstruction,
  type Instruction,
} from './table.ts';

export interface ChosenRows {
  /** By an instruction's index: 1 when it is chosen. */
  readonly wide: Uint8Array;
  readonly short: ReadonlySet<CompressedInstruction>;
}

const known = new WeakMap<Isa, ChosenRows>();

export function chosenRows(isa: Isa): ChosenRows {
  let rows = known.get(isa);
  if (rows === undefined) known.set(isa, (rows = find(isa.all)));
  return rows;
}

function find(all: ReadonlySet<string>): ChosenRows {
  const has = (extension: string | undefined): boolean =>
    extension !== undefined && (extension === 'Privileged' || all.has(extension.toLowerCase()));
  const isChosen = ({ row }: Instruction): boolean =>
    (has(row.ext) || has(row.subset)) && (row.needs === undefined || has(row.needs));
  const wide = Uint8Array.from(instructions, (i) => (isChosen(i) ? 1 : 0));
  const short = compressedInstructions.filter(
    ({ row, expansion }) => has(row.subset ?? row.ext) && wide[expansion.index] === 1,
  );
  return { wide, short: new Set(short) };
}
