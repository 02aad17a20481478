/**
 * Reading ELF32 RISC-V files: the header, the program headers, and loading an image by physical address (the ELF
 * specification; the RISC-V psABI for e_flags). What a kernel wants of a program beyond that is the kernel's to judge.
 *
 * Pure: bytes in, a description or one clear line out, which the command prints behind the file's name.
 *
 * Known to be missing: ELF64 and other machines are refused.
 */
import type { PhysicalMemory } from './memory.ts';

/** One program header. All numbers are u32. */
export interface ElfSegment {
  readonly offset: number;
  readonly vaddr: number;
  readonly paddr: number;
  readonly filesz: number;
  readonly memsz: number;
  /** PF_X = 1, PF_W = 2, PF_R = 4. */
  readonly flags: number;
}

/** Why a file cannot be run: one line without the file's name, and the errno that execve answers. */
export interface ElfProblem {
  readonly problem: string;
  /** 'noexec' -> ENOEXEC, 'invalid' -> EINVAL, 'nomem' -> ENOMEM. */
  readonly kind: 'noexec' | 'invalid' | 'nomem';
}

/** The headers of an image that can be for this machine. */
export interface ElfHeaders {
  /** ET_DYN: a static PIE or a shared library. */
  readonly dynamic: boolean;
  readonly entry: number;
  readonly phoff: number;
  readonly phnum: number;
  readonly phentsize: number;
  /** In the file's order; `type` is p_type. */
  readonly programHeaders: readonly (ElfSegment & { readonly type: number })[];
}

export const PT_LOAD = 1;
export const PT_INTERP = 3;

const EM_RISCV = 243;
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

export const isElfProblem = <T extends object>(v: T | ElfProblem): v is ElfProblem => 'problem' in v;

/** A problem of that text. */
export const elfProblem = (problem: string, kind: ElfProblem['kind'] = 'noexec'): ElfProblem => ({
  problem,
  kind,
});

const bad = elfProblem;

const hex = (n: number): string => `0x${n.toString(16)}`;

/**
 * Reads and checks the ELF header and the program headers.
 *
 * @param image the file, or as much of its beginning as holds the program headers
 * @param fileLength bytes of the whole file
 */
export function readElfHeaders(
  image: Uint8Array,
  fileLength: number = image.length,
): ElfHeaders | ElfProblem {
  const header = checkHeader(image);
  if (header !== null) return header;
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
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
  const programHeaders = Array.from({ length: phnum }, (_unused, i) => {
    const word = (index: number): number => view.getUint32(phoff + i * PHDR_SIZE + 4 * index, true);
    return {
      type: word(0),
      offset: word(1),
      vaddr: word(2),
      paddr: word(3),
      filesz: word(4),
      memsz: word(5),
      flags: word(6),
    };
  });
  const dynamic = view.getUint16(16, true) === 3;
  return { dynamic, entry: view.getUint32(24, true), phoff, phnum, phentsize, programHeaders };
}

/** e_ident, machine, type, flags. null when acceptable. */
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

/** Do the file's bytes of a segment exist, and fit its memory? null when they do. */
export function checkFileRange(s: ElfSegment, at: number, fileLength: number): ElfProblem | null {
  const name = `segment at ${hex(at)}`;
  if (s.offset + s.filesz > fileLength) {
    return bad(
      `truncated: ${name} needs file bytes up to ${hex(s.offset + s.filesz)}, the file has ${hex(fileLength)}`,
    );
  }
  return s.filesz > s.memsz ? bad(`${name} is larger in the file than in memory`) : null;
}

/** A segment that holds the file's headers below RAM, without that part. */
function withoutHeaders(s: ElfSegment, base: number): ElfSegment {
  const below = base - s.paddr;
  if (s.offset !== 0 || below <= 0 || below >= s.filesz) return s;
  return {
    ...s,
    offset: below,
    vaddr: s.vaddr + below,
    paddr: base,
    filesz: s.filesz - below,
    memsz: s.memsz - below,
  };
}

/**
 * Loads a bare-metal image: each PT_LOAD at its physical address, what the file does not fill as zeros. Nothing is
 * written unless all of it can be. The file's own headers, which GNU ld likes to put in front of .text, need not be in RAM.
 *
 * @returns the entry point, where execution begins with addresses not translated
 */
export function loadBareImage(image: Uint8Array, ram: PhysicalMemory): { entry: number } | ElfProblem {
  const headers = readElfHeaders(image);
  if (isElfProblem(headers)) return headers;
  const { entry, programHeaders } = headers;
  if (programHeaders.some(({ type }) => type === PT_INTERP)) {
    return bad('dynamically linked: a bare-metal image has nothing that could load it');
  }
  const segments = programHeaders
    .filter(({ type, memsz }) => type === PT_LOAD && memsz !== 0)
    .map((segment) => withoutHeaders(segment, ram.base));
  if (segments.length === 0) return bad('no PT_LOAD segment: nothing to load');
  const end = ram.base + ram.size;
  const where = `RAM is ${hex(ram.base)} to ${hex(end)}, see --ram`;
  for (const segment of segments) {
    const problem = checkFileRange(segment, segment.paddr, image.length);
    if (problem !== null) return problem;
    if (!ram.contains(segment.paddr, segment.memsz)) {
      return bad(
        `the segment ${hex(segment.paddr)} to ${hex(segment.paddr + segment.memsz)} is not in RAM (${where})`,
      );
    }
  }
  if (!ram.contains(entry, 2)) return bad(`the entry point ${hex(entry)} is not in RAM (${where})`);
  if (entry % 2 !== 0) return bad(`the entry point ${hex(entry)} is an odd address`);
  for (const { paddr, offset, filesz, memsz } of segments) {
    ram.writeBytes(paddr, image.subarray(offset, offset + filesz));
    ram.zero(paddr + filesz, memsz - filesz);
  }
  return { entry };
}
