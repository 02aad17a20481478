/**
 * Who may look into another process (Linux: kernel/ptrace.c __ptrace_may_access, security/commoncap.c; ptrace(2) "Ptrace access
 * mode checking"). Missing: ptrace(2) itself, security modules.
 */
import { CAP_SYS_PTRACE } from '../abi/capability.ts';
import { capable } from '../mm/cred.ts';
import type { Task } from './task.ts';

/**
 * ptrace_may_access() with PTRACE_MODE_REALCREDS: the caller's real ids are all of the target's, and the target is dumpable and has
 * no capability that the caller lacks; or the caller has CAP_SYS_PTRACE. Threads of one process always may.
 */
export function ptraceMayAccess(task: Task, target: Task): boolean {
  if (task.group === target.group) return true;
  const { cred } = task;
  if (capable(cred, CAP_SYS_PTRACE)) return true;
  const other = target.cred;
  const sameUid = cred.uid === other.euid && cred.uid === other.suid && cred.uid === other.uid;
  const sameGid = cred.gid === other.egid && cred.gid === other.sgid && cred.gid === other.gid;
  if (!sameUid || !sameGid) return false;
  if (target.mm !== null && target.mm.dumpable !== 1) return false;
  return (other.capPermitted & ~cred.capPermitted) === 0;
}
