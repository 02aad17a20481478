/** The notations of option values, and the options that every verb that runs programs shares. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { isSystemCall } from '../kernel-ts/index.ts';
import type { Until } from '../kernel-ts/index.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** 67108864, 64M, 1G, 1.5G, 64MiB. What the machine can have is the machine's to say. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMG]?)(?:i?B)?$/i.exec(text);
  const bytes = Number(match?.[1]) * (UNITS[match?.[2]?.toUpperCase() ?? ''] ?? Number.NaN);
  if (!Number.isInteger(bytes)) throw new InvalidArgumentError('A size is a number with K, M or G: 64M, 1G.');
  return bytes;
}

/** A whole number from `least` to 2^53 - 1, decimal or 0x hexadecimal, underscores allowed. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const plain = text.replaceAll('_', '');
    const value = /^(\d+|0x[0-9a-f]+)$/i.test(plain) ? Number(plain) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      const range =
        most === Number.MAX_SAFE_INTEGER
          ? `at least ${String(least)}`
          : `${String(least)} to ${String(most)}`;
      throw new InvalidArgumentError(`A whole number is wanted, ${range}.`);
    }
    return value;
  };
}

function collectEnv(text: string, known: readonly string[]): readonly string[] {
  if (!/^[^=]+=/.test(text)) throw new InvalidArgumentError('NAME=VALUE is wanted.');
  return [...known, text];
}

/** Where a run stops: a system call's or a symbol's name, 0x and a pc, or a count of instructions. */
export function parseUntil(text: string): Until {
  const [, kind, name] = /^(symbol|syscall|pc):(.+)$/.exec(text) ?? [];
  if (kind === 'symbol' && name !== undefined) return { kind, name };
  if (kind === 'syscall' && name !== undefined) {
    if (!isSystemCall(name)) throw new InvalidArgumentError(`There is no system call ${name}.`);
    return { kind, name };
  }
  const value = name ?? text;
  if (/^0x[0-9a-f]{1,8}$/i.test(value)) return { kind: 'pc', pc: Number(value) };
  if (kind === undefined && /^\d[\d_]*$/.test(text)) {
    return { kind: 'instructions', count: wholeNumber(0)(text) };
  }
  if (kind === undefined && /^[A-Za-z_.$][\w.$]*$/.test(text)) {
    return isSystemCall(text) ? { kind: 'syscall', name: text } : { kind: 'symbol', name: text };
  }
  throw new InvalidArgumentError(
    'A symbol, a system call, 0x and a pc, or a count of instructions is wanted.',
  );
}

/** What every verb that runs programs can be told about the machine and the processes. */
export interface MachineChoices {
  readonly ram?: number;
  readonly quantum?: number;
  readonly maxInstructions?: number;
  readonly seed?: number;
  readonly tier?: 0 | 1 | 'auto';
  readonly env: readonly string[];
  readonly uid?: number;
}

/** Who executes instructions; nothing but the speed depends on it. */
export function tierOption(): Option {
  return new Option(
    '--tier <tier>',
    '0: the interpreter alone; 1: compiled code wherever it can be; auto: compiled code where it is hot (default)',
  ).argParser((text) => {
    if (text === 'auto') return text;
    if (text === '0' || text === '1') return Number(text);
    throw new InvalidArgumentError('0, 1 or auto is wanted.');
  });
}

/** Adds those options to a command. */
export function machineOptions(command: Command): Command {
  return command
    .addOption(tierOption())
    .addOption(new Option('--ram <size>', 'guest RAM, 16M to 2G (default: 256M)').argParser(parseSize))
    .addOption(
      new Option(
        '--quantum <n>',
        'instructions a process runs before the next has its turn (default: 100000)',
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      new Option('--max-instructions <n>', 'stop after so many instructions, with exit status 124').argParser(
        wholeNumber(1),
      ),
    )
    .addOption(
      new Option('--seed <n>', 'seed of getrandom and /dev/urandom (default: 1)').argParser(
        wholeNumber(0, 0xffffffff),
      ),
    )
    .addOption(
      new Option('--env <name=value>', 'a variable of the programs’ environment; repeatable')
        .argParser(collectEnv)
        .default([], 'empty'),
    )
    .addOption(
      new Option('--uid <n>', 'user and group id of the programs (default: 0)').argParser(
        wholeNumber(0, 0xfffffffe),
      ),
    );
}
