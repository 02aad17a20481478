/**
 * The two binary formats, the rounding modes and the exception flags.
 * Specification: IEEE 754-2019 sections 3.4 and 4.3; RISC-V Unprivileged ISA, "F" chapter, table of rounding modes
 * and layout of fcsr. Formats Q and Zfh are not here.
 */

/** Rounding modes as encoded in the rm field and in fcsr.frm. Values 5 and 6 are reserved; 7 (rm only) means frm. */
export const Rm = { RNE: 0, RTZ: 1, RDN: 2, RUP: 3, RMM: 4, DYN: 7 } as const;

/** The accrued exception bits of fcsr.fflags. */
export const Flag = { NX: 1, UF: 2, OF: 4, DZ: 8, NV: 16 } as const;

/** One binary interchange format. All masks are over the bit pattern held in a bigint. */
export interface Format {
  /** Bits of the significand, the implicit one included: 24 or 53. */
  readonly precision: number;
  /** Exponent of the smallest normal number: -126 or -1022. */
  readonly emin: number;
  /** Width of the fraction field, as a bigint for shifts: 23n or 52n. */
  readonly fractionBits: bigint;
  readonly fractionMask: bigint;
  readonly signBit: bigint;
  /** Pattern of plus infinity; as a mask, the exponent field. */
  readonly infinity: bigint;
  /** The fraction bit that makes a NaN quiet. */
  readonly quietBit: bigint;
  /** The only NaN that RISC-V arithmetic produces. */
  readonly canonicalNaN: bigint;
}

function format(exponentBits: number, fractionBits: number): Format {
  const fraction = BigInt(fractionBits);
  const infinity = ((1n << BigInt(exponentBits)) - 1n) << fraction;
  const quietBit = 1n << (fraction - 1n);
  return {
    precision: fractionBits + 1,
    emin: 2 - 2 ** (exponentBits - 1),
    fractionBits: fraction,
    fractionMask: (1n << fraction) - 1n,
    signBit: 1n << BigInt(exponentBits + fractionBits),
    infinity,
    quietBit,
    canonicalNaN: infinity | quietBit,
  };
}

export const F32: Format = format(8, 23);
export const F64: Format = format(11, 52);
