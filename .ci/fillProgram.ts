/**
 * The program that the build runs to fill V8's code cache (bundle.ts): what it does, the command finds compiled when it starts.
 *
 * Beside System V IPC and a few system calls, of which one fails, that is a loop that becomes hot, with a bit of everything that compilers
 * write, so that nearly all of tier 1 is in the cache: loops in loops, calls, computed jumps, memory at several distances, integers and doubles. V8
 * compiling that while it runs cost a program of 10 M instructions 7 ms of 140, one of 100 M as much; what the cache holds more is not
 * felt at the start.
 */
import { assemble } from '../emulator/index.ts';

type Fields = Parameters<typeof assemble>[1];

/** An instruction, or two compressed ones; `to`: where its immediate leads. Or a label. */
type Item = string | { readonly name: string; readonly fields: Fields; readonly to?: string } | number;

const op = (name: string, fields: Fields = {}): Item => ({ name, fields });
const jump = (name: string, to: string, fields: Fields = {}): Item => ({ name, fields, to });
const compressed = (first: [string, Fields], second: [string, Fields]): Item =>
  (assemble(...first) | (assemble(...second) << 16)) >>> 0;

const [RA, SP, ROUNDS, T1, T2, DATA, TABLE, A0, A1, A2, A3] = [1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13];
const [A7, KEPT] = [17, 18];

const PAGE = 4096;
/** Two pages of zeros, behind one that the file begins. */
const BSS = 0x41000;

/** The generic ABI's numbers. */
const SYS = {
  ioctl: 29,
  writev: 66,
  exit_group: 94,
  waitid: 95,
  set_tid_address: 96,
  getpid: 172,
  msgget: 186,
  msgctl: 187,
  msgrcv: 188,
  msgsnd: 189,
  semget: 190,
  semctl: 191,
  semop: 193,
  shmget: 194,
  shmctl: 195,
  shmat: 196,
  shmdt: 197,
  brk: 214,
  clone: 220,
} as const;

/** What an argument of a system call is: a small number, or what a register holds. */
type Argument = number | { readonly register: number };

/** A system call. */
const call = (number: number, ...values: readonly Argument[]): readonly Item[] => [
  ...values.map((value, i) =>
    typeof value === 'number'
      ? op('addi', { rd: A0 + i, rs1: 0, imm: value })
      : op('addi', { rd: A0 + i, rs1: value.register, imm: 0 }),
  ),
  op('addi', { rd: A7, rs1: 0, imm: number }),
  op('ecall'),
];

/** IPC_CREAT | 0600, SIGCHLD, WEXITED. */
const [CREAT, SIGCHLD, WEXITED] = [0o1600, 17, 4];
const keep: Item = op('addi', { rd: KEPT, rs1: A0, imm: 0 });
const id: Argument = { register: KEPT };

/** One of each System V object, and a process: DATA holds a message, and an operation that adds 1 to semaphore 0. */
const ipc: readonly Item[] = [
  op('lui', { rd: A3, imm: 0x10000 }),
  op('sw', { rs1: DATA, rs2: A3, imm: 0 }),
  op('sh', { rs1: DATA, rs2: 0, imm: 4 }),
  ...call(SYS.shmget, 0, 1, CREAT),
  keep,
  ...call(SYS.shmat, id, 0, 0),
  op('sw', { rs1: A0, rs2: A0 }),
  ...call(SYS.shmdt, { register: A0 }),
  ...call(SYS.shmctl, id, 0, 0),
  ...call(SYS.semget, 0, 1, CREAT),
  keep,
  ...call(SYS.semop, id, { register: DATA }, 1),
  ...call(SYS.semctl, id, 0, 0),
  ...call(SYS.msgget, 0, CREAT),
  keep,
  ...call(SYS.msgsnd, id, { register: DATA }, 4, 0),
  ...call(SYS.msgrcv, id, { register: DATA }, 4, 0, 0),
  ...call(SYS.msgctl, id, 0, 0),
  // Both go on; the child has none to wait for.
  ...call(SYS.clone, SIGCHLD, 0, 0, 0, 0),
  ...call(SYS.waitid, 0, 0, 0, WEXITED, 0),
];

/** rd = rs1 op rs2 and rd = rs1 op imm, on A0 and A1. */
const arithmetic: readonly Item[] = [
  ...[
    'add',
    'sub',
    'xor',
    'or',
    'and',
    'sll',
    'srl',
    'sra',
    'slt',
    'sltu',
    'mul',
    'mulhu',
    'divu',
    'remu',
  ].map((name) => op(name, { rd: A0, rs1: A0, rs2: A1 })),
  ...['addi', 'xori', 'ori', 'andi', 'slli', 'srli', 'srai', 'slti', 'sltiu'].map((name) =>
    op(name, { rd: A1, rs1: A0, imm: 3 }),
  ),
  compressed(['c.addi', { rd: A1, rs1: A1, imm: 1 }], ['c.mv', { rd: A2, rs2: A1 }]),
  compressed(['c.slli', { rd: A1, rs1: A1, imm: 2 }], ['c.add', { rd: A2, rs1: A2, rs2: A1 }]),
  compressed(['c.lw', { rd: A3, rs1: DATA, imm: 4 }], ['c.sw', { rs1: DATA, rs2: A3, imm: 8 }]),
];

const loadsAndStores: readonly Item[] = [
  ...['sb', 'sh', 'sw'].map((name, i) => op(name, { rs1: DATA, rs2: A0, imm: 16 + 4 * i })),
  ...['lb', 'lbu', 'lh', 'lhu', 'lw'].map((name, i) => op(name, { rd: A2, rs1: DATA, imm: 4 * i })),
];

const doubles: readonly Item[] = [
  op('fcvt.d.w', { rd: 0, rs1: ROUNDS }),
  op('fsd', { rs1: DATA, rs2: 0, imm: 32 }),
  op('fld', { rd: 1, rs1: DATA, imm: 32 }),
  op('fadd.d', { rd: 2, rs1: 1, rs2: 0, rm: 7 }),
  op('fmul.d', { rd: 3, rs1: 2, rs2: 1, rm: 7 }),
  op('fmadd.d', { rd: 4, rs1: 3, rs2: 2, rs3: 1, rm: 7 }),
];

/** `inner` goes round a few times over memory; `f` is called by its address and by name. */
const PROGRAM: readonly Item[] = [
  op('lui', { rd: ROUNDS, imm: 0x60000 }),
  op('addi', { rd: DATA, rs1: SP, imm: -256 }),
  op('auipc', { rd: TABLE, imm: 0 }),
  jump('addi', 'f', { rd: TABLE, rs1: TABLE, imm: 4 }),
  // Memory that is in no file, and a word on two of its pages.
  op('lui', { rd: T2, imm: BSS + PAGE }),
  op('sw', { rs1: T2, rs2: ROUNDS, imm: -2 }),
  op('lw', { rd: A0, rs1: T2, imm: -2 }),
  op('sw', { rs1: T2, rs2: A0, imm: -PAGE / 2 }),
  'loop',
  op('addi', { rd: T1, rs1: 0, imm: 5 }),
  op('addi', { rd: A1, rs1: DATA, imm: 64 }),
  'inner',
  op('lw', { rd: A0, rs1: A1, imm: 0 }),
  op('lw', { rd: A2, rs1: A1, imm: 4 }),
  op('sw', { rs1: A1, rs2: A2, imm: 0 }),
  op('addi', { rd: A1, rs1: A1, imm: 8 }),
  op('addi', { rd: T1, rs1: T1, imm: -1 }),
  jump('bne', 'inner', { rs1: T1, rs2: 0 }),
  ...arithmetic,
  ...loadsAndStores,
  jump('jal', 'f', { rd: RA }),
  op('jalr', { rd: RA, rs1: TABLE, imm: 0 }),
  jump('blt', 'less', { rs1: A0, rs2: A1 }),
  jump('bgeu', 'less', { rs1: A0, rs2: A1 }),
  op('addi', { rd: A0, rs1: A0, imm: 1 }),
  'less',
  ...doubles,
  ...call(SYS.getpid, 0),
  op('addi', { rd: ROUNDS, rs1: ROUNDS, imm: -1 }),
  jump('bne', 'loop', { rs1: ROUNDS, rs2: 0 }),
  ...call(SYS.writev, -1),
  ...ipc,
  // What C libraries do: one line on the standard output, among others.
  op('sw', { rs1: DATA, rs2: DATA }),
  op('addi', { rd: A1, rs1: 0, imm: 1 }),
  op('sw', { rs1: DATA, rs2: A1, imm: 4 }),
  op('addi', { rd: A1, rs1: DATA, imm: 0 }),
  op('addi', { rd: A2, rs1: 0, imm: 1 }),
  ...call(SYS.set_tid_address, 0),
  ...call(SYS.writev, 1),
  ...call(SYS.ioctl, 1),
  ...call(SYS.brk, 0),
  ...call(SYS.exit_group, 0),
  // Jumps over four or eight bytes, by turns.
  'f',
  op('andi', { rd: T1, rs1: ROUNDS, imm: 1 }),
  op('slli', { rd: T1, rs1: T1, imm: 2 }),
  op('auipc', { rd: T2, imm: 0 }),
  op('add', { rd: T1, rs1: T1, rs2: T2 }),
  op('jalr', { rd: 0, rs1: T1, imm: 12 }),
  op('addi', { rd: A0, rs1: A0, imm: 1 }),
  op('jalr', { rd: 0, rs1: RA }),
];

function assembled(items: readonly Item[]): number[] {
  const labels = new Map<string, number>();
  let size = 0;
  for (const item of items) {
    if (typeof item === 'string') labels.set(item, size);
    else size += 4;
  }
  const words: number[] = [];
  for (const item of items) {
    if (typeof item === 'number') words.push(item);
    else if (typeof item !== 'string') {
      const { name, fields, to } = item;
      const distance = to === undefined ? 0 : (labels.get(to) as number) - 4 * words.length;
      words.push(
        assemble(name, to === undefined ? fields : { ...fields, imm: (fields?.imm ?? 0) + distance }),
      );
    }
  }
  return words;
}

/** A static ELF: `code` at 0x10000, and data, of which a few bytes are in the file, at BSS - PAGE. */
function elfOf(code: readonly number[]): Uint8Array {
  const header = 52 + 2 * 32;
  const data = header + 4 * code.length;
  const image = new DataView(new ArrayBuffer(data + 16));
  new Uint8Array(image.buffer).set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  const halves: [number, number][] = [
    [16, 2],
    [18, 243],
    [40, 52],
    [42, 32],
    [44, 2],
  ];
  for (const [at, value] of halves) image.setUint16(at, value, true);
  const dataAddress = BSS - PAGE + (data % PAGE);
  /** type, offset, vaddr, paddr, filesz, memsz, flags, align */
  const segments = [
    [1, 0, 0x10000, 0x10000, data, data, 5, PAGE],
    [1, data, dataAddress, dataAddress, 16, BSS + 2 * PAGE - dataAddress, 6, PAGE],
  ];
  const words: [number, number][] = [
    [20, 1],
    [24, 0x10000 + header],
    [28, 52],
    ...segments.flat().map((value, i): [number, number] => [52 + 4 * i, value]),
  ];
  for (const [at, value] of words) image.setUint32(at, value, true);
  for (const [i, word] of code.entries()) image.setUint32(header + 4 * i, word, true);
  return new Uint8Array(image.buffer);
}

export const fillProgram = elfOf(assembled(PROGRAM));
