/** The floating-point rows that `step` executes in TypeScript: from a micro-op's operands to its helper (fp/helpers.ts). */
import { fpHelper, type FpState } from './fp/helpers.ts';
import { instructionAt } from './isa/table.ts';
import * as layout from './layout.ts';
import { STATUS } from './tier0/step.ts';

/** A register's number from its offset in its file. */
const number = (cls: string, offset: number): number => (cls === 'f' ? offset >>> 3 : offset >>> 2);

export class FloatRows {
  readonly #words: Int32Array;
  readonly #uops: DataView;
  readonly #state: FpState;

  constructor(memory: WebAssembly.Memory) {
    const words = new Int32Array(memory.buffer, 0, 0x4000);
    this.#words = words;
    this.#uops = new DataView(memory.buffer);
    this.#state = {
      x: new Int32Array(memory.buffer, layout.X, 33),
      f: new Uint32Array(memory.buffer, layout.F, 64),
      f64: new Float64Array(memory.buffer, layout.F, 32),
      get fcsr() {
        return words[layout.FCSR >>> 2] as number;
      },
      set fcsr(value) {
        words[layout.FCSR >>> 2] = value;
      },
    };
  }

  /** Executes the row of that table index with the operands of the micro-op at IP. Returns a STATUS. */
  execute(index: number): number {
    const instruction = instructionAt(index);
    const ip = this.#words[layout.IP >>> 2] as number;
    const uops = this.#uops;
    const rd = number(instruction.rd, uops.getUint8(ip + 2));
    const rs1 = number(instruction.rs1, uops.getUint8(ip + 3));
    const rs2 = number(instruction.rs2, uops.getUint8(ip + 4));
    const rs3 = number(instruction.rs3, uops.getUint8(ip + 5));
    const helper = fpHelper(instruction.traits.fp as string);
    if (helper === undefined || !helper(this.#state, rd, rs1, rs2, rs3, uops.getUint8(ip + 6))) {
      return STATUS.special;
    }
    this.#words[layout.FS >>> 2] = 3;
    return STATUS.ok;
  }
}
