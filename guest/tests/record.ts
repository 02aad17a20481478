/**
 * Records the transcripts of the C tests on this host's real Linux: `npx tsx guest/tests/record.ts [name...]`.
 *
 * Each test is compiled for the host and run as root in new IPC, PID and mount namespaces with an empty /tmp, a few
 * times over: a transcript that is not the same every time is not one. A test that fails its own checks is not
 * recorded. Needs Linux, root, and a kernel whose System V shared memory is the one to follow.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { release, machine } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { compile } from '../toolchain.ts';

const here = import.meta.dirname;
const times = 3;

/** The program runs as a child of the namespace's process 1, whose signals are not special to it. */
const script =
  'mount -t tmpfs tmpfs /tmp && mount -t tmpfs -o size=8m,nr_inodes=1k tmpfs /dev/shm && cd / && "$0"; exit $?';

async function run(path: string): Promise<{ stdout: string; status: number | undefined }> {
  const result = await execa(
    'unshare',
    ['--ipc', '--pid', '--fork', '--mount-proc', 'sh', '-c', script, path],
    { env: {}, extendEnv: false, stdin: 'ignore', reject: false, stripFinalNewline: false, timeout: 60_000 },
  );
  return { stdout: result.stdout, status: result.exitCode };
}

async function record(name: string): Promise<boolean> {
  const program = await compile(join(here, `${name}.c`), {
    target: 'native',
    includeDirs: [join(here, '../include')],
    flags: ['-Wall', '-Wextra', '-lm'],
  });
  if (program.output !== '') process.stderr.write(program.output);
  const first = await run(program.path);
  for (let i = 1; i < times; i++) {
    const again = await run(program.path);
    if (again.stdout !== first.stdout || again.status !== first.status) {
      process.stderr.write(`${name}: not the same every time\n`);
      return false;
    }
  }
  if (first.status !== 0) {
    process.stderr.write(`${name}: exit status ${first.status}\n${first.stdout}`);
    return false;
  }
  const made = `# Linux ${release()} ${machine()}, ${program.toolchain}, static musl, by guest/tests/record.ts\n`;
  await writeFile(join(here, 'transcripts', `${name}.txt`), made + first.stdout);
  return true;
}

const wanted = process.argv.slice(2);
const all = (await readdir(here)).filter((file) => file.endsWith('.c')).map((file) => basename(file, '.c'));
let failed = 0;
for (const name of wanted.length > 0 ? wanted : all.sort()) {
  if (!(await record(name))) failed++;
}
process.stdout.write(`${(wanted.length || all.length) - failed} transcripts recorded, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
