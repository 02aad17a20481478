/** `sameframe dis`: the instructions of a program, by symbols, as objdump -d prints them. */
import { Command } from 'commander';
import { disassemble, isElfProblem, isWide, readSymbols } from '../../emulator/index.ts';
import { readElf } from '../../kernel-ts/index.ts';
import { CliError } from '../errors.ts';
import { printOut } from '../io.ts';
import { loadPrograms } from '../programs.ts';
import { printable } from '../views/format.ts';

/** Executable, in p_flags. */
const PF_X = 1;

const HELP = `
Examples:
  $ sameframe dis producer.c main
  $ sameframe dis a.elf | less`;

export function disCommand(): Command {
  return new Command('dis')
    .description('disassemble a program, or one function of it')
    .argument('<prog>', 'an ELF file or one .c file')
    .argument('[symbol]', 'the function')
    .addHelpText('after', HELP)
    .action(dis);
}

async function dis(path: string, symbol: string | undefined): Promise<void> {
  const [program] = await loadPrograms([path]);
  if (program === undefined) return;
  const image = program.image.read(0, program.image.length);
  // Nothing is loaded, so only the limits of the format itself apply.
  const elf = readElf(image, 0x1_0000_0000, 0x1_0000_0000);
  if (isElfProblem(elf)) throw new CliError(`${path}: ${elf.problem}`);
  const symbols = readSymbols(image);
  const start = symbol === undefined ? null : symbols.addressOf(symbol);
  if (symbol !== undefined && start === null) throw new CliError(`${path} has no symbol ${symbol}`);
  const lines: string[] = [];
  for (const segment of elf.segments.filter((one) => one.flags & PF_X)) {
    const { buffer, byteOffset } = image;
    const view = new DataView(buffer, byteOffset + segment.offset, segment.filesz);
    const first = start === null ? 0 : start - segment.vaddr;
    if (first < 0 || first >= view.byteLength) continue;
    for (let at = first; at + 2 <= view.byteLength;) {
      const pc = segment.vaddr + at;
      const name = symbols.nameAt(pc);
      // One function: up to the next symbol that is another's.
      if (start !== null && pc !== start && !name.startsWith(`${symbol ?? ''}+`)) break;
      if (name !== '' && !name.includes('+')) lines.push('', `${digits(pc, 8)} <${printable(name)}>:`);
      const half = view.getUint16(at, true);
      const wide = isWide(half) && at + 4 <= view.byteLength;
      const insn = wide ? view.getUint32(at, true) : half;
      lines.push(
        `${digits(pc, 8).padStart(10)}: ${digits(insn, wide ? 8 : 4).padEnd(10)} ${disassemble(insn, pc)}`,
      );
      at += wide ? 4 : 2;
      if (lines.length > 4096) printOut(`${lines.splice(0).join('\n')}\n`);
    }
  }
  printOut(`${lines.join('\n')}\n`);
}

function digits(value: number, width: number): string {
  return (value >>> 0).toString(16).padStart(width, '0');
}
