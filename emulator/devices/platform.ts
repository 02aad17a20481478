/**
 * The devices of the machine on one bus, and their lines into mip.
 * Counterpart: QEMU's `virt` machine: CLINT 0x0200_0000, PLIC 0x0c00_0000, UART 0x1000_0000 on PLIC source 10.
 * Missing: virtio, PCI, flash, RTC, the test finisher.
 */
import { Interrupt } from '../priv/cause.ts';
import { Bus } from './bus.ts';
import { Clint } from './clint.ts';
import type { RetiredCount } from './clint.ts';
import { Plic } from './plic.ts';
import { Uart } from './uart.ts';

/** The UART's source number at the PLIC. */
export const UART_SOURCE = 10;

export class Platform {
  readonly clint: Clint;
  readonly uart: Uart;
  readonly plic: Plic;
  readonly bus: Bus;

  /** @param hart whose retired count is the machine's time */
  constructor(hart: RetiredCount) {
    this.clint = new Clint(hart);
    const uart = new Uart();
    this.uart = uart;
    this.plic = new Plic([{ source: UART_SOURCE, interrupt: () => uart.interrupt() }]);
    this.bus = new Bus([this.clint, this.plic, this.uart]);
  }

  /** The lines that devices drive, in mip's bit positions: for PrivState.lines. */
  interruptLines(): number {
    return (
      (this.clint.softwareInterrupt() ? 1 << Interrupt.MachineSoftware : 0) |
      (this.clint.timerInterrupt() ? 1 << Interrupt.MachineTimer : 0) |
      (this.plic.interrupt(0) ? 1 << Interrupt.MachineExternal : 0) |
      (this.plic.interrupt(1) ? 1 << Interrupt.SupervisorExternal : 0)
    );
  }

  /**
   * The retired count up to which interruptLines() cannot change unless a device is accessed: run() must look
   * again then. Infinity when the timer is far away.
   */
  nextEventAt(): number {
    return this.clint.timerInterrupt() ? Infinity : this.clint.timerDueAt();
  }
}
