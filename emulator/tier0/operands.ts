/** Operands read from the micro-op, whose address is in a local; see uop.ts for its fields. */
import * as layout from '../layout.ts';
import { get, memoryOp, type Operands } from '../codegen/emitter.ts';
import type { I32 } from '../isa/builder.ts';
import type { Instruction } from '../isa/table.ts';
import { RS1, RS2 } from './fusion.ts';
import { hasImmediate } from './uop.ts';
import { uleb, type Code } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

export class UopOperands implements Operands {
  instruction!: Instruction;
  /** How far the micro-op is from the address in the local. */
  offset = 0;
  /** Sources that the local `value` holds (fusion.ts). */
  forwards = 0;
  /** True when `value` is to take what is written to rd too. */
  keeps = false;
  readonly #value: number;
  readonly #ip: number;

  /** `ip`: local that holds the micro-op's address; `value`: another one. */
  constructor(ip: number, value = 0) {
    this.#value = value;
    this.#ip = ip;
  }

  #field(load: Code, align: number, offset: number): Code {
    return get(this.#ip) + memoryOp(load, align, this.offset + offset);
  }

  /** Byte offset of the destination register (or of rs2 in rows without one) in its register file. */
  get fieldA(): Code {
    return this.#field(OP.i32_load8_u, 0, 2);
  }

  get fieldB(): Code {
    return this.#field(OP.i32_load8_u, 0, 3);
  }

  get fieldImm(): Code {
    return this.#field(OP.i32_load, 2, 4);
  }

  /** Byte offset of rs2 in its register file. */
  get fieldRs2(): Code {
    if (this.instruction.rd === '') return this.fieldA;
    if (hasImmediate(this.instruction)) throw new Error(`${this.instruction.row.name}: no room for rs2`);
    return this.#field(OP.i32_load8_u, 0, 4);
  }

  get fieldRs3(): Code {
    return this.#field(OP.i32_load8_u, 0, 5);
  }

  /** The rounding mode field. */
  get fieldRm(): Code {
    return this.#field(OP.i32_load8_u, 0, 6);
  }

  #forwarded(source: number): I32 | null {
    return (this.forwards & source) !== 0 ? { type: 'i32', code: get(this.#value) } : null;
  }

  get rs1(): I32 {
    return this.#forwarded(RS1) ?? { type: 'i32', code: this.fieldB + memoryOp(OP.i32_load, 2, layout.X) };
  }

  get rs2(): I32 {
    return this.#forwarded(RS2) ?? { type: 'i32', code: this.fieldRs2 + memoryOp(OP.i32_load, 2, layout.X) };
  }

  get imm(): I32 {
    return { type: 'i32', code: this.fieldImm };
  }

  setRd(value: Code): Code {
    const kept = this.keeps ? OP.local_tee + uleb(this.#value) : '';
    return this.fieldA + value + kept + memoryOp(OP.i32_store, 2, layout.X);
  }
}
