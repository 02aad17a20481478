/**
 * Credentials of a task: include/linux/cred.h. They live in the lowest layer because mm, fs and ipc all ask.
 * Missing: user namespaces, securebits, ambient and bounding sets, capabilities above number 31.
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
  /** The first word of each capability set. */
  readonly capPermitted: number;
  readonly capEffective: number;
  readonly capInheritable: number;
}

/** All capabilities of the first word. */
export const CAP_FULL_SET = CAP_LAST_CAP >= 31 ? 0xffff_ffff : 2 ** (CAP_LAST_CAP + 1) - 1;

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

/** capable(): whether the capability (CAP_*, 0..31) is in the effective set. */
export function capable(cred: Cred, cap: number): boolean {
  return ((cred.capEffective >>> cap) & 1) === 1;
}

/** in_group_p(): the file-system gid or a supplementary group. */
export function inGroup(cred: Cred, gid: number): boolean {
  return cred.fsgid === gid || cred.groups.includes(gid);
}
