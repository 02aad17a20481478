/**
 * Floating-point operands of a region that may assume RNE, NX accrued and FS dirty: in locals as far as a register has one
 * format, else in the register file.
 */
import { get, i32const, memoryOp, set, type HostPlace } from '../codegen/emitter.ts';
import { BOX, type SourceNumber } from '../codegen/floatCode.ts';
import { RegisterFile, type FileUser } from '../codegen/registerFile.ts';
import { lane, loadSplat, splat } from '../codegen/lanes.ts';
import { hostFuses } from './fusedHost.ts';
import type { Insn } from './insn.ts';
import type { FloatType } from './registers.ts';
import { byte, type Code } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

/** Rounding mode fields: to nearest even, towards zero, the last that is not reserved, the one in fcsr. */
const RNE = 0;
const RTZ = 1;
const LAST_MODE = 4;
const DYN = 7;

/** A condition known to be zero, and one known not to be. */
const NEVER: Code = '';
const ALWAYS: Code = i32const(1);

export interface FloatLocal {
  readonly local: number;
  readonly type: FloatType;
  /** The local is a vector with the number in all lanes, for fused multiply-adds. */
  readonly inLanes: boolean;
}

/** The number in a local. */
export function numberOf({ local, type, inLanes }: FloatLocal): Code {
  return inLanes ? lane(type, get(local)) : get(local);
}

/** Sets a register. */
function setFloat({ local, type, inLanes }: FloatLocal, value: Code): Code {
  return (inLanes ? splat(type, value) : value) + set(local);
}

/** Sets a register from memory. */
export function loadFloat({ local, type, inLanes }: FloatLocal, address: Code, offset: number): Code {
  const opcode = type === 'f32' ? OP.f32_load : OP.f64_load;
  const load = address + memoryOp(opcode, 0, offset);
  return (inLanes ? loadSplat(type, address, offset) : load) + set(local);
}

/** The 64 bits of a register in a local. */
export function bitsOf(float: FloatLocal): Code {
  if (float.type === 'f64') return numberOf(float) + OP.i64_reinterpret_f64;
  return numberOf(float) + OP.i32_reinterpret_f32 + OP.i64_extend_i32_u + BOX + OP.i64_or;
}

export class LocalFloats extends RegisterFile {
  readonly #locals: ReadonlyMap<number, FloatLocal>;
  readonly #insn: () => Insn;

  /** `insn`: the instruction under way. */
  constructor(user: FileUser, locals: ReadonlyMap<number, FloatLocal>, insn: () => Insn) {
    super(user);
    this.#locals = locals;
    this.#insn = insn;
  }

  #source(n: SourceNumber): FloatLocal | undefined {
    const { rs1, rs2, rs3 } = this.#insn().fields;
    return this.#locals.get(n === 1 ? rs1 : n === 2 ? rs2 : rs3);
  }

  get #destination(): FloatLocal | undefined {
    return this.#locals.get(this.#insn().fields.rd);
  }

  override number(n: SourceNumber, type: FloatType): Code {
    const source = this.#source(n);
    return source === undefined ? super.number(n, type) : numberOf(source);
  }

  override bits(n: SourceNumber): Code {
    const source = this.#source(n);
    return source === undefined ? super.bits(n) : bitsOf(source);
  }

  override low(n: SourceNumber): Code {
    const source = this.#source(n);
    if (source === undefined) return super.low(n);
    if (source.type === 'f32') return numberOf(source) + OP.i32_reinterpret_f32;
    return bitsOf(source) + OP.i32_wrap_i64;
  }

  override high(n: SourceNumber): Code {
    const source = this.#source(n);
    if (source === undefined) return super.high(n);
    return source.type === 'f32'
      ? NEVER
      : bitsOf(source) + OP.i64_const + byte(32) + OP.i64_shr_u + OP.i32_wrap_i64;
  }

  override setNumber(type: FloatType, value: Code): void {
    const rd = this.#destination;
    if (rd === undefined) super.setNumber(type, value);
    else this.emit(setFloat(rd, value));
  }

  override lanes(n: SourceNumber, type: FloatType): Code {
    const source = this.#source(n);
    return source?.inLanes ? get(source.local) : super.lanes(n, type);
  }

  override setLanes(type: FloatType, value: Code): void {
    const rd = this.#destination;
    if (rd?.inLanes) this.emit(value + set(rd.local));
    else super.setLanes(type, value);
  }

  override setBits(value: Code): void {
    const rd = this.#destination;
    if (rd === undefined) super.setBits(value);
    else if (rd.type === 'f64') this.emit(setFloat(rd, value + OP.f64_reinterpret_i64));
    else this.emit(setFloat(rd, value + OP.i32_wrap_i64 + OP.f32_reinterpret_i32));
  }

  override load(size: 4 | 8, place: HostPlace): void {
    const rd = this.#destination;
    if (rd === undefined) {
      super.load(size, place);
      return;
    }
    this.emit(loadFloat(rd, get(place.local), place.offset));
  }

  override store(size: 4 | 8, place: HostPlace): void {
    const source = this.#source(2);
    if (source === undefined) {
      super.store(size, place);
      return;
    }
    const store = memoryOp(size === 4 ? OP.f32_store : OP.f64_store, 0, place.offset);
    this.emit(get(place.local) + numberOf(source) + store);
  }

  get #rm(): number {
    return this.#insn().fields.rm;
  }

  override get notNearest(): Code {
    return this.#rm === RNE || this.#rm === DYN ? NEVER : ALWAYS;
  }

  override get reservedMode(): Code {
    return this.#rm <= LAST_MODE || this.#rm === DYN ? NEVER : ALWAYS;
  }

  override get notTruncating(): Code {
    return this.#rm === RTZ ? NEVER : ALWAYS;
  }

  override get notDirty(): Code {
    return NEVER;
  }

  override get inexactAccrued(): Code | undefined {
    return undefined;
  }

  override get fuses(): boolean {
    return hostFuses();
  }
}
