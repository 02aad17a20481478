/**
 * Signal numbers, sets and default actions (Linux: include/uapi/asm-generic/signal.h, signal(7)).
 *
 * A set of 64 signals is two u32 halves in an object, as the guest stores it; signal n is bit n - 1.
 */
import type { SignalSet } from '../abi/signal.ts';

export type { SignalSet } from '../abi/signal.ts';

export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGILL = 4;
export const SIGTRAP = 5;
export const SIGABRT = 6;
export const SIGBUS = 7;
export const SIGFPE = 8;
export const SIGKILL = 9;
export const SIGSEGV = 11;
export const SIGPIPE = 13;
export const SIGALRM = 14;
export const SIGTERM = 15;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGVTALRM = 26;
export const SIGPROF = 27;
/** The first real-time signal: from here on each one sent is queued. */
export const SIGRTMIN = 32;
/** One more than the largest signal number. */
export const NSIG = 65;

const NAMES = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG ' +
  'XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
).split(' ');

/** "SIGSEGV", "SIGRT_3" for real-time ones as strace writes them, "SIG0" for 0. */
export function signalName(sig: number): string {
  const name = NAMES[sig - 1];
  if (name !== undefined) return `SIG${name}`;
  return sig >= 32 && sig < NSIG ? `SIGRT_${sig - 32}` : `SIG${sig}`;
}

export type DefaultAction = 'term' | 'core' | 'ignore' | 'stop' | 'cont';

const CORE = new Set([3, 4, 5, 6, 7, 8, 11, 24, 25, 31]);
const IGNORE = new Set([17, 23, 28]);
/** Whose default action stops; each of them and SIGCONT cancel each other. */
export const STOP_SIGNALS: readonly number[] = [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU];

/** What happens when nothing was arranged: the table of signal(7). */
export function defaultAction(sig: number): DefaultAction {
  if (CORE.has(sig)) return 'core';
  if (IGNORE.has(sig)) return 'ignore';
  if (STOP_SIGNALS.includes(sig)) return 'stop';
  return sig === SIGCONT ? 'cont' : 'term';
}

export const emptySet = (): SignalSet => ({ lo: 0, hi: 0 });

const bit = (sig: number): number => 1 << ((sig - 1) & 31);

export function hasSignal(set: Readonly<SignalSet>, sig: number): boolean {
  return ((sig <= 32 ? set.lo : set.hi) & bit(sig)) !== 0;
}

export function addSignal(set: SignalSet, sig: number): void {
  if (sig <= 32) set.lo = set.lo | bit(sig);
  else set.hi = set.hi | bit(sig);
}

export function removeSignal(set: SignalSet, sig: number): void {
  if (sig <= 32) set.lo = set.lo & ~bit(sig);
  else set.hi = set.hi & ~bit(sig);
}

/** Places for sets, a power of two. */
const SETS = 64;
const NONE: Readonly<SignalSet> = emptySet();
const sets: Readonly<SignalSet>[] = Array.from({ length: SETS }, () => NONE);

/** A set that nobody changes: mostly one that was made before, since programs block and unblock the same signals over and over. */
export function sigset(lo: number, hi: number): Readonly<SignalSet> {
  const mixed = lo ^ hi ^ ((lo ^ hi) >>> 16);
  const place = (mixed ^ (mixed >>> 8)) & (SETS - 1);
  const known = sets[place] as Readonly<SignalSet>;
  if (known.lo === lo && known.hi === hi) return known;
  return (sets[place] = { lo, hi });
}

const UNBLOCKABLE = bit(SIGKILL) | bit(SIGSTOP);

/** SIGKILL and SIGSTOP cannot be blocked, ignored or caught. */
export function withoutUnblockable({ lo, hi }: Readonly<SignalSet>): Readonly<SignalSet> {
  return sigset(lo & ~UNBLOCKABLE, hi);
}

/** SYNCHRONOUS_MASK: SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS. Faults are told of before anything else. */
const SYNCHRONOUS = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, 31].reduce((mask, sig) => mask | bit(sig), 0);

/** next_signal(): the lowest pending signal that is not blocked, synchronous ones first, or 0. */
export function firstDeliverable(pending: Readonly<SignalSet>, blocked: Readonly<SignalSet>): number {
  let lo = pending.lo & ~blocked.lo;
  if ((lo & SYNCHRONOUS) !== 0) lo &= SYNCHRONOUS;
  if (lo !== 0) return 32 - Math.clz32(lo & -lo);
  const hi = pending.hi & ~blocked.hi;
  return hi !== 0 ? 64 - Math.clz32(hi & -hi) : 0;
}

/** Every signal of the set, ascending. */
export function signalsOf(set: Readonly<SignalSet>): number[] {
  const out: number[] = [];
  for (let sig = 1; sig < NSIG; sig++) if (hasSignal(set, sig)) out.push(sig);
  return out;
}

/** sigorsets(), sigandsets() and sigandnsets() as values. */
export const unionOf = (a: Readonly<SignalSet>, b: Readonly<SignalSet>): SignalSet => ({
  lo: a.lo | b.lo,
  hi: a.hi | b.hi,
});
export const commonOf = (a: Readonly<SignalSet>, b: Readonly<SignalSet>): SignalSet => ({
  lo: a.lo & b.lo,
  hi: a.hi & b.hi,
});
export const differenceOf = (a: Readonly<SignalSet>, b: Readonly<SignalSet>): SignalSet => ({
  lo: a.lo & ~b.lo,
  hi: a.hi & ~b.hi,
});

export const isEmptySet = (set: Readonly<SignalSet>): boolean => (set.lo | set.hi) === 0;
