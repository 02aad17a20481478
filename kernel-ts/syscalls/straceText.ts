/** Numbers and strings as strace(1) writes them. */

/** Bytes of a string or buffer that are shown (strace -s). */
export const STRING_MAX = 32;

export const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;
export const octal = (n: number): string => (n === 0 ? '0' : `0${(n >>> 0).toString(8)}`);

/** A quoted string as strace writes it: octal escapes, "..." when cut. */
export function quote(bytes: Uint8Array, truncated = false): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i] ?? 0;
    if (c === 10) text += '\\n';
    else if (c === 13) text += '\\r';
    else if (c === 9) text += '\\t';
    else if (c === 11) text += '\\v';
    else if (c === 12) text += '\\f';
    else if (c === 34) text += '\\"';
    else if (c === 92) text += '\\\\';
    else if (c >= 32 && c < 127) text += String.fromCharCode(c);
    else {
      const next = bytes[i + 1] ?? 0;
      const digits = c.toString(8);
      text += `\\${next >= 48 && next <= 55 ? digits.padStart(3, '0') : digits}`;
    }
  }
  return `"${text}"${truncated ? '...' : ''}`;
}
