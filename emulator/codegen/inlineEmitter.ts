/**
 * Code that does everything in line: memory through the TLB, floating point on the host's. What it does not know,
 * and every TLB miss, bails out before anything has changed; `step` then executes the same instruction from the same row.
 */
import type { I32, Size } from '../isa/builder.ts';
import {
  Emitter,
  get,
  i32const,
  memoryOp,
  set,
  type HostPlace,
  type Locals,
  type Operands,
} from './emitter.ts';
import type { FloatHost } from './floatCode.ts';
import { inlineFloat } from './inlineFloat.ts';
import { uleb, type Code } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

/** Thrown at code generation by a row that only `step` executes. */
export class SlowOnly extends Error {}

/** By size: of signed and unsigned numbers. */
const LOADS: Readonly<Record<Size, readonly [signed: Code, unsigned: Code]>> = {
  1: [OP.i32_load8_s, OP.i32_load8_u],
  2: [OP.i32_load16_s, OP.i32_load16_u],
  4: [OP.i32_load, OP.i32_load],
};

/** The locals that hold the addresses of the current TLB tables. */
export interface TlbLocals {
  readonly read: number;
  readonly write: number;
}

export abstract class InlineEmitter<O extends Operands> extends Emitter<O> {
  readonly #tables: TlbLocals;

  constructor(locals: Locals, operands: O, tables: TlbLocals) {
    super(locals, operands);
    this.#tables = tables;
  }

  /** Leaves the instruction undone when the i32 is not zero; `depth`: blocks entered since the row began. */
  protected abstract bailIf(condition: Code, depth?: number): void;
  protected abstract readonly floatHost: FloatHost;

  /** The TLB test: see mmu/tlb.ts. */
  protected hostAddress(size: number, address: I32, write: boolean): number {
    const va = this.let(address);
    const host = this.locals.take('i32');
    this.lookUp(va, size, write, host);
    this.out += get(host) + va.code + OP.i32_xor + set(host);
    return host;
  }

  /** Leaves in `pages` what the page of `va` XOR its host page is; bails out when the TLB does not say or va is misaligned. */
  protected lookUp(va: I32, size: number, write: boolean, pages: number, depth = 0): void {
    const table = write ? this.#tables.write : this.#tables.read;
    const index = va.code + i32const(12) + OP.i32_shr_u + i32const(2) + OP.i32_shl;
    const entry = get(table) + index + OP.i32_add + memoryOp(OP.i32_load, 2, 0);
    const usable = entry + i32const(-1) + OP.i32_add + OP.local_tee + uleb(pages);
    const low = size > 1 ? usable + va.code + OP.i32_or : usable;
    this.bailIf(low + i32const((size - 1) | 1) + OP.i32_and, depth);
  }

  /** Where `size` bytes that may be read (or written) are; does not come back when the TLB does not say. */
  protected place(size: number, address: I32, write: boolean): HostPlace {
    return { local: this.hostAddress(size, address, write), offset: 0 };
  }

  load(size: Size, signed: boolean, address: I32): I32 {
    const { local, offset } = this.place(size, address, false);
    const opcode = LOADS[size][signed ? 0 : 1];
    return { type: 'i32', code: get(local) + memoryOp(opcode, 0, offset) };
  }

  store(size: Size, address: I32, value: I32): void {
    const { local, offset } = this.place(size, address, true);
    const opcode = size === 1 ? OP.i32_store8 : size === 2 ? OP.i32_store16 : OP.i32_store;
    this.out += get(local) + value.code + memoryOp(opcode, 0, offset);
  }

  /** Bails out with FS off, where the unit's instructions are illegal. */
  protected abstract needFs(): void;
  /** FS = dirty. */
  protected abstract dirtyFs(): void;

  loadFloat(size: 4 | 8, address: I32): void {
    this.needFs();
    const place = this.place(size, address, false);
    this.dirtyFs();
    this.floatHost.load(size, place);
  }

  storeFloat(size: 4 | 8, address: I32): void {
    this.needFs();
    this.floatHost.store(size, this.place(size, address, true));
  }

  fp(name: string): void {
    if (!inlineFloat(name, this.floatHost)) throw new SlowOnly();
  }

  helper(_name: string): void {
    throw new SlowOnly();
  }
}
