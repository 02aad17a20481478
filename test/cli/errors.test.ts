import { expect, test } from 'vitest';
import { CliError, EXIT, fileError } from '../../cli/errors.ts';

const failed = (code: string): Error => Object.assign(new Error('it failed'), { code });

test('a failed file operation is one line about the file, in words, and exit status 2', () => {
  const error = fileError('read', 'a b.c', failed('ENOENT'));
  expect(error).toBeInstanceOf(CliError);
  expect(error.message).toBe('cannot read a b.c: no such file or directory');
  expect(error.status).toBe(EXIT.usage);
  expect(fileError('write', 'x', failed('EXDEV')).message).toBe('cannot write x: EXDEV');
  expect(fileError('write', 'x', 'no reason').message).toBe('cannot write x: no reason');
});

test('a name that cannot be seen is quoted', () => {
  expect(fileError('run', '', failed('ENOENT')).message).toBe("cannot run '': no such file or directory");
  expect(fileError('run', ' ', failed('EACCES')).message).toBe("cannot run ' ': permission denied");
});
