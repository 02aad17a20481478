/**
 * One run of one program in sameframe, in a process of its own: `child.ts ELF [argument...]`.
 *
 * The package is imported by its name, that is as built. Writes JSON to stdout: what the guest printed, and the time of the run by the
 * processor and by the clock, V8's background compilation and the start of the machine included, Node's own start-up not.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { boot } from 'sameframe';

const [path = '', ...args] = process.argv.slice(2);
const image = new Uint8Array(readFileSync(path));
const name = `/bin/${basename(path)}`;

const start = performance.now();
const before = process.cpuUsage();
const system = boot();
const program = system.spawn(image, { name, args: [name, ...args] });
const result = system.run();
const used = process.cpuUsage(before);
const elapsed = (performance.now() - start) / 1000;

process.stdout.write(
  JSON.stringify({
    stdout: program.stdout,
    status: program.exit?.status ?? null,
    reason: result.reason,
    instructions: system.instructions,
    seconds: (used.user + used.system) / 1e6,
    elapsed,
  }),
);
