/**
 * Small innermost loops are repeated a few times within themselves: one look at the budget, and often one at the TLB, serves
 * several rounds. A copy is code of the same addresses, so nothing else sees a difference.
 */
import { type Block, type Edge, type Terminator } from './region.ts';

/** Instructions of a loop with its copies, at most: more where one look at the TLB might serve several accesses. And rounds. */
const MAX_UNROLLED = 20;
const MAX_UNROLLED_ACCESSES = 32;
const MAX_ROUNDS = 4;

/** What this file must know of a block beyond its code. */
interface LoopBlock extends Block {
  /** The blocks of the innermost loop around it; null: it lies in none. */
  readonly loop: ReadonlySet<number> | null;
  readonly isLoop: boolean;
}

export function mapEdges(end: Terminator, edge: (e: Edge) => Edge): Terminator {
  const { kind } = end;
  if (kind === 'branch') return { kind, taken: edge(end.taken), fall: edge(end.fall) };
  if (kind === 'jump') return { kind, to: edge(end.to) };
  if (kind === 'call') return { kind, target: end.target, back: edge(end.back) };
  return { kind, targets: end.targets.map(edge), otherwise: end.otherwise && edge(end.otherwise) };
}

/** Times that a loop is to be there in all; 1: as it is. */
function rounds(blocks: readonly LoopBlock[], loop: ReadonlySet<number>): number {
  let count = 0;
  let accesses = 0;
  for (const i of loop) {
    const block = blocks[i];
    // Not the innermost, or a call makes it long anyway.
    if (block.loop !== loop || block.end.kind === 'call' || block.end.kind === 'indirect') return 1;
    count += block.insns.length;
    for (let k = 0; k < block.insns.length; k++) if (block.insns[k].traits.bytes > 0) accesses++;
  }
  const limit = accesses > 1 ? MAX_UNROLLED_ACCESSES : MAX_UNROLLED;
  return Math.min(MAX_ROUNDS, Math.floor(limit / count));
}

/** The blocks with small loops unrolled; null when there are none. */
export function unroll(blocks: readonly LoopBlock[]): Block[] | null {
  let out: Block[] | null = null;
  for (let header = 0; header < blocks.length; header++) {
    const { isLoop, loop } = blocks[header];
    if (!isLoop || loop === null || !loop.has(header)) continue;
    const times = rounds(blocks, loop);
    if (times < 2) continue;
    const body = [...loop];
    out ??= blocks.map(({ pc, insns, end }) => ({ pc, insns, end }));
    const first = out.length;
    /** Where a block of the loop is in a round. */
    const place = (round: number, block: number): number =>
      round === 0 ? block : first + (round - 1) * body.length + body.indexOf(block);
    for (let round = 0; round < times; round++) {
      for (const block of body) {
        const { pc, insns, end } = blocks[block];
        const edge = (e: Edge): Edge => {
          if (e.block === header) return { block: place((round + 1) % times, header), pc: e.pc };
          return e.block >= 0 && loop.has(e.block) ? { block: place(round, e.block), pc: e.pc } : e;
        };
        out[place(round, block)] = { pc, insns, end: mapEdges(end, edge) };
      }
    }
  }
  return out;
}
