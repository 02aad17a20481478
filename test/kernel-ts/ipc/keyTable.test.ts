import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyTable } from '../../../kernel-ts/ipc/keyTable.ts';
import { KernIpcPerm, type IpcObject } from '../../../kernel-ts/ipc/util.ts';
import { makeCred } from '../../../kernel-ts/mm/cred.ts';

const root = makeCred(0, 0);
const make = (key: number): IpcObject => ({ ipcPerm: new KernIpcPerm(key, 0o600, root) });

test('the table of keys holds what a map would', () => {
  // Few keys, for them to come again, and all that there are.
  const key = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 0xffff_ffff }));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), key), { maxLength: 300 }), (steps) => {
      const table = new KeyTable();
      const map = new Map<number, IpcObject>();
      for (const [add, at] of steps) {
        const there = map.get(at);
        expect(table.get(at)).toBe(there);
        if (add === (there !== undefined)) continue;
        if (there === undefined) {
          const object = make(at);
          table.add(object);
          map.set(at, object);
        } else {
          table.delete(there);
          map.delete(at);
          expect(there.ipcPerm.khtNext).toBe(null);
        }
      }
      expect(table.size).toBe(map.size);
      expect(new Set(table.values())).toEqual(new Set(map.values()));
    }),
  );
});

test('what is not in the table cannot be taken out', () => {
  const table = new KeyTable();
  table.add(make(1));
  expect(() => table.delete(make(1))).toThrow('this key is not in the table: 1');
});
