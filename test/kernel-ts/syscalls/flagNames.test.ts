import { expect, test } from 'vitest';
import { formatNamed, nameTables, type NameTableKey } from '../../../kernel-ts/syscalls/flagNames.ts';

test.each<[NameTableKey, number, string]>([
  ['O', 0, 'O_RDONLY'],
  ['O', 0o2101 | 0o2000000, 'O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC'],
  ['PROT', 0, 'PROT_NONE'],
  ['PROT', 3, 'PROT_READ|PROT_WRITE'],
  ['MAP', 0x22, 'MAP_PRIVATE|MAP_ANONYMOUS'],
  ['SHMGET', 0o1600, 'IPC_CREAT|0600'],
  ['SHMGET', 0, '0'],
  ['SHMAT', 0o10000, 'SHM_RDONLY'],
  ['SHMCTL', 2, 'IPC_STAT'],
  ['CLONE', 17, 'SIGCHLD'],
  ['CLONE', 0x4111, 'SIGCHLD|CLONE_VM|CLONE_VFORK'],
  ['FUTEX', 128, 'FUTEX_WAIT|FUTEX_PRIVATE_FLAG'],
  ['CLOCK', 1, 'CLOCK_MONOTONIC'],
  ['CLOCK', 99, '0x63'],
  ['WAIT', 5, 'WNOHANG|WEXITED'],
  ['ACCESS', 0, 'F_OK'],
  ['RUSAGE', -1, 'RUSAGE_CHILDREN'],
  ['MADV', 4, 'MADV_DONTNEED'],
  ['O', -1 << 28, 'O_RDONLY|0xf0000000'],
])('%s %i is %s', (table, value, expected) => {
  expect(formatNamed(nameTables()[table], value)).toBe(expected);
});
