/** Capabilities that this kernel asks about: include/uapi/linux/capability.h. */

export const CAP_CHOWN = 0;
export const CAP_DAC_OVERRIDE = 1;
export const CAP_DAC_READ_SEARCH = 2;
export const CAP_FOWNER = 3;
export const CAP_FSETID = 4;
export const CAP_KILL = 5;
export const CAP_SETGID = 6;
export const CAP_SETUID = 7;
export const CAP_SETPCAP = 8;
export const CAP_IPC_LOCK = 14;
export const CAP_IPC_OWNER = 15;
export const CAP_SYS_RAWIO = 17;
export const CAP_SYS_CHROOT = 18;
export const CAP_SYS_PTRACE = 19;
export const CAP_SYS_ADMIN = 21;
export const CAP_SYS_NICE = 23;
export const CAP_SYS_RESOURCE = 24;
export const CAP_MKNOD = 27;
export const CAP_CHECKPOINT_RESTORE = 40;
/** Number of the last capability of 6.x; /proc and prctl show it. */
export const CAP_LAST_CAP = 40;

/** _LINUX_CAPABILITY_VERSION_1, 2 and 3 of struct __user_cap_header_struct; the first has one word per set, the others two. */
export const LINUX_CAPABILITY_VERSION_1 = 0x1998_0330;
export const LINUX_CAPABILITY_VERSION_2 = 0x2007_1026;
export const LINUX_CAPABILITY_VERSION_3 = 0x2008_0522;
