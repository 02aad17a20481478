/** The library: `import { boot } from 'sameframe'`. Needs no Node API. */
export { boot } from './system/system.ts';
export { inMemory, type HostBytes } from './mm/addressSpace.ts';
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
  MsgQueuePicture,
  SemArrayPicture,
  MmPicture,
  PagePicture,
  Picture,
  PtePicture,
  SharedObjectPicture,
  ShmidKernelPicture,
  TaskPicture,
  VmAreaPicture,
} from './system/picture.ts';
export { readElf, type ElfImage } from './process/elfImage.ts';
export {
  isElfProblem,
  readSymbols,
  SymbolTable,
  type ElfProblem,
  type ElfSegment,
} from '../emulator/index.ts';
export { isSystemCall, SYSCALL_ROWS, unsupportedRows } from './syscalls/table.ts';
export type { CodeMemory, RememberedBatch } from '../emulator/index.ts';
export type { ArgSpec, SyscallRow } from './syscalls/row.ts';
export { signalName } from './process/signalSet.ts';
