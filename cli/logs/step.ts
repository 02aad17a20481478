/** What the readers of instruction logs make of a log: one step per retired instruction. */

/** The registers of a hart, as a dump shows them. */
export interface Registers {
  readonly pc: number;
  /** x0 to x31. */
  readonly x: readonly number[];
  /** f0 to f31 in hexadecimal, or empty when the dump has none. */
  readonly f: readonly string[];
  /** By name, in hexadecimal without leading zeros. */
  readonly csrs: ReadonlyMap<string, string>;
}

/** What an instruction changed, as a commit log says it. Values in lower-case hexadecimal without leading zeros. */
export interface Effects {
  /** "x5" or "f10" to the value, f values with all their digits. */
  readonly registers: ReadonlyMap<string, string>;
  readonly csrs: ReadonlyMap<string, string>;
  /** "address" for a load, "address value" for a store, in order. */
  readonly memory: readonly string[];
}

export interface Step {
  /** Number of its first line in the file. */
  readonly line: number;
  readonly pc: number;
  /** null when the log does not say. */
  readonly insn: number | null;
  readonly privilege: number | null;
  /** From a commit log. */
  readonly effects: Effects | null;
  /** From register dumps: before and after it. `after` is null for the last one. */
  readonly before: Registers | null;
  readonly after: Registers | null;
  /** A commit log's line. Steps with the same text are the same. */
  readonly text: string | null;
}

/** A log being read. */
export interface StepReader {
  readonly path: string;
  /** 'commits': what each instruction changed. 'states': all registers before each instruction. */
  readonly kind: 'commits' | 'states';
  next(): Step | null;
  close(): void;
}

/** Hexadecimal digits without leading zeros, lower case. */
export function plainHex(digits: string): string {
  return digits.toLowerCase().replace(/^0+(?=.)/, '');
}
