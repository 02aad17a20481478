import { createColors } from 'picocolors';
import { describe, expect, test } from 'vitest';
import { crashView } from '../../../cli/views/crash.ts';
import { ipcsView } from '../../../cli/views/ipcs.ts';
import { mapsView } from '../../../cli/views/maps.ts';
import { pagetableView } from '../../../cli/views/pagetable.ts';
import { paint } from '../../../cli/views/paint.ts';
import { picture } from './fixtures.ts';

describe('tables', () => {
  test('ipcs -m shows removed and locked segments', async () => {
    const given = picture({
      segments: [{}, { key: 0, mode: 0o1666 }, { mode: 0o2640, segsz: 123456 }],
      attached: [[0, 1]],
    });
    await expect(ipcsView(given, ['memory'])).toMatchFileSnapshot('./expected/ipcs.txt');
  });

  test('maps of two processes', async () => {
    await expect(mapsView(picture())).toMatchFileSnapshot('./expected/maps.txt');
  });

  test('maps of one pid, and of none', () => {
    expect(mapsView(picture(), 1002)).not.toContain('[pid 1001]');
    expect(mapsView(picture(), 7)).toBe('no process\n');
  });

  test('page tables name the other places that map a frame', async () => {
    await expect(pagetableView(picture())).toMatchFileSnapshot('./expected/pagetable.txt');
  });

  test('a task that gave up its address space', () => {
    const given = picture();
    const tasks = given.tasks.map((task) => ({ ...task, state: 'Z', mm: null }));
    expect(mapsView({ ...given, tasks })).toContain('no address space');
    expect(pagetableView({ ...given, tasks })).toContain('no address space');
  });

  test('a crash shows registers in four columns', async () => {
    const text = crashView({
      pid: 1002,
      comm: 'reader',
      signal: 11,
      signalName: 'SIGSEGV',
      code: 'SEGV_ACCERR',
      pc: 0x110f4,
      symbol: 'main+0x1c',
      address: 0x95500000,
      explanation: 'read-only attach of shmid 3: rw needed',
      registers: Array.from({ length: 32 }, (_, index) => (index * 0x08080808) >>> 0),
    });
    await expect(text).toMatchFileSnapshot('./expected/crash.txt');
  });
});

describe('paint', () => {
  test('adds nothing without colours, and only colours with them', () => {
    const text = 'x [shmid_kernel] 0x80140 SHM_DEST';
    expect(paint(text, createColors(false), ['0x80140'])).toBe(text);
    const painted = paint(text, createColors(true), ['0x80140']);
    expect(painted).not.toBe(text);
    // eslint-disable-next-line no-control-regex
    expect(painted.replaceAll(/\u001b\[\d+m/g, '')).toBe(text);
  });
});
