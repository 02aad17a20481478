/**
 * A disassembler for what tier 1 emits: functions of a WebAssembly module in the folded text form, one line for each statement. It
 * reads a module's bytes, so it sees what the host sees.
 *
 * It differs from the standard text form where that would say less: addresses in the machine's state have the names of layout.ts,
 * registers theirs, and addresses of decoded pages their place in the region. Branch depths are numbers. Missing: whatever tier 1 does not emit
 * (vectors apart from fused multiply-add, tables of branches, further sections).
 */
import { fName, xName } from '../../../emulator/isa/disassemble.ts';
import * as layout from '../../../emulator/layout.ts';
import { LOOK_UP_TYPE } from '../../../emulator/tier0/lookUp.ts';
import { OP as CODE, TYPE as TYPE_CODE } from '../../../emulator/wasm/opcodes.ts';

/** Reads the binary format. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset);
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    if (this.done) throw new RangeError('the module ends too soon');
    return this.#bytes[this.at++] as number;
  }

  uleb(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  sleb(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(Number(shift) + 7, value);
    }
  }

  float(size: 4 | 8): number {
    this.at += size;
    return size === 4 ? this.#view.getFloat32(this.at - 4, true) : this.#view.getFloat64(this.at - 8, true);
  }

  text(): string {
    const length = this.uleb();
    this.at += length;
    return String.fromCharCode(...this.#bytes.subarray(this.at - length, this.at));
  }

  /** The following `length` bytes. */
  part(length: number): Reader {
    this.at += length;
    return new Reader(this.#bytes, this.at - length, this.at);
  }

  vector<T>(item: () => T): T[] {
    return Array.from({ length: this.uleb() }, item);
  }
}

/** The bytes of single-byte codes. */
function bytesOf<K extends string>(codes: Readonly<Record<K, string>>): Record<K, number> {
  const entries = Object.entries<string>(codes).map(([name, code]) => [name, code.charCodeAt(0)]);
  return Object.fromEntries(entries) as Record<K, number>;
}

const OP = bytesOf(CODE);
const TYPE = bytesOf(TYPE_CODE);
const names = new Map(Object.entries(OP).map(([name, opcode]) => [opcode, name]));
const typeNames = new Map(Object.entries(TYPE).map(([name, type]) => [type, name]));

/** `i32_load8_s` is `i32.load8_s`, `br_if` stays. */
function textName(opcode: number): string {
  const name = names.get(opcode);
  if (name === undefined) throw new RangeError(`no name for the opcode 0x${opcode.toString(16)}`);
  return name.replace(/^(i32|i64|f32|f64|local)_/, '$1.');
}

const LOAD32_SPLAT = 0x09;
const LOAD64_SPLAT = 0x0a;

/** The vector instructions around relaxed_madd: operands and immediate bytes. */
const VECTOR: Readonly<Record<number, readonly [name: string, operands: number, immediates: number]>> = {
  0x13: ['f32x4.splat', 1, 0],
  0x14: ['f64x2.splat', 1, 0],
  0x1f: ['f32x4.extract_lane', 1, 1],
  0x21: ['f64x2.extract_lane', 1, 1],
  0xe1: ['f32x4.neg', 1, 0],
  0xed: ['f64x2.neg', 1, 0],
  0x105: ['f32x4.relaxed_madd', 3, 0],
  0x106: ['f32x4.relaxed_nmadd', 3, 0],
  0x107: ['f64x2.relaxed_madd', 3, 0],
  0x108: ['f64x2.relaxed_nmadd', 3, 0],
};

/** Words of the machine's state, by address. */
const STATE = new Map<number, string>(
  Object.entries({
    PC: layout.PC,
    IDLE: layout.IDLE,
    BUDGET: layout.BUDGET,
    TLB_READ: layout.TLB_READ,
    TLB_WRITE: layout.TLB_WRITE,
    TLB_FETCH: layout.TLB_FETCH,
    RESERVATION: layout.RESERVATION,
    FS: layout.FS,
    FCSR: layout.FCSR,
    JUMP_CACHE: layout.JUMP_CACHE,
    'JUMP_CACHE+4': layout.JUMP_CACHE + 4,
  }).map(([name, address]) => [address, name]),
);

/** An offset in a load or store. */
function offsetName(offset: number): string {
  if (offset >= layout.X && offset < layout.X + 128 && offset % 4 === 0 && offset !== layout.X)
    return xName((offset - layout.X) / 4);
  if (offset >= layout.F && offset < layout.F + 256) {
    const high = offset % 8 === 4 ? '.high' : '';
    return `${fName((offset - layout.F) >>> 3)}${high}`;
  }
  if (offset >= layout.PAGE_CACHES && offset < layout.PAGE_CACHE_COUNTS) {
    const from = offset - layout.PAGE_CACHES;
    const word = ['page', 'delta', 'room'][(from % layout.PAGE_CACHE_BYTES) / 4];
    return `cache${Math.floor(from / layout.PAGE_CACHE_BYTES)}.${word}`;
  }
  const shifted = STATE.get(offset);
  if (shifted !== undefined) return shifted;
  return String(offset);
}

/** Operands that an instruction takes from the stack, and whether it leaves a value. */
function arity(name: string): readonly [operands: number, result: boolean] {
  if (/\.const$|^local\.get$/.test(name)) return [0, true];
  if (name === 'local.set' || name === 'drop') return [1, false];
  if (name === 'local.tee') return [1, true];
  if (/\.store/.test(name)) return [2, false];
  if (
    /\.load|\.(eqz|clz|ctz|popcnt|abs|neg|sqrt|wrap_|extend|trunc|convert|demote|promote|reinterpret)/.test(
      name,
    )
  )
    return [1, true];
  if (name === 'select' || name === 'call_indirect') return [3, true];
  // The one function that is called by its name.
  if (name === 'call') return [LOOK_UP_TYPE.params.length, true];
  if (name === 'br' || name === 'unreachable') return [0, false];
  if (name === 'br_if' || name === 'if' || name === 'return') return [1, false];
  if (/^[if](32|64)\./.test(name)) return [2, true];
  throw new RangeError(`no arity for ${name}`);
}

/** Stands for an operand whose line is further up. */
const ABOVE = '(;above;)';

/** The text of one function's body. */
class Body {
  readonly #code: Reader;
  readonly #unlikely: ReadonlySet<number>;
  /** Where branch hints count from. */
  readonly #base: number;
  readonly #lines: string[] = [];
  readonly #pages: ReadonlyMap<number, number>;
  readonly #imports: readonly string[];
  #stack: string[] = [];
  #depth = 1;

  constructor(
    code: Reader,
    base: number,
    unlikely: ReadonlySet<number>,
    pages: ReadonlyMap<number, number>,
    imports: readonly string[],
  ) {
    this.#imports = imports;
    this.#code = code;
    this.#base = base;
    this.#unlikely = unlikely;
    this.#pages = pages;
  }

  /** A statement. Values that wait on the stack were computed before it, so they get lines of their own first. */
  #line(text: string): void {
    const indent = '  '.repeat(this.#depth);
    for (const [i, value] of this.#stack.entries()) {
      if (value === ABOVE) continue;
      this.#lines.push(indent + value);
      this.#stack[i] = ABOVE;
    }
    this.#lines.push(indent + text);
  }

  #take(count: number): string[] {
    if (this.#stack.length < count) throw new RangeError('the stack is empty');
    return this.#stack.splice(this.#stack.length - count, count);
  }

  /** An instruction's immediates, as text. */
  #immediates(opcode: number, name: string): string {
    const code = this.#code;
    if (name === 'i32.const') {
      const value = Number(code.sleb());
      const page = this.#pages.get(value);
      return page === undefined ? ` ${value}` : ` (;decoded page ${page};)`;
    }
    if (name === 'i64.const') return ` ${code.sleb()}`;
    if (name === 'f32.const') return ` ${code.float(4)}`;
    if (name === 'f64.const') return ` ${code.float(8)}`;
    if (/\.(load|store)/.test(name)) {
      code.uleb(); // the alignment is a hint
      const offset = code.uleb();
      return offset === 0 ? '' : ` offset=${offsetName(offset)}`;
    }
    if (name.startsWith('local.')) return ` ${code.uleb()}`;
    if (name === 'call') return ` $${this.#imports[code.uleb()]}`;
    if (name === 'br' || name === 'br_if') return ` ${code.uleb()}`;
    if (name === 'call_indirect') {
      const type = code.uleb();
      code.uleb();
      return ` (type ${type})`;
    }
    if (opcode === OP.block || opcode === OP.loop || opcode === OP.if) {
      const type = code.byte();
      return type === TYPE.void ? '' : ` (result ${typeNames.get(type)})`;
    }
    return '';
  }

  #fold(name: string, immediates: string, operands: number, result: boolean, note = ''): void {
    const text = `(${[name + immediates, ...this.#take(operands)].join(' ')})${note}`;
    if (result) this.#stack.push(text);
    else this.#line(text);
  }

  #instruction(): void {
    const place = this.#code.at - this.#base;
    const opcode = this.#code.byte();
    const note = this.#unlikely.has(place) ? ' ;; unlikely' : '';
    if (opcode === OP.simd) {
      const number = this.#code.uleb();
      const vector = VECTOR[number];
      if (number === LOAD32_SPLAT || number === LOAD64_SPLAT) {
        const name = `v128.load${number === LOAD32_SPLAT ? 32 : 64}_splat`;
        this.#fold(name, this.#immediates(opcode, name), 1, true);
        return;
      }
      if (vector === undefined) throw new RangeError(`no name for the vector instruction ${number}`);
      const lane = vector[2] === 1 ? ` ${this.#code.byte()}` : '';
      this.#fold(vector[0], lane, vector[1], true);
      return;
    }
    const name = textName(opcode);
    if (opcode === OP.end || opcode === OP.else) {
      // Values left by a block that has a result stay on the stack as they are.
      this.#depth--;
      this.#line(name);
      if (opcode === OP.else) this.#depth++;
      return;
    }
    const immediates = this.#immediates(opcode, name);
    if (opcode === OP.block || opcode === OP.loop || opcode === OP.if) {
      const condition = opcode === OP.if ? ` ${this.#take(1).join('')}` : '';
      this.#line(`${name}${immediates}${condition}${note}`);
      this.#depth++;
      return;
    }
    const [operands, result] = arity(name);
    this.#fold(name, immediates, operands, result, note);
  }

  /** The lines, without the closing `end`. */
  text(): string {
    while (this.#code.at < this.#code.end - 1) this.#instruction();
    if (this.#stack.length > 0) this.#line(this.#stack.pop() as string);
    return this.#lines.join('\n');
  }
}

interface Sections {
  /** Bodies: where each begins with its local declarations. */
  readonly bodies: Reader[];
  readonly slots: number[];
  /** Names of the imported functions, which come first in the index space. */
  readonly imports: string[];
  readonly names: Map<number, string>;
  readonly hints: Map<number, ReadonlySet<number>>;
}

function readSections(bytes: Uint8Array): Sections {
  const reader = new Reader(bytes);
  reader.at = 8;
  const found: Sections = { bodies: [], slots: [], imports: [], names: new Map(), hints: new Map() };
  while (!reader.done) {
    const id = reader.byte();
    const section = reader.part(reader.uleb());
    if (id === 10) found.bodies.push(...section.vector(() => section.part(section.uleb())));
    if (id === 2) {
      for (let count = section.uleb(); count > 0; count--) {
        section.text();
        const name = section.text();
        if (section.byte() !== 0) break; // functions come first
        section.uleb();
        found.imports.push(name);
      }
    }
    if (id === 9) {
      section.vector(() => {
        section.at += 2; // of table 0, an i32.const
        found.slots.push(Number(section.sleb()));
        section.at += 1; // end
        section.vector(() => section.uleb());
      });
    }
    if (id !== 0) continue;
    const name = section.text();
    if (name === 'name') {
      section.at += 1;
      section.uleb();
      for (const [index, text] of section.vector(() => [section.uleb(), section.text()] as const))
        found.names.set(index, text);
    } else if (name === 'metadata.code.branch_hint') {
      section.vector(() => {
        const index = section.uleb();
        const places = section.vector(() => {
          const at = section.uleb();
          section.at += 2;
          return at;
        });
        found.hints.set(index, new Set(places));
      });
    }
  }
  return found;
}

function locals(body: Reader): string {
  const runs = body.vector(() => [body.uleb(), typeNames.get(body.byte()) ?? '?'] as const);
  return runs.map(([count, type]) => `${count} ${type}`).join(', ');
}

/** The functions of a module of regions. `pages`: what is the address of which decoded page of the region. */
export function wasmText(bytes: Uint8Array, pages: ReadonlyMap<number, number>): string {
  const sections = readSections(bytes);
  return sections.bodies
    .map((body, index) => {
      const { imports } = sections;
      const number = index + imports.length;
      const base = body.at;
      const declared = locals(body);
      const text = new Body(body, base, sections.hints.get(number) ?? new Set(), pages, imports).text();
      const name = sections.names.get(number) ?? String(number);
      return `(func $${name} (;slot ${sections.slots[index]};)\n  ;; locals: ${declared}\n${text}\n)\n`;
    })
    .join('\n');
}
