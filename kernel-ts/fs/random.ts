/**
 * The kernel's random source: seeded xoshiro128** held as data, so that a run repeats (Linux: drivers/char/random.c,
 * which is neither). Not for secrets.
 */

/** The generator's state: four words. */
export interface RandomState {
  readonly s: Uint32Array;
}

/** A generator of this seed (any integer below 2^53), expanded with splitmix32. */
export function seedRandom(seed: number): RandomState {
  const s = new Uint32Array(4);
  let x = ((seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32), 0x9e37_79b9)) >>> 0;
  for (let i = 0; i < 4; i++) {
    x = (x + 0x9e37_79b9) >>> 0;
    let z = x;
    z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
    s[i] = z ^ (z >>> 15);
  }
  if (s.every((word) => word === 0)) s[0] = 1;
  return { s };
}

function rotl(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}

/** The next 32 bits, unsigned. */
export function nextRandom32(state: RandomState): number {
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = state.s;
  const result = Math.imul(rotl(Math.imul(s1, 5), 7), 9) >>> 0;
  const x2 = s2 ^ s0;
  const x3 = s3 ^ s1;
  state.s[1] = s1 ^ x2;
  state.s[0] = s0 ^ x3;
  state.s[2] = x2 ^ (s1 << 9);
  state.s[3] = rotl(x3, 11);
  return result;
}

/** get_random_bytes(). */
export function randomBytes(state: RandomState, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i += 4) {
    const word = nextRandom32(state);
    for (let k = 0; k < 4 && i + k < count; k++) bytes[i + k] = word >>> (8 * k);
  }
  return bytes;
}
