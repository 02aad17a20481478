/** POSIX shared memory when frames run out at any moment: errors or a killed process, nothing lost, nothing half done. */
import { expect, test } from 'vitest';
import { boot, type System } from '../../../kernel-ts/index.ts';
import type { Kernel } from '../../../kernel-ts/process/kernel.ts';
import { build } from './guest.ts';

/** Does a little of everything, and takes whatever answer it gets. */
const text = `
  #define _GNU_SOURCE
  #include <fcntl.h>
  #include <linux/futex.h>
  #include <sys/mman.h>
  #include <sys/syscall.h>
  #include <sys/uio.h>
  #include <sys/wait.h>
  #include <unistd.h>
  int main(void) {
    getppid();
    static char bytes[3 * 4096];
    int shm = shm_open("/object", O_RDWR | O_CREAT, 0600), memfd = memfd_create("object", 0);
    shm_unlink("/object");
    ftruncate(shm, 8 * 4096);
    fallocate(memfd, 0, 0, 4 * 4096);
    write(memfd, bytes, sizeof bytes);
    char *a = mmap(0, 8 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, shm, 0);
    char *p = mmap(0, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, memfd, 0);
    char *s = mmap(0, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    pwrite(shm, bytes, sizeof bytes, 100);
    madvise(s, 2 * 4096, MADV_REMOVE);
    copy_file_range(memfd, &(off_t){ 0 }, memfd, &(off_t){ 3 * 4096 }, 4096, 0);
    syscall(SYS_remap_file_pages, a, 4096, 0, 3, 0);
    pid_t pid = fork();
    if (pid == 0) {
      p[0] = p[4096] = 1;
      a[5 * 4096] = 1;
      syscall(SYS_futex_time64, a, FUTEX_WAKE, 1, 0, 0, 0);
      _exit(0);
    }
    struct iovec local = { bytes, 4096 }, remote = { p, 4096 };
    if (pid > 0) {
      process_vm_writev(pid, &local, 1, &remote, 1, 0);
      waitpid(pid, 0, 0);
    }
    mremap(a, 8 * 4096, 64 * 4096, MREMAP_MAYMOVE);
    ftruncate(memfd, 4096);
    p[0] = 2;
    s[0] = 3;
    return 0;
  }`;

function kernelOf(system: System): Kernel {
  return (system as unknown as { kernel: Kernel }).kernel;
}

test('frames that run out after n more', { timeout: 300_000 }, async () => {
  const image = await build(text);
  const run = (failAfter: number): { taken: number; free: number; status: number | undefined } => {
    const system = boot();
    const process = system.spawn(image);
    expect(system.run({ until: { kind: 'syscall', name: 'getppid' } }).reason).toBe('until');
    const { memMap } = kernelOf(system);
    memMap.failAfter = failAfter;
    const before = memMap.failAfter;
    expect(system.run({ instructions: 10_000_000 })).toEqual({ reason: 'exited' });
    const taken = before - memMap.failAfter;
    expect(system.checkInvariants(), `n = ${String(failAfter)}`).toEqual([]);
    return { taken, free: memMap.freeFrames, status: process.exit?.status };
  };
  const plenty = run(1_000_000);
  expect(plenty.status).toBe(0);
  expect(plenty.taken).toBeGreaterThan(20);
  for (let n = 0; n <= plenty.taken; n++) {
    const { free, taken } = run(n);
    expect(taken, `n = ${String(n)}`).toBeLessThanOrEqual(n);
    // The program's own pages stay in the page cache as far as they were read.
    expect(free, `n = ${String(n)}`).toBeGreaterThanOrEqual(plenty.free);
  }
});
