/** Files of /dev/shm, memfds and shared anonymous memory in the picture. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../../guest/toolchain.ts';
import { diagramView } from '../../../cli/views/diagram.ts';
import { linkage } from '../../../cli/views/linkage.ts';
import { boot } from '../../../kernel-ts/index.ts';

const text = `
  #define _GNU_SOURCE
  #include <fcntl.h>
  #include <sys/mman.h>
  #include <unistd.h>
  int main(void) {
    int shm = shm_open("/object", O_RDWR | O_CREAT, 0640), memfd = memfd_create("sealed", MFD_ALLOW_SEALING);
    ftruncate(shm, 3 * 4096);
    ftruncate(memfd, 4096);
    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK);
    char *a = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, shm, 4096);
    char *b = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    a[4096] = b[0] = 1;
    if (fork() == 0) {
      a[4096]++;
      b[0]++;
      pause();
    }
    sleep(1);
    getppid();
    shm_unlink("/object");
    close(shm);
    getpgid(0);
    return 0;
  }`;

async function upTo(call: string) {
  const system = boot();
  const program = await compile({ name: 'shared.c', text });
  system.spawn(program.bytes, { name: '/bin/shared' });
  expect(system.run({ until: { kind: 'syscall', name: call } }).reason).toBe('until');
  return system.picture();
}

describe('shared objects', () => {
  test('are in the picture with pages, descriptors and mappers', { timeout: 300_000 }, async () => {
    const picture = await upTo('getppid');
    const { sharedObjects, inodes } = picture;
    const object = (kind: string) => sharedObjects.find((one) => one.kind === kind);
    const pages = (kind: string) => inodes.find((one) => one.inode === object(kind)?.inode)?.iMapping.pages;
    expect(sharedObjects.map((one) => one.kind).sort()).toEqual(['anonymous', 'memfd', 'shm']);
    expect(object('shm')).toMatchObject({ path: '/dev/shm/object', iMode: 0o100640, iNlink: 1, seals: 1 });
    expect(object('shm')?.openBy).toEqual([
      { pid: 1001, fd: 3 },
      { pid: 1002, fd: 3 },
    ]);
    expect(object('shm')?.mappedBy.map(({ pid }) => pid)).toEqual([1001, 1002]);
    expect(pages('shm')).toMatchObject([{ index: 2, mapcount: 2 }]);
    expect(object('memfd')).toMatchObject({
      path: '/memfd:sealed (deleted)',
      iNlink: 0,
      seals: 2,
      mappedBy: [],
    });
    expect(pages('memfd')).toEqual([]);
    expect(object('anonymous')).toMatchObject({ path: '/dev/zero (deleted)', openBy: [] });
    expect(object('anonymous')?.mappedBy.map(({ pid }) => pid)).toEqual([1001, 1002]);
    expect(pages('anonymous')).toMatchObject([{ index: 0, mapcount: 2 }]);
  });

  test('are drawn with the frames that their processes share', { timeout: 300_000 }, async () => {
    const before = await upTo('getppid');
    const after = await upTo('getpgid');
    const drawing = diagramView(before);
    const pfn = (kind: string) => {
      const inode = before.sharedObjects.find((one) => one.kind === kind)?.inode;
      return before.inodes.find((one) => one.inode === inode)?.iMapping.pages[0]?.pfn.toString(16);
    };
    expect(drawing).toContain('POSIX SHARED MEMORY: 3 objects');
    expect(drawing).toContain(`page 2 → frame 0x${pfn('shm') ?? ''}`);
    expect(drawing).toContain(`⇒ identical physical page: ppn 0x${pfn('anonymous') ?? ''}`);
    expect(drawing).toContain('seals   = SHRINK');
    for (const line of drawing.split('\n')) expect([...line].length, line).toBeLessThanOrEqual(100);
    expect(linkage(after)).not.toBe(linkage(before));
    expect(diagramView(after)).toContain('path    = /dev/shm/object (deleted)');
  });
});
