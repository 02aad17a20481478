import { expect, test } from 'vitest';
import { FilesStruct } from '../../../kernel-ts/fs/file.ts';

test('close_on_exec is a bit for each descriptor', () => {
  const files = new FilesStruct();
  const marked = (): number[] =>
    Array.from({ length: 100 }, (_, fd) => fd).filter((fd) => files.isCloseOnExec(fd));
  files.setCloseOnExec(70, false);
  expect([marked(), files.closeOnExec]).toEqual([[], []]);
  for (const fd of [0, 31, 32, 63, 99]) files.setCloseOnExec(fd, true);
  expect(marked()).toEqual([0, 31, 32, 63, 99]);
  files.setCloseOnExec(31, false);
  files.setCloseOnExec(32, true);
  expect(marked()).toEqual([0, 32, 63, 99]);
});
