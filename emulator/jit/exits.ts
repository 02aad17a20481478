/** The ways out of a region with its registers written back. */
import { equal, isEmpty, numbers, without, type Regs } from './registers.ts';
import { uleb, type Code } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

/** The shared exits: one for each set of registers to write back; each goes on in one that writes a part of its set. */
export class Exits {
  readonly #masks: Regs[] = [];
  readonly #store: (regs: Regs) => Code;

  constructor(masks: readonly Regs[], store: (regs: Regs) => Code) {
    const size = ({ x, f }: Regs): number => numbers(x).length + numbers(f).length;
    for (const mask of masks) if (this.label(mask) < 0) this.#masks.push(mask);
    this.#masks.sort((a, b) => size(b) - size(a));
    this.#store = store;
  }

  get size(): number {
    return this.#masks.length;
  }

  /** Branch depth of an exit, counted from the innermost. */
  label(mask: Regs): number {
    return this.#masks.findIndex((m) => equal(m, mask));
  }

  /** What stands behind the end of each exit's block, innermost first. */
  *code(): Generator<Code> {
    const masks = this.#masks;
    for (const [i, mask] of masks.entries()) {
      const next = masks.findIndex((other, j) => j > i && isEmpty(without(other, mask)));
      if (next < 0) {
        yield this.#store(mask) + OP.br + uleb(masks.length - 1 - i);
      } else {
        const rest = this.#store(without(mask, masks[next]));
        yield next === i + 1 ? rest : rest + OP.br + uleb(next - i - 1);
      }
    }
  }
}
