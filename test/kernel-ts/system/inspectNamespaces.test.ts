/**
 * The picture of a system with two ipc namespaces whose segments have the same id and key: who is attached to which, pieces of a
 * split attach, and a segment that was removed while attached; in JSON, in the diagram, in ipcs and maps.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { diagramView } from '../../../cli/views/diagram.ts';
import { ipcsView } from '../../../cli/views/ipcs.ts';
import { mapsView } from '../../../cli/views/maps.ts';
import { boot, type Picture, type System } from '../../../kernel-ts/index.ts';
import { build } from './guest.ts';

const SOURCE = `
  #define _GNU_SOURCE
  #include <fcntl.h>
  #include <sched.h>
  #include <sys/mman.h>
  #include <sys/msg.h>
  #include <sys/sem.h>
  #include <sys/shm.h>
  #include <unistd.h>
  int main(void) {
    int id = shmget(0x5a, 3 * 4096, IPC_CREAT | 0600);
    char *old = shmat(id, 0, 0);
    old[0] = 1;
    if (fork() == 0) {
      unshare(CLONE_NEWIPC);
      char *mine = shmat(shmget(0x5a, 3 * 4096, IPC_CREAT | 0640), 0, 0);
      mine[0] = mine[8192] = 2;
      mprotect(mine + 4096, 4096, PROT_READ);
      shmctl(shmget(0x5a, 0, 0), IPC_RMID, 0);
      semget(0x5b, 2, IPC_CREAT | 0600);
      msgget(0x5c, IPC_CREAT | 0600);
      ftruncate(shm_open("/object", O_RDWR | O_CREAT, 0640), 4096);
      getpgid(0);
      pause();
    }
    pause();
  }`;

const FURTHER = 'ipc:[4026531840]';

describe('two namespaces', () => {
  let system: System;
  let picture: Picture;
  beforeAll(async () => {
    system = boot();
    system.spawn(await build(SOURCE), { name: '/bin/spaces' });
    system.run({ until: { kind: 'syscall', name: 'getpgid' } });
    picture = system.picture();
  }, 300_000);

  const attachesOf = (pid: number) =>
    picture.tasks.find((task) => task.pid === pid)?.mm?.mmap.filter(({ shmid }) => shmid !== null) ?? [];

  test('are in the picture with their tasks', () => {
    expect(picture.namespaces.map(({ name }) => name)).toEqual(['init_ipc_ns', FURTHER]);
    expect(picture.tasks.map(({ pid, ipcNs }) => [pid, ipcNs])).toEqual([
      [1001, 'init_ipc_ns'],
      [1002, FURTHER],
    ]);
    expect(picture.namespaces[1]).toMatchObject({
      semIds: { entries: [{ key: 0x5b }] },
      msgIds: { entries: [{ key: 0x5c }] },
    });
    expect(system.checkInvariants()).toEqual([]);
  });

  test('an attach says of which namespace its segment is: the id alone is that of two', () => {
    expect(picture.namespaces.map(({ shmIds }) => shmIds.entries.map(({ id }) => id))).toEqual([[0], [0]]);
    expect(attachesOf(1001).map(({ shmid, ipcNs }) => [shmid, ipcNs])).toEqual([[0, 'init_ipc_ns']]);
    // By address; the second attach lies below the inherited one.
    expect(attachesOf(1002).map(({ shmid, ipcNs }) => [shmid, ipcNs])).toEqual([
      ...Array.from({ length: 3 }, () => [0, FURTHER]),
      [0, 'init_ipc_ns'],
    ]);
  });

  test('a split attach is three VMAs on one file, and the removed segment is there while it is attached', () => {
    const [removed] = picture.namespaces[1]?.shmIds.entries ?? [];
    expect(removed).toMatchObject({ key: 0, mode: 0o1640, shmNattch: 3 });
    const pieces = attachesOf(1002).filter(({ ipcNs }) => ipcNs === FURTHER);
    expect(pieces.map(({ perms, vmPgoff }) => [perms, vmPgoff])).toEqual([
      ['rw-s', 0],
      ['r--s', 1],
      ['rw-s', 2],
    ]);
    expect(new Set(pieces.map(({ vmFile }) => vmFile))).toEqual(new Set([removed?.shmFile]));
    const inode = picture.files.find(({ file }) => file === removed?.shmFile)?.inode;
    const pages = picture.inodes.find((one) => one.inode === inode)?.iMapping.pages;
    expect(pages?.map(({ index, mapcount }) => [index, mapcount])).toEqual([
      [0, 1],
      [2, 1],
    ]);
  });

  test('the library tells the rows of all namespaces', () => {
    expect(system.ipcs()).toEqual([
      {
        namespace: 'init_ipc_ns',
        key: 0x5a,
        shmid: 0,
        owner: 0,
        perms: 0o600,
        bytes: 12288,
        nattch: 2,
        status: '',
      },
      {
        namespace: FURTHER,
        key: 0,
        shmid: 0,
        owner: 0,
        perms: 0o640,
        bytes: 12288,
        nattch: 3,
        status: 'dest',
      },
    ]);
  });

  test('the diagram draws each under its own, with its own processes', () => {
    const [first = '', second = ''] = diagramView(picture).split(`${FURTHER}: shm_tot`);
    expect(first).toContain('nsproxy of pid 1001');
    expect(first).toContain('shm_nattch = 2  (2 processes attached)');
    expect(first).toMatch(/vm_area_struct #\d+ rw-s shmid 0@4026531840$/m);
    expect(second).toContain('nsproxy of pid 1002');
    expect(second).toContain('shm_nattch = 3  (1 process attached)');
    expect(second).toContain('removed (IPC_RMID): destroyed at the last detach');
    expect(second.match(/\(shm segment\)/g)).toHaveLength(3);
    expect(second).toContain('[sem_array]');
    expect(second).toContain('/dev/shm/object');
  });

  test('ipcs has a heading for each, and the objects of POSIX', () => {
    expect(ipcsView(picture, ['memory', 'posixShmems'])).toBe(`
====== init_ipc_ns: pid 1001 ========

------ Shared Memory Segments --------
key        shmid      owner      perms      bytes      nattch     status
0x0000005a 0          root       600        12288      2

====== ipc:[4026531840]: pid 1002 ========

------ Shared Memory Segments --------
key        shmid      owner      perms      bytes      nattch     status
0x00000000 0          root       640        12288      3          dest

------ POSIX Shared Memory --------
owner      perms      bytes      open       mapped     name
root       640        4096       1          0          /dev/shm/object

`);
  });

  test('maps is what the guest reads', () => {
    const lines = mapsView(picture, 1002).split('\n').slice(1, -1);
    const read = new TextDecoder().decode(system.readFile('/proc/1002/maps')).split('\n').slice(0, -1);
    expect(lines).toEqual(read);
  });
});
