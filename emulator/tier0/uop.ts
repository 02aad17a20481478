/**
 * Micro-ops: what the decoder leaves in a decoded page and tier 0 executes. Eight bytes:
 *
 *     0  u16  operation: below FIRST_ROW_OP a special one, else FIRST_ROW_OP + 4 * row + variant bits, or a sequence's (fusion.ts)
 *     2  u8   A: rd, or rs2 where there is no rd; as a byte offset into its register file
 *     3  u8   B: rs1, likewise
 *     4  i32  immediate; without one: rs2 | rs3 << 8 | rm << 16 (offsets); helper rows: the instruction itself
 *
 * Register numbers are scaled when decoded (4 for x, 8 for f), and x0 as a destination becomes the junk word.
 */
import * as layout from '../layout.ts';
import type { Instruction, RegisterClass } from '../isa/table.ts';
import type { Decoded } from '../isa/decode.ts';

/** Not decoded yet. Zero, so that fresh memory says so. */
export const OP_UNDECODED = 0;
/** After a page's last instruction: go on at the next page. */
export const OP_NEXT_PAGE = 1;
/** A 32-bit instruction whose halves lie in two pages. */
export const OP_STRADDLE = 2;
export const OP_BREAKPOINT = 3;
/** The immediate is the encoding. */
export const OP_ILLEGAL = 4;
/** Without compressed instructions: a jump whose target may be misaligned. */
export const OP_JUMP = 5;
export const FIRST_ROW_OP = 8;

/** Variant bits. */
export const COMPRESSED = 1;
/** A relative jump whose target lies in another page; the immediate is then in bytes of guest code. */
export const FAR = 2;

/**
 * Set in an operation where tier 1 may begin a region: at the targets of calls, returns, indirect jumps and backward
 * branches. The loop then counts, or enters the region that is there (jit/README.md).
 */
export const ENTRY = 0x8000;

/** What `decode` returns (decoder.ts): where it came to, and bits. */
export const DECODED = {
  /** Offset behind the last instruction. */
  at: 0x1fff,
  /** The line ends there, or decoded code begins. */
  ends: 0x2000,
  /** The last instruction goes back: to where its micro-op says. `decode` may be called for those behind it. */
  backward: 0x8000,
  /** That is a compressed instruction. */
  compressed: 0x1_0000,
  /** Some branch or jump goes to a place in its page, and its immediate is scaled. */
  near: 0x2_0000,
} as const;

export const UOP_BYTES = 8;
/** Bytes of micro-ops per byte of guest code. */
export const UOP_SCALE = 4;

export function registerOffset(cls: RegisterClass, index: number): number {
  return cls === 'f' ? index * 8 : index * 4;
}

function destination(cls: RegisterClass, index: number): number {
  return registerOffset(cls, cls === 'x' && index === 0 ? layout.X_JUNK : index);
}

/** True when the row's micro-op carries an immediate rather than rs2. */
export function hasImmediate(instruction: Instruction): boolean {
  return instruction.pattern.fields.has('imm');
}

/** Execution does not fall through to the next instruction. */
export function endsLine({ row: { name } }: Instruction): boolean {
  return name === 'jal' || name === 'jalr' || name === 'mret' || name === 'sret' || name === 'ebreak';
}

/**
 * Writes the micro-op of a decoded instruction at byte offset `at` of the machine's memory.
 * `insn` is the (expanded or 32-bit) encoding; `pageOffset` its offset in its page, for near and far targets.
 */
export function writeUop(memory: DataView, at: number, d: Decoded, insn: number, pageOffset: number): void {
  const { instruction, fields } = d;
  let op = FIRST_ROW_OP + instruction.index * 4 + (d.length === 2 ? COMPRESSED : 0);
  let imm: number;
  if (instruction.traits.helper !== null) {
    imm = insn;
  } else if (instruction.traits.relative) {
    const target = pageOffset + fields.imm;
    // Calls take the far way, which tells tier 1 where they land.
    const near = target >= 0 && target < 4096 && (instruction.rd === '' || fields.rd === 0);
    if (!near) op |= FAR;
    imm = near ? fields.imm * UOP_SCALE : fields.imm;
  } else if (hasImmediate(instruction)) {
    imm = fields.imm;
  } else {
    imm =
      registerOffset(instruction.rs2, fields.rs2) |
      (registerOffset(instruction.rs3, fields.rs3) << 8) |
      (fields.rm << 16);
  }
  const a =
    instruction.rd !== ''
      ? destination(instruction.rd, fields.rd)
      : registerOffset(instruction.rs2, fields.rs2);
  memory.setUint16(at, op, true);
  memory.setUint8(at + 2, a);
  memory.setUint8(at + 3, registerOffset(instruction.rs1, fields.rs1));
  memory.setInt32(at + 4, imm, true);
}
