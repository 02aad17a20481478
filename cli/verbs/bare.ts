/** `sameframe bare`: an image that owns the machine, from M mode on; its UART is our standard input and output. */
import { fstatSync, readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  BareMachine,
  causeName,
  commitLine,
  isElfProblem,
  signatureText,
  supportedExtensions,
  type BareStop,
} from '../../emulator/index.ts';
import { CliError, errnoCode, EXIT, fileError } from '../errors.ts';
import { printCounters, printErr, writeFully } from '../io.ts';
import { parseSize, tierOption, wholeNumber } from '../options.ts';
import { compileC } from '../programs.ts';
import { OutputFile } from '../state.ts';
import { printable } from '../views/format.ts';

interface BareChoices {
  readonly isa?: string;
  readonly ram?: number;
  readonly signature?: string;
  readonly signatureGranularity: number;
  readonly htif?: true;
  readonly maxInstructions?: number;
  readonly trace?: string;
  readonly misaligned?: 'trap' | 'hardware';
  readonly ad?: 'trap' | 'hardware' | 'menvcfg';
  readonly pmp?: 'off' | 'open';
  readonly tier?: 0 | 1 | 'auto';
  readonly stats?: true;
}

/** Instructions between two looks at standard input. */
const SLICE = 4_000_000;
/** Spike's default. */
const GRANULARITY = 16;

const HELP = `
The image is an ELF32 RISC-V file, linked to physical addresses in RAM, which begins at 0x80000000; a .c file is
compiled to one, without a library. It starts in M mode at its entry point, with the devices of QEMU's virt machine:
CLINT 0x2000000, PLIC 0xc000000, UART 0x10000000. When it has a symbol tohost, it exits and prints through that word
as under Spike (HTIF). Extensions of --isa: ${supportedExtensions()}.

As Spike by default: --misaligned trap --ad trap --pmp open. As QEMU 10 by default: nothing.

Exit status: the exit code written to tohost (255 for greater ones); 0 for an image without tohost that stops at a WFI
which nothing can end; 2 for a wrong option or file, 124 when --max-instructions ran out, 125 for an image that can
never go on: a WFI without an end before tohost was written, or a trap handler that traps into itself.

Examples:
  $ sameframe bare guest/examples/bare.c
  $ sameframe bare rv32ui-p-add --max-instructions 1000000
  $ sameframe bare --signature add.sig --signature-granularity 4 add-01.elf
  $ sameframe bare --trace ours.log a.elf; sameframe diff --elf a.elf ours.log spike.log`;

export function bareCommand(): Command {
  return new Command('bare')
    .description('run a bare-metal image in M mode')
    .argument('<image>', 'an ELF file, or one .c file')
    .addHelpText('after', HELP)
    .option(
      '--isa <string>',
      'the extensions, as rv32gc or rv32imac_zba_zbb (default: all that are implemented)',
    )
    .addOption(tierOption())
    .addOption(new Option('--ram <size>', 'RAM, 16M to 2G (default: 256M)').argParser(parseSize))
    .option('--signature <file>', 'write the memory from begin_signature to end_signature at the end')
    .addOption(
      new Option('--signature-granularity <n>', 'bytes per line: 1, 2, 4, 8 or 16')
        .argParser(granularity)
        .default(GRANULARITY, '16'),
    )
    .option('--htif', 'insist on HTIF: an image without the symbol tohost is a mistake')
    .addOption(
      new Option('--max-instructions <n>', 'stop after so many instructions, with exit status 124').argParser(
        wholeNumber(1),
      ),
    )
    .option('--trace <file>', "every retired instruction, a line each, in Spike's commit-log format")
    .addOption(
      new Option('--misaligned <how>', 'misaligned loads and stores (default: hardware)').choices([
        'hardware',
        'trap',
      ]),
    )
    .addOption(
      new Option(
        '--ad <how>',
        'who sets A and D in page tables; menvcfg: a handler, until ADUE is set (default: hardware, or what --isa says with svade and svadu)',
      ).choices(['hardware', 'trap', 'menvcfg']),
    )
    .addOption(
      new Option(
        '--pmp <state>',
        'the PMP at reset: all entries off, or entry 0 open, as Spike has it (default: off)',
      ).choices(['off', 'open']),
    )
    .option('--stats', 'instructions and speed at the end, on stderr')
    .action(bare);
}

function granularity(text: string): number {
  if (!/^(1|2|4|8|16)$/.test(text)) throw new InvalidArgumentError('1, 2, 4, 8 or 16 is wanted.');
  return Number(text);
}

async function bare(path: string, choices: BareChoices): Promise<void> {
  const out = new Output();
  const machine = load(path, await imageOf(path), choices, (byte) => out.byte(byte));
  const signature = choices.signature === undefined ? null : signatureRange(path, machine);
  const signatureFile = choices.signature === undefined ? null : new OutputFile(choices.signature);
  const trace = choices.trace === undefined ? null : new OutputFile(choices.trace);
  const { hart, ram } = machine.machine;
  if (trace !== null) hart.onRetire = (retired) => trace.line(commitLine(hart, ram, retired));
  const input = new Input((bytes) => machine.machine.platform.uart.receive(bytes));
  const started = performance.now();
  let stop: BareStop;
  try {
    stop = await run(machine, choices.maxInstructions ?? Infinity, input, () => {
      out.flush();
      if (input.live) trace?.flush();
    });
  } finally {
    input.close();
    out.flush();
    trace?.close();
  }
  const seconds = (performance.now() - started) / 1000;
  if (signature !== null && signatureFile !== null) {
    signatureFile.text(signatureText(ram, signature.begin, signature.end, choices.signatureGranularity));
    signatureFile.close();
  }
  report(machine, stop);
  if (choices.stats) {
    const mips = hart.retired / Math.max(seconds, 1e-9) / 1e6;
    hart.tier1.count();
    printCounters([
      ['instructions', String(hart.retired)],
      ['instructions in tier 1', String(hart.tier1.stats.retired)],
      ['regions', String(hart.tier1.stats.regions)],
      ['pages of code dropped', String(hart.invalidations)],
      ['milliseconds compiling', hart.hostTime.compiling.toFixed(0)],
      ['milliseconds in tier 0', hart.hostTime.interpreter.toFixed(0)],
      ['milliseconds in tier 1', hart.hostTime.regions.toFixed(0)],
      ['host seconds', seconds.toFixed(3)],
      ['million instructions per second', mips.toFixed(0)],
    ]);
  }
  process.exitCode = statusOf(machine, stop);
}

async function imageOf(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError('run', path, error);
  }
  return path.endsWith('.c') ? (await compileC([path], { target: 'bare' })).bytes : bytes;
}

function load(
  path: string,
  image: Uint8Array,
  choices: BareChoices,
  output: (byte: number) => void,
): BareMachine {
  try {
    const machine = BareMachine.load(image, {
      output,
      sharedMemory: true,
      ...(choices.isa === undefined ? {} : { isa: choices.isa }),
      ...(choices.ram === undefined ? {} : { ramBytes: choices.ram }),
      ...(choices.tier === undefined ? {} : { tier: choices.tier }),
      ...(choices.stats ? { clock: () => performance.now() } : {}),
      ...(choices.misaligned === undefined ? {} : { misaligned: choices.misaligned }),
      ...(choices.ad === undefined ? {} : { adUpdate: choices.ad }),
      ...(choices.pmp === undefined ? {} : { pmpAtReset: choices.pmp }),
    });
    if (isElfProblem(machine)) throw new CliError(`${path}: ${machine.problem}`);
    if (choices.htif && machine.htif === null) throw new CliError(`${path} has no symbol tohost (--htif)`);
    return machine;
  } catch (error) {
    if (error instanceof RangeError) throw new CliError(error.message);
    throw error;
  }
}

function signatureRange(path: string, machine: BareMachine): { begin: number; end: number } {
  const { symbols } = machine;
  const address = (name: string): number => {
    const at = symbols.addressOf(name);
    if (at === null) throw new CliError(`${path} has no symbol ${name} (--signature)`);
    return at;
  };
  const begin = address('begin_signature');
  const end = address('end_signature');
  if (end < begin || !machine.machine.ram.contains(begin, end - begin)) {
    const range = `0x${begin.toString(16)} to 0x${end.toString(16)}`;
    throw new CliError(`${path}: begin_signature to end_signature (${range}) is not a part of RAM`);
  }
  return { begin, end };
}

async function run(
  machine: BareMachine,
  limit: number,
  input: Input,
  afterSlice: () => void,
): Promise<BareStop> {
  const { hart } = machine.machine;
  await input.breathe();
  for (;;) {
    const stop = machine.run(Math.min(SLICE, limit - hart.retired));
    afterSlice();
    if (stop.kind === 'wfi' && machine.listens && input.live) {
      await input.next();
      continue;
    }
    if (stop.kind !== 'budget' || hart.retired >= limit) return stop;
    await input.breathe();
  }
}

function place(machine: BareMachine, pc: number): string {
  const symbol = machine.symbols.nameAt(pc);
  return `0x${pc.toString(16).padStart(8, '0')}${symbol === '' ? '' : ` <${printable(symbol)}>`}`;
}

/** Says on stderr why a run did not end by itself. */
function report(machine: BareMachine, stop: BareStop): void {
  const { hart } = machine.machine;
  if (stop.kind === 'budget') {
    const count = String(hart.retired);
    printErr(
      `sameframe: stopped after ${count} instructions (--max-instructions) at ${place(machine, hart.pc)}\n`,
    );
  } else if (stop.kind === 'trapLoop') {
    const what = `${causeName(stop.cause)}, tval 0x${stop.tval.toString(16)}`;
    printErr(`sameframe: the trap handler at ${place(machine, stop.pc)} traps into itself: ${what}\n`);
  } else if (stop.kind === 'wfi' && machine.htif !== null) {
    printErr(`sameframe: WFI before ${place(machine, stop.pc)}, and nothing can end it\n`);
  } else if (stop.kind === 'exit' && stop.code > 255) {
    printErr(`sameframe: the image's exit code is ${String(stop.code)}\n`);
  }
}

function statusOf(machine: BareMachine, stop: BareStop): number {
  if (stop.kind === 'exit') return Math.min(stop.code, 255);
  if (stop.kind === 'budget') return EXIT.limit;
  return stop.kind === 'wfi' && machine.htif === null ? 0 : EXIT.deadlock;
}

/** What the image prints: written by the slice, and whenever there is much of it. */
class Output {
  private readonly buffer = new Uint8Array(8192);
  private length = 0;

  byte(byte: number): void {
    this.buffer[this.length++] = byte;
    if (this.length === this.buffer.length || byte === 10) this.flush();
  }

  flush(): void {
    if (this.length === 0) return;
    const { length } = this;
    this.length = 0;
    writeFully(1, this.buffer.subarray(0, length));
  }
}

/**
 * Standard input: a file is there at once, so that runs repeat; what a terminal or a pipe gives comes as it comes, and
 * the image does not wait for it.
 */
class Input {
  /** More may come. */
  live = false;
  private wake: () => void = () => {};

  constructor(receive: (bytes: Uint8Array) => void) {
    try {
      if (fstatSync(0).isFile()) {
        receive(readFileSync(0));
        return;
      }
    } catch (error) {
      if (errnoCode(error) === '') throw error;
      return; // no standard input
    }
    this.live = true;
    const end = (): void => {
      this.live = false;
      this.wake();
    };
    process.stdin
      .on('data', (bytes: Buffer) => {
        receive(bytes);
        this.wake();
      })
      .on('end', end)
      .on('error', end);
  }

  /** Lets waiting input come in. */
  async breathe(): Promise<void> {
    if (this.live) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Waits for more input, or its end. */
  async next(): Promise<void> {
    if (this.live) await new Promise<void>((resolve) => (this.wake = resolve));
  }

  close(): void {
    if (this.live) process.stdin.destroy();
    this.live = false;
  }
}
