/** A siginfo as strace(1) prints it: `{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x8}`. */
import { SI_KERNEL, SI_QUEUE, SI_TIMER, SI_TKILL, SI_USER, type SigInfo } from '../abi/signal.ts';
import { SIGBUS, SIGCHLD, SIGFPE, SIGILL, signalName, SIGSEGV, SIGTRAP } from '../process/signalSet.ts';

const SI_NAMES: Readonly<Record<number, string>> = {
  [SI_USER]: 'SI_USER',
  [SI_KERNEL]: 'SI_KERNEL',
  [SI_QUEUE]: 'SI_QUEUE',
  [SI_TIMER]: 'SI_TIMER',
  [-3]: 'SI_MESGQ',
  [-4]: 'SI_ASYNCIO',
  [-5]: 'SI_SIGIO',
  [SI_TKILL]: 'SI_TKILL',
};

/** Names of the positive codes of a signal, from 1. */
const CODES: Readonly<Record<number, readonly string[]>> = {
  [SIGILL]: 'ILLOPC ILLOPN ILLADR ILLTRP PRVOPC PRVREG COPROC BADSTK'.split(' ').map((n) => `ILL_${n}`),
  [SIGTRAP]: 'BRKPT TRACE BRANCH HWBKPT'.split(' ').map((n) => `TRAP_${n}`),
  [SIGBUS]: 'ADRALN ADRERR OBJERR'.split(' ').map((n) => `BUS_${n}`),
  [SIGFPE]: 'INTDIV INTOVF FLTDIV FLTOVF FLTUND FLTRES FLTINV FLTSUB'.split(' ').map((n) => `FPE_${n}`),
  [SIGSEGV]: 'MAPERR ACCERR'.split(' ').map((n) => `SEGV_${n}`),
  [SIGCHLD]: 'EXITED KILLED DUMPED TRAPPED STOPPED CONTINUED'.split(' ').map((n) => `CLD_${n}`),
};

const hex = (n: number): string => (n === 0 ? 'NULL' : `0x${(n >>> 0).toString(16)}`);

const sigval = (value: number): string => `{sival_int=${value | 0}, sival_ptr=${hex(value)}}`;

export function formatSigInfo(info: SigInfo): string {
  const { signo, code } = info;
  const own = code > 0 ? CODES[signo]?.[code - 1] : undefined;
  const head = `si_signo=${signalName(signo)}, si_code=${own ?? SI_NAMES[code] ?? hex(code)}`;
  const errno = info.errno === 0 ? '' : `, si_errno=${info.errno}`;
  const rest = own === undefined ? senderFields(info) : ownFields(info);
  return `{${head}${errno}${rest}}`;
}

/** Fields of a code that belongs to one signal: faults and children. */
function ownFields({ signo, code, fields }: SigInfo): string {
  const [first = 0, uid = 0, status = 0, utime, stime] = fields;
  if (signo !== SIGCHLD) return `, si_addr=${hex(first)}`;
  const shown = code > 1 ? signalName(status) : String(status | 0);
  // waitid(2) writes no times.
  const times = utime === undefined ? '' : `, si_utime=${utime}, si_stime=${stime ?? 0}`;
  return `, si_pid=${first}, si_uid=${uid}, si_status=${shown}${times}`;
}

/** Fields of the codes that any signal may have. */
function senderFields({ code, fields }: SigInfo): string {
  const [first = 0, second = 0, value = 0] = fields;
  if (code === SI_TIMER) return `, si_timerid=${hex(first)}, si_overrun=${second}, si_value=${sigval(value)}`;
  if (code === SI_KERNEL && fields.length === 0) return '';
  const sender = `, si_pid=${first | 0}, si_uid=${second}`;
  if (code === SI_USER || code === SI_TKILL) return sender;
  return value === 0 && code !== SI_QUEUE ? sender : `${sender}, si_value=${sigval(value)}`;
}
