import { boot } from 'sameframe';
import { compile } from 'sameframe/toolchain';
import { expect, test } from 'vitest';

/** A program that attaches the segment of key 0x5a at `p`, and then does what `text` says. */
const program = (text: string) =>
  compile({
    name: 'program.c',
    text: `
      #include <sched.h>
      #include <sys/shm.h>
      int main(void) {
        volatile char *p = shmat(shmget(0x5a, 4096, IPC_CREAT | 0600), 0, 0);
        ${text}
      }`,
  });

test('a byte written by one process is read by the other through the same physical page', async () => {
  const writer = await program('p[0] = 42; while (p[1] == 0) sched_yield(); return 0;');
  const reader = await program('while (p[0] == 0) sched_yield(); p[1] = 1; return p[0];');
  const system = boot();
  const [a, b] = [system.spawn(writer.bytes), system.spawn(reader.bytes)];

  const frameOf = (pid: number) => system.maps(pid).find((vma) => vma.shmid !== null)?.ptes[0]?.pfn;
  const bothHaveTouchedIt = () => [a, b].every(({ pid }) => frameOf(pid) !== undefined);
  system.run({ until: { kind: 'picture', predicate: bothHaveTouchedIt } });
  expect(frameOf(a.pid)).toBe(frameOf(b.pid));
  expect(system.readFrame(frameOf(b.pid) ?? 0, 0, 1)).toEqual(Uint8Array.of(42));

  expect(system.run()).toEqual({ reason: 'exited' });
  expect(b.exit?.code).toBe(42);
});

test('nothing stays attached when a process is killed', async () => {
  const system = boot();
  const victim = system.spawn((await program('for (;;) p[0]++;')).bytes);
  system.run({ until: { kind: 'syscall', name: 'shmat' } });
  expect(system.ipcs()).toMatchObject([{ key: 0x5a, nattch: 1 }]);

  system.kill(victim.pid, 9);
  system.run();
  expect(victim.exit?.signalName).toBe('SIGKILL');
  expect(system.ipcs()).toMatchObject([{ key: 0x5a, nattch: 0 }]);
  expect(system.checkInvariants()).toEqual([]);
});
