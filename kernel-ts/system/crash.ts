/**
 * The report of a fault that kills: the signal, where, and in words what the address misses (Linux: show_unhandled_signals
 * says less).
 */
import { shmOfVma } from '../ipc/shm.ts';
import type { MmStruct } from '../mm/mm.ts';
import {
  VM_EXEC,
  VM_GROWSDOWN,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  vmaPerms,
  type Access,
  type VmArea,
} from '../mm/vma.ts';
import { vmaName } from '../fs/procRows.ts';
import type { Kernel } from '../process/kernel.ts';
import { taskPc, taskRegisters } from '../process/sched.ts';
import { signalName } from '../process/signalSet.ts';
import type { Task } from '../process/task.ts';
import type { CrashReport } from './api.ts';
import type { ImageCache } from './images.ts';

/** A fault as the trap handler sees it. */
export interface Fault {
  readonly signal: number;
  /** "SEGV_MAPERR" and the like. */
  readonly code: string;
  readonly address: number;
  /** null: not a memory access. */
  readonly access: Access | null;
  /** For faults that are not accesses. */
  readonly text?: string;
}

export function crashReport(kernel: Kernel, task: Task, fault: Fault, images: ImageCache): CrashReport {
  const pc = taskPc(kernel, task);
  return {
    pid: task.pid,
    comm: task.comm,
    signal: fault.signal,
    signalName: signalName(fault.signal),
    code: fault.code,
    pc,
    symbol: images.nameAt(kernel, task, pc),
    address: fault.address,
    explanation: fault.text ?? explain(task, fault.address, fault.access ?? 'read'),
    registers: [...taskRegisters(kernel, task).subarray(0, 32)].map((v) => v >>> 0),
  };
}

const hex = (n: number): string => `0x${n.toString(16)}`;

/** An access below comes from a null pointer, an offset included. */
const NULL_PAGE = 4096;

const VERB: Readonly<Record<Access, string>> = { read: 'read from', write: 'write to', exec: 'execute at' };
const NEEDED: Readonly<Record<Access, readonly [number, string]>> = {
  read: [VM_READ, 'r'],
  write: [VM_WRITE, 'w'],
  exec: [VM_EXEC, 'x'],
};

/** Why an access to `address` fails: the mapping that forbids it, or the nearest ones that it misses. */
function explain(task: Task, address: number, access: Access): string {
  const { mm } = task;
  if (mm === null) return 'no address space';
  const at = `${VERB[access]} ${hex(address)}`;
  const vma = mm.mmap.find(address);
  if (vma !== null && address >= vma.vmStart) return `${at}: ${refusal(vma, address, access)}`;
  if (address < NULL_PAGE) {
    return `${at}: null pointer${address === 0 ? '' : ` plus ${hex(address)}`}, nothing is ever mapped there`;
  }
  return `${at}: no mapping; ${neighbours(mm, address, vma)}`;
}

function refusal(vma: VmArea, address: number, access: Access): string {
  const [bit, letter] = NEEDED[access];
  const where = describe(vma);
  const shm = shmOfVma(vma);
  if ((vma.vmFlags & bit) === 0) {
    if (shm !== null && access === 'write')
      return `read-only attach of shmid ${shm.shmPerm.id}: rw needed (${where})`;
    return `${where} is ${vmaPerms(vma)}: ${letter} needed`;
  }
  const offset = vma.vmPgoff * 4096 + (address - vma.vmStart);
  const size = vma.vmFile?.fInode.iSize ?? 0;
  if (vma.vmFile !== null && offset >= size) {
    const kind = (vma.vmFlags & VM_SHARED) !== 0 ? 'shared' : 'private';
    return `beyond the end of the ${kind} mapped file (offset ${hex(offset)}, size ${hex(size)}; ${where})`;
  }
  return `no memory left for a page of ${where}`;
}

function describe(vma: VmArea): string {
  const name = vmaName(vma);
  return `${hex(vma.vmStart)}-${hex(vma.vmEnd)}${name === '' ? ' (anonymous)' : ` ${name}`}`;
}

function neighbours(mm: MmStruct, address: number, above: VmArea | null): string {
  let below: VmArea | null = null;
  for (const vma of mm.mmap) {
    if (vma.vmStart > address) break;
    below = vma;
  }
  const parts: string[] = [];
  if (below !== null) parts.push(`${hex(address - below.vmEnd)} bytes behind the end of ${describe(below)}`);
  if (above !== null) {
    const stack = (above.vmFlags & VM_GROWSDOWN) !== 0 ? ', the stack, which may not grow so far' : '';
    parts.push(`${hex(above.vmStart - address)} bytes before ${describe(above)}${stack}`);
  }
  return parts.length === 0 ? 'nothing is mapped at all' : parts.join(', ');
}
