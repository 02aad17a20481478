/** From a wait(2) status word to what the host is told. */
import { signalName } from '../process/signalSet.ts';
import type { CrashReport, ExitStatus } from './api.ts';

export function exitStatus(word: number, crash: CrashReport | null): ExitStatus {
  const signal = word & 0x7f;
  if (signal === 0) {
    const code = (word >>> 8) & 0xff;
    return { code, signal: null, signalName: null, status: code, crash: null };
  }
  return { code: null, signal, signalName: signalName(signal), status: 128 + signal, crash };
}
