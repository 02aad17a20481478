/** Modes of an open file: include/linux/fs.h. In a file of their own because mm reads them too. */

export const FMODE_READ = 0x1;
export const FMODE_WRITE = 0x2;
export const FMODE_LSEEK = 0x4;
export const FMODE_PATH = 0x4000;
