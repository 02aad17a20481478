/** The library: `import { boot } from 'sameframe'`. Needs no Node API. */
export { boot } from './system/system.ts';
export { BootError } from './system/errors.ts';
export type {
  BootOptions,
  CrashReport,
  ExitStatus,
  Hooks,
  Process,
  RunLimits,
  RunResult,
  ShmRow,
  SpawnOptions,
  SyscallEvent,
  System,
  TaskView,
  Until,
  Walk,
} from './system/api.ts';
export type {
  FilePicture,
  InodePicture,
  IpcNamespacePicture,
  MmPicture,
  PagePicture,
  Picture,
  PtePicture,
  ShmidKernelPicture,
  TaskPicture,
  VmAreaPicture,
} from './system/picture.ts';
export {
  isElfProblem,
  readElf,
  type ElfImage,
  type ElfProblem,
  type ElfSegment,
} from './process/elfImage.ts';
export { readSymbols, SymbolTable } from './process/symbols.ts';
export { isSystemCall, SYSCALL_ROWS, UNSUPPORTED_ROWS } from './syscalls/table.ts';
export type { ArgSpec, SyscallRow } from './syscalls/row.ts';
export { signalName } from './process/signalSet.ts';
