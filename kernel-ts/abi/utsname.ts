/** struct new_utsname: include/uapi/linux/utsname.h. Six fields of 65 bytes. */

/** What uname(2) and /proc/version say of the kernel. */
export const UTS_SYSNAME = 'Linux';
export const UTS_RELEASE = '6.12.0-sameframe';
export const UTS_VERSION = '#1 SMP';
export const UTS_MACHINE = 'riscv32';

const UTS_LEN = 65;

/** The bytes of struct new_utsname; longer names are cut to 64 bytes. */
export function encodeUtsname(nodename: string): Uint8Array {
  const bytes = new Uint8Array(6 * UTS_LEN);
  [UTS_SYSNAME, nodename, UTS_RELEASE, UTS_VERSION, UTS_MACHINE, '(none)'].forEach((text, field) => {
    bytes.set(new TextEncoder().encode(text).subarray(0, UTS_LEN - 1), field * UTS_LEN);
  });
  return bytes;
}
