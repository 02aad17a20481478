/**
 * The memory image of a generated program, and its form as a static riscv32 Linux executable for qemu-riscv32.
 * Specification: System V ABI, ELF; RISC-V ELF psABI (EM_RISCV, ilp32d, compressed code).
 */

/** Code begins somewhere in this page, so that programs cross into the next ones. */
export const TEXT = 0x8010_0000;
export const TEXT_BYTES = 0x4000;
/** Initial register values: x0..x31, f0..f31, fcsr. */
export const INITIAL = 0x8020_0000;
export const INITIAL_F = INITIAL + 128;
export const INITIAL_FCSR = INITIAL_F + 256;
/** Where loads and stores go; two pages, then the register dump: what the program writes to standard output. */
export const ARENA = 0x8020_1000;
export const ARENA_BYTES = 0x2000;
export const DUMP = ARENA + ARENA_BYTES;
/** Within the dump: x1..x31 at their place, then f0..f31, then fcsr. */
export const DUMP_F = 128;
export const DUMP_FCSR = DUMP_F + 256;
export const OUTPUT_BYTES = ARENA_BYTES + DUMP_FCSR + 4;
export const DATA_BYTES = 0x4000;

export interface Program {
  readonly seed: number;
  readonly entry: number;
  /** TEXT_BYTES from TEXT. */
  readonly text: Uint8Array;
  /** DATA_BYTES from INITIAL. */
  readonly data: Uint8Array;
}

const HEADER_BYTES = 52;
const SEGMENT_BYTES = 32;
const PAGE = 4096;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;
/** e_flags: RVC, double-precision float ABI. */
const EF_RISCV = 0x5;

/** The ELF file: one read-execute and one read-write segment, each page aligned in the file. */
export function elfFile(program: Program): Uint8Array {
  const file = new Uint8Array(PAGE + program.text.length + program.data.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]); // ELFCLASS32, little-endian, version 1
  const half = (at: number, value: number): void => view.setUint16(at, value, true);
  const word = (at: number, value: number): void => view.setUint32(at, value, true);
  half(16, 2); // ET_EXEC
  half(18, 243); // EM_RISCV
  word(20, 1);
  word(24, program.entry);
  word(28, HEADER_BYTES); // e_phoff
  word(36, EF_RISCV);
  half(40, HEADER_BYTES);
  half(42, SEGMENT_BYTES);
  half(44, 2);
  half(46, 40); // e_shentsize
  const segment = (index: number, offset: number, address: number, size: number, flags: number): void => {
    const at = HEADER_BYTES + index * SEGMENT_BYTES;
    [1, offset, address, address, size, size, flags, PAGE].forEach((value, i) => word(at + 4 * i, value));
  };
  segment(0, PAGE, TEXT, program.text.length, PF_R | PF_X);
  segment(1, PAGE + program.text.length, INITIAL, program.data.length, PF_R | PF_W);
  file.set(program.text, PAGE);
  file.set(program.data, PAGE + program.text.length);
  return file;
}

/** FNV-1a, 32 bits, as eight hexadecimal digits. */
export function fnv1a(bytes: Uint8Array): string {
  let hash = 0x811c_9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
