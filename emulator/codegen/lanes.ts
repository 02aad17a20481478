/**
 * Numbers in all lanes of a vector: WebAssembly has fused multiply-add for vectors alone (relaxed SIMD).
 *
 * All lanes are the same, so whatever the host does with the others, it does no more than with the first: no invalid operation, no
 * subnormal number that costs time.
 */
import { memoryOp } from './emitter.ts';
import { byte, uleb, type Code } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

type Lane = 'f32' | 'f64';

/** Opcodes behind the prefix. */
const SIMD = {
  f32: {
    splat: 0x13,
    loadSplat: 0x09,
    lane: 0x1f,
    neg: 0xe1,
    madd: 0x105,
    nmadd: 0x106,
  },
  f64: {
    splat: 0x14,
    loadSplat: 0x0a,
    lane: 0x21,
    neg: 0xed,
    madd: 0x107,
    nmadd: 0x108,
  },
} as const;

const simd = (opcode: number): Code => OP.simd + uleb(opcode);

/** A number in all lanes. */
export function splat(type: Lane, value: Code): Code {
  return value + simd(SIMD[type].splat);
}

/** A number from memory in all lanes. */
export function loadSplat(type: Lane, address: Code, offset: number): Code {
  return address + OP.simd + memoryOp(byte(SIMD[type].loadSplat), 0, offset);
}

/** The number in the first lane. */
export function lane(type: Lane, lanes: Code): Code {
  return lanes + simd(SIMD[type].lane) + byte(0);
}

export function negate(type: Lane, lanes: Code): Code {
  return lanes + simd(SIMD[type].neg);
}

/** a * b + c, or c - a * b, rounded once where the host has it so. */
export function fusedMultiplyAdd(type: Lane, negateProduct: boolean, a: Code, b: Code, c: Code): Code {
  return a + b + c + simd(negateProduct ? SIMD[type].nmadd : SIMD[type].madd);
}
