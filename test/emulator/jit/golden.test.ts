/**
 * What tier 1 makes of some pieces of code, as WebAssembly text in expected/: so that a change of the code generator is seen in
 * review. When one is meant:
 *
 *     npx vitest run test/emulator/jit/golden.test.ts --update
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Machine, RAM_BASE } from '../../../emulator/index.ts';
import { get, i32const, memoryOp, set } from '../../../emulator/codegen/emitter.ts';
import { f64const } from '../../../emulator/codegen/floatCode.ts';
import * as layout from '../../../emulator/layout.ts';
import { encodeModule } from '../../../emulator/wasm/encode.ts';
import { OP, VOID } from '../../../emulator/wasm/opcodes.ts';
import { machineMode } from './agree.ts';
import { wasmText } from './wasmText.ts';

/** Where the pieces keep data: s0. */
const DATA = RAM_BASE + 0x10_0000;

/** So little at once that nothing becomes hot: what is compiled is what the test asks for. */
const SLICE = 1000;

/** Each begins at the label `begin` and is compiled at `entry`. */
const PIECES: Readonly<Record<string, string>> = {
  'loop-with-loads-and-stores': `
    entry: lw a0, 0(s0)
    lbu a1, 5(s0)
    add a0, a0, a1
    sw a0, 0(s0)
    sh a1, 8(s0)
    addi t0, t0, -1
    bne t0, x0, entry
    j begin`,
  'walk-by-pages': `
    entry: lw a0, 0(s0)
    lui t1, 1
    add s0, s0, t1
    add a1, a1, a0
    bne a0, x0, entry
    j begin`,
  call: `
    entry: add a0, a0, a1
    jal ra, f
    add a0, a0, a2
    j entry
    f: addi a2, a2, 3
    jalr x0, 0(ra)`,
  'computed-jump': `
    entry: andi t0, a0, 8
    la t1, one
    add t1, t1, t0
    addi a0, a0, 8
    jalr x0, 0(t1)
    one: addi a1, a1, 1
    j entry
    two: addi a1, a1, 2
    j entry`,
  'indirect-call': `
    la s1, f
    entry: addi a0, a0, 1
    jalr ra, 0(s1)
    add a1, a1, a0
    j entry
    f: addi a0, a0, 2
    jalr x0, 0(ra)`,
  'small-functions': `
    addi sp, s0, 0
    la s1, f
    la s2, g
    entry: addi t1, s1, 0
    addi s1, s2, 0
    addi s2, t1, 0
    jalr ra, 0(s1)
    add a1, a1, a0
    j entry
    jalr x0, 0(ra)
    f: addi a0, a0, 2
    jalr x0, 0(ra)
    g: addi sp, sp, -16
    sw ra, 12(sp)
    addi a0, a0, 3
    lw ra, 12(sp)
    addi sp, sp, 16
    jalr x0, 0(ra)`,
  atomics: `
    entry: amoadd.w a0, a1, (s0)
    amomaxu.w a2, a0, (s0)
    retry: lr.w a3, (s0)
    add a3, a3, a0
    sc.w a4, a3, (s0)
    bne a4, x0, retry
    j entry`,
  'double-loop': `
    entry: fld fa0, 0(s0)
    fmul.d fa1, fa0, fa1
    fadd.d fa2, fa2, fa1
    fsd fa2, 8(s0)
    addi t0, t0, -1
    bne t0, x0, entry
    j begin`,
  'single-loop': `
    entry: flw fa0, 0(s0)
    fsub.s fa1, fa0, fa1
    fdiv.s fa2, fa1, fa0
    fcvt.w.s a0, fa2, rtz
    fsw fa2, 8(s0)
    addi t0, t0, -1
    bne t0, x0, entry
    j begin`,
  branches: `
    entry: blt a0, a1, less
    beq a0, a1, equal
    addi a2, a2, 1
    j join
    less: addi a3, a3, 1
    bgeu a3, a2, join
    equal: addi a4, a4, 1
    join: add a0, a0, a4
    xor a1, a1, a0
    jalr x0, 0(ra)`,
  irreducible: `
    entry: beq a0, x0, second
    first: addi a1, a1, 1
    bne a1, a2, second
    jalr x0, 0(ra)
    second: addi a0, a0, -1
    bne a0, a3, first
    jalr x0, 0(ra)`,
  'two-pages': `
    j entry
    .align 4096
    pad: ${'addi x0, x0, 0\n'.repeat(1021)} c.nop
    entry: addi a0, a0, 1
    add a1, a1, a0
    xor a2, a2, a1
    bne a0, x0, entry
    j begin`,
  ecall: `
    entry: addi a7, x0, 93
    ecall
    add a0, a0, a7
    j entry`,
  multiply: `
    entry: mulh a0, a1, a2
    mulhsu a3, a1, a2
    mulhu a4, a1, a2
    div a5, a0, a1
    rem a6, a0, a1
    divu a7, a0, a1
    jalr x0, 0(ra)`,
  compressed: `
    entry: c.addi a0, 1
    c.mv a1, a0
    c.slli a1, 2
    c.lw a2, 4(s0)
    c.add a1, a2
    c.sw a1, 8(s0)
    c.bnez a0, entry
    c.jr ra`,
};

describe('the code of', () => {
  const modules: Uint8Array[] = [];

  beforeEach(() => {
    modules.length = 0;
    const { Module } = WebAssembly;
    vi.spyOn(WebAssembly, 'Module').mockImplementation(function (bytes: unknown) {
      modules.push(bytes as Uint8Array);
      return new Module(bytes as Uint8Array<ArrayBuffer>);
    } as never);
  });

  afterEach(() => vi.restoreAllMocks());

  /** Compiles the piece after it has run a little, so that its pages are known, and where its jumps go. */
  function compiled(piece: string): string {
    const machine = new Machine({ ramBytes: 16 << 20 });
    const { hart } = machine;
    const source = `begin: li s0, ${DATA}\n li t0, 40\n la ra, again\n${piece}\n again: j begin\n .align 4\n handler: j begin`;
    const { labels } = machineMode(machine, source);
    const entry = labels.get('entry') ?? 0;
    hart.fp.setFs(3);
    hart.fp.setFcsr(1);
    for (let i = 0; i < 3; i++) hart.run(SLICE);
    hart.fp.setFs(3);
    hart.fp.setFcsr(1);
    hart.pc = entry;
    modules.length = 0;
    expect(hart.compileAt(entry, 400)).toBe(true);
    expect(modules).toHaveLength(1);
    return wasmText(modules[0] as Uint8Array, decodedPages(machine, entry));
  }

  test.each(Object.keys(PIECES))('%s', async (name) => {
    await expect(compiled(PIECES[name] as string)).toMatchFileSnapshot(`expected/${name}.wat`);
  });
});

/** The addresses of the micro-ops from which the entry's page and the next ones are fetched. */
function decodedPages(machine: Machine, entry: number): Map<number, number> {
  const words = new Int32Array(machine.memory.buffer);
  const fetch = words[layout.TLB_FETCH >>> 2] as number;
  const found = new Map<number, number>();
  for (let n = 0; n < 4; n++) {
    const decoded = words[(fetch >>> 2) + (entry >>> 12) + n] as number;
    if (decoded !== 0) found.set(decoded, n);
  }
  return found;
}

describe('the disassembler', () => {
  /** A function of a region with that body. */
  const moduleOf = (code: string, unlikely: number[] = []): Uint8Array =>
    encodeModule({
      memory: { initial: 1, maximum: 2, shared: false },
      imports: [],
      table: 4,
      indirect: { params: ['i32', 'i32'], results: ['i32'] },
      functions: [
        {
          name: 'f',
          type: { params: ['i32', 'i32'], results: ['i32'] },
          locals: ['i32', 'i32', 'f64'],
          code,
          exported: false,
          unlikely,
        },
      ],
      slots: [3],
    });

  test('folds operands, names state, indents blocks and tells hints', () => {
    const br = `${OP.block}${VOID}${get(0)}${i32const(-1)}${OP.i32_add}${OP.local_tee}\x02${OP.br_if}\0`;
    const store = i32const(0) + get(2) + memoryOp(OP.i32_store, 2, 0x200) + OP.end;
    const float = f64const(1.5) + set(4);
    const call = `${get(0)}${get(1)}${i32const(3)}${OP.call_indirect}\0\0`;
    const code = br + store + float + call;
    expect(wasmText(moduleOf(code, [9]), new Map([[-1, 0]]))).toBe(`(func $f (;slot 3;)
  ;; locals: 2 i32, 1 f64
  block
    (br_if 0 (local.tee 2 (i32.add (local.get 0) (i32.const (;decoded page 0;))))) ;; unlikely
    (i32.store offset=PC (i32.const 0) (local.get 2))
  end
  (local.set 4 (f64.const 1.5))
  (call_indirect (type 0) (local.get 0) (local.get 1) (i32.const 3))
)
`);
  });

  test('shows what is computed before a statement before it', () => {
    const code = i32const(0) + get(0) + i32const(5) + set(0) + memoryOp(OP.i32_store, 2, 8);
    expect(wasmText(moduleOf(code + get(1)), new Map())).toContain(
      '  (i32.const 0)\n  (local.get 0)\n  (local.set 0 (i32.const 5))\n  (i32.store offset=sp (;above;) (;above;))\n  (local.get 1)\n',
    );
  });

  test('knows every opcode that is emitted, and refuses others', () => {
    expect(() => wasmText(moduleOf('\x06'), new Map())).toThrow('no name for the opcode 0x6');
    expect(() => wasmText(moduleOf(OP.i32_add), new Map())).toThrow('the stack is empty');
  });
});
