/**
 * The host-target interface: two 64-bit words in RAM through which a bare-metal image exits and prints.
 * Counterpart: Spike's htif and riscv-tests (symbols `tohost` and `fromhost`).
 * As in Spike, a command is cleared from tohost when it is taken; writing a character gets no answer in fromhost.
 * Missing: system calls through the proxy other than write and exit (they give -ENOSYS), and keyboard input (it is never
 * answered, as if nobody typed).
 */

/** What the host reads and writes of the guest's memory. */
export interface HtifMemory {
  contains(pa: number, len?: number): boolean;
  read32(pa: number): number;
  write32(pa: number, value: number): void;
  readBytes(pa: number, len: number): Uint8Array;
}

const ENOSYS = 38;
const SYS_EXIT = 93;
const SYS_WRITE = 64;
const DEVICE_CONSOLE = 1;
const CONSOLE_PUTCHAR = 1;

/**
 * A word of one half written, and the other half not: on RV32 a command takes two stores, in either order, but a test
 * may also exit with one. So many instructions later the command is taken as it stands.
 */
export const HTIF_GRACE = 64;

const LOW = 1;
const HIGH = 2;

export class Htif {
  /** Physical addresses of the two words. */
  readonly tohost: number;
  /** null: the image has none, and gets no answers. */
  readonly fromhost: number | null;
  /** Called with each byte that the guest prints. */
  output: (byte: number) => void;
  /** What the guest exited with; null while it runs. riscv-tests exit with the number of the failed test. */
  exitCode: number | null = null;
  /** The halves of tohost that were stored to since the last command: bit 0 low, bit 1 high. */
  #stored = 0;
  #complete = false;

  /** @param symbols physical addresses of `tohost` and `fromhost`, from the image's symbol table */
  constructor(
    symbols: { tohost: number; fromhost: number | null },
    output: (byte: number) => void = () => {},
  ) {
    this.tohost = symbols.tohost;
    this.fromhost = symbols.fromhost;
    this.output = output;
  }

  /** tohost was stored to, in [pa, pa + size). */
  stored(pa: number, size: number): void {
    const low = pa < this.tohost + 4 ? LOW : 0;
    const high = pa + size > this.tohost + 4 ? HIGH : 0;
    this.#complete ||= (this.#stored & (low | high)) !== 0;
    this.#stored |= low | high;
    this.#complete ||= this.#stored === (LOW | HIGH);
  }

  /** What tohost holds: nothing new, perhaps a half of a command, or a command. */
  get pending(): 'nothing' | 'half' | 'command' {
    if (this.#complete) return 'command';
    return this.#stored === 0 ? 'nothing' : 'half';
  }

  /** Serves what the guest has written to tohost, if anything. */
  poll(ram: HtifMemory): void {
    this.#stored = 0;
    this.#complete = false;
    const low = ram.read32(this.tohost);
    const high = ram.read32(this.tohost + 4);
    if (low === 0 && high === 0) return;
    ram.write32(this.tohost, 0);
    ram.write32(this.tohost + 4, 0);
    const device = high >>> 24;
    const command = (high >>> 16) & 0xff;
    if (device === DEVICE_CONSOLE) {
      if (command === CONSOLE_PUTCHAR) this.output(low & 0xff);
    } else if (device === 0 && (low & 1) !== 0) {
      this.exitCode = low >>> 1;
    } else if (device === 0) {
      this.#syscall(ram, low);
      this.#answer(ram);
    }
  }

  #answer(ram: HtifMemory): void {
    if (this.fromhost === null) return;
    ram.write32(this.fromhost, 1);
    ram.write32(this.fromhost + 4, 0);
  }

  /** A system call: eight 64-bit words at `block`, number first; the result replaces the number. */
  #syscall(ram: HtifMemory, block: number): void {
    if (!ram.contains(block, 64)) return;
    const argument = (index: number): number => ram.read32(block + 8 * index);
    let result = -ENOSYS;
    if (argument(0) === SYS_EXIT) {
      this.exitCode = argument(1);
      result = 0;
    } else if (argument(0) === SYS_WRITE && ram.contains(argument(2), argument(3))) {
      for (const byte of ram.readBytes(argument(2), argument(3))) this.output(byte);
      result = argument(3);
    }
    ram.write32(block, result >>> 0);
    ram.write32(block + 4, result < 0 ? 0xffff_ffff : 0);
  }
}
