/** The table that regions are called through: its slots, how it grows, and the next one. */
import { expect, test } from 'vitest';
import { get } from '../../../emulator/codegen/emitter.ts';
import { ECALL_SLOT, TABLE_SIZE } from '../../../emulator/jit/convention.ts';
import { RegionTable, type Linked } from '../../../emulator/jit/regionTable.ts';
import { encodeModule } from '../../../emulator/wasm/encode.ts';

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
const type = { params: ['i32', 'i32'], results: ['i32'] } as const;
const { exports } = new WebAssembly.Instance(
  new WebAssembly.Module(
    encodeModule({
      memory: { initial: 1, maximum: 1, shared: false },
      imports: [],
      functions: ['stub', 'ecall'].map((name) => ({
        name,
        type,
        locals: [],
        code: get(0),
        exported: true,
      })),
    }),
  ),
  { env: { memory } },
);
const { stub, ecall } = exports as { stub: () => number; ecall: () => number };
const empty = new WebAssembly.Module(
  encodeModule({ memory: { initial: 1, maximum: 1, shared: false }, imports: [], functions: [] }),
);

interface Holder {
  readonly slot: number;
  readonly body: null;
}

function tables(): { table: RegionTable<Holder>; made: WebAssembly.Table[] } {
  const made: WebAssembly.Table[] = [];
  const link = (): Linked => {
    const table = new WebAssembly.Table({
      element: 'anyfunc',
      initial: ECALL_SLOT + 1,
      maximum: TABLE_SIZE,
    });
    made.push(table);
    return { table, stub, ecall, lookUp: stub };
  };
  return { table: new RegionTable<Holder>(memory, link, { modules: 0, bytes: 0, tables: 0 }), made };
}

/** Takes the next slot, or that one. */
function take(table: RegionTable<Holder>, wish = 0): Holder {
  const holder = { slot: table.choose(wish), body: null };
  table.add(holder);
  return holder;
}

test('a table grows as slots are given away, and holds stubs', () => {
  const { table, made } = tables();
  expect([made[0]?.length, made[0]?.get(ECALL_SLOT)]).toEqual([1, ecall]);
  expect(take(table).slot).toBe(1);
  expect(made[0]?.length).toBe(64);
  take(table, 300);
  expect([made[0]?.length, made[0]?.get(1), made[0]?.get(299), made[0]?.get(511)]).toEqual([
    512,
    stub,
    stub,
    stub,
  ]);
  take(table, TABLE_SIZE - 1);
  expect(made[0]?.length).toBe(TABLE_SIZE);
});

test('the next table has the slots of the one before, since whoever remembers them may still call', () => {
  const { table, made } = tables();
  const holder = take(table, 300);
  table.remove(holder);
  for (let n = 0; n < 100; n++) table.instantiate(empty, 0);
  table.renew();
  expect(made).toHaveLength(2);
  expect([made[1]?.length, made[1]?.get(ECALL_SLOT), made[1]?.get(300)]).toEqual([512, ecall, stub]);
});

test('slots are given away in turn, and wishes granted where they can be', () => {
  const { table } = tables();
  expect([take(table).slot, take(table, 3).slot, take(table, 3).slot, take(table).slot]).toEqual([
    1, 3, 2, 4,
  ]);
  for (let n = 5; n < TABLE_SIZE; n++) take(table);
  // All are taken: the one given away first has to go.
  expect(table.choose(0)).toBe(1);
});
