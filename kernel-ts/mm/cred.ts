/**
 * Credentials of a task: include/linux/cred.h. They live in the lowest layer because mm, fs and ipc all ask.
 * Missing: user namespaces, securebits, ambient and bounding sets.
 */
import { CAP_LAST_CAP } from '../abi/capability.ts';

/** struct cred. A task's cred is replaced, never changed in place, once it is published. */
export interface Cred {
  readonly uid: number;
  readonly gid: number;
  readonly suid: number;
  readonly sgid: number;
  readonly euid: number;
  readonly egid: number;
  readonly fsuid: number;
  readonly fsgid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /** kernel_cap_t: capability n is the bit of 2^n. */
  readonly capPermitted: number;
  readonly capEffective: number;
  readonly capInheritable: number;
}

/** All capabilities. */
export const CAP_FULL_SET = 2 ** (CAP_LAST_CAP + 1) - 1;

const WORD = 2 ** 32;

/** mk_kernel_cap(): a set from its two words; what is no capability is left out. */
export function mkKernelCap(low: number, high: number): number {
  return (high & (CAP_FULL_SET / WORD)) * WORD + (low >>> 0);
}

/** The two words of a set, the lower one first. */
export function capWords(set: number): readonly [number, number] {
  return [set % WORD, Math.floor(set / WORD)];
}

/** cap_issubset(). */
export function capIsSubset(part: number, whole: number): boolean {
  const [low, high] = capWords(part);
  const [lowOfAll, highOfAll] = capWords(whole);
  return (low & ~lowOfAll) === 0 && (high & ~highOfAll) === 0;
}

/** cap_combine(). */
export function capCombine(a: number, b: number): number {
  const [low, high] = capWords(a);
  const [otherLow, otherHigh] = capWords(b);
  return mkKernelCap(low | otherLow, high | otherHigh);
}

/** The credentials of a process that runs as this user alone; uid 0 has every capability. */
export function makeCred(uid: number, gid: number, groups: readonly number[] = []): Cred {
  const caps = uid === 0 ? CAP_FULL_SET : 0;
  return {
    uid,
    gid,
    suid: uid,
    sgid: gid,
    euid: uid,
    egid: gid,
    fsuid: uid,
    fsgid: gid,
    groups,
    capPermitted: caps,
    capEffective: caps,
    capInheritable: 0,
  };
}

/** capable(): whether the capability (CAP_*) is in the effective set. */
export function capable(cred: Cred, cap: number): boolean {
  return Math.floor(cred.capEffective / 2 ** cap) % 2 === 1;
}

/** in_group_p(): the file-system gid or a supplementary group. */
export function inGroup(cred: Cred, gid: number): boolean {
  return cred.fsgid === gid || cred.groups.includes(gid);
}

/** in_egroup_p(): the effective gid or a supplementary group. */
export function inEgroup(cred: Cred, gid: number): boolean {
  return cred.egid === gid || cred.groups.includes(gid);
}
