/**
 * The process that counts.ts has counted: `countedChild.mjs ELF MODE COUNT ROUNDS COUNTED`. Runs scale.c, and in the last COUNTED rounds calls
 * os.loadavg() at each of its letters, at which callgrind writes down what it has counted; one round before, it tells it to begin, so that
 * the caches are filled. Prints the letters in that order. JavaScript, so that nothing but Node and the package is in the process.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { boot } from 'sameframe';

const [path, mode, count, rounds, counted] = process.argv.slice(2);
const firstCounted = rounds - counted + 1;
const letters = [];
let round = 0;

function mark(bytes) {
  const letter = String.fromCharCode(bytes[0]);
  if (letter === '(') {
    round++;
    if (round === firstCounted - 1)
      execFileSync('callgrind_control', ['--instr=on', String(process.pid)], { stdio: 'ignore' });
  }
  if (round < firstCounted) return;
  letters.push(letter);
  loadavg();
}

// The guest's code is a small part, and its compilation would fall to one operation or another.
const system = boot({ tier: 0 });
const args = ['/bin/scale', mode, count, rounds];
const program = system.spawn(new Uint8Array(readFileSync(path)), { name: '/bin/scale', args, stdout: mark });
system.run();
if (program.exit?.code !== 0) throw new Error(`${args.join(' ')}: ${program.exit?.status}`);
process.stdout.write(letters.join(''));
