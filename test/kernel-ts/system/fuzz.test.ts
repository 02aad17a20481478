/**
 * Hostile guests: random system calls with random arguments, and random bytes executed as code. The host survives, the
 * invariants hold, and the memory of a process that has nothing to do with it stays as it was. Seeded: a failure names
 * the seed that shows it again.
 */
import { beforeAll, expect, test } from 'vitest';
import { decode } from '../../../emulator/index.ts';
import { boot, type Process, type System } from '../../../kernel-ts/index.ts';
import { code, elf } from '../process/elfFixture.ts';
import { build } from './guest.ts';

/** Fills its memory with a pattern and sleeps for good. */
const SENTINEL = `
#include <unistd.h>
#include <stdlib.h>
unsigned data[16384];
int main(void) {
  unsigned *heap = malloc(65536);
  for (unsigned i = 0; i < 16384; i++) { data[i] = i * 2654435761u; heap[i] = ~data[i]; }
  for (;;) pause();
}`;

const CALLS = `
#include <stdlib.h>
#include <unistd.h>
static unsigned s;
static unsigned rnd(void) { s ^= s << 13; s ^= s >> 17; s ^= s << 5; return s; }
static char page[8192] __attribute__((aligned(4096)));
static long pick(void) {
  switch (rnd() % 16) {
  case 0: return 0;
  case 1: return -1;
  case 2: return rnd() % 8;
  case 3: case 4: return (long)page + rnd() % 8192;
  case 5: return rnd();
  case 6: return 0x40000000 + rnd() % 8192;
  case 7: return (long)pick & ~3;
  case 8: return (long)__builtin_frame_address(0) & ~15;
  case 9: return (long)(rnd() % 64) * 4096;
  case 10: return 0x7fffffff;
  case 11: return -100;
  case 12: return rnd() % 512;
  case 13: return 1000 + rnd() % 10;
  case 14: return (long)(page + 8192 - rnd() % 16);
  default: return 1l << (rnd() % 32);
  }
}
int main(int argc, char **argv) {
  s = atoi(argv[1]) * 2654435761u | 1;
  for (int i = 0; i < 4096; i++) page[i] = rnd();
  for (;;) {
    unsigned n = rnd() % 480;
    if ((n == 93 || n == 94) && rnd() % 16) continue;
    if (rnd() % 4 == 0) n = 194 + rnd() % 4;
    for (int i = 0; i < 16; i++) page[rnd() % 8192] = rnd() % 4 ? "/tmp/x"[i % 6] : 0;
    register long a7 __asm__("a7") = n;
    register long a0 __asm__("a0") = pick(), a1 __asm__("a1") = pick(), a2 __asm__("a2") = pick();
    register long a3 __asm__("a3") = pick(), a4 __asm__("a4") = pick(), a5 __asm__("a5") = pick();
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
  }
}`;

let sentinelImage: Uint8Array;
let callsImage: Uint8Array;

beforeAll(async () => {
  sentinelImage = await build(SENTINEL);
  callsImage = await build(CALLS);
});

interface Guarded {
  readonly system: System;
  readonly sentinel: Process;
  /** Its memory, page by page. */
  memory(): string;
}

function guarded(): Guarded {
  const system = boot({ ram: 64 * 2 ** 20, quantum: 20_000 });
  const sentinel = system.spawn(sentinelImage, { name: '/bin/sentinel' });
  expect(system.run()).toMatchObject({ reason: 'deadlock' });
  const memory = (): string => {
    let hash = 0;
    for (const area of system.maps(sentinel.pid)) {
      for (const { pfn } of area.ptes)
        for (const byte of system.readFrame(pfn)) hash = (Math.imul(hash, 31) + byte) | 0;
    }
    return `${hash} ${JSON.stringify(system.registers(sentinel.pid))}`;
  };
  return { system, sentinel, memory };
}

/** Ends everything but the sentinel, whatever state it is in. A kill may end several: threads, orphans' parents. */
function sweep({ system, sentinel }: Guarded): void {
  for (;;) {
    const victim = system.picture().tasks.find((t) => t.pid !== sentinel.pid && t.state !== 'Z');
    if (victim === undefined) break;
    system.kill(victim.pid, 9);
  }
  expect(system.picture().tasks.map((t) => t.pid)).toEqual([sentinel.pid]);
}

test('random system calls', () => {
  const guard = guarded();
  const { system } = guard;
  const before = guard.memory();
  const calls = (): number => system.stats['syscalls'] ?? 0;
  for (let seed = 1; calls() < 30_000; seed++) {
    try {
      system.spawn(callsImage, { args: ['calls', String(seed)], uid: 1000 });
      system.run({ instructions: 150_000 });
      sweep(guard);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    if (seed % 20 === 0) expect(system.checkInvariants(), `seed ${seed}`).toEqual([]);
  }
  expect(system.checkInvariants()).toEqual([]);
  expect(guard.memory()).toBe(before);
});

/** xorshift32. */
function generator(seed: number): () => number {
  let s = Math.imul(seed, 2654435761) | 1;
  return () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return s >>> 0;
  };
}

/** Loads, stores, atomics: their base register is mostly the stack pointer, or they would fault at once. */
const MEMORY = [0x03, 0x07, 0x23, 0x27, 0x2f];
/** Everything else that runs on: computation (more often), jumps, floating point, ecall and CSRs. */
const OTHERS = [0x13, 0x13, 0x33, 0x33, 0x17, 0x37, 0x0f, 0x43, 0x53, 0x63, 0x67, 0x6f, 0x73];

/** A word that decodes, most of the time; now and then any word, or the number of a system call in a7. */
function instruction(random: () => number): number {
  const kind = random() % 32;
  if (kind === 0) return random();
  if (kind === 1) return 0x73;
  if (kind < 4) return (((random() % 470) << 20) | 0x893) >>> 0;
  for (;;) {
    const memory = random() % 3 === 0;
    const opcode = memory ? MEMORY[random() % MEMORY.length] : OTHERS[random() % OTHERS.length];
    let word = (random() & ~0x7f) | (opcode ?? 0x13);
    if (memory && random() % 8 !== 0) word = (word & ~0xf8000) | (2 << 15);
    // Branches and jumps stay in the neighbourhood.
    if (opcode === 0x63) word &= 0x01ffff7f;
    if (opcode === 0x6f) word = (word & 0xfff) | ((random() % 16) << 21);
    if (decode(word >>> 0) !== null) return word >>> 0;
  }
}

test('random bytes as code', () => {
  const guard = guarded();
  const { system } = guard;
  const before = guard.memory();
  for (let seed = 1; seed <= 10_000; seed++) {
    const random = generator(seed);
    const words = Array.from({ length: 128 }, () => instruction(random));
    const image = elf({ segments: [{ vaddr: 0x10000, bytes: code(...words), memsz: 8192, flags: 7 }] });
    try {
      system.spawn(image, { uid: 1000 });
      const result = system.run({ instructions: 1000 });
      if (result.reason !== 'deadlock' || result.tasks.length > 1) sweep(guard);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    if (seed % 1000 === 0) expect(system.checkInvariants(), `seed ${seed}`).toEqual([]);
  }
  expect(guard.memory()).toBe(before);
});
