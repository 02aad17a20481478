/**
 * The rows that TypeScript executes: CSRs, environment calls, trap returns, fences.
 * Each helper gets the hart and the instruction word and answers with a STATUS (tier0/step.ts).
 */
import type { Hart } from './hart.ts';
import { Cause } from './priv/cause.ts';
import { executeCsr, ILLEGAL, type CsrResult } from './priv/csr.ts';
import { Effect } from './priv/effect.ts';
import { mret, sfenceVmaLegal, sret, wfiLegal } from './priv/trap.ts';
import { STATUS } from './tier0/step.ts';

export type Helper = (hart: Hart, insn: number) => number;

const rd = (insn: number): number => (insn >>> 7) & 31;
const rs1 = (insn: number): number => (insn >>> 15) & 31;

const csrResult: CsrResult = { value: 0, effects: 0 };

function csr(hart: Hart, insn: number): number {
  if (!executeCsr(hart, insn, (hart.x[rs1(insn)] as number) >>> 0, csrResult)) {
    return hart.raise(Cause.IllegalInstruction, insn);
  }
  if (rd(insn) !== 0) hart.x[rd(insn)] = csrResult.value;
  const { effects } = csrResult;
  if (effects & Effect.PmpChanged) hart.mmu.pmpChanged();
  if (effects & Effect.ViewChanged) hart.mmu.selectViews();
  if (effects & Effect.InterruptsChanged) {
    hart.interruptsChanged();
    return STATUS.leave;
  }
  return STATUS.ok;
}

function returnTo(hart: Hart, target: number, insn: number): number {
  if (target === ILLEGAL) return hart.raise(Cause.IllegalInstruction, insn);
  hart.pc = target;
  hart.mmu.selectViews();
  hart.interruptsChanged();
  return STATUS.leave;
}

function sfenceVma(hart: Hart, insn: number): number {
  if (!sfenceVmaLegal(hart.state)) return hart.raise(Cause.IllegalInstruction, insn);
  const address = rs1(insn);
  // An ASID operand narrows what must be forgotten; forgetting more is allowed. Views are found by satp, and
  // tables may be shared under several ASIDs, so a fence for one page forgets it in every address space.
  if (address === 0) hart.mmu.tlb.flushEverything();
  else hart.mmu.tlb.flushPageEverywhere((hart.x[address] as number) >>> 0);
  return STATUS.ok;
}

/** The cause of an ECALL by the privilege that executes it. */
export const ECALL_CAUSE: Readonly<Record<number, number>> = {
  0: Cause.EcallFromU,
  1: Cause.EcallFromS,
  3: Cause.EcallFromM,
};

export const helpers: Readonly<Record<string, Helper>> = {
  csrrw: csr,
  csrrs: csr,
  csrrc: csr,
  csrrwi: csr,
  csrrsi: csr,
  csrrci: csr,
  ecall: (hart) => hart.raise(ECALL_CAUSE[hart.state.privilege] as number, 0),
  ebreak: (hart) => hart.raise(Cause.Breakpoint, hart.instructionPc),
  mret: (hart, insn) => returnTo(hart, mret(hart.state), insn),
  sret: (hart, insn) => returnTo(hart, sret(hart.state), insn),
  wfi: (hart, insn) => {
    if (!wfiLegal(hart.state)) return hart.raise(Cause.IllegalInstruction, insn);
    hart.waiting = true;
    return STATUS.leave;
  },
  // Writes to translated code have already dropped the translation.
  'fence.i': () => STATUS.ok,
  'sfence.vma': sfenceVma,
};
