/**
 * A small assembler for bare-metal tests: the rows' own assembly forms, labels, and the pseudo-instructions
 * `li rd, value`, `la rd, label`, `j label`, `.word value`.
 */
import { assemble } from '../../../emulator/index.ts';
import { fName, xName } from '../../../emulator/isa/disassemble.ts';
import type { Fields } from '../../../emulator/isa/row.ts';
import { compressedInstructions, instructionNamed } from '../../../emulator/isa/table.ts';
import { csrNumber } from '../../../emulator/priv/csr.ts';

const registers = new Map<string, number>();
for (let i = 0; i < 32; i++) {
  registers.set(xName(i), i).set(`x${i}`, i);
  registers.set(fName(i), i).set(`f${i}`, i);
}

export interface Assembled {
  readonly base: number;
  readonly bytes: Uint8Array;
  /** Address of each label. */
  readonly labels: ReadonlyMap<string, number>;
}

interface Line {
  readonly name: string;
  readonly operands: readonly string[];
  readonly pc: number;
}

const ROUNDING = ['rne', 'rtz', 'rdn', 'rup', 'rmm'];
const FIELD: Readonly<Record<string, keyof Fields>> = {
  rd: 'rd',
  fd: 'rd',
  rs1: 'rs1',
  fs1: 'rs1',
  rs2: 'rs2',
  fs2: 'rs2',
  rs3: 'rs3',
  fs3: 'rs3',
};

function assemblyForm(name: string): string {
  const form =
    instructionNamed(name)?.row.asm ?? compressedInstructions.find((c) => c.row.name === name)?.row.asm;
  if (form === undefined) throw new Error(`no instruction is named ${name}`);
  return form;
}

const words = (text: string): string[] => text.split(/[\s,()]+/).filter((word) => word !== '');

function number(text: string, labels: ReadonlyMap<string, number>): number {
  const value = labels.get(text) ?? Number(text);
  if (!Number.isInteger(value)) throw new Error(`not a number or label: ${text}`);
  return value | 0;
}

function encode(line: Line, labels: ReadonlyMap<string, number>): number {
  const fields: Partial<Fields> = { rm: 7 };
  words(assemblyForm(line.name)).forEach((slot, i) => {
    const text = line.operands[i];
    if (text === undefined) return;
    const field = FIELD[slot];
    if (field !== undefined) {
      const register = registers.get(text);
      if (register === undefined) throw new Error(`${line.name}: no register is named ${text}`);
      fields[field] = register;
    } else if (slot === 'imm') fields.imm = number(text, labels);
    else if (slot === 'upper') fields.imm = number(text, labels) << 12;
    else if (slot === 'target') fields.imm = number(text, labels) - line.pc;
    else if (slot === 'zimm') fields.rs1 = number(text, labels);
    else if (slot === 'csr') fields.csr = csrNumber(text) ?? number(text, labels);
    else if (slot === 'rm') fields.rm = ROUNDING.indexOf(text);
  });
  return assemble(line.name, fields);
}

/** `lui` and `addi` for any value: the sequence has the same length whatever the value, so labels can be forward. */
function loadImmediate(rd: string, value: number, labels: ReadonlyMap<string, number>, pc: number): number[] {
  const low = (value << 20) >> 20;
  const upper = String(((value - low) >>> 12) & 0xf_ffff);
  return [
    encode({ name: 'lui', operands: [rd, upper], pc }, labels),
    encode({ name: 'addi', operands: [rd, rd, String(low)], pc }, labels),
  ];
}

function sizeOf(name: string): number {
  if (name === 'li' || name === 'la') return 8;
  return name.startsWith('c.') ? 2 : 4;
}

function translate(line: Line, labels: ReadonlyMap<string, number>): number[] {
  const [first = '', second = ''] = line.operands;
  if (line.name === 'li' || line.name === 'la')
    return loadImmediate(first, number(second, labels), labels, line.pc);
  if (line.name === 'j') return [encode({ ...line, name: 'jal', operands: ['x0', first] }, labels)];
  if (line.name === '.word') return [number(first, labels)];
  return [encode(line, labels)];
}

/** Assembles at `base`. Comments begin with `#`; a label ends with `:`; `.align n` goes to a multiple of n bytes. */
export function assembleText(base: number, source: string): Assembled {
  const labels = new Map<string, number>();
  const lines: Line[] = [];
  let pc = base;
  for (const raw of source.split('\n')) {
    let text = raw.replace(/#.*/, '').trim();
    const label = /^(\w+):/.exec(text);
    if (label !== null) {
      labels.set(label[1] as string, pc);
      text = text.slice(label[0].length).trim();
    }
    if (text === '') continue;
    const [name = '', ...operands] = words(text);
    if (name === '.align') {
      pc = Math.ceil(pc / Number(operands[0])) * Number(operands[0]);
      continue;
    }
    lines.push({ name, operands, pc });
    pc += sizeOf(name);
  }
  const bytes = new Uint8Array(pc - base);
  const view = new DataView(bytes.buffer);
  for (const line of lines) {
    let at = line.pc - base;
    for (const word of translate(line, labels)) {
      if (sizeOf(line.name) === 2) view.setUint16(at, word, true);
      else view.setUint32(at, word, true);
      at += 4;
    }
  }
  return { base, bytes, labels };
}
