/**
 * Instructions as tier 1 sees them: decoded, with what is asked of each again and again.
 *
 * Most of tier 1 runs a few thousand times, in V8's interpreter, where an iterator's step, a getter and an object cost as much as ten plain
 * reads. Hence facts that are found once, and loops over indices.
 */
import type { Isa } from '../isa/choice.ts';
import { decode, type Decoded } from '../isa/decode.ts';
import type { RowTraits } from '../isa/probe.ts';
import { isWide } from '../isa/width.ts';

/** What an encoding means wherever it stands. */
interface Known extends Decoded {
  readonly traits: RowTraits;
  /** The x registers that it reads, and those that it writes, as masks; x0 is none. */
  readonly reads: number;
  readonly writes: number;
  /** Some of its operands are f registers. */
  readonly floats: boolean;
}

export interface Insn extends Known {
  readonly pc: number;
}

function know(decoded: Decoded): Known {
  const { instruction, fields, length, compressed } = decoded;
  const { rd, rs1, rs2, rs3, traits } = instruction;
  let reads = 0;
  if (rs1 === 'x') reads |= 1 << fields.rs1;
  if (rs2 === 'x') reads |= 1 << fields.rs2;
  const writes = rd === 'x' ? 1 << fields.rd : 0;
  return {
    instruction,
    fields,
    length,
    compressed,
    traits,
    reads: reads & ~1,
    writes: writes & ~1,
    floats: rd === 'f' || rs1 === 'f' || rs2 === 'f' || rs3 === 'f',
  };
}

/** Encodings that are remembered; a power of two. Regions overlap, and programs repeat themselves: half of them come again, or more. */
const REMEMBERED = 1024;
const encodings = new Int32Array(REMEMBERED);
const meanings = Array<Known | null>(REMEMBERED).fill(null);
let isaOfMeanings: Isa | null = null;

function meaningOf(encoding: number, isa: Isa): Known | null {
  if (isa !== isaOfMeanings) {
    meanings.fill(null);
    isaOfMeanings = isa;
  }
  const at = (encoding ^ (encoding >>> 10) ^ (encoding >>> 20)) & (REMEMBERED - 1);
  let known = meanings[at];
  if (known === null || encodings[at] !== encoding) {
    const decoded = decode(encoding >>> 0, isa);
    if (decoded === null) return null;
    known = know(decoded);
    encodings[at] = encoding;
    meanings[at] = known;
  }
  return known;
}

/** The instruction at `pc`, whose halfwords `half` reads; null: there is none, or an illegal one. */
export function insnAt(pc: number, half: (va: number) => number, isa: Isa): Insn | null {
  const low = half(pc);
  if (low < 0) return null;
  const high = isWide(low) ? half((pc + 2) >>> 0) : 0;
  if (high < 0) return null;
  const known = meaningOf(low | (high << 16), isa);
  if (known === null) return null;
  const { instruction, fields, length, compressed, traits, reads, writes, floats } = known;
  return { instruction, fields, length, compressed, traits, reads, writes, floats, pc };
}
