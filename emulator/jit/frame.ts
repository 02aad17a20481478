/** The locals of a region's function, and operands that are known when its code is generated. */
import { get, i32const, loadState, set, storeState, type Operands } from '../codegen/emitter.ts';
import type { I32 } from '../isa/builder.ts';
import * as layout from '../layout.ts';
import type { Insn } from './insn.ts';
import { lowest } from './registers.ts';
import type { Code } from '../wasm/encode.ts';

/** Parameters and fixed locals. */
export const N = 0;
export const DEPTH = 1;
/** What a shared exit must know: (pc - entry) << REFUND_BITS | instructions counted but not executed. */
export const EXIT = 2;
/** Where an indirect jump goes. */
export const TARGET = 3;
export const READ = 4;
export const WRITE = 5;
export const FETCH = 6;
export const SCRATCH = 7;
const FIRST_X = 8;

/** The local of an x register. */
export const x = (register: number): number => FIRST_X - 1 + register;

const STORES = Array.from({ length: 32 }, (_code, r) => storeState(layout.X + 4 * r, get(x(r))));
const STORED = Array.from({ length: 32 }, (_code, r) => loadState(layout.X + 4 * r));
const LOADS = STORED.map((stored, r) => stored + set(x(r)));

/** The x register in the register file. */
export const storedX = (register: number): Code => STORED[register];

/** Writes back the x registers of a mask. */
export function storeX(mask: number): Code {
  let code: Code = '';
  for (let rest = mask; rest !== 0; rest &= rest - 1) code += STORES[lowest(rest)];
  return code;
}

/** Loads the x registers of a mask from the register file. */
export function loadX(mask: number): Code {
  let code: Code = '';
  for (let rest = mask; rest !== 0; rest &= rest - 1) code += LOADS[lowest(rest)];
  return code;
}

const SOURCES = Array.from({ length: 32 }, (_register, r): I32 =>
  r === 0 ? { type: 'i32', code: i32const(0), constant: 0 } : { type: 'i32', code: get(x(r)) },
);

/** Operands that are known when the code is generated, registers in locals. */
export class KnownOperands implements Operands {
  insn!: Insn;

  get rs1(): I32 {
    return SOURCES[this.insn.fields.rs1];
  }

  get rs2(): I32 {
    return SOURCES[this.insn.fields.rs2];
  }

  get imm(): I32 {
    const { imm } = this.insn.fields;
    return { type: 'i32', code: i32const(imm), constant: imm };
  }

  setRd(value: Code): Code {
    const { rd } = this.insn.fields;
    return rd === 0 ? '' : value + set(x(rd));
  }
}
