/**
 * Loading a validated ELF image into a fresh address space and building its first stack (Linux: load_elf_binary and
 * create_elf_tables, fs/binfmt_elf.c; setup_arg_pages, fs/exec.c).
 *
 * Segments are private file mappings of the program's inode, as /proc/PID/maps shows them; bss is zeroed in its first
 * page and anonymous from there on. Nothing is placed at random, so a run can be repeated.
 *
 * Known to be missing: PT_INTERP, AT_SYSINFO_EHDR (the [vdso] page is no ELF image), AT_PLATFORM (NULL on RISC-V Linux, hence absent there too).
 */
import type { ElfSegment } from '../../emulator/index.ts';
import { ENOMEM, type Errno } from '../abi/errno.ts';
import {
  ELF_ET_DYN_BASE,
  MAP_FIXED,
  MAP_PRIVATE,
  PAGE_SIZE,
  pageAlignDown,
  pageAlignUp,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  STACK_TOP,
} from '../abi/mman.ts';
import { SIGFRAME } from '../abi/signal.ts';
import type { File } from '../fs/file.ts';
import { randomBytes } from '../fs/random.ts';
import type { Cred } from '../mm/cred.ts';
import { doMmap, setupStackVma, vmBrkFlags } from '../mm/mmap.ts';
import type { MmStruct } from '../mm/mm.ts';
import { doMprotect } from '../mm/mprotect.ts';
import { clearUser, copyToUser } from '../mm/usercopy.ts';
import { setupVdso } from '../mm/vdso.ts';
import type { ElfImage } from './elfImage.ts';
import type { Kernel } from './kernel.ts';

/** Auxiliary vector types: include/uapi/linux/auxvec.h, arch/riscv/include/uapi/asm/auxvec.h. */
const AT_NULL = 0;
const AT_PHDR = 3;
const AT_PHENT = 4;
const AT_PHNUM = 5;
const AT_PAGESZ = 6;
const AT_BASE = 7;
const AT_FLAGS = 8;
const AT_ENTRY = 9;
const AT_UID = 11;
const AT_EUID = 12;
const AT_GID = 13;
const AT_EGID = 14;
const AT_HWCAP = 16;
const AT_CLKTCK = 17;
const AT_SECURE = 23;
const AT_RANDOM = 25;
const AT_HWCAP2 = 26;
const AT_EXECFN = 31;
const AT_MINSIGSTKSZ = 51;

/** COMPAT_HWCAP_ISA_*: bit letter - 'A' for I, M, A, F, D, C. */
const HWCAP = [...'IMAFDC'].reduce((bits, c) => bits | (1 << (c.charCodeAt(0) - 65)), 0);
const CLOCK_TICKS = 100;
/** Bytes of stack mapped beyond the arguments at exec (setup_arg_pages: stack_expand). */
const STACK_EXPAND = 131072;

/** Strings without their terminating zero. */
export interface ExecStrings {
  readonly path: Uint8Array;
  readonly argv: readonly Uint8Array[];
  readonly envp: readonly Uint8Array[];
}

export interface LoadedImage {
  readonly entry: number;
  readonly sp: number;
}

function protOf(flags: number): number {
  return (
    ((flags & 4) !== 0 ? PROT_READ : 0) |
    ((flags & 2) !== 0 ? PROT_WRITE : 0) |
    ((flags & 1) !== 0 ? PROT_EXEC : 0)
  );
}

/**
 * Maps every segment and the stack into an empty `mm` and writes the stack. The caller destroys `mm` on failure.
 * ENOMEM: no room; EINVAL, EFAULT as the mappings answer.
 */
export function loadElfBinary(
  kernel: Kernel,
  mm: MmStruct,
  file: File,
  image: ElfImage,
  strings: ExecStrings,
  cred: Cred,
  secure: boolean,
): LoadedImage | Errno {
  const first = image.segments[0];
  const bias = image.pie ? ELF_ET_DYN_BASE - pageAlignDown(first?.vaddr ?? 0) : 0;
  for (const segment of image.segments) {
    const failed = mapSegment(kernel, mm, file, segment, bias);
    if (failed < 0) return failed;
  }
  accountSegments(mm, image, bias);
  if (!setupVdso(kernel, mm)) return -ENOMEM;
  return setupStack(kernel, mm, image, bias, strings, cred, secure);
}

function mapSegment(kernel: Kernel, mm: MmStruct, file: File, s: ElfSegment, bias: number): number {
  const start = pageAlignDown(s.vaddr + bias);
  const fileEnd = s.vaddr + bias + s.filesz;
  const memEnd = s.vaddr + bias + s.memsz;
  if (s.filesz > 0) {
    const pgoff = pageAlignDown(s.offset) / PAGE_SIZE;
    const at = doMmap(
      kernel,
      mm,
      file,
      start,
      fileEnd - start,
      protOf(s.flags),
      MAP_PRIVATE | MAP_FIXED,
      pgoff,
    );
    if (at < 0) return at;
  }
  if (s.memsz === s.filesz) return 0;
  const pagesEnd = s.filesz > 0 ? pageAlignUp(fileEnd) : start;
  if (s.filesz > 0 && (s.flags & 2) !== 0 && fileEnd < Math.min(pagesEnd, memEnd)) {
    // padzero(): what the file holds behind the segment in its last page must not be seen.
    const failed = clearUser(kernel, mm, fileEnd, pagesEnd - fileEnd);
    if (failed !== 0) return -ENOMEM;
  }
  if (pageAlignUp(memEnd) <= pagesEnd) return 0;
  return vmBrkFlags(kernel, mm, pagesEnd, pageAlignUp(memEnd) - pagesEnd, (s.flags & 1) !== 0);
}

/** start_code and its kin, as /proc/PID/stat shows them; the heap begins behind the last segment. */
function accountSegments(mm: MmStruct, image: ElfImage, bias: number): void {
  let end = 0;
  let [startCode, endCode, startData, endData] = [0xffff_ffff, 0, 0, 0];
  for (const s of image.segments) {
    const start = s.vaddr + bias;
    if ((s.flags & 1) !== 0) {
      startCode = Math.min(startCode, start);
      endCode = Math.max(endCode, start + s.filesz);
    }
    startData = Math.max(startData, start);
    endData = Math.max(endData, start + s.filesz);
    end = Math.max(end, start + s.memsz);
  }
  const startBrk = pageAlignUp(end);
  mm.layout = { ...mm.layout, startCode, endCode, startData, endData, startBrk };
  mm.brk = startBrk;
}

/** Where everything on the first stack lies; computed first, then written in one piece. */
function setupStack(
  kernel: Kernel,
  mm: MmStruct,
  image: ElfImage,
  bias: number,
  strings: ExecStrings,
  cred: Cred,
  secure: boolean,
): LoadedImage | Errno {
  const { argv, envp, path } = strings;
  const bytesOf = (list: readonly Uint8Array[]): number => list.reduce((sum, s) => sum + s.length + 1, 0);
  const execfn = STACK_TOP - 4 - (path.length + 1);
  const envStart = execfn - bytesOf(envp);
  const argStart = envStart - bytesOf(argv);
  const random = align16(argStart) - 16;
  const auxv = [
    [AT_HWCAP, HWCAP],
    [AT_PAGESZ, PAGE_SIZE],
    [AT_CLKTCK, CLOCK_TICKS],
    [AT_PHDR, image.phdrVaddr === 0 ? 0 : image.phdrVaddr + bias],
    [AT_PHENT, image.phentsize],
    [AT_PHNUM, image.phnum],
    [AT_BASE, 0],
    [AT_FLAGS, 0],
    [AT_ENTRY, image.entry + bias],
    [AT_UID, cred.uid],
    [AT_EUID, cred.euid],
    [AT_GID, cred.gid],
    [AT_EGID, cred.egid],
    [AT_SECURE, secure ? 1 : 0],
    [AT_RANDOM, random],
    [AT_HWCAP2, 0],
    [AT_EXECFN, execfn],
    [AT_MINSIGSTKSZ, SIGFRAME.size],
    [AT_NULL, 0],
  ].flat();
  const words = 1 + argv.length + 1 + envp.length + 1 + auxv.length;
  const sp = align16(random - words * 4);
  const top = new Uint8Array(STACK_TOP - sp);
  const view = new DataView(top.buffer);
  let word = 0;
  const push = (value: number): void => view.setUint32(4 * word++, value, true);
  let text = argStart;
  const pushStrings = (list: readonly Uint8Array[]): void => {
    for (const s of list) {
      push(text);
      top.set(s, text - sp);
      text += s.length + 1;
    }
    push(0);
  };
  push(argv.length);
  pushStrings(argv);
  pushStrings(envp);
  for (const value of auxv) push(value);
  top.set(randomBytes(kernel.random, 16), random - sp);
  top.set(path, execfn - sp);

  const vma = setupStackVma(kernel, mm, STACK_TOP, pageAlignUp(top.length) + STACK_EXPAND);
  if (typeof vma === 'number') return vma;
  if (image.executableStack) {
    const failed = doMprotect(
      kernel,
      mm,
      vma.vmStart,
      vma.vmEnd - vma.vmStart,
      PROT_READ | PROT_WRITE | PROT_EXEC,
    );
    if (failed < 0) return failed;
  }
  if (copyToUser(kernel, mm, sp, top) < 0) return -ENOMEM;
  mm.layout = {
    ...mm.layout,
    argStart,
    argEnd: envStart,
    envStart,
    envEnd: execfn,
    startStack: sp,
  };
  return { entry: image.entry + bias, sp };
}

/** The stack pointer is 16-byte aligned (RISC-V psABI). */
const align16 = (address: number): number => address - (address % 16);
