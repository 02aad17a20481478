/** Directory entries: include/linux/dirent.h (linux_dirent64), DT_* of include/linux/fs_types.h. */

/** DT_* of a mode: its type bits. */
export function dtypeOfMode(mode: number): number {
  return (mode >>> 12) & 15;
}

const encoder = new TextEncoder();

/** One struct linux_dirent64, padded to 8 bytes. `offset` is the position of the entry behind it. */
export function encodeDirent64(ino: number, offset: number, dtype: number, name: string): Uint8Array {
  const text = encoder.encode(name);
  const length = Math.ceil((19 + text.length + 1) / 8) * 8;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ino >>> 0, true);
  view.setUint32(4, Math.floor(ino / 2 ** 32), true);
  view.setUint32(8, offset >>> 0, true);
  view.setUint32(12, Math.floor(offset / 2 ** 32), true);
  view.setUint16(16, length, true);
  view.setUint8(18, dtype);
  bytes.set(text, 19);
  return bytes;
}
