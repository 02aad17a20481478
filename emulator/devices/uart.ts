/**
 * A 16550A UART without a line: transmission takes no time, received bytes come from a queue.
 * Counterpart: National Semiconductor PC16550D data sheet; QEMU's `virt` (base 0x1000_0000, one byte per register).
 * Missing: baud rates and parity (accepted, without effect), break, modem lines, loopback, the time-out interrupt (data
 * in the queue are announced at once whatever the trigger level).
 */
import type { Device } from './bus.ts';

export const UART_BASE = 0x1000_0000;

/** Register offsets; the first two are the divisor latch while LCR.DLAB is set. */
const RBR_THR_DLL = 0;
const IER_DLM = 1;
const IIR_FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;
const SCR = 7;

const LCR_DLAB = 0x80;
const IER_RECEIVED = 0x01;
const IER_TRANSMITTER_EMPTY = 0x02;
const FCR_ENABLE = 0x01;
const FCR_CLEAR_RECEIVER = 0x02;
const LSR_DATA_READY = 0x01;
const LSR_THR_EMPTY = 0x20;
const LSR_TRANSMITTER_EMPTY = 0x40;
const IIR_NONE = 0x01;
const IIR_THR_EMPTY = 0x02;
const IIR_RECEIVED = 0x04;
const IIR_FIFOS = 0xc0;
/** Carrier detect, data set ready, clear to send: somebody is at the other end. */
const MSR_CONNECTED = 0xb0;

/** Plain data, so that a checkpoint is a copy. Registers are bytes, the divisor has two. */
export interface UartState {
  /** Received and not yet read. */
  readonly input: number[];
  ier: number;
  fifos: boolean;
  lcr: number;
  mcr: number;
  scr: number;
  divisor: number;
  /** The THR-empty interrupt: raised by emptying THR or enabling it, ended by reading IIR or writing THR. */
  thrEmptyPending: boolean;
}

export class Uart implements Device {
  readonly name = 'uart';
  readonly base = UART_BASE;
  readonly size = 8;
  /** Called with each transmitted byte. */
  output: (byte: number) => void;

  readonly state: UartState = {
    input: [],
    ier: 0,
    fifos: false,
    lcr: 0,
    mcr: 0,
    scr: 0,
    divisor: 0,
    thrEmptyPending: false,
  };

  constructor(output: (byte: number) => void = () => {}) {
    this.output = output;
  }

  /** Bytes that the guest is to receive, in order. */
  receive(bytes: Iterable<number>): void {
    for (const byte of bytes) this.state.input.push(byte & 0xff);
  }

  /** The interrupt line. */
  interrupt(): boolean {
    return this.#interruptId() !== IIR_NONE;
  }

  load(offset: number, bytes: number): number {
    if (bytes !== 1) return -1;
    const latch = (this.state.lcr & LCR_DLAB) !== 0;
    switch (offset) {
      case RBR_THR_DLL:
        return latch ? this.state.divisor & 0xff : (this.state.input.shift() ?? 0);
      case IER_DLM:
        return latch ? this.state.divisor >>> 8 : this.state.ier;
      case IIR_FCR:
        return this.#readIir();
      case LCR:
        return this.state.lcr;
      case MCR:
        return this.state.mcr;
      case LSR:
        return LSR_THR_EMPTY | LSR_TRANSMITTER_EMPTY | (this.state.input.length > 0 ? LSR_DATA_READY : 0);
      case MSR:
        return MSR_CONNECTED;
      default:
        return this.state.scr;
    }
  }

  store(offset: number, bytes: number, value: number): boolean {
    if (bytes !== 1) return false;
    const byte = value & 0xff;
    const latch = (this.state.lcr & LCR_DLAB) !== 0;
    switch (offset) {
      case RBR_THR_DLL:
        if (latch) this.state.divisor = (this.state.divisor & 0xff00) | byte;
        else this.#transmit(byte);
        break;
      case IER_DLM:
        if (latch) this.state.divisor = (this.state.divisor & 0xff) | (byte << 8);
        else this.#writeIer(byte);
        break;
      case IIR_FCR:
        this.state.fifos = (byte & FCR_ENABLE) !== 0;
        if ((byte & FCR_CLEAR_RECEIVER) !== 0) this.state.input.length = 0;
        break;
      case LCR:
        this.state.lcr = byte;
        break;
      case MCR:
        this.state.mcr = byte & 0x1f;
        break;
      case SCR:
        this.state.scr = byte;
        break;
      default: // LSR and MSR are read-only
        break;
    }
    return true;
  }

  #transmit(byte: number): void {
    this.output(byte);
    this.state.thrEmptyPending = true; // it is empty again at once
  }

  #writeIer(byte: number): void {
    const enabled = byte & ~this.state.ier & IER_TRANSMITTER_EMPTY;
    this.state.ier = byte & 0x0f;
    if (enabled !== 0) this.state.thrEmptyPending = true;
  }

  /** Received data has priority over THR empty. */
  #interruptId(): number {
    if ((this.state.ier & IER_RECEIVED) !== 0 && this.state.input.length > 0) return IIR_RECEIVED;
    if ((this.state.ier & IER_TRANSMITTER_EMPTY) !== 0 && this.state.thrEmptyPending) return IIR_THR_EMPTY;
    return IIR_NONE;
  }

  #readIir(): number {
    const id = this.#interruptId();
    if (id === IIR_THR_EMPTY) this.state.thrEmptyPending = false;
    return id | (this.state.fifos ? IIR_FIFOS : 0);
  }
}
