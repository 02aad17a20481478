/** A hart reduced to what CSRs are made of, for the tests of emulator/priv. */
import { csrNumber, executeCsr } from '../../../emulator/priv/csr.ts';
import type { CsrContext } from '../../../emulator/priv/csr.ts';
import { PrivState } from '../../../emulator/priv/state.ts';
import type { Privilege } from '../../../emulator/priv/state.ts';

export class TestHart implements CsrContext {
  readonly state = new PrivState();
  fs = 3;
  fcsr = 0;
  retired = 0;
  pc = 0;
  timeNow = 0;
  readonly fp = {
    getFs: (): number => this.fs,
    setFs: (fs: number): void => {
      this.fs = fs;
    },
    getFcsr: (): number => this.fcsr,
    setFcsr: (fcsr: number): void => {
      this.fcsr = fcsr;
    },
  };
  readonly clock = {
    timeLow: (): number => this.timeNow >>> 0,
    timeHigh: (): number => Math.floor(this.timeNow / 2 ** 32),
  };

  in(privilege: Privilege): this {
    this.state.privilege = privilege;
    return this;
  }
}

/** The number of a CSR that exists. */
export function csr(name: string): number {
  const number = csrNumber(name);
  if (number === undefined) throw new Error(`no CSR is named ${name}`);
  return number;
}

export type Op = 'csrrw' | 'csrrs' | 'csrrc' | 'csrrwi' | 'csrrsi' | 'csrrci';
const funct3: Record<Op, number> = { csrrw: 1, csrrs: 2, csrrc: 3, csrrwi: 5, csrrsi: 6, csrrci: 7 };

export interface Executed {
  legal: boolean;
  /** rd's value. */
  value: number;
  effects: number;
}

/**
 * Executes one CSR instruction and retires it.
 * @param rs1 register number, or the immediate
 * @param operand x[rs1]
 */
export function execute(
  hart: TestHart,
  op: Op,
  name: string | number,
  rd: number,
  rs1: number,
  operand = 0,
): Executed {
  const number = typeof name === 'string' ? csr(name) : name;
  const insn = ((number << 20) | (rs1 << 15) | (funct3[op] << 12) | (rd << 7) | 0x73) >>> 0;
  const out = { value: -1, effects: -1 };
  const legal = executeCsr(hart, insn, operand, out);
  if (legal) hart.retired++;
  return { legal, ...out };
}
