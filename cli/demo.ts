/**
 * `npm start`: two C programs share one frame, told step by step with the live structures.
 *
 * Uses nothing that a user of the library does not have: compile, boot, spawn, run until a predicate on the
 * picture holds, look, run on.
 */
import { fileURLToPath } from 'node:url';
import { boot } from '../kernel-ts/index.ts';
import type { Picture, Process, System } from '../kernel-ts/index.ts';
import { CliError } from './errors.ts';
import { printErr, printOut, writeFully } from './io.ts';
import { compileSource } from './programs.ts';
import { drawDiagram, show } from './terminal.ts';
import { count, hex, hex32 } from './views/format.ts';
import { ipcsView } from './views/ipcs.ts';
import { walkSteps } from './views/processColumn.ts';
import { attachments, segments } from './views/shared.ts';
import type { Attachment } from './views/shared.ts';

const PROGRAMS = ['producer', 'consumer'];

/** A frame that every process attached to a segment maps. */
interface Meeting {
  readonly pfn: number;
  readonly shmid: number;
  readonly people: readonly Attachment[];
}

function meeting(picture: Picture): Meeting | null {
  for (const segment of segments(picture)) {
    const people = attachments(picture, segment);
    const frames = people.map(({ vmas }) => vmas.flatMap((vma) => vma.ptes.map((pte) => pte.pfn)));
    const pfn = frames[0]?.find((candidate) => frames.every((list) => list.includes(candidate)));
    if (people.length >= PROGRAMS.length && pfn !== undefined) return { pfn, shmid: segment.id, people };
  }
  return null;
}

function heading(text: string): void {
  printOut(`\n== ${text} ${'='.repeat(Math.max(0, 96 - text.length))}\n\n`);
}

function say(...lines: readonly string[]): void {
  printOut(`${lines.join('\n')}\n`);
}

async function start(): Promise<{ system: System; processes: Process[] }> {
  heading('1. Two C programs');
  say('Compiled by a real cross compiler for 32-bit RISC-V Linux, linked statically with musl:');
  const system = boot();
  const processes: Process[] = [];
  for (const name of PROGRAMS) {
    const path = fileURLToPath(new URL(`../guest/examples/${name}.c`, import.meta.url));
    const image = await compileSource(path);
    const stream = (bytes: Uint8Array): void => {
      writeFully(1, bytes);
    };
    const spawned = system.spawn(image, {
      name: `/bin/${name}`,
      args: [name],
      stdout: stream,
      stderr: stream,
    });
    say(`  guest/examples/${name}.c  ${String(image.length)} bytes, pid ${String(spawned.pid)}`);
    processes.push(spawned);
  }
  say(
    '',
    'They run as two processes, each with its own page table, until both have touched the segment:',
    '',
  );
  return { system, processes };
}

/** The same frame seen from both sides and from below. */
function explainMeeting(system: System, { pfn, shmid, people }: Meeting): void {
  heading('3. Two walks, one physical page');
  for (const { task, vmas } of people) {
    const pte = vmas.flatMap((vma) => vma.ptes).find((one) => one.pfn === pfn);
    if (pte === undefined) continue;
    say(`pid ${String(task.pid)} (${task.comm}) reads virtual address ${hex32(pte.va)}`);
    say(...walkSteps(pte, task.mm?.satp ?? 0).map((step) => `    ${step}`));
    const bytes = system.readMemory(task.pid, pte.va, 16);
    say(`    its first bytes: ${dump(bytes)}`, '');
  }
  say(
    'The letters are the low bits of an entry: D dirty, A accessed, G global, U user, X W R permissions, V valid.',
    'The hardware sets A at a first access and D at a first write, in the entry of the process that made it.',
    '',
  );
  say(`Frame ${hex(pfn)} of guest RAM, read without any page table:`);
  say(`    at ${hex32(pfn * 4096)}:   ${dump(system.readFrame(pfn, 0, 16))}`, '');
  say(
    `Nothing was copied: shmat (shmid ${String(shmid)}) gave each process a VMA on the same file; the first touch`,
    'faulted, shmem found the page in the address_space and put its number into the page table of whoever asked.',
  );
}

function dump(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

async function main(): Promise<number> {
  say('sameframe: two processes, one frame');
  const { system, processes } = await start();
  const stopped = system.run({
    until: { kind: 'picture', predicate: (picture) => meeting(picture) !== null },
  });
  const picture = system.picture();
  const met = meeting(picture);
  if (stopped.reason !== 'until' || met === null) throw new Error('the programs never met on a frame');

  heading('2. Stopped while both are attached: the picture with live values');
  drawDiagram(picture, 1);
  explainMeeting(system, met);

  heading('4. On to the end');
  const ended = system.run();
  if (ended.reason !== 'exited') throw new Error(`the run ended with ${ended.reason}`);
  for (const { pid, name, exit } of processes) {
    say(`pid ${String(pid)} (${name}) ended with exit status ${String(exit?.status)}`);
  }

  heading('5. Nothing stays attached');
  const last = system.picture();
  show(ipcsView(last, ['memory']), last, 1);
  const attached = segments(last).reduce((sum, segment) => sum + segment.shmNattch, 0);
  const { framesFree, framesTotal } = last.ram;
  say(
    `${count(segments(last).length, 'segment')}, ${count(attached, 'attach', 'attaches')}; ` +
      `${String(framesFree)} of ${String(framesTotal)} frames free; ` +
      `${count(system.instructions, 'instruction')} in all, the same ones on every run.`,
    '',
    'Next:  npm run -s sameframe -- run --diagram=steps guest/examples/producer.c -- guest/examples/consumer.c',
    '       npm run -s sameframe -- --help',
  );
  return processes.find(({ exit }) => exit?.status !== 0)?.exit?.status ?? 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof CliError)) throw error;
  printErr(`${error.before}sameframe: ${error.message}\n`);
  process.exitCode = error.status;
}
