/**
 * Reading and judging an ELF file before anything of it is mapped (Linux: the checks at the top of
 * load_elf_binary, fs/binfmt_elf.c; the ELF specification, and the RISC-V psABI for e_flags).
 *
 * Pure: bytes in, a description or one clear line out. The line is what `spawn` throws as BootError and
 * what the command prints, so it says what the file is and what to do about it.
 *
 * Known to be missing: PT_INTERP (dynamic linking) is refused; ELF64 and other machines are refused.
 */
import {
  checkFileRange,
  elfProblem as bad,
  isElfProblem,
  PT_INTERP,
  PT_LOAD,
  readElfHeaders,
  type ElfProblem,
  type ElfSegment,
} from '../../emulator/index.ts';

/** What the loader needs to know of an acceptable image. */
export interface ElfImage {
  /** ET_DYN: a static PIE, to be placed at a load bias. */
  readonly pie: boolean;
  readonly entry: number;
  readonly phnum: number;
  readonly phentsize: number;
  /** Virtual address of the program headers (before the bias); 0 when no segment holds them. */
  readonly phdrVaddr: number;
  /** In ascending address order, at least one. */
  readonly segments: readonly ElfSegment[];
  /** From PT_GNU_STACK; absent means executable, as in Linux. */
  readonly executableStack: boolean;
}

const PT_PHDR = 6;
const PT_GNU_STACK = 0x6474e551;
const PAGE = 4096;

const hex = (n: number): string => `0x${n.toString(16)}`;

const STATIC_HINT = 'link it statically, for example `zig cc -target riscv32-linux-musl -static`';

/**
 * Parses and validates an image.
 *
 * @param image the file, or as much of its beginning as holds the program headers
 * @param taskSize first address that user space cannot use
 * @param ramBytes guest RAM; an image that needs more is refused
 * @param fileLength bytes of the whole file
 */
export function readElf(
  image: Uint8Array,
  taskSize: number,
  ramBytes: number,
  fileLength: number = image.length,
): ElfImage | ElfProblem {
  const headers = readElfHeaders(image, fileLength);
  if (isElfProblem(headers)) return headers;
  const { dynamic: pie, entry, phoff, phnum, phentsize } = headers;
  const segments: ElfSegment[] = [];
  let phdrVaddr = 0;
  let executableStack = true;
  for (const segment of headers.programHeaders) {
    const { type } = segment;
    if (type === PT_INTERP)
      return bad(`dynamically linked (needs ${interpreterName(image, segment)}): ${STATIC_HINT}`);
    if (type === PT_GNU_STACK) executableStack = (segment.flags & 1) !== 0;
    if (type === PT_PHDR) phdrVaddr = segment.vaddr;
    if (type !== PT_LOAD || segment.memsz === 0) continue;
    const problem = checkSegment(segment, segments.at(-1), fileLength, taskSize);
    if (problem !== null) return problem;
    segments.push(segment);
  }
  if (segments.length === 0) return bad('no PT_LOAD segment: nothing to load');
  if (pie && entry === 0) return bad('a shared library, not a program (no entry point)');
  if (!segments.some((s) => (s.flags & 1) !== 0 && entry >= s.vaddr && entry < s.vaddr + s.memsz)) {
    return bad(`the entry point ${hex(entry)} is in no executable segment`);
  }
  const needed = segments.reduce((sum, s) => sum + s.memsz, 0);
  if (needed > ramBytes) {
    return bad(`the image needs ${needed} bytes of memory, the machine has ${ramBytes} (see --ram)`, 'nomem');
  }
  if (phdrVaddr === 0) phdrVaddr = headersIn(segments, phoff, phnum * phentsize);
  return { pie, entry, phnum, phentsize, phdrVaddr, segments, executableStack };
}

function checkSegment(
  s: ElfSegment,
  before: ElfSegment | undefined,
  fileLength: number,
  taskSize: number,
): ElfProblem | null {
  const name = `segment at ${hex(s.vaddr)}`;
  const range = checkFileRange(s, s.vaddr, fileLength);
  if (range !== null) return range;
  if (s.vaddr + s.memsz > taskSize)
    return bad(`${name} reaches beyond user space (${hex(taskSize)})`, 'invalid');
  if (s.offset % PAGE !== s.vaddr % PAGE) {
    return bad(`${name}: file offset ${hex(s.offset)} and address differ within a page`, 'invalid');
  }
  if (before !== undefined && s.vaddr < before.vaddr + before.memsz) {
    return bad(`${name} overlaps the segment at ${hex(before.vaddr)}`, 'invalid');
  }
  return null;
}

function interpreterName(image: Uint8Array, s: ElfSegment): string {
  const end = Math.min(s.offset + s.filesz, image.length, s.offset + 128);
  let text = '';
  for (let i = s.offset; i < end; i++) {
    const c = image[i] ?? 0;
    if (c === 0) break;
    text += c >= 32 && c < 127 ? String.fromCharCode(c) : '?';
  }
  return text === '' ? 'an interpreter' : text;
}

/** Address at which a segment happens to hold the program headers (Linux: phdr_addr), or 0. */
function headersIn(segments: readonly ElfSegment[], phoff: number, bytes: number): number {
  for (const s of segments) {
    if (phoff >= s.offset && phoff + bytes <= s.offset + s.filesz) return s.vaddr + (phoff - s.offset);
  }
  return 0;
}
