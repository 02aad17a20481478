/** Semaphores and messages as strace(1) prints them: their structures depend on the command or on a count in another register. */
import { IPC_INFO, IPC_SET, IPC_STAT, LIBC_TIME64 } from '../abi/ipc.ts';
import { MSG_INFO, MSG_STAT, MSG_STAT_ANY, SIZEOF_MSQID64_DS } from '../abi/msg.ts';
import { SEM_INFO, SEM_STAT, SEM_STAT_ANY, SETVAL, SIZEOF_SEMBUF, SIZEOF_SEMID64_DS } from '../abi/sem.ts';
import type { Kernel } from '../process/kernel.ts';
import type { Task } from '../process/task.ts';
import { formatNamed, nameTables } from './flagNames.ts';
import { peekUser } from './peek.ts';
import { hex, octal, quote, STRING_MAX } from './straceText.ts';

/** Parts of an operation that are shown. */
const SEMBUFS_MAX = 32;

const TYPES = ['sembuf', 'semun', 'msgsnd', 'msgrcv', 'msqid'] as const;
type IpcType = (typeof TYPES)[number];

export function isIpcType(type: string): type is IpcType {
  return (TYPES as readonly string[]).includes(type);
}

/** One argument at a user address; `args` are all registers, `result` is a0 after the call. */
export function formatIpcArg(
  kernel: Kernel,
  task: Task,
  type: IpcType,
  address: number,
  args: readonly number[],
  result: number,
): string {
  const peek = (length: number): DataView | null => {
    const bytes = address === 0 ? null : peekUser(kernel, task, address, length);
    return bytes === null ? null : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  const text = ((): string | null => {
    switch (type) {
      case 'sembuf':
        return sembufs(peek, (args[2] ?? 0) >>> 0);
      case 'semun':
        return semun(peek, (args[2] ?? 0) & ~LIBC_TIME64, address, result);
      case 'msgsnd':
        return message(peek, (args[2] ?? 0) >>> 0);
      case 'msgrcv':
        return result < 0 ? null : message(peek, result);
      case 'msqid':
        return msqid(peek, (args[1] ?? 0) & ~LIBC_TIME64, result);
    }
  })();
  return text ?? (address === 0 ? 'NULL' : hex(address));
}

type Peek = (length: number) => DataView | null;

function sembufs(peek: Peek, nsops: number): string | null {
  const shown = Math.min(nsops, SEMBUFS_MAX);
  const view = peek(shown * SIZEOF_SEMBUF);
  if (view === null) return null;
  const items: string[] = [];
  for (let at = 0; at < shown * SIZEOF_SEMBUF; at += SIZEOF_SEMBUF) {
    const flags = formatNamed(nameTables().SEMOP, view.getUint16(at + 4, true));
    items.push(
      `{sem_num=${view.getUint16(at, true)}, sem_op=${view.getInt16(at + 2, true)}, sem_flg=${flags}}`,
    );
  }
  return `[${items.join(', ')}${nsops > shown ? ', ...' : ''}]`;
}

/** {mtype=1, mtext="..."}; of what was received, as much as was. */
function message(peek: Peek, length: number): string | null {
  const shown = Math.min(length, STRING_MAX);
  const view = peek(4 + shown);
  if (view === null) return null;
  const text = quote(new Uint8Array(view.buffer, view.byteOffset + 4, shown), length > shown);
  return `{mtype=${view.getInt32(0, true)}, mtext=${text}}`;
}

const u32 = (view: DataView, at: number): number => view.getUint32(at, true);

/** struct ipc64_perm; IPC_SET takes but its first half. */
function perm(view: DataView, whole: boolean): string {
  const set = `uid=${u32(view, 4)}, gid=${u32(view, 8)}, mode=${octal(u32(view, 20))}`;
  return whole ? `{${set}, key=${u32(view, 0)}, cuid=${u32(view, 12)}, cgid=${u32(view, 16)}}` : `{${set}}`;
}

/** Seconds with their high word. */
function time(view: DataView, at: number): string {
  return view.getBigInt64(at, true).toString();
}

function fields(view: DataView, names: string): string {
  return names
    .split(' ')
    .map((name, i) => `${name}=${view.getInt32(i * 4, true)}`)
    .join(', ');
}

function semun(peek: Peek, cmd: number, arg: number, result: number): string | null {
  switch (cmd) {
    case SETVAL:
      return hex(arg);
    case IPC_SET: {
      const view = peek(SIZEOF_SEMID64_DS);
      return view === null ? null : `{sem_perm=${perm(view, false)}}`;
    }
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY: {
      const view = result < 0 ? null : peek(SIZEOF_SEMID64_DS);
      if (view === null) return null;
      const times = `sem_otime=${time(view, 36)}, sem_ctime=${time(view, 44)}`;
      return `{sem_perm=${perm(view, true)}, ${times}, sem_nsems=${u32(view, 52)}}`;
    }
    case IPC_INFO:
    case SEM_INFO: {
      const view = result < 0 ? null : peek(40);
      if (view === null) return null;
      return `{${fields(view, 'semmap semmni semmns semmnu semmsl semopm semume semusz semvmx semaem')}}`;
    }
    default:
      return null;
  }
}

function msqid(peek: Peek, cmd: number, result: number): string | null {
  switch (cmd) {
    case IPC_SET: {
      const view = peek(SIZEOF_MSQID64_DS);
      return view === null ? null : `{msg_perm=${perm(view, false)}, msg_qbytes=${u32(view, 68)}}`;
    }
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY: {
      const view = result < 0 ? null : peek(SIZEOF_MSQID64_DS);
      if (view === null) return null;
      const times = `msg_stime=${time(view, 36)}, msg_rtime=${time(view, 44)}, msg_ctime=${time(view, 52)}`;
      const counts = `msg_qnum=${u32(view, 64)}, msg_qbytes=${u32(view, 68)}`;
      const pids = `msg_lspid=${view.getInt32(72, true)}, msg_lrpid=${view.getInt32(76, true)}`;
      return `{msg_perm=${perm(view, true)}, ${times}, ${counts}, ${pids}}`;
    }
    case IPC_INFO:
    case MSG_INFO: {
      const view = result < 0 ? null : peek(32);
      if (view === null) return null;
      const words = fields(view, 'msgpool msgmap msgmax msgmnb msgmni msgssz msgtql');
      return `{${words}, msgseg=${view.getUint16(28, true)}}`;
    }
    default:
      return null;
  }
}
