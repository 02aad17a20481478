/**
 * Exception and interrupt codes of mcause and scause.
 * Specification: RISC-V Privileged Architecture 1.12/1.13, table "Machine cause register values after trap".
 * Missing: the codes of extensions that this machine does not have (hypervisor, Sscofpmf, software check).
 */

/** Exception codes (Interrupt bit clear). */
export const Cause = {
  InstructionAddressMisaligned: 0,
  InstructionAccessFault: 1,
  IllegalInstruction: 2,
  Breakpoint: 3,
  LoadAddressMisaligned: 4,
  LoadAccessFault: 5,
  StoreAddressMisaligned: 6,
  StoreAccessFault: 7,
  EcallFromU: 8,
  EcallFromS: 9,
  EcallFromM: 11,
  InstructionPageFault: 12,
  LoadPageFault: 13,
  StorePageFault: 15,
} as const;

/** The Interrupt bit of mcause/scause on RV32. A cause is a u32, so an interrupt's cause is `INTERRUPT_BIT + code`. */
export const INTERRUPT_BIT = 0x8000_0000;

/** Interrupt codes: bit positions in mip, mie, mideleg, and the low part of an interrupt's cause. */
export const Interrupt = {
  SupervisorSoftware: 1,
  MachineSoftware: 3,
  SupervisorTimer: 5,
  MachineTimer: 7,
  SupervisorExternal: 9,
  MachineExternal: 11,
} as const;

const exceptionNames: ReadonlyMap<number, string> = new Map(
  Object.entries(Cause).map(([name, code]) => [code, name]),
);
const interruptNames: ReadonlyMap<number, string> = new Map(
  Object.entries(Interrupt).map(([name, code]) => [code, name]),
);

/**
 * The name of a cause for messages, e.g. `LoadPageFault`, `MachineTimer interrupt`, `exception 24`.
 * @param cause u32 as in mcause
 */
export function causeName(cause: number): string {
  const code = cause & 0x7fff_ffff;
  return cause >>> 31 !== 0
    ? `${interruptNames.get(code) ?? code} interrupt`
    : (exceptionNames.get(code) ?? `exception ${code}`);
}
