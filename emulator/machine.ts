/** The machine: RAM, hart and devices in one WebAssembly.Memory. The memory map is that of QEMU's virt machine. */
import { Platform } from './devices/platform.ts';
import { FULL_ISA, parseIsa } from './isa/choice.ts';
import { Hart } from './hart.ts';
import type { TierChoice } from './jit/heat.ts';
import { COMPILE_AFTER } from './jit/tier1.ts';
import { memoryPages } from './layout.ts';
import { PhysicalMemory } from './memory.ts';
import { Pmp, writePmpaddr, writePmpcfg } from './priv/pmp.ts';
import { ADUE } from './priv/state.ts';

const MIB = 1 << 20;
const DEFAULT_RAM = 256 * MIB;

export interface MachineOptions {
  /** Bytes of RAM: 16 MiB to 2 GiB, a multiple of 64 KiB. Default 256 MiB. */
  readonly ramBytes?: number;
  /** The extensions, as an ISA string: "rv32gc_zba_zbb" (isa/choice.ts). Default: all that are implemented. */
  readonly isa?: string;
  /** What a misaligned load or store does. Default 'hardware'. */
  readonly misaligned?: 'hardware' | 'trap';
  /**
   * Who sets A and D in page-table entries. 'hardware': the walk, until the guest clears menvcfg.ADUE (Svadu).
   * 'menvcfg': a trap handler, until the guest sets ADUE (Svade and Svadu, as the RVA profiles want them). 'trap': always a
   * handler, and ADUE is read-only zero (Svade alone). Default: what the ISA string says, else 'hardware'.
   */
  readonly adUpdate?: 'hardware' | 'menvcfg' | 'trap';
  /**
   * The PMP after reset. 'off': no entry matches, so that S and U may access nothing until M mode opens the memory (the
   * specification's default, and QEMU's). 'open': entry 0 permits everything, as Spike has it. Default 'off'.
   */
  readonly pmpAtReset?: 'off' | 'open';
  /**
   * Who executes: 0 the interpreter alone, 1 compiles whatever is executed twice, 'auto' what is hot. Nothing but the speed
   * depends on it. Default 'auto'.
   */
  readonly tier?: TierChoice;
  /**
   * Instructions that must have been retired before tier 'auto' compiles what is hot. Nothing that the guest does depends on it. Default:
   * 10.5 million, which take the interpreter less time than compiling.
   */
  readonly compileAfter?: number;
  /**
   * RAM is in a SharedArrayBuffer: other threads may look at it while the machine runs, and V8 does not count it when it decides whether to
   * collect garbage, which is worth 8 ms at the start. Who makes many machines wants them counted. Default false.
   */
  readonly sharedMemory?: boolean;
  /** Milliseconds of the host; with it `hart.hostTime` is measured. Nothing that the guest does depends on it. Default: none. */
  readonly clock?: () => number;
}

export class Machine {
  readonly memory: WebAssembly.Memory;
  readonly ram: PhysicalMemory;
  readonly hart: Hart;
  readonly platform: Platform;

  /** @throws RangeError for a RAM size or an ISA that is not possible, or when the host has no room for it */
  constructor(options: MachineOptions = {}) {
    const ramBytes = options.ramBytes ?? DEFAULT_RAM;
    if (
      !Number.isInteger(ramBytes) ||
      ramBytes < 16 * MIB ||
      ramBytes > 2048 * MIB ||
      ramBytes % 0x1_0000 !== 0
    ) {
      throw new RangeError(`RAM must be 16 MiB to 2 GiB in steps of 64 KiB, not ${ramBytes} bytes`);
    }
    const isa = options.isa === undefined ? FULL_ISA : parseIsa(options.isa);
    const pages = memoryPages(ramBytes);
    this.memory = new WebAssembly.Memory({
      initial: pages,
      maximum: pages,
      shared: options.sharedMemory ?? false,
    });
    this.ram = new PhysicalMemory(this.memory, ramBytes);
    let platform: Platform | undefined;
    this.hart = new Hart(this.memory, this.ram, (hart) => (platform = new Platform(hart)), {
      misalignedInHardware: options.misaligned !== 'trap',
      isa,
      tier: options.tier ?? 'auto',
      compileAfter: options.compileAfter ?? COMPILE_AFTER,
      clock: options.clock ?? null,
    });
    const { state } = this.hart;
    const adUpdate = options.adUpdate ?? isa.adUpdate ?? 'hardware';
    state.svadu = adUpdate !== 'trap';
    state.menvcfgh = adUpdate === 'hardware' ? ADUE : 0;
    if (options.pmpAtReset === 'open') {
      writePmpaddr(state, 0, 0xffff_ffff);
      writePmpcfg(state, 0, Pmp.Napot | Pmp.X | Pmp.W | Pmp.R);
      this.hart.mmu.pmpChanged();
    }
    this.platform = platform as unknown as Platform;
  }
}
