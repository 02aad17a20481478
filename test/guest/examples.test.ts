/** The examples of guest/examples under our kernel: what they print, how they end, what they leave behind. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile } from '../../guest/toolchain.ts';
import { boot } from '../../kernel-ts/index.ts';
import type { Process, System } from '../../kernel-ts/index.ts';

const examples = join(import.meta.dirname, '../../guest/examples');
const options = { timeout: 300_000 };

interface Ended {
  readonly system: System;
  readonly processes: readonly Process[];
  /** Everything printed by all processes, in the order in which it was. */
  readonly output: string;
}

/** Runs programs side by side: each is [example, argument...]. */
async function run(...programs: readonly (readonly [string, ...string[]])[]): Promise<Ended> {
  let output = '';
  const decoder = new TextDecoder();
  const stdout = (bytes: Uint8Array): void => {
    output += decoder.decode(bytes, { stream: true });
  };
  const system = boot();
  const processes: Process[] = [];
  for (const [name, ...args] of programs) {
    const program = await compile(join(examples, `${name}.c`), { flags: ['-Wall', '-Wextra'] });
    expect(program.output).toBe('');
    processes.push(system.spawn(program.bytes, { name: `/bin/${name}`, args: [name, ...args], stdout }));
  }
  expect(system.run({ instructions: 2_000_000_000 })).toEqual({ reason: 'exited' });
  expect(system.checkInvariants()).toEqual([]);
  return { system, processes, output };
}

const statuses = (ended: Ended) => ended.processes.map((process) => process.exit?.status);

describe('examples', () => {
  test('hello', options, async () => {
    expect((await run(['hello'])).output).toBe('hello from RV32\n');
  });

  test.each([
    ['the producer first', ['producer'], ['consumer']],
    ['the consumer first', ['consumer'], ['producer']],
  ] as const)('producer and consumer, %s', options, async (_, first, second) => {
    const ended = await run([...first], [...second]);
    expect(statuses(ended)).toEqual([0, 0]);
    const lines = ended.output.trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('producer'))).toEqual([
      'producer: created segment 0 of 136 bytes',
      'producer: wrote "record 0" with 0',
      'producer: wrote "record 1" with 1',
      'producer: wrote "record 2" with 4',
      'producer: wrote "record 3" with 9',
      'producer: all taken, removing the segment',
    ]);
    expect(lines.filter((line) => line.startsWith('consumer'))).toEqual([
      'consumer: attached segment 0',
      'consumer: read "record 0" with 0',
      'consumer: read "record 1" with 1',
      'consumer: read "record 2" with 4',
      'consumer: read "record 3" with 9',
    ]);
    expect(ended.system.ipcs()).toEqual([]);
  });

  test('parent and child', options, async () => {
    const ended = await run(['parent_child']);
    expect(ended.output).toBe('child:  own 42, shared 42\nparent: own 1, shared 42\n');
  });

  test('ring: both roles by fork, and one process each', options, async () => {
    const forked = await run(['ring']);
    expect(forked.output).toBe('100000 numbers through 256 slots: checksum ba241165, as sent\n');
    const apart = await run(['ring', 'consume'], ['ring', 'produce']);
    expect(statuses(apart)).toEqual([0, 0]);
    expect(apart.output.trimEnd().split('\n').sort()).toEqual([
      'consumer: 100000 numbers, checksum ba241165',
      'producer: 100000 numbers, checksum ba241165',
    ]);
    expect(apart.system.ipcs()).toEqual([]);
  });

  test('bank: a race without the lock, none with it', options, async () => {
    const race = await run(['bank']);
    expect(statuses(race)).toEqual([1]);
    expect(race.output).toMatch(/^2 tellers, 1000 transfers each, without a lock: \d+ in the bank, \d+ /);
    const locked = await run(['bank', '--lock']);
    expect(statuses(locked)).toEqual([0]);
    expect(locked.output).toBe('2 tellers, 1000 transfers each, with a lock: 4000 in the bank, 0 lost\n');
  });

  test('leak: the segment is still there', options, async () => {
    const { system } = await run(['leak']);
    expect(system.ipcs()).toMatchObject([{ key: 0x1eaf, shmid: 0, perms: 0o644, bytes: 10000, nattch: 0 }]);
  });

  test('readonly: SIGSEGV', options, async () => {
    const ended = await run(['readonly']);
    expect(ended.processes[0]?.exit).toMatchObject({ status: 139, signalName: 'SIGSEGV' });
    expect(ended.output).toBe(
      'the read-only attach reads: written through the writable attach\nnow it writes, and SIGSEGV follows\n',
    );
    expect(ended.system.ipcs()).toEqual([]);
  });

  test('many: three segments, seven VMAs', options, async () => {
    const ended = await run(['many']);
    const lines = ended.output.trimEnd().split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'attached twice: segment 0, 4096 bytes, nattch 2',
      'split in three: segment 1, 20480 bytes, nattch 3',
      'with a hole: segment 2, 16384 bytes, nattch 2',
    ]);
    expect(lines).toHaveLength(10);
  });

  test('removed: destroyed but attached', options, async () => {
    expect((await run(['removed'])).output.split('\n')).toEqual([
      'attached:            mode 600, nattch 1, key finds it',
      'removed:             mode 1600, nattch 1, key finds nothing',
      'attached once more:  mode 1600, nattch 2, key finds nothing',
      'its content:         still here',
      'both detached:       Invalid argument',
      '',
    ]);
  });

  test('sem_ring: both roles by fork, and one process each', options, async () => {
    const lines = ['consumer: 1000 numbers, their sum is 333833500', 'producer: 1000 numbers'];
    expect((await run(['sem_ring'])).output.trimEnd().split('\n').sort()).toEqual(lines);
    const apart = await run(['sem_ring', 'consume'], ['sem_ring', 'produce']);
    expect(statuses(apart)).toEqual([0, 0]);
    expect(apart.output.trimEnd().split('\n').sort()).toEqual(lines);
    expect(apart.system.picture().sharedObjects).toEqual([]);
  });

  test('robust: the next owner of a lock is told that the last one died', options, async () => {
    expect((await run(['robust'])).output.split('\n')).toEqual([
      'worker: took 30 from a, and is killed before it gives them to b',
      'parent: the owner died; a + b is 70',
      'parent: repaired: a 70, b 30',
      'parent: locked again: nothing to tell',
      '',
    ]);
  });

  test('pingpong: two processes asleep on a futex in turn', options, async () => {
    expect((await run(['pingpong'])).output).toBe('2000 turns of two processes: the count is 2000\n');
  });

  test('semaphore: SEM_UNDO gives back what a killed process held', options, async () => {
    expect((await run(['semaphore'])).output).toBe(
      'killed while it held the semaphore: the value is 1 again\n3 workers, 500 rounds each: the counter is 1500\n',
    );
  });

  test('messages: each client gets its own answer', options, async () => {
    expect((await run(['messages'])).output.trimEnd().split('\n').sort()).toEqual([
      'client 1: 1 squared is 1',
      'client 2: 2 squared is 4',
      'client 3: 3 squared is 9',
    ]);
  });
});
