/**
 * What a hart must do after a CSR was written: bits, so that several can be returned at once.
 * These have no counterpart in the specification: they say which of our caches a register feeds.
 */
export const Effect = {
  /** satp, or mstatus.MPRV, MPP, SUM or MXR: choose the TLB view anew. */
  ViewChanged: 1,
  /** mie, mip, mideleg, mstatus.SIE or MIE: look for a pending interrupt before the next instruction. */
  InterruptsChanged: 2,
  /** A counter was written or stopped. */
  Counters: 4,
  /** pmpcfg or pmpaddr: translations filled under the old rules must go from every view. */
  PmpChanged: 8,
} as const;
