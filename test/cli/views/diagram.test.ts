import { describe, expect, test } from 'vitest';
import { diagramView } from '../../../cli/views/diagram.ts';
import type { Picture } from '../../../kernel-ts/system/picture.ts';
import { picture } from './fixtures.ts';

const many = Array.from({ length: 9 }, () => [0]);
const drawings: readonly (readonly [string, Picture, number])[] = [
  ['two-processes', picture(), 100],
  ['two-processes-80-columns', picture(), 80],
  ['nothing', picture({ segments: [], attached: [] }), 100],
  ['never-attached', picture({ segments: [{ pages: 0 }], attached: [] }), 100],
  ['untouched', picture({ segments: [{ pages: 0 }] }), 100],
  ['removed-but-attached', picture({ segments: [{ key: 0, mode: 0o3600 }] }), 100],
  ['one-process', picture({ attached: [[0]] }), 100],
  ['nine-processes', picture({ attached: many }), 100],
  ['two-segments', picture({ segments: [{}, { pages: 9, segsz: 40000 }], attached: [[0, 1], [1]] }), 100],
  ['eight-segments', picture({ segments: Array.from({ length: 8 }, () => ({})), attached: [[0]] }), 100],
];

describe('diagramView', () => {
  test.each(drawings)('%s', async (name, given, width) => {
    await expect(diagramView(given, { width })).toMatchFileSnapshot(`./expected/diagram-${name}.txt`);
  });

  test.each(drawings)('%s stays within its width and leaves no trailing blanks', (_name, given, width) => {
    for (const line of diagramView(given, { width }).split('\n')) {
      expect([...line].length, line).toBeLessThanOrEqual(width);
      expect(line).toBe(line.trimEnd());
    }
  });

  test('a name made by the guest cannot move the cursor', () => {
    const hostile = picture();
    const renamed = {
      ...hostile,
      tasks: hostile.tasks.map((task) => ({ ...task, comm: 'a\u001b[2Jb' })),
    };
    expect(diagramView(renamed)).not.toContain('\u001b');
  });
});
