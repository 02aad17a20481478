/**
 * Signals as the guest sees them: include/uapi/asm-generic/signal.h, siginfo.h, signal-defs.h;
 * arch/riscv/include/uapi/asm/sigcontext.h, ucontext.h, ptrace.h. Sizes and offsets are those of riscv32.
 */

/** A set of signals: 1..32 in lo, 33..64 in hi, as sigset_t is stored; as int32, since V8 boxes larger numbers. */
export interface SignalSet {
  lo: number;
  hi: number;
}

export const SA_NOCLDSTOP = 0x1;
export const SA_NOCLDWAIT = 0x2;
export const SA_SIGINFO = 0x4;
export const SA_EXPOSE_TAGBITS = 0x800;
export const SA_ONSTACK = 0x0800_0000;
export const SA_RESTART = 0x1000_0000;
export const SA_NODEFER = 0x4000_0000;
export const SA_RESETHAND = 0x8000_0000;
/** UAPI_SA_FLAGS: bits that sigaction keeps; others read back as 0. riscv has no SA_RESTORER. */
export const UAPI_SA_FLAGS =
  (SA_NOCLDSTOP |
    SA_NOCLDWAIT |
    SA_SIGINFO |
    SA_EXPOSE_TAGBITS |
    SA_ONSTACK |
    SA_RESTART |
    SA_NODEFER |
    SA_RESETHAND) >>>
  0;

export const SS_ONSTACK = 1;
export const SS_DISABLE = 2;
export const SS_AUTODISARM = 0x8000_0000;
export const MINSIGSTKSZ = 2048;

/** si_code: from kill, from the kernel, from sigqueue, a timer, tkill. */
export const SI_USER = 0;
export const SI_KERNEL = 0x80;
export const SI_QUEUE = -1;
export const SI_TIMER = -2;
export const SI_TKILL = -6;

export const ILL_ILLOPC = 1;
export const TRAP_BRKPT = 1;
export const SEGV_MAPERR = 1;
export const SEGV_ACCERR = 2;
export const BUS_ADRALN = 1;
export const BUS_ADRERR = 2;
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_STOPPED = 5;
export const CLD_CONTINUED = 6;

export const SIGINFO_SIZE = 128;
const SIGINFO_FIELDS = 12;

/**
 * siginfo_t as data. `fields` are the 32-bit words behind si_code, whose meaning depends on the code: pid, uid, value
 * (kill, sigqueue); pid, uid, status, utime, stime (SIGCHLD); address (faults); timer, overrun, value (timers).
 */
export interface SigInfo {
  readonly signo: number;
  readonly errno: number;
  readonly code: number;
  readonly fields: readonly number[];
}

/** copy_siginfo_to_user(): into 32 words that are zero, little-endian as the host's and the guest's are. */
export function putSigInfo(info: SigInfo, words: Int32Array, at: number): void {
  words[at] = info.signo;
  words[at + 1] = info.errno;
  words[at + 2] = info.code;
  const { fields } = info;
  for (let i = 0; i < fields.length; i++) words[at + SIGINFO_FIELDS / 4 + i] = fields[i] ?? 0;
}

/** The same as 128 bytes. */
export function encodeSigInfo(info: SigInfo): Uint8Array {
  const words = new Int32Array(SIGINFO_SIZE / 4);
  putSigInfo(info, words, 0);
  return new Uint8Array(words.buffer);
}

/** The siginfo that a guest hands in, for signal `signo` whatever it says. */
export function decodeSigInfo(view: DataView, signo: number): SigInfo {
  const fields: number[] = [];
  for (let at = SIGINFO_FIELDS; at < SIGINFO_SIZE; at += 4) fields.push(view.getUint32(at, true));
  return { signo, errno: view.getInt32(4, true), code: view.getInt32(8, true), fields };
}

/**
 * struct rt_sigframe: siginfo, then struct ucontext (flags, link, stack, mask, room for a mask of 1024 bits), then
 * struct sigcontext at a multiple of 16: the integer registers with pc in the place of x0, f0 to f31 as 64 bits and fcsr,
 * and in the last words of the room for quad precision the header of the extensions that follow (__riscv_extra_ext_header).
 */
export const SIGFRAME = {
  size: 944,
  info: 0,
  uc: 128,
  ucStack: 136,
  ucSigmask: 148,
  regs: 288,
  fpRegs: 416,
  fcsr: 672,
  /** sc_extdesc.reserved: must be 0. */
  extReserved: 932,
  /** The first __riscv_ctx_hdr: magic and size, END_MAGIC and 0 when no extension has state here. */
  extMagic: 936,
  extSize: 940,
} as const;
