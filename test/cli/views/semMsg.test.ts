/** Semaphores and message queues in ipcs, the diagram and the state file, on a system in which everybody sleeps. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readState, stateText } from '../../../cli/state.ts';
import { diagramView } from '../../../cli/views/diagram.ts';
import { ipcsView } from '../../../cli/views/ipcs.ts';
import { boot, type Picture, type RunResult } from '../../../kernel-ts/index.ts';
import { build } from '../../kernel-ts/system/guest.ts';

const SOURCE = `
  #include <sys/ipc.h>
  #include <sys/msg.h>
  #include <sys/sem.h>
  #include <unistd.h>
  struct message { long type; char text[10]; } m = { 5, "" };
  int main(void) {
    int sem = semget(0x5a, 2, IPC_CREAT | 0640), msg = msgget(0x6b, IPC_CREAT | 0600), other = msgget(0x7c, IPC_CREAT | 0600);
    struct msqid_ds ds;
    msgctl(other, IPC_STAT, &ds);
    ds.msg_qbytes = 10;
    msgctl(other, IPC_SET, &ds);
    msgsnd(other, &m, 10, 0);
    if (fork() == 0) return msgrcv(msg, &m, 10, -7, 0);
    if (fork() == 0) return msgsnd(other, &m, 3, 0);
    semop(sem, (struct sembuf[]){ { 0, 3, SEM_UNDO } }, 1);
    return semop(sem, (struct sembuf[]){ { 0, -1, 0 }, { 1, -1, 0 } }, 2);
  }`;

describe('everybody sleeps', () => {
  let picture: Picture;
  let result: RunResult;
  let problems: readonly string[];
  beforeAll(async () => {
    const system = boot();
    system.spawn(await build(SOURCE));
    result = system.run({ instructions: 1e8 });
    problems = system.checkInvariants();
    picture = system.picture();
  }, 300_000);

  test('the deadlock says for what', () => {
    expect(problems).toEqual([]);
    expect(result).toEqual({
      reason: 'deadlock',
      tasks: [
        { pid: 1001, waiting: 'semop: semid 0, semaphore 1, -1' },
        { pid: 1002, waiting: 'msgrcv: msqid 0, type up to 7' },
        { pid: 1003, waiting: 'msgsnd: msqid 1, 3 bytes' },
      ],
    });
  });

  test('the picture has arrays and queues with their sleepers', () => {
    const [ns] = picture.namespaces;
    expect(ns?.semIds.entries).toMatchObject([
      {
        key: 0x5a,
        mode: 0o640,
        complexCount: 1,
        sems: [
          { semval: 3, sempid: 1001 },
          { semval: 0, sempid: 0 },
        ],
        sleepers: [{ pid: 1001, blockedOn: 1 }],
        undos: [{ pids: [1001], semadj: [-3, 0] }],
      },
    ]);
    expect(ns?.msgIds.entries).toMatchObject([
      { key: 0x6b, receivers: [{ pid: 1002, mode: 'lessEqual', msgtyp: 7, bufsz: 10 }], senders: [] },
      { key: 0x7c, messages: [{ mType: 5, size: 10 }], senders: [{ pid: 1003, mType: 5, size: 3 }] },
    ]);
  });

  test('ipcs, as util-linux prints it', () => {
    expect(ipcsView(picture, ['queues', 'memory', 'semaphores'])).toBe(
      `
------ Message Queues --------
key        msqid      owner      perms      used-bytes   messages
0x0000006b 0          root       600        0            0
0x0000007c 1          root       600        10           1

------ Shared Memory Segments --------
key        shmid      owner      perms      bytes      nattch     status

------ Semaphore Arrays --------
key        semid      owner      perms      nsems
0x0000005a 0          root       640        2

`,
    );
  });

  test('the diagram', () => {
    const text = diagramView(picture);
    expect(text).toContain('pid 1001 sleeps on 1: 0:-1 1:-1');
    expect(text).toContain('exit of 1001 undoes 0:-3');
    expect(text).toContain('pid 1002 receives: lessEqual 7');
    expect(text).toContain('pid 1003 sends: type 5, 3 bytes');
  });

  test('a state file takes it there and back', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'sameframe-')), 'state.json');
    writeFileSync(path, stateText(picture));
    expect(readState(path)).toEqual(picture);
  });
});
