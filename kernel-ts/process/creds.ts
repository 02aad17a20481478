/**
 * Changing credentials (Linux: kernel/sys.c set*id, security/commoncap.c; credentials(7), capabilities(7)).
 *
 * Known to be missing: user namespaces, securebits, ambient capabilities, file capabilities.
 */
import { CAP_SETGID, CAP_SETPCAP, CAP_SETUID } from '../abi/capability.ts';
import { EINVAL, EPERM, type Errno } from '../abi/errno.ts';
import { CAP_FULL_SET, capable, capCombine, capIsSubset, type Cred } from '../mm/cred.ts';
import type { Task } from './task.ts';

/** "Unchanged" in setresuid and the like. */
const KEEP = 0xffff_ffff;

/** cap_emulate_setxuid(): capabilities follow the change between root and others. */
function withUids(old: Cred, uid: number, euid: number, suid: number): Cred {
  const hadRoot = old.uid === 0 || old.euid === 0 || old.suid === 0;
  const hasRoot = uid === 0 || euid === 0 || suid === 0;
  let { capPermitted, capEffective } = old;
  if (hadRoot && !hasRoot) capPermitted = capEffective = 0;
  else if (old.euid === 0 && euid !== 0) capEffective = 0;
  else if (old.euid !== 0 && euid === 0) capEffective = capPermitted;
  return { ...old, uid, euid, suid, fsuid: euid, capPermitted, capEffective };
}

/** commit_creds(): a task that changes who it is may no longer be looked into by who it was. */
function commitCreds(task: Task, cred: Cred): void {
  const old = task.cred;
  task.cred = cred;
  const same =
    old.euid === cred.euid && old.egid === cred.egid && old.fsuid === cred.fsuid && old.fsgid === cred.fsgid;
  if (same && capIsSubset(cred.capPermitted, old.capPermitted)) return;
  if (task.mm !== null) task.mm.dumpable = 0;
  task.pdeathSignal = 0;
}

/** setuid(2). EPERM: neither privileged nor one of the own ids. */
export function doSetuid(task: Task, uid: number): 0 | Errno {
  const { cred } = task;
  if (capable(cred, CAP_SETUID)) commitCreds(task, withUids(cred, uid, uid, uid));
  else if (uid === cred.uid || uid === cred.suid) commitCreds(task, withUids(cred, cred.uid, uid, cred.suid));
  else return -EPERM;
  return 0;
}

/** setreuid(2). */
export function doSetreuid(task: Task, ruid: number, euid: number): 0 | Errno {
  const { cred } = task;
  const privileged = capable(cred, CAP_SETUID);
  if (ruid !== KEEP && !privileged && ruid !== cred.uid && ruid !== cred.euid) return -EPERM;
  if (euid !== KEEP && !privileged && euid !== cred.uid && euid !== cred.euid && euid !== cred.suid)
    return -EPERM;
  const nextRuid = ruid === KEEP ? cred.uid : ruid;
  const nextEuid = euid === KEEP ? cred.euid : euid;
  const suid = ruid !== KEEP || (euid !== KEEP && euid !== cred.uid) ? nextEuid : cred.suid;
  commitCreds(task, withUids(cred, nextRuid, nextEuid, suid));
  return 0;
}

/** setresuid(2): each is kept (-1) or, without privilege, one of the three. */
export function doSetresuid(task: Task, ruid: number, euid: number, suid: number): 0 | Errno {
  const { cred } = task;
  const own = [KEEP, cred.uid, cred.euid, cred.suid];
  if (!capable(cred, CAP_SETUID) && ![ruid, euid, suid].every((id) => own.includes(id))) return -EPERM;
  const pick = (id: number, old: number): number => (id === KEEP ? old : id);
  commitCreds(task, withUids(cred, pick(ruid, cred.uid), pick(euid, cred.euid), pick(suid, cred.suid)));
  return 0;
}

/** setgid(2). */
export function doSetgid(task: Task, gid: number): 0 | Errno {
  const { cred } = task;
  if (capable(cred, CAP_SETGID)) commitCreds(task, { ...cred, gid, egid: gid, sgid: gid, fsgid: gid });
  else if (gid === cred.gid || gid === cred.sgid) commitCreds(task, { ...cred, egid: gid, fsgid: gid });
  else return -EPERM;
  return 0;
}

/** setregid(2). */
export function doSetregid(task: Task, rgid: number, egid: number): 0 | Errno {
  const { cred } = task;
  const privileged = capable(cred, CAP_SETGID);
  if (rgid !== KEEP && !privileged && rgid !== cred.gid && rgid !== cred.egid) return -EPERM;
  if (egid !== KEEP && !privileged && egid !== cred.gid && egid !== cred.egid && egid !== cred.sgid)
    return -EPERM;
  const gid = rgid === KEEP ? cred.gid : rgid;
  const nextEgid = egid === KEEP ? cred.egid : egid;
  const sgid = rgid !== KEEP || (egid !== KEEP && egid !== cred.gid) ? nextEgid : cred.sgid;
  commitCreds(task, { ...cred, gid, egid: nextEgid, sgid, fsgid: nextEgid });
  return 0;
}

/** setresgid(2). */
export function doSetresgid(task: Task, rgid: number, egid: number, sgid: number): 0 | Errno {
  const { cred } = task;
  const own = [KEEP, cred.gid, cred.egid, cred.sgid];
  if (!capable(cred, CAP_SETGID) && ![rgid, egid, sgid].every((id) => own.includes(id))) return -EPERM;
  const nextEgid = egid === KEEP ? cred.egid : egid;
  commitCreds(task, {
    ...cred,
    gid: rgid === KEEP ? cred.gid : rgid,
    egid: nextEgid,
    sgid: sgid === KEEP ? cred.sgid : sgid,
    fsgid: nextEgid,
  });
  return 0;
}

/** setfsuid(2): returns the old one, whether it changed or not. */
export function doSetfsuid(task: Task, uid: number): number {
  const { cred } = task;
  const allowed = [cred.uid, cred.euid, cred.suid, cred.fsuid].includes(uid) || capable(cred, CAP_SETUID);
  if (uid !== KEEP && allowed) commitCreds(task, { ...cred, fsuid: uid });
  return cred.fsuid;
}

/** setfsgid(2). */
export function doSetfsgid(task: Task, gid: number): number {
  const { cred } = task;
  const allowed = [cred.gid, cred.egid, cred.sgid, cred.fsgid].includes(gid) || capable(cred, CAP_SETGID);
  if (gid !== KEEP && allowed) commitCreds(task, { ...cred, fsgid: gid });
  return cred.fsgid;
}

/** setgroups(2). EPERM without CAP_SETGID, EINVAL for the group -1. */
export function doSetgroups(task: Task, groups: readonly number[]): 0 | Errno {
  if (!capable(task.cred, CAP_SETGID)) return -EPERM;
  if (groups.includes(KEEP)) return -EINVAL;
  commitCreds(task, { ...task.cred, groups: groups.slice().sort((a, b) => a - b) });
  return 0;
}

/** cap_capset(): new sets, none beyond what is permitted now. EPERM. */
export function doCapset(task: Task, effective: number, permitted: number, inheritable: number): 0 | Errno {
  const { cred } = task;
  const capped = !capable(cred, CAP_SETPCAP);
  if (capped && !capIsSubset(inheritable, capCombine(cred.capInheritable, cred.capPermitted))) return -EPERM;
  if (!capIsSubset(permitted, cred.capPermitted) || !capIsSubset(effective, permitted)) return -EPERM;
  task.cred = {
    ...cred,
    capEffective: effective,
    capPermitted: permitted,
    capInheritable: inheritable,
  };
  return 0;
}

/** bprm_fill_uid() and cap_bprm_creds_from_file(): what a set-user-ID or set-group-ID program runs as. */
export function credForExec(task: Task, mode: number, uid: number, gid: number): Cred {
  const old = task.cred;
  const honour = !task.noNewPrivs;
  const euid = honour && (mode & 0o4000) !== 0 ? uid : old.euid;
  const egid = honour && (mode & 0o2010) === 0o2010 ? gid : old.egid;
  const root = euid === 0 || old.uid === 0;
  const permitted = root ? CAP_FULL_SET : 0;
  return {
    ...old,
    euid,
    egid,
    suid: euid,
    sgid: egid,
    fsuid: euid,
    fsgid: egid,
    capPermitted: permitted,
    capEffective: euid === 0 ? permitted : 0,
  };
}
