/** The ways out of a region with its registers written back. */
import type { FlowBlock } from './flow.ts';
import { union, without, type Regs } from './registers.ts';
import { uleb, type Code } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

function bitCount(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** The shared exits: one for each set of registers to write back; each goes on in one that writes a part of its set. */
export class Exits {
  readonly #masks: readonly Regs[];
  /** Where masks are among #masks: by `f`, by `x`. */
  readonly #labels = new Map<number, Map<number, number>>();
  readonly #store: (regs: Regs) => Code;

  constructor(masks: readonly Regs[], store: (regs: Regs) => Code) {
    const different: Regs[] = [];
    for (const mask of masks) if (this.#note(mask, 0)) different.push(mask);
    const sized = different.map((mask) => ({ mask, size: bitCount(mask.x) + bitCount(mask.f) }));
    this.#masks = sized.sort((a, b) => b.size - a.size).map(({ mask }) => mask);
    for (let i = 0; i < this.#masks.length; i++) this.#note(this.#masks[i], i);
    this.#store = store;
  }

  /** True when it was not known. */
  #note({ x, f }: Regs, label: number): boolean {
    let byX = this.#labels.get(f);
    if (byX === undefined) this.#labels.set(f, (byX = new Map()));
    const isNew = !byX.has(x);
    byX.set(x, label);
    return isNew;
  }

  get size(): number {
    return this.#masks.length;
  }

  /** Branch depth of an exit, counted from the innermost. */
  label({ x, f }: Regs): number {
    return this.#labels.get(f)?.get(x) ?? -1;
  }

  /** The first exit behind `i` that writes a part of what that one writes; -1: there is none. */
  #following(i: number): number {
    const masks = this.#masks;
    const { x, f } = masks[i];
    for (let j = i + 1; j < masks.length; j++) if (((masks[j].x & ~x) | (masks[j].f & ~f)) === 0) return j;
    return -1;
  }

  /** What stands behind the end of each exit's block, innermost first. */
  code(): Code[] {
    const masks = this.#masks;
    return masks.map((mask, i) => {
      const next = this.#following(i);
      if (next < 0) return this.#store(mask) + OP.br + uleb(masks.length - 1 - i);
      const rest = this.#store(without(mask, masks[next]));
      return next === i + 1 ? rest : rest + OP.br + uleb(next - i - 1);
    });
  }
}

/** Every set of registers that some shared exit writes back. */
export function exitMasks(blocks: readonly FlowBlock[]): Regs[] {
  const masks: Regs[] = [];
  for (const { isLoop, dirtyIn, writtenAtBails } of blocks) {
    if (isLoop) masks.push(dirtyIn);
    for (let i = 0; i < writtenAtBails.length; i++) masks.push(union(dirtyIn, writtenAtBails[i]));
  }
  return masks;
}
