/** Writes instructions at increasing addresses, with labels that may be used before they are placed. */
import { assemble } from '../../../emulator/isa/assemble.ts';
import type { Fields } from '../../../emulator/isa/row.ts';
import { csr } from './image.ts';

interface Fixup {
  readonly at: number;
  readonly name: string;
  readonly fields: Partial<Fields>;
  readonly label: string;
}

export class Code {
  readonly #words = new Map<number, number>();
  readonly #labels = new Map<string, number>();
  readonly #fixups: Fixup[] = [];
  pc: number;

  constructor(pc: number) {
    this.pc = pc;
  }

  word(value: number): void {
    this.#words.set(this.pc, value >>> 0);
    this.pc += 4;
  }

  /** Two compressed instructions. */
  pair(low: number, high: number): void {
    this.word(low | (high << 16));
  }

  emit(name: string, fields: Partial<Fields> = {}): void {
    this.word(assemble(name, fields));
  }

  label(name: string): void {
    this.#labels.set(name, this.pc);
  }

  address(name: string): number {
    const at = this.#labels.get(name);
    if (at === undefined) throw new Error(`no label ${name}`);
    return at;
  }

  /** A branch or jump. */
  to(label: string, name = 'jal', fields: Partial<Fields> = {}): void {
    this.#fixups.push({ at: this.pc, name, fields, label });
    this.word(0);
  }

  /** Always two instructions. */
  li(rd: number, value: number): void {
    const low = (value << 20) >> 20;
    this.emit('lui', { rd, imm: (value - low) | 0 });
    this.emit('addi', { rd, rs1: rd, imm: low });
  }

  csrRead(rd: number, name: string): void {
    this.emit('csrrs', { rd, rs1: 0, csr: csr(name) });
  }

  csrWrite(name: string, rs1: number): void {
    this.emit('csrrw', { rd: 0, rs1, csr: csr(name) });
  }

  /** The bytes from `base` on. */
  bytes(base: number): Uint8Array {
    for (const { at, name, fields, label } of this.#fixups) {
      this.#words.set(at, assemble(name, { ...fields, imm: this.address(label) - at }));
    }
    const end = Math.max(...this.#words.keys()) + 4;
    const bytes = new Uint8Array(end - base);
    const view = new DataView(bytes.buffer);
    for (const [at, value] of this.#words) view.setUint32(at - base, value, true);
    return bytes;
  }
}
