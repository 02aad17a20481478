/**
 * Every F, D and Zfa instruction that computes, by the name of its row (loads and stores are the memory path's).
 * The interpreter's emitted code calls these when its inline path cannot settle an instruction.
 */
import { comparisons } from './compare.ts';
import { conversions } from './convert.ts';
import { doubleArithmetic } from './double.ts';
import { singleArithmetic } from './single.ts';
import { additional } from './zfa.ts';
import type { FpHelper } from './state.ts';

export type { FpHelper, FpState } from './state.ts';

export const fpHelpers: Readonly<Record<string, FpHelper>> = {
  ...singleArithmetic,
  ...doubleArithmetic,
  ...conversions,
  ...comparisons,
  ...additional,
};

/** The helper of a row's trait `fp`, if it has one. */
export function fpHelper(name: string): FpHelper | undefined {
  return fpHelpers[name];
}
