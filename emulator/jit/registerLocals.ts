/** The registers of a region's function that are in locals: how they come from the register file, and go back. */
import { get, i32const, loadState, memoryOp, type Locals } from '../codegen/emitter.ts';
import { both, either } from '../codegen/floatCode.ts';
import * as layout from '../layout.ts';
import type { Flow } from './flow.ts';
import { loadX, storedX, storeX, x } from './frame.ts';
import { hostFuses } from './fusedHost.ts';
import { bitsOf, loadFloat, numberOf, type FloatLocal } from './localFloats.ts';
import { fusedOperands, lowest, numbers, type FloatTypes, type Regs } from './registers.ts';
import type { Code } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

export class RegisterLocals {
  /** The formats of the f registers that are in locals. */
  readonly types: FloatTypes;
  /** When there are any, or might be, RNE, NX accrued and FS dirty are assumed. */
  readonly assumes: boolean;
  readonly floats = new Map<number, FloatLocal>();

  constructor({ types, blocks }: Flow, locals: Locals) {
    this.types = types;
    this.assumes = types.size > 0;
    const operands = this.assumes ? fusedOperands(blocks) : 0;
    const fused = operands !== 0 && hostFuses() ? operands : 0;
    for (const [register, type] of types) {
      const inLanes = ((fused >>> register) & 1) !== 0;
      this.floats.set(register, { type, local: locals.keep(inLanes ? 'v128' : type), inLanes });
    }
  }

  /** Writes registers back. */
  store(regs: Regs): Code {
    let code = storeX(regs.x);
    for (let rest = regs.f; rest !== 0; rest &= rest - 1) {
      const r = lowest(rest);
      const float = this.floats.get(r) as FloatLocal;
      const [value, opcode] =
        float.type === 'f64' ? [numberOf(float), OP.f64_store] : [bitsOf(float), OP.i64_store];
      code += i32const(0) + value + memoryOp(opcode, 3, layout.F + 8 * r);
    }
    return code;
  }

  /** Loads registers. */
  load(regs: Regs): Code {
    let code = loadX(regs.x);
    for (const r of numbers(regs.f))
      code += loadFloat(this.floats.get(r) as FloatLocal, i32const(0), layout.F + 8 * r);
    return code;
  }

  /** Not zero when `changes` is not, or some of those x registers are not in the register file what they are in their locals. */
  orChanged(changes: Code, registers: number): Code {
    let code = changes;
    for (const r of numbers(registers)) code = either(code, storedX(r) + get(x(r)) + OP.i32_xor);
    return code;
  }

  /**
   * Not zero when `changes` is not, when what the region assumes of the floating-point unit does not hold, or when not all of the registers
   * that are wanted as singles are NaN-boxed.
   */
  orOtherFloats(changes: Code, { f }: Regs): Code {
    if (!this.assumes) return changes;
    const fcsr = loadState(layout.FCSR) + i32const(0xe1) + OP.i32_and + i32const(1) + OP.i32_xor;
    const state = either(changes, either(fcsr, loadState(layout.FS) + i32const(3) + OP.i32_xor));
    const singles = numbers(f).filter((r) => this.floats.get(r)?.type === 'f32');
    if (singles.length === 0) return state;
    const high = singles.map((r): Code => loadState(layout.F + 8 * r + 4)).reduce(both);
    return either(state, high + i32const(-1) + OP.i32_xor);
  }
}
