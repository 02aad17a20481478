/** The emulator's one door. */
export { BareMachine, signatureText, type BareOptions, type BareStop } from './bare.ts';
export { Bus, type Device } from './devices/bus.ts';
export { commitLine } from './commitLog.ts';
export {
  checkFileRange,
  elfProblem,
  isElfProblem,
  PT_INTERP,
  PT_LOAD,
  readElfHeaders,
  type ElfHeaders,
  type ElfProblem,
  type ElfSegment,
} from './elf.ts';
export { NO_SYMBOLS, readSymbols, SymbolTable } from './symbols.ts';
export { assemble } from './isa/assemble.ts';
export { FULL_ISA, parseIsa, supportedExtensions, type Isa } from './isa/choice.ts';
export { decode, type Decoded } from './isa/decode.ts';
export { isWide } from './isa/width.ts';
export { disassemble, fName, xName } from './isa/disassemble.ts';
export { Hart } from './hart.ts';
export type { CodeMemory, RememberedBatch } from './jit/codeMemory.ts';
export { Machine, type MachineOptions } from './machine.ts';
export { PhysicalMemory, RAM_BASE } from './memory.ts';
export type { MemoryAccess } from './mmu/mmu.ts';
export type { Retired, StopReason, Supervisor } from './supervisor.ts';
export type { TlbEntry } from './mmu/tlb.ts';
export { Cause, causeName, Interrupt } from './priv/cause.ts';
export { Fs } from './priv/state.ts';
export { isaDocument } from './isa/document.ts';
