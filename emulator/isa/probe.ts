/**
 * What a row does, found by running its semantics against a builder that only takes notes.
 * Decoders and code generators ask here instead of repeating facts that `exec` already states.
 */
import type { Builder, Size, Type, Value } from './builder.ts';
import type { Row } from './row.ts';

export interface RowTraits {
  /** Name of the TypeScript helper that executes the row, or null. */
  readonly helper: string | null;
  /** Name in the floating-point helper table, or null. */
  readonly fp: string | null;
  /** Goes to pc + imm: a branch or a direct jump. */
  readonly relative: boolean;
  /** May leave the straight line in any way. */
  readonly control: boolean;
  readonly load: boolean;
  readonly store: boolean;
  /** Bytes that a plain load or store of x[rs1] + imm moves; 0: the row is none. */
  readonly bytes: number;
}

type Notes = { -readonly [K in keyof RowTraits]: RowTraits[K] };

function value<T extends Type>(type: T): Value<T> {
  return { type, code: '' };
}

class Probe implements Builder {
  readonly notes: Notes = {
    helper: null,
    fp: null,
    relative: false,
    control: false,
    load: false,
    store: false,
    bytes: 0,
  };
  readonly rs1 = value('i32');
  readonly rs2 = value('i32');
  readonly imm = value('i32');
  readonly pc = value('i32');
  readonly nextPc = value('i32');
  i32 = (): Value<'i32'> => value('i32');
  op = this.i32;
  clz = this.i32;
  ctz = this.i32;
  popcnt = this.i32;
  eqz = this.i32;
  extend8 = this.i32;
  extend16 = this.i32;
  select = this.i32;
  mulh = this.i32;
  let<T extends Type>(v: Value<T>): Value<T> {
    return v;
  }
  setRd(): void {}
  load(size: Size): Value<'i32'> {
    this.notes.load = true;
    this.notes.bytes = size;
    return value('i32');
  }
  store(size: Size): void {
    this.notes.store = true;
    this.notes.bytes = size;
  }
  amo(): void {
    this.notes.load = this.notes.store = true;
  }
  loadReserved(): void {
    this.notes.load = true;
  }
  storeConditional(): void {
    this.notes.store = true;
  }
  branch(): void {
    this.notes.relative = this.notes.control = true;
  }
  jumpRelative(): void {
    this.notes.relative = this.notes.control = true;
  }
  jump(): void {
    this.notes.control = true;
  }
  loadFloat(size: 4 | 8): void {
    this.notes.load = true;
    this.notes.bytes = size;
  }
  storeFloat(size: 4 | 8): void {
    this.notes.store = true;
    this.notes.bytes = size;
  }
  fp(name: string): void {
    this.notes.fp = name;
  }
  helper(name: string): void {
    this.notes.helper = name;
    this.notes.control = true;
  }
}

export function traitsOf(row: Row): RowTraits {
  const probe = new Probe();
  row.exec(probe);
  return probe.notes;
}
