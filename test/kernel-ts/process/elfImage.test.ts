import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isElfProblem } from '../../../emulator/index.ts';
import { readElf } from '../../../kernel-ts/process/elfImage.ts';
import { code, elf } from './elfFixture.ts';

const TASK_SIZE = 0x9dc00000;
const RAM = 64 * 1024 * 1024;

const read = (image: Uint8Array): ReturnType<typeof readElf> => readElf(image, TASK_SIZE, RAM);

function problem(image: Uint8Array): string {
  const result = read(image);
  return isElfProblem(result) ? result.problem : 'accepted';
}

describe('an acceptable image', () => {
  test('gives its segments, entry and header address', () => {
    const image = elf({
      segments: [
        { vaddr: 0x10000, bytes: code(1, 2), flags: 5 },
        { vaddr: 0x12010, bytes: code(3), memsz: 0x2000, flags: 6 },
      ],
    });
    const result = read(image);
    expect(result).toMatchObject({
      pie: false,
      entry: 0x10000,
      phnum: 2,
      phdrVaddr: 0,
      segments: [
        { vaddr: 0x10000, filesz: 8, memsz: 8, flags: 5 },
        { vaddr: 0x12010, filesz: 4, memsz: 0x2000, flags: 6 },
      ],
    });
  });

  test('may be a static PIE', () => {
    expect(
      read(elf({ type: 3, entry: 0x40, segments: [{ vaddr: 0, bytes: new Uint8Array(64), memsz: 80 }] })),
    ).toMatchObject({
      pie: true,
    });
  });
});

describe('what cannot run is named in one line', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /^empty file, not an ELF program$/],
    ['a script', new TextEncoder().encode('#!/bin/sh\n'), /^not an ELF file$/],
    ['ELF64', elf({ patch: (v) => v.setUint8(4, 2) }), /ELF64 .*RISC-V/],
    [
      'ELF64 of x86-64',
      elf({ patch: (v) => (v.setUint8(4, 2), v.setUint16(18, 62, true)) }),
      /ELF64 .*x86-64/,
    ],
    ['another machine', elf({ patch: (v) => v.setUint16(18, 40, true) }), /built for ARM, not RISC-V/],
    ['an unknown machine', elf({ patch: (v) => v.setUint16(18, 999, true) }), /machine 999/],
    ['big-endian', elf({ patch: (v) => (v.setUint8(5, 2), v.setUint16(18, 243, false)) }), /big-endian/],
    ['a relocatable object', elf({ type: 1 }), /relocatable object/],
    ['a core dump', elf({ type: 4 }), /core dump/],
    ['a shared library', elf({ type: 3, patch: (v) => v.setUint32(24, 0, true) }), /shared library/],
    ['RV32E', elf({ patch: (v) => v.setUint32(36, 8, true) }), /RV32E/],
    [
      'dynamic linking',
      elf({ interpreter: '/lib/ld-musl-riscv32.so.1' }),
      /dynamically linked \(needs \/lib\/ld-musl-riscv32.so.1\): .*-static/,
    ],
    ['a cut header', elf().subarray(0, 30), /^truncated/],
    ['cut program headers', elf().subarray(0, 60), /^truncated: program headers/],
    ['a cut segment', elf().subarray(0, 4097), /^truncated: segment/],
    [
      'headers inside the ELF header',
      elf({ patch: (v) => v.setUint32(28, 8, true) }),
      /overlap the ELF header/,
    ],
    ['headers far outside', elf({ patch: (v) => v.setUint32(28, 0xfffffff0, true) }), /outside the file/],
    ['no headers', elf({ patch: (v) => v.setUint16(44, 0, true) }), /no program headers/],
    [
      'a file part larger than memory',
      elf({ patch: (v) => v.setUint32(52 + 20, 1, true) }),
      /larger in the file/,
    ],
    [
      'an address beyond user space',
      elf({ segments: [{ vaddr: 0x9dbff000, bytes: code(1), memsz: 0x10000 }] }),
      /beyond user space/,
    ],
    [
      'overlapping segments',
      elf({
        segments: [
          { vaddr: 0x10000, bytes: code(1), memsz: 0x2000 },
          { vaddr: 0x11000, bytes: code(1) },
        ],
      }),
      /overlaps/,
    ],
    [
      'too large an image',
      elf({ segments: [{ vaddr: 0x10000, bytes: code(1), memsz: RAM + 1 }] }),
      /needs \d+ bytes .*--ram/,
    ],
    ['an entry outside', elf({ entry: 0x20000 }), /entry point 0x20000/],
    [
      'misaligned offsets',
      elf({ patch: (v) => v.setUint32(52 + 4, 4100, true) }),
      /differ within a page|truncated/,
    ],
  ])('%s', (_name, image, expected) => {
    const line = problem(image);
    expect(line).toMatch(expected);
    expect(line).not.toContain('\n');
  });
});

test('any bytes are judged without an exception', () => {
  const base = elf();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 12 }),
      fc.nat(base.length),
      (edits, length) => {
        const image = base.slice(0, length);
        for (const [at, value] of edits) if (at < image.length) image[at] = value;
        const result = read(image);
        if (!isElfProblem(result)) expect(result.segments.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 2000, seed: 7 },
  );
});
