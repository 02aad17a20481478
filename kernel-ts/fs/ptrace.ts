/**
 * Who may look into another process (Linux: kernel/ptrace.c __ptrace_may_access, security/commoncap.c; ptrace(2) "Ptrace access
 * mode checking"). Missing: ptrace(2) itself, security modules.
 */
import { CAP_SYS_PTRACE } from '../abi/capability.ts';
import type { CurrentTask } from '../mm/context.ts';
import { capable, capIsSubset } from '../mm/cred.ts';

/** SUID_DUMP_USER. */
const DUMP_USER = 1;

/** get_dumpable(): its user may look into it. */
export function isDumpable({ mm }: CurrentTask): boolean {
  return mm !== null && mm.dumpable === DUMP_USER;
}

/**
 * ptrace_may_access(): the caller's ids are all of the target's, and the target is dumpable and has no capability that the
 * caller lacks; or the caller has CAP_SYS_PTRACE. Threads of one process always may. `mode`: the caller's real ids count
 * (PTRACE_MODE_REALCREDS), or those for files (PTRACE_MODE_FSCREDS).
 */
export function ptraceMayAccess(task: CurrentTask, target: CurrentTask, mode: 'real' | 'fs'): boolean {
  if (task.tgid === target.tgid) return true;
  const { cred } = task;
  if (capable(cred, CAP_SYS_PTRACE)) return true;
  const [uid, gid] = mode === 'real' ? [cred.uid, cred.gid] : [cred.fsuid, cred.fsgid];
  const other = target.cred;
  const sameUid = uid === other.euid && uid === other.suid && uid === other.uid;
  const sameGid = gid === other.egid && gid === other.sgid && gid === other.gid;
  if (!sameUid || !sameGid) return false;
  if (target.mm !== null && !isDumpable(target)) return false;
  const caps = mode === 'real' ? cred.capPermitted : cred.capEffective;
  return capIsSubset(other.capPermitted, caps);
}
