/**
 * Numbers of /proc/sys: kernel/sysctl.c (proc_dointvec_minmax, proc_doulongvec_minmax, proc_get_long). A write is parsed as Linux does,
 * count included; one that does not start at offset 0 is ignored, and a read that does not finds nothing.
 */
import { EACCES, EINVAL, ENOENT, type Errno } from '../abi/errno.ts';
import { inEgroup, type Cred } from '../mm/cred.ts';
import type { FsContext, FsTask } from './context.ts';
import { MAY_EXEC } from './permission.ts';
import type { ProcRow } from './proc.ts';

/** Which numbers a sysctl takes. */
export interface SysctlRange {
  readonly min: number;
  readonly max: number;
  /** proc_doulongvec_minmax(): no sign at all, so that "-0" is none. */
  readonly unsigned?: boolean;
}

/** What a text holds: the numbers up to the first that is refused, the bytes taken, and why it stopped. */
export interface SysctlNumbers {
  readonly values: readonly number[];
  readonly consumed: number;
  readonly error: 0 | Errno;
}

/** TMPBUFLEN - 1: a number that is longer, its sign included, is refused. */
const LONGEST = 21;

/** isspace(). */
const SPACES = /^[ \t\n\v\f\r]*/;

/** proc_get_long(): 0x is hexadecimal, a leading 0 octal; a blank or the end must follow. */
const NUMBER = /^(-?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)(?=$|[ \t\n])/;

/** do_proc_dointvec() of a write: at most `count` numbers. EINVAL for a text without any. */
export function parseNumbers(text: string, count: number, range: SysctlRange): SysctlNumbers {
  const values: number[] = [];
  let at = 0;
  const skip = (): void => void (at += SPACES.exec(text.slice(at))?.[0].length ?? 0);
  while (values.length < count) {
    skip();
    if (at === text.length) break;
    const value = parseNumber(text.slice(at), range);
    if (value === null) return { values, consumed: at, error: -EINVAL };
    values.push(value.value);
    at += value.length;
  }
  skip();
  return { values, consumed: at, error: values.length === 0 ? -EINVAL : 0 };
}

function parseNumber(
  text: string,
  { min, max, unsigned }: SysctlRange,
): { readonly value: number; readonly length: number } | null {
  const [whole = '', sign = '', digits = ''] = NUMBER.exec(text) ?? [];
  if (digits === '' || whole.length >= LONGEST || (sign !== '' && unsigned === true)) return null;
  const octal = /^0[0-7]/.test(digits);
  const magnitude = octal ? Number.parseInt(digits, 8) : Number(digits);
  const value = sign === '' ? magnitude : 0 - magnitude;
  return value < min || value > max ? null : { value, length: whole.length };
}

/** sysctl_perm() of a file: by the effective uid and groups alone, whatever else one is capable of; 0 or EACCES. */
export function sysctlPerm(cred: Cred, mode: number, mask: number): 0 | Errno {
  const granted = cred.euid === 0 ? mode >> 6 : inEgroup(cred, 0) ? mode >> 3 : mode;
  return (mask & (~granted | MAY_EXEC) & 7) === 0 ? 0 : -EACCES;
}

/** Where a sysctl has its number: module-level functions. `kept` is what `keep` made at open. */
export interface SysctlPlace {
  readonly keep?: (ctx: FsContext, task: FsTask) => unknown;
  /** The number, or null when what it belongs to is gone (ENOENT). */
  readonly get: (ctx: FsContext, kept: unknown) => number | null;
  /** Absent: read only. */
  readonly set?: (ctx: FsContext, kept: unknown, value: number) => void;
}

/** A file below /proc/sys with one number. */
export function sysctlRow(path: string, mode: number, range: SysctlRange, place: SysctlPlace): ProcRow {
  const { get, set, keep } = place;
  const show = (ctx: FsContext, _task: FsTask, kept: unknown): string | Errno => {
    const value = get(ctx, kept);
    return value === null ? -ENOENT : `${value}\n`;
  };
  const row: ProcRow = { path: `/sys/${path}`, mode, whole: true, show, ...(keep && { keep }) };
  if (set === undefined) return row;
  return {
    ...row,
    write: (ctx, _task, text, kept) => {
      if (get(ctx, kept) === null) return -ENOENT;
      const { values, consumed, error } = parseNumbers(text, 1, range);
      const [value] = values;
      if (value !== undefined && error === 0) set(ctx, kept, value);
      return error < 0 ? error : consumed;
    },
  };
}
