/**
 * The bus: routes physical addresses that are not RAM to devices.
 * Counterpart: the memory map of QEMU's `virt` machine and of Spike, as far as it is built.
 * Missing: DMA; no device of this machine reads or writes RAM by itself.
 */

/** A device behind a range of physical addresses. Loads and stores come with offsets into the range. */
export interface Device {
  readonly name: string;
  /** First physical address, and length in bytes. */
  readonly base: number;
  readonly size: number;
  /**
   * @param bytes 1, 2 or 4; the access is inside the device, and naturally aligned
   * @returns the zero-extended value, or -1 for an access fault
   */
  load(offset: number, bytes: number): number;
  /** @returns false for an access fault */
  store(offset: number, bytes: number, value: number): boolean;
}

/** Physical addresses are exact numbers below 2^34. */
export class Bus {
  readonly devices: readonly Device[];

  constructor(devices: readonly Device[]) {
    this.devices = devices;
  }

  /** @returns the zero-extended value, or -1: nothing is there, or it refuses, or the access is misaligned */
  load(pa: number, bytes: number): number {
    const device = this.#find(pa, bytes);
    return device === undefined ? -1 : device.load(pa - device.base, bytes);
  }

  /** @returns false: nothing is there, or it refuses, or the access is misaligned */
  store(pa: number, bytes: number, value: number): boolean {
    const device = this.#find(pa, bytes);
    return device !== undefined && device.store(pa - device.base, bytes, value);
  }

  #find(pa: number, bytes: number): Device | undefined {
    if (pa % bytes !== 0) return undefined;
    return this.devices.find((d) => pa >= d.base && pa + bytes <= d.base + d.size);
  }
}
