/** How long instructions are: unprivileged specification, "Expanded Instruction-Length Encoding", as far as it is used. */

/** True when the low halfword belongs to a 32-bit instruction. */
export function isWide(halfword: number): boolean {
  return (halfword & 3) === 3;
}
