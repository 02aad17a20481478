/** Bare-metal tests that begin in S mode under Sv32. */
import { RAM_BASE } from '../../../emulator/index.ts';
import type { MachineOptions } from '../../../emulator/index.ts';
import { Privilege } from '../../../emulator/priv/state.ts';
import { A, D, R, Tables, V, W, X } from '../paging.ts';
import { Bare } from './bare.ts';
import type { Path } from './bare.ts';

/** Where the supervisor's code is mapped, one to one; and a page of data, and its alternative. */
export const DATA_VA = 0x4000_0000;
export const FIRST = RAM_BASE + 0x10_0000;
export const SECOND = RAM_BASE + 0x20_0000;
export const KERNEL = V | R | W | X | A | D;

/**
 * A machine in S mode under Sv32 at the label `start`: the image is mapped one to one for the supervisor by a 4 MiB
 * page, DATA_VA as the test says. Traps go to `handler` in M mode.
 */
export function supervisor(
  path: Path,
  source: string,
  options: MachineOptions & { flags?: number } = {},
): Bare & { tables: Tables } {
  const bare = new Bare(path, `${source}\n .align 4\n handler: j handler`, options);
  const tables = new Tables(bare.machine);
  tables.mapMegapage(RAM_BASE, RAM_BASE, KERNEL);
  tables.map(DATA_VA, FIRST, options.flags ?? KERNEL);
  bare.machine.ram.write32(FIRST, 0x1111);
  bare.machine.ram.write32(SECOND, 0x2222);
  const { state } = bare.hart;
  state.mtvec = bare.address('handler');
  state.pmpaddr[0] = 0xffff_ffff;
  state.pmpcfg[0] = 0x1f;
  bare.hart.mmu.pmpChanged();
  bare.hart.setAddressSpace(tables.satp);
  bare.hart.privilege = Privilege.S;
  bare.hart.pc = bare.address('start');
  return Object.assign(bare, { tables });
}
