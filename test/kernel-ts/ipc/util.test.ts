import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EACCES, EEXIST, EINVAL, ENOENT, ENOSPC } from '../../../kernel-ts/abi/errno.ts';
import { IPC_CREAT, IPC_EXCL } from '../../../kernel-ts/abi/ipc.ts';
import {
  IPC_MIN_CYCLE,
  ipcAddid,
  IPCID_SEQ_MAX,
  ipcget,
  IpcIds,
  ipcObtainObjectCheck,
  ipcObtainObjectIdr,
  ipcperms,
  ipcRmid,
  ipcSetKeyPrivate,
  ipcSorted,
  KernIpcPerm,
  type IpcObject,
} from '../../../kernel-ts/ipc/util.ts';
import type { IpcContext, IpcNamespace } from '../../../kernel-ts/ipc/namespace.ts';
import { makeCred } from '../../../kernel-ts/mm/cred.ts';

const root = makeCred(0, 0);
const make = (key = 0, mode = 0o600): IpcObject => ({ ipcPerm: new KernIpcPerm(key, mode, root) });

/** Linux's algorithm, line by line, over a plain set. */
class Reference {
  used = new Set<number>();
  next = 0;
  last = -1;
  seq = 0;

  add(nextId: number): number {
    const free = (from: number, end: number): number => {
      for (let i = from; i < end; i++) if (!this.used.has(i)) return i;
      return -1;
    };
    if (nextId >= 0) {
      const index = free(nextId % 32768, 32768);
      this.used.add(index);
      return Math.floor(nextId / 32768) * 32768 + index;
    }
    const end = Math.min(Math.max(Math.floor((this.used.size * 3) / 2), 64), 32768);
    let index = free(this.next, end);
    if (index < 0) index = free(0, end);
    this.next = index + 1;
    if (index <= this.last && ++this.seq >= 65535) this.seq = 0;
    this.last = index;
    this.used.add(index);
    return this.seq * 32768 + index;
  }
}

describe('identifiers', () => {
  test('create and remove walks through the window, then the sequence number grows', () => {
    const ids = new IpcIds();
    const seen: number[] = [];
    for (let i = 0; i < IPC_MIN_CYCLE + 3; i++) {
      const object = make();
      ipcAddid(ids, object, 4096);
      seen.push(object.ipcPerm.id);
      ipcRmid(ids, object);
    }
    expect(seen.slice(0, 3)).toEqual([0, 1, 2]);
    // As seen on Linux 6.18: ... 62, 63, 32768, 32769.
    expect(seen.slice(62)).toEqual([62, 63, 32768, 32769, 32770]);
  });

  test('follow the reference under any mix of creation, removal and next_id', () => {
    const step = fc.record({
      op: fc.constantFrom('add', 'add', 'add', 'remove', 'next'),
      pick: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const ids = new IpcIds();
        const reference = new Reference();
        let live: IpcObject[] = [];
        for (const { op, pick } of steps) {
          if (op === 'next') {
            ids.nextId = pick % (3 * 32768);
          } else if (op === 'remove') {
            const gone = live[pick % Math.max(1, live.length)];
            if (gone === undefined) continue;
            ipcRmid(ids, gone);
            reference.used.delete(gone.ipcPerm.id % 32768);
            live = live.filter((o) => o !== gone);
          } else {
            const object = make();
            const wanted = ids.nextId;
            expect(ipcAddid(ids, object, 32768)).toBe(object.ipcPerm.id % 32768);
            expect(object.ipcPerm.id).toBe(reference.add(wanted));
            expect(ids.nextId).toBe(-1);
            live.push(object);
          }
          expect(ids.inUse).toBe(live.length);
          expect(ids.maxIdx).toBe(Math.max(-1, ...reference.used));
          expect(ipcSorted(ids).length).toBe(live.length);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('the sequence number wraps below IPCID_SEQ_MAX', () => {
    const ids = new IpcIds();
    ids.seq = IPCID_SEQ_MAX - 1;
    ids.lastIdx = 5;
    const object = make();
    ipcAddid(ids, object, 4096);
    expect(object.ipcPerm.id).toBe(0);
  });

  test('a stale id is refused, the index alone still finds the object', () => {
    const ids = new IpcIds();
    const object = make();
    ipcAddid(ids, object, 4096);
    expect(ipcObtainObjectCheck(ids, 32768)).toBe(-EINVAL);
    expect(ipcObtainObjectIdr(ids, 32768)).toBe(object);
    expect(ipcObtainObjectCheck(ids, 1)).toBe(-EINVAL);
    ipcRmid(ids, object);
    expect(ipcObtainObjectCheck(ids, 0)).toBe(-EINVAL);
    expect(() => ipcRmid(ids, object)).toThrow('not in the table');
  });

  test('limits: ENOSPC, and room again after a removal', () => {
    const ids = new IpcIds();
    const objects = [make(), make()];
    for (const object of objects) expect(ipcAddid(ids, object, 2)).toBeGreaterThanOrEqual(0);
    expect(ipcAddid(ids, make(), 2)).toBe(-ENOSPC);
    ipcRmid(ids, objects[0] as IpcObject);
    expect(ipcAddid(ids, make(), 2)).toBe(2);
  });
});

describe('ipcget', () => {
  test('ENOENT, EEXIST, the checks of the kind, EACCES, in this order', () => {
    const ids = new IpcIds();
    const user = makeCred(1000, 1000);
    const get = (flag: number, check = 0, cred = user): number => {
      const ctx = { current: { cred, ipcNs: {} } } as IpcContext;
      const getnew = (_ctx: IpcContext, _ns: IpcNamespace, key: number, size: number): number => {
        expect(size).toBe(12);
        const object = make(key);
        ipcAddid(ids, object, 10);
        return object.ipcPerm.id;
      };
      const moreChecks = (_object: IpcObject, size: number): number => (size === 12 ? check : 1);
      return ipcget(ctx, ids, { getnew, moreChecks }, 7, 12, flag);
    };
    expect(get(0)).toBe(-ENOENT);
    expect(get(IPC_EXCL)).toBe(-ENOENT);
    expect(get(IPC_CREAT | IPC_EXCL)).toBe(0);
    expect(get(IPC_CREAT | IPC_EXCL, -EINVAL)).toBe(-EEXIST);
    expect(get(0o600, -EINVAL)).toBe(-EINVAL);
    expect(get(0o600)).toBe(-EACCES);
    expect(get(0)).toBe(0);
    expect(get(0o600, 0, root)).toBe(0);
    const object = ids.keys.get(7);
    if (object !== undefined) ipcSetKeyPrivate(ids, object);
    expect(get(0)).toBe(-ENOENT);
  });

  test('ipcperms takes owner or creator, then groups, then others', () => {
    const perm = new KernIpcPerm(0, 0o640, makeCred(1, 10));
    perm.uid = 2;
    perm.gid = 20;
    const denied = (uid: number, gid: number, flag: number, groups: number[] = []): boolean =>
      ipcperms(makeCred(uid, gid, groups), perm, flag);
    expect([denied(1, 99, 0o600), denied(2, 99, 0o600), denied(3, 10, 0o400), denied(3, 20, 0o400)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect([
      denied(3, 20, 0o600),
      denied(3, 30, 0o400),
      denied(3, 30, 0),
      denied(3, 30, 0o444, [20]),
    ]).toEqual([true, true, false, false]);
    expect(denied(0, 0, 0o777)).toBe(false);
  });
});
