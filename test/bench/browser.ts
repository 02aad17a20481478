/**
 * The kernels in Chromium: `npm run bench:browser -- [kernel...]`.
 *
 * The library is bundled for the browser and runs in a worker of a page that a small server gives to a headless Chromium, without
 * any flag of V8; beside it the library in Node without them, the command with them, and `qemu-riscv32`. A browser
 * tells no processor time, so all seconds are the clock's. What a kernel prints has to be the same everywhere.
 *
 * `CHROMIUM` names the browser; without it the first of `chromium`, `chromium-browser` and `google-chrome` on the PATH is taken.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import * as esbuild from 'esbuild';
import { execa } from 'execa';
import type { Answer } from './browserWorker.ts';
import { argumentsOf, kernels } from './kernels.ts';
import type { BenchKernel } from './kernels.ts';
import { benchCommand, positive } from './options.ts';
import { geometricMean, median } from './report.ts';
import { build, buildCpu, byCommand, byLibrary, measured, which } from './runners.ts';
import type { Runner } from './runners.ts';

/** Milliseconds until a browser that says nothing is given up. */
const PATIENCE = 120_000;

/** Takes jobs one by one from the server and runs each in a worker of its own. */
const PAGE = `<!doctype html><title>sameframe</title><script type="module">
for (;;) {
  const { id, args } = await (await fetch('/job')).json();
  const elf = await (await fetch('/elf')).arrayBuffer();
  const worker = new Worker('/worker.js');
  const answer = await new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => resolve({ failure: message });
    worker.postMessage({ elf, args }, [elf]);
  });
  worker.terminate();
  await fetch('/answer?' + id, { method: 'POST', body: JSON.stringify(answer) });
}
</script>`;

interface Job {
  readonly id: number;
  readonly elf: string;
  readonly args: readonly string[];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** A page in a browser that runs programs. */
class Browser {
  readonly #jobs: Job[] = [];
  #waiting: ((job: Job) => void) | null = null;
  #current: Job | null = null;
  #nextId = 1;
  #gone: Error | null = null;
  readonly #script: string;
  #stop: () => Promise<void> = async () => {};

  constructor(script: string) {
    this.#script = script;
  }

  /** Starts the server and the browser. */
  async start(program: string): Promise<void> {
    const server = createServer((request, response) => {
      this.#serve(request).then(
        ([type, body]) => response.writeHead(200, { 'content-type': type }).end(body),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const profile = await mkdtemp(join(tmpdir(), 'sameframe-browser-'));
    const quietly = ['background-networking', 'component-update', 'sync', 'gpu', 'quic'];
    const flags = ['--headless', '--no-sandbox', '--no-first-run', ...quietly.map((f) => `--disable-${f}`)];
    const child = execa(program, [...flags, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`], {
      stdio: 'ignore',
      reject: false,
    });
    void child.then(({ shortMessage }) => {
      this.#gone = new Error(`the browser has ended: ${shortMessage ?? 'exit 0'}`);
      for (const job of [...this.#jobs, this.#current]) job?.reject(this.#gone);
    });
    this.#stop = async () => {
      child.kill();
      await child;
      await close(server);
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    };
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  async #serve(request: IncomingMessage): Promise<[type: string, body: string | Buffer]> {
    const url = request.url ?? '/';
    if (url === '/') return ['text/html', PAGE];
    if (url === '/worker.js') return ['text/javascript', this.#script];
    if (url === '/job') {
      const { id, args } = await this.#take();
      return ['application/json', JSON.stringify({ id, args })];
    }
    if (url === '/elf' && this.#current !== null)
      return ['application/octet-stream', await readFile(this.#current.elf)];
    if (url === `/answer?${this.#current?.id}`) {
      this.#current?.resolve(JSON.parse(await bodyOf(request)) as Answer);
      return ['text/plain', ''];
    }
    throw new Error(`nothing at ${url}`);
  }

  async #take(): Promise<Job> {
    const job = this.#jobs.shift() ?? (await new Promise<Job>((resolve) => (this.#waiting = resolve)));
    this.#waiting = null;
    this.#current = job;
    return job;
  }

  /** Runs a program in the page. */
  run(elf: string, args: readonly string[]): Promise<Answer> {
    if (this.#gone !== null) return Promise.reject(this.#gone);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('the browser does not answer')), PATIENCE);
      const job: Job = {
        id: this.#nextId++,
        elf,
        args,
        resolve: (answer) => {
          clearTimeout(late);
          resolve(answer);
        },
        reject: (error) => {
          clearTimeout(late);
          reject(error);
        },
      };
      if (this.#waiting === null) this.#jobs.push(job);
      else this.#waiting(job);
    });
  }
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** The library and the worker's code as one classic script. */
async function bundle(): Promise<string> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(import.meta.dirname, 'browserWorker.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}

function inBrowser(browser: Browser, elf: string): Runner {
  return async (args) => {
    const answer = await browser
      .run(elf, args)
      .catch((error: Error) => ({ failure: error.message }) as Answer);
    const { failure, status, reason, stdout, seconds, instructions } = answer;
    if (failure !== undefined) return { failure };
    if (status !== 0) return { failure: status === null ? reason : `exit ${status}` };
    return { seconds, elapsed: seconds, stdout, instructions };
  };
}

type Place = 'chromium' | 'plain' | 'flags' | 'qemu';

interface Row {
  readonly name: string;
  readonly instructions: number;
  /** Seconds of the clock, medians. */
  readonly seconds: Readonly<Record<Place, number | null>>;
  readonly failures: readonly string[];
}

async function benchKernel(
  kernel: BenchKernel,
  browser: Browser,
  cpu: string,
  options: Options,
): Promise<Row> {
  const elf = await build(kernel.name, 'riscv32-linux-musl');
  const args = argumentsOf(kernel, options.scale);
  const qemu = which('qemu-riscv32');
  const runners: Partial<Record<Place, Runner>> = {
    chromium: inBrowser(browser, elf),
    plain: byLibrary(elf),
    flags: byCommand(cpu, elf),
    ...(qemu === null ? {} : { qemu: measured(cpu, [qemu, elf]) }),
  };
  const samples: Record<Place, number[]> = { chromium: [], plain: [], flags: [], qemu: [] };
  const failures = new Set<string>();
  const printed = new Map<string, Place>();
  let instructions = 0;
  for (let round = 0; round < options.rounds; round++) {
    for (const [place, run] of Object.entries(runners) as [Place, Runner][]) {
      const result = await run(args);
      if ('failure' in result) {
        failures.add(`${place}: ${result.failure}`);
        continue;
      }
      samples[place].push(result.elapsed);
      printed.set(result.stdout.trimEnd(), place);
      if (place === 'chromium') instructions = result.instructions ?? 0;
    }
  }
  if (printed.size > 1)
    failures.add(`printed ${[...printed].map(([text, at]) => `"${text}" in ${at}`).join(', ')}`);
  return {
    name: kernel.name,
    instructions,
    seconds: {
      chromium: median(samples.chromium),
      plain: median(samples.plain),
      flags: median(samples.flags),
      qemu: median(samples.qemu),
    },
    failures: [...failures],
  };
}

function render(rows: readonly Row[]): string {
  const table = new Table({
    head: ['kernel', 'Chromium s', 'MIPS', 'Node s', 'with flags s', 'qemu s', 'Chromium vs qemu'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  const fixed = (value: number | null, digits: number) => (value === null ? 'n/a' : value.toFixed(digits));
  const ratios: (number | null)[] = [];
  for (const { name, instructions, seconds } of rows) {
    const { chromium, plain, flags, qemu } = seconds;
    const ratio = chromium === null || qemu === null ? null : qemu / chromium;
    ratios.push(ratio);
    const mips = chromium === null ? null : instructions / chromium / 1e6;
    const columns = [fixed(chromium, 3), fixed(mips, 0), fixed(plain, 3), fixed(flags, 3), fixed(qemu, 3)];
    table.push([name, ...columns, fixed(ratio, 2)]);
  }
  table.push(['geometric mean', '', '', '', '', '', fixed(geometricMean(ratios), 2)]);
  return [table.toString(), ...rows.flatMap((row) => row.failures.map((f) => `${row.name}: ${f}`))].join(
    '\n',
  );
}

interface Options {
  readonly rounds: number;
  readonly scale: number;
}

async function main(names: readonly string[], options: Options): Promise<void> {
  const candidates = ['chromium', 'chromium-browser', 'google-chrome'];
  const program = process.env['CHROMIUM'] ?? candidates.map(which).find((path) => path !== null);
  if (program === undefined || program === null) {
    process.stderr.write(`bench:browser: no ${candidates.join(', ')} on the PATH, and CHROMIUM is not set\n`);
    process.exitCode = 2;
    return;
  }
  const cpu = await buildCpu();
  const browser = new Browser(await bundle());
  await browser.start(program);
  try {
    const rows: Row[] = [];
    for (const kernel of kernels.filter((one) => names.length === 0 || names.includes(one.name))) {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${kernel.name} ...`);
      rows.push(await benchKernel(kernel, browser, cpu, options));
    }
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    process.stdout.write(`${render(rows)}\n`);
    if (rows.some((row) => row.failures.length > 0)) process.exitCode = 1;
  } finally {
    await browser.stop();
  }
}

const command = benchCommand(
  'bench:browser',
  'Runs the bench kernels in Chromium, in Node without and with flags of V8, and under qemu-riscv32.',
  kernels.map((kernel) => kernel.name),
)
  .option('--rounds <n>', 'runs in each place', positive, 3)
  .option('--scale <x>', 'multiplies the iterations', positive, 1)
  .action((names: string[], options: Options) => main(names, options));

await command.parseAsync();
