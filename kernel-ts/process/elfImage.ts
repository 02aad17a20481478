/**
 * Reading and judging an ELF file before anything of it is mapped (Linux: the checks at the top of
 * load_elf_binary, fs/binfmt_elf.c; the ELF specification, and the RISC-V psABI for e_flags).
 *
 * Pure: bytes in, a description or one clear line out. The line is what `spawn` throws as BootError and
 * what the command prints, so it says what the file is and what to do about it.
 *
 * Known to be missing: PT_INTERP (dynamic linking) is refused; ELF64 and other machines are refused.
 */

/** One PT_LOAD, page rounding not yet applied. All numbers are u32. */
export interface ElfSegment {
  readonly offset: number;
  readonly vaddr: number;
  readonly filesz: number;
  readonly memsz: number;
  /** PF_X = 1, PF_W = 2, PF_R = 4. */
  readonly flags: number;
}

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

/** Why a file cannot be run: one line without the file's name, and the errno that execve answers. */
export interface ElfProblem {
  readonly problem: string;
  /** 'noexec' -> ENOEXEC, 'invalid' -> EINVAL, 'nomem' -> ENOMEM. */
  readonly kind: 'noexec' | 'invalid' | 'nomem';
}

const EM_RISCV = 243;
const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_PHDR = 6;
const PT_GNU_STACK = 0x6474e551;
const PAGE = 4096;
const EHDR_SIZE = 52;
const PHDR_SIZE = 32;
/** Linux refuses more program headers than fit 64 KiB. */
const MAX_PHNUM = 65536 / PHDR_SIZE;

const MACHINES: Readonly<Record<number, string>> = {
  3: 'x86 (i386)',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC64',
  22: 'S/390',
  40: 'ARM',
  62: 'x86-64',
  183: 'AArch64',
  243: 'RISC-V',
  258: 'LoongArch',
};

export const isElfProblem = (v: ElfImage | ElfProblem): v is ElfProblem => 'problem' in v;

const bad = (problem: string, kind: ElfProblem['kind'] = 'noexec'): ElfProblem => ({ problem, kind });

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
  const header = checkHeader(image);
  if (header !== null) return header;
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const type = view.getUint16(16, true);
  const entry = view.getUint32(24, true);
  const phoff = view.getUint32(28, true);
  const phentsize = view.getUint16(42, true);
  const phnum = view.getUint16(44, true);
  if (phnum === 0) return bad('no program headers: nothing to load');
  if (phentsize !== PHDR_SIZE) return bad(`program header size is ${phentsize}, not ${PHDR_SIZE}`);
  if (phnum > MAX_PHNUM) return bad(`too many program headers (${phnum})`);
  if (phoff + phnum * PHDR_SIZE > Math.min(image.length, fileLength)) {
    return bad(`truncated: program headers at ${hex(phoff)} lie outside the file of ${fileLength} bytes`);
  }
  if (phoff < EHDR_SIZE) return bad('program headers overlap the ELF header');

  const segments: ElfSegment[] = [];
  let phdrVaddr = 0;
  let executableStack = true;
  for (let i = 0; i < phnum; i++) {
    const at = phoff + i * PHDR_SIZE;
    const pType = view.getUint32(at, true);
    const segment: ElfSegment = {
      offset: view.getUint32(at + 4, true),
      vaddr: view.getUint32(at + 8, true),
      filesz: view.getUint32(at + 16, true),
      memsz: view.getUint32(at + 20, true),
      flags: view.getUint32(at + 24, true),
    };
    if (pType === PT_INTERP)
      return bad(`dynamically linked (needs ${interpreterName(image, segment)}): ${STATIC_HINT}`);
    if (pType === PT_GNU_STACK) executableStack = (segment.flags & 1) !== 0;
    if (pType === PT_PHDR) phdrVaddr = segment.vaddr;
    if (pType !== PT_LOAD || segment.memsz === 0) continue;
    const problem = checkSegment(segment, segments.at(-1), fileLength, taskSize);
    if (problem !== null) return problem;
    segments.push(segment);
  }
  if (segments.length === 0) return bad('no PT_LOAD segment: nothing to load');
  if (type === 3 && entry === 0) return bad('a shared library, not a program (no entry point)');
  if (!segments.some((s) => (s.flags & 1) !== 0 && entry >= s.vaddr && entry < s.vaddr + s.memsz)) {
    return bad(`the entry point ${hex(entry)} is in no executable segment`);
  }
  const needed = segments.reduce((sum, s) => sum + s.memsz, 0);
  if (needed > ramBytes) {
    return bad(`the image needs ${needed} bytes of memory, the machine has ${ramBytes} (see --ram)`, 'nomem');
  }
  if (phdrVaddr === 0) phdrVaddr = headersIn(segments, phoff, phnum);
  return { pie: type === 3, entry, phnum, phentsize, phdrVaddr, segments, executableStack };
}

/** The ELF header alone: e_ident, machine, type, flags. null when acceptable. */
function checkHeader(image: Uint8Array): ElfProblem | null {
  if (image.length < 4 || image[0] !== 0x7f || image[1] !== 0x45 || image[2] !== 0x4c || image[3] !== 0x46) {
    return bad(image.length === 0 ? 'empty file, not an ELF program' : 'not an ELF file');
  }
  if (image.length < 20) return bad(`truncated: ${image.length} bytes are too few for an ELF header`);
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const little = image[5] === 1;
  if (!little && image[5] !== 2) return bad(`unknown ELF byte order ${image[5] ?? 0}`);
  const machine = view.getUint16(18, little);
  const machineName = MACHINES[machine] ?? `machine ${machine}`;
  if (image[4] === 2) {
    return bad(
      `an ELF64 file (${machineName}): only 32-bit RISC-V programs run here, e.g. -target riscv32-linux-musl`,
    );
  }
  if (image[4] !== 1) return bad(`unknown ELF class ${image[4] ?? 0}`);
  if (machine !== EM_RISCV) return bad(`built for ${machineName}, not RISC-V`);
  if (!little) return bad('big-endian: only little-endian RISC-V runs here');
  if (image.length < EHDR_SIZE) return bad(`truncated: ${image.length} bytes are too few for an ELF header`);
  if (image[6] !== 1) return bad(`unknown ELF version ${image[6] ?? 0}`);
  const type = view.getUint16(16, true);
  if (type === 1) return bad('a relocatable object (.o): link it into a program first');
  if (type === 4) return bad('a core dump, not a program');
  if (type !== 2 && type !== 3) return bad(`unknown ELF type ${type}`);
  const flags = view.getUint32(36, true);
  if ((flags & 8) !== 0) return bad('built for RV32E (16 registers), which is not supported');
  if ((flags & 6) === 6) return bad('uses the quad-precision float ABI, which is not supported');
  return null;
}

function checkSegment(
  s: ElfSegment,
  before: ElfSegment | undefined,
  fileLength: number,
  taskSize: number,
): ElfProblem | null {
  const name = `segment at ${hex(s.vaddr)}`;
  if (s.offset + s.filesz > fileLength) {
    return bad(
      `truncated: ${name} needs file bytes up to ${hex(s.offset + s.filesz)}, the file has ${hex(fileLength)}`,
    );
  }
  if (s.filesz > s.memsz) return bad(`${name} is larger in the file than in memory`);
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
function headersIn(segments: readonly ElfSegment[], phoff: number, phnum: number): number {
  for (const s of segments) {
    if (phoff >= s.offset && phoff + phnum * PHDR_SIZE <= s.offset + s.filesz)
      return s.vaddr + (phoff - s.offset);
  }
  return 0;
}
