import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  EEXIST,
  EFAULT,
  EINVAL,
  EISDIR,
  ELOOP,
  EMFILE,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  ENOTTY,
  ENXIO,
  EPERM,
  EPIPE,
  ESPIPE,
  ETXTBSY,
  EXDEV,
} from '../../../kernel-ts/abi/errno.ts';
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  F_ADD_SEALS,
  F_DUPFD,
  F_GETFD,
  F_GETFL,
  F_GETPIPE_SZ,
  F_SEAL_WRITE,
  F_SETFD,
  F_SETPIPE_SZ,
  MFD_ALLOW_SEALING,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  RENAME_NOREPLACE,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
} from '../../../kernel-ts/abi/fcntl.ts';
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../../../kernel-ts/abi/mman.ts';
import { encodeStatx, type Kstat } from '../../../kernel-ts/abi/stat.ts';
import { RLIMIT_NOFILE } from '../../../kernel-ts/abi/resource.ts';
import {
  doChdir,
  doFaccessat,
  doFallocate,
  doFchmodat,
  doFchownat,
  doFtruncate,
  doUtimensat,
  getcwd,
} from '../../../kernel-ts/fs/attr.ts';
import { doFcntl } from '../../../kernel-ts/fs/fcntl.ts';
import {
  closeFd,
  closeRange,
  doCloseOnExec,
  dupFilesStruct,
  fdInstall,
  fget,
  ksysDup,
  ksysDup3,
  putFilesStruct,
} from '../../../kernel-ts/fs/fdtable.ts';
import type { File } from '../../../kernel-ts/fs/file.ts';
import { readGuestFile, writeGuestFile } from '../../../kernel-ts/fs/init.ts';
import { kernelIter, userIter } from '../../../kernel-ts/fs/iovIter.ts';
import { memfdCreate } from '../../../kernel-ts/fs/memfd.ts';
import { ksysMmapPgoff } from '../../../kernel-ts/fs/mmapFile.ts';
import {
  doLinkat,
  doMkdirat,
  doMknodat,
  doReadlinkat,
  doRenameat2,
  doSymlinkat,
  doUnlinkat,
} from '../../../kernel-ts/fs/namei.ts';
import { doSysOpenat, fput, openExec } from '../../../kernel-ts/fs/open.ts';
import { doPipe2 } from '../../../kernel-ts/fs/pipe.ts';
import {
  doSendfile,
  kernelReadFile,
  ksysPread,
  vfsGetdents64,
  vfsIoctl,
  vfsLlseek,
  vfsPoll,
  vfsRead,
  vfsWrite,
} from '../../../kernel-ts/fs/readWrite.ts';
import { vfsFstat, vfsStatx } from '../../../kernel-ts/fs/stat.ts';
import { isWait, type WaitReason } from '../../../kernel-ts/fs/wait.ts';
import { setMmExeFile } from '../../../kernel-ts/mm/mmLife.ts';
import type { MmStruct } from '../../../kernel-ts/mm/mm.ts';
import { copyFromUser, copyToUser } from '../../../kernel-ts/mm/usercopy.ts';
import { checkKernel, load, mmOf, store, TestKernel, type TestTask } from '../mm/machine.ts';

const P = 4096;

class Fixture {
  readonly k = new TestKernel(4 << 20);
  task: TestTask = this.k.spawn();

  as(uid: number): TestTask {
    this.task = this.k.spawn(uid);
    return this.task;
  }
  get mm(): MmStruct {
    return mmOf(this.task);
  }
  open(path: string, flags = O_RDONLY, mode = 0o644): number {
    return doSysOpenat(this.k, AT_FDCWD, path, flags, mode);
  }
  file(fd: number): File {
    const file = fget(this.k, fd);
    if (file === null) throw new Error(`fd ${fd}`);
    return file;
  }
  write(fd: number, text: string): number | WaitReason {
    return vfsWrite(this.k, this.file(fd), kernelIter(new TextEncoder().encode(text)));
  }
  read(fd: number, max = 100): string | number {
    const buffer = new Uint8Array(max);
    const got = vfsRead(this.k, this.file(fd), kernelIter(buffer));
    if (isWait(got)) return 'wait';
    return got < 0 ? got : new TextDecoder().decode(buffer.subarray(0, got));
  }
  text(path: string): string {
    const bytes = readGuestFile(this.k, path);
    return typeof bytes === 'number' ? String(bytes) : new TextDecoder().decode(bytes);
  }
  put(path: string, text: string, mode = 0o644): number {
    return writeGuestFile(this.k, path, new TextEncoder().encode(text), mode);
  }
  stat(path: string): Kstat {
    const stat = vfsStatx(this.k, AT_FDCWD, path, 0);
    if (typeof stat === 'number') throw new Error(`stat ${path}: ${stat}`);
    return stat;
  }
  list(path: string): string[] {
    const fd = this.open(path, O_DIRECTORY);
    const buf = ksysMmapPgoff(this.k, 0, 16 * P, 3, 0x22, -1, 0);
    const names: string[] = [];
    for (;;) {
      const got = vfsGetdents64(this.k, this.file(fd), this.mm, buf, 120);
      if (got <= 0) break;
      const bytes = copyFromUser(this.k, this.mm, buf, got);
      if (typeof bytes === 'number') throw new Error('buf');
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < got; at += view.getUint16(at + 16, true)) {
        const end = bytes.indexOf(0, at + 19);
        names.push(new TextDecoder().decode(bytes.subarray(at + 19, end)));
      }
    }
    closeFd(this.k, fd);
    return names;
  }
}

describe('open, read, write', () => {
  test('creates, appends, truncates, seeks', () => {
    const f = new Fixture();
    const fd = f.open('/tmp/a', O_RDWR | O_CREAT | O_EXCL, 0o666);
    expect(fd).toBe(0);
    expect(f.stat('/tmp/a').mode & 0o777).toBe(0o644);
    expect(f.open('/tmp/a', O_CREAT | O_EXCL)).toBe(-EEXIST);
    expect(f.write(fd, 'hello world')).toBe(11);
    expect(vfsLlseek(f.k, f.file(fd), -5, SEEK_END)).toBe(6);
    expect(f.read(fd)).toBe('world');
    const append = f.open('/tmp/a', O_WRONLY | O_APPEND);
    expect(f.write(append, '!')).toBe(1);
    expect(f.read(append)).toBe(-EBADF);
    expect(f.text('/tmp/a')).toBe('hello world!');
    const page = new Uint8Array(4);
    expect(ksysPread(f.k, f.file(fd), kernelIter(page), 6)).toBe(4);
    expect(f.open('/tmp/a', O_WRONLY | O_TRUNC)).toBe(2);
    expect(f.text('/tmp/a')).toBe('');
    expect(f.open('/tmp/none')).toBe(-ENOENT);
    expect(f.open('/tmp/a/b')).toBe(-ENOTDIR);
    expect(f.open('/tmp/a/')).toBe(-ENOTDIR);
    expect(f.open('/tmp', O_WRONLY)).toBe(-EISDIR);
    expect(f.open('/tmp', O_CREAT)).toBe(-EISDIR);
    expect(f.open('/tmp/a', O_DIRECTORY)).toBe(-ENOTDIR);
    expect(f.open('')).toBe(-ENOENT);
    expect(vfsLlseek(f.k, f.file(fd), -1, 0)).toBe(-EINVAL);
    expect(vfsLlseek(f.k, f.file(fd), 0, 9)).toBe(-EINVAL);
    checkKernel(f.k);
  });

  test('files behave as arrays of bytes, holes included', () => {
    const op = fc.oneof(
      fc.record({
        at: fc.integer({ min: 0, max: 20000 }),
        bytes: fc.uint8Array({ minLength: 1, maxLength: 6000 }),
      }),
      fc.record({ at: fc.integer({ min: 0, max: 20000 }), bytes: fc.constant(null) }),
    );
    fc.assert(
      fc.property(fc.array(op, { maxLength: 12 }), (ops) => {
        const f = new Fixture();
        const fd = f.open('/tmp/x', O_RDWR | O_CREAT);
        let model = new Uint8Array(0);
        for (const { at, bytes } of ops) {
          if (bytes === null) {
            expect(doFtruncate(f.k, fd, at)).toBe(0);
            const next = new Uint8Array(at);
            next.set(model.subarray(0, at));
            model = next;
          } else {
            vfsLlseek(f.k, f.file(fd), at, 0);
            expect(vfsWrite(f.k, f.file(fd), kernelIter(bytes))).toBe(bytes.length);
            const next = new Uint8Array(Math.max(model.length, at + bytes.length));
            next.set(model);
            next.set(bytes, at);
            model = next;
          }
        }
        expect(readGuestFile(f.k, '/tmp/x')).toEqual(model);
        checkKernel(f.k);
        closeFd(f.k, fd);
        doUnlinkat(f.k, AT_FDCWD, '/tmp/x', 0);
        expect(f.k.memMap.freeFrames).toBe(f.k.memMap.totalFrames - 1);
      }),
      { numRuns: 40 },
    );
  });

  test('user buffers: partial transfers, EFAULT', () => {
    const f = new Fixture();
    const fd = f.open('/tmp/u', O_RDWR | O_CREAT);
    const a = ksysMmapPgoff(f.k, 0x2000_0000, P, 3, 0x32, -1, 0);
    expect(vfsWrite(f.k, f.file(fd), userIter(f.mm, a + P - 10, 100))).toBe(10);
    expect(vfsWrite(f.k, f.file(fd), userIter(f.mm, a + P, 100))).toBe(-EFAULT);
    vfsLlseek(f.k, f.file(fd), 0, 0);
    expect(vfsRead(f.k, f.file(fd), userIter(f.mm, a + P - 4, 10))).toBe(4);
    expect(vfsRead(f.k, f.file(fd), userIter(f.mm, 0, 10))).toBe(-EFAULT);
    checkKernel(f.k);
  });

  test('an unlinked file lives as long as it is open', () => {
    const f = new Fixture();
    const fd = f.open('/tmp/gone', O_RDWR | O_CREAT);
    f.write(fd, 'x');
    const free = f.k.memMap.freeFrames;
    expect(doUnlinkat(f.k, AT_FDCWD, '/tmp/gone', 0)).toBe(0);
    expect(doReadlinkat(f.k, AT_FDCWD, '/proc/self/fd/0')).toBe('/tmp/gone (deleted)');
    expect(f.k.memMap.freeFrames).toBe(free);
    closeFd(f.k, fd);
    expect(f.k.memMap.freeFrames).toBe(free + 1);
  });

  test('SEEK_DATA and SEEK_HOLE, fallocate', () => {
    const f = new Fixture();
    const fd = f.open('/tmp/h', O_RDWR | O_CREAT);
    doFtruncate(f.k, fd, 3 * P);
    vfsLlseek(f.k, f.file(fd), P, 0);
    f.write(fd, 'd');
    expect([vfsLlseek(f.k, f.file(fd), 0, SEEK_DATA), vfsLlseek(f.k, f.file(fd), P, SEEK_HOLE)]).toEqual([
      P,
      2 * P,
    ]);
    expect(vfsLlseek(f.k, f.file(fd), 2 * P, SEEK_DATA)).toBe(-ENXIO);
    // A sparse file of terabytes is looked through at once.
    doFtruncate(f.k, fd, 2 ** 43);
    expect(vfsLlseek(f.k, f.file(fd), 2 * P, SEEK_DATA)).toBe(-ENXIO);
    doFtruncate(f.k, fd, 3 * P);
    expect(doFallocate(f.k, fd, 3, P, P)).toBe(0);
    expect(f.stat('/tmp/h').blocks).toBe(0);
    expect(doFallocate(f.k, fd, 0, 0, 5 * P)).toBe(0);
    expect([f.stat('/tmp/h').blocks, f.stat('/tmp/h').size]).toEqual([40, 5 * P]);
    checkKernel(f.k);
  });
});

describe('mmap of files', () => {
  test('a shared mapping and write(2) see each other, a private one keeps its copy', () => {
    const f = new Fixture();
    const fd = f.open('/tmp/m', O_RDWR | O_CREAT);
    f.write(fd, 'abc');
    const s = ksysMmapPgoff(f.k, 0, P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const p = ksysMmapPgoff(f.k, 0, P, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    expect(load(f.k, f.task, s + 1)).toBe(98);
    store(f.k, f.task, s, 65);
    expect(load(f.k, f.task, p)).toBe(65);
    store(f.k, f.task, p, 66);
    store(f.k, f.task, s + 1, 67);
    expect([f.text('/tmp/m'), load(f.k, f.task, p + 1)]).toEqual(['ACc', 98]);
    expect(load(f.k, f.task, s + 100)).toBe(0);
    checkKernel(f.k);
    // Truncation takes the pages away, private copies too.
    doFtruncate(f.k, fd, 0);
    expect([load(f.k, f.task, s), load(f.k, f.task, p)]).toEqual(['SigbusAdrerr', 'SigbusAdrerr']);
    checkKernel(f.k);
  });

  test('needs the file open for what it does', () => {
    const f = new Fixture();
    f.put('/tmp/r', 'x');
    const r = f.open('/tmp/r');
    const w = f.open('/tmp/r', O_WRONLY);
    const rw = PROT_READ | PROT_WRITE;
    expect(ksysMmapPgoff(f.k, 0, P, rw, MAP_SHARED, r, 0)).toBe(-EACCES);
    expect(ksysMmapPgoff(f.k, 0, P, rw, MAP_PRIVATE, r, 0)).toBeGreaterThan(0);
    expect(ksysMmapPgoff(f.k, 0, P, PROT_READ, MAP_SHARED, w, 0)).toBe(-EACCES);
    expect(ksysMmapPgoff(f.k, 0, P, PROT_READ, MAP_SHARED, 99, 0)).toBe(-EBADF);
    expect(ksysMmapPgoff(f.k, 0, P, PROT_READ, MAP_SHARED, f.open('/dev/null'), 0)).toBe(-19);
    const zero = f.open('/dev/zero', O_RDWR);
    for (const flags of [MAP_SHARED, MAP_PRIVATE]) {
      const a = ksysMmapPgoff(f.k, 0, P, rw, flags, zero, 0);
      expect([store(f.k, f.task, a, 3), load(f.k, f.task, a)]).toEqual(['ok', 3]);
    }
    checkKernel(f.k);
    f.k.exit(f.task);
    checkKernel(f.k);
  });

  test('memfd and its seals', () => {
    const f = new Fixture();
    const fd = memfdCreate(f.k, 'mem', MFD_ALLOW_SEALING);
    doFtruncate(f.k, fd, P);
    expect(doReadlinkat(f.k, AT_FDCWD, `/proc/self/fd/${fd}`)).toBe('/memfd:mem (deleted)');
    const a = ksysMmapPgoff(f.k, 0, P, 3, MAP_SHARED, fd, 0);
    store(f.k, f.task, a, 7);
    expect(doFcntl(f.k, fd, F_ADD_SEALS, F_SEAL_WRITE)).toBe(-EBUSY);
    f.k.exit(f.task);
    f.task = f.as(0);
    const g = memfdCreate(f.k, 'x', MFD_ALLOW_SEALING);
    expect(doFcntl(f.k, g, F_ADD_SEALS, F_SEAL_WRITE)).toBe(0);
    expect(f.write(g, 'a')).toBe(-EPERM);
    expect(ksysMmapPgoff(f.k, 0, P, 3, MAP_SHARED, g, 0)).toBe(-EPERM);
    expect(memfdCreate(f.k, 'x', 0x8000)).toBe(-EINVAL);
  });
});

describe('names', () => {
  test('directories, links, renames', () => {
    const f = new Fixture();
    const at = AT_FDCWD;
    expect(doMkdirat(f.k, at, '/tmp/d', 0o777)).toBe(0);
    expect(doMkdirat(f.k, at, '/tmp/d', 0o777)).toBe(-EEXIST);
    expect(doMkdirat(f.k, at, '/tmp/none/d', 0o777)).toBe(-ENOENT);
    f.put('/tmp/d/one', '1');
    expect(doSymlinkat(f.k, 'one', at, '/tmp/d/link')).toBe(0);
    expect(f.text('/tmp/d/link')).toBe('1');
    expect(doReadlinkat(f.k, at, '/tmp/d/link')).toBe('one');
    expect(f.open('/tmp/d/link', O_NOFOLLOW)).toBe(-ELOOP);
    doSymlinkat(f.k, 'loop', at, '/tmp/d/loop');
    expect(f.open('/tmp/d/loop')).toBe(-ELOOP);
    expect(doLinkat(f.k, at, '/tmp/d/one', at, '/tmp/d/two', 0)).toBe(0);
    expect(f.stat('/tmp/d/two').nlink).toBe(2);
    expect(doLinkat(f.k, at, '/tmp/d', at, '/tmp/e', 0)).toBe(-EPERM);
    expect(doLinkat(f.k, at, '/tmp/d/one', at, '/dev/shm/one', 0)).toBe(-EXDEV);
    expect(f.list('/tmp/d')).toEqual(['.', '..', 'one', 'link', 'loop', 'two']);
    expect(doRenameat2(f.k, at, '/tmp/d/two', at, '/tmp/d/one', RENAME_NOREPLACE)).toBe(-EEXIST);
    expect(doRenameat2(f.k, at, '/tmp/d/link', at, '/tmp/d/two', 0)).toBe(0);
    expect(doRenameat2(f.k, at, '/tmp/d', at, '/tmp/d/sub', 0)).toBe(-EINVAL);
    expect(doUnlinkat(f.k, at, '/tmp/d', 0)).toBe(-EISDIR);
    expect(doUnlinkat(f.k, at, '/tmp/d', AT_REMOVEDIR)).toBe(-ENOTEMPTY);
    expect(doUnlinkat(f.k, at, '/tmp/d/one', AT_REMOVEDIR)).toBe(-ENOTDIR);
    expect(doUnlinkat(f.k, at, '/dev/shm', AT_REMOVEDIR)).toBe(-EBUSY);
    for (const name of ['one', 'loop', 'two']) expect(doUnlinkat(f.k, at, `/tmp/d/${name}`, 0)).toBe(0);
    expect(doUnlinkat(f.k, at, '/tmp/d', AT_REMOVEDIR)).toBe(0);
    expect(doUnlinkat(f.k, at, '/tmp/d', AT_REMOVEDIR)).toBe(-ENOENT);
  });

  test('cwd, "..", mounts, dirfds', () => {
    const f = new Fixture();
    doMkdirat(f.k, AT_FDCWD, '/dev/shm/x', 0o755);
    expect(doChdir(f.k, '/dev/shm/x')).toBe(0);
    expect(getcwd(f.k)).toBe('/dev/shm/x');
    f.put('/dev/shm/x/y', 'z');
    expect(f.text('y')).toBe('z');
    expect(f.stat('..').ino).toBe(f.stat('/dev/shm').ino);
    expect(f.stat('../..').ino).toBe(f.stat('/dev').ino);
    expect(f.stat('../../../..').ino).toBe(f.stat('/').ino);
    const dir = f.open('/dev/shm', O_PATH | O_DIRECTORY);
    expect(doSysOpenat(f.k, dir, 'x/y', O_RDONLY, 0)).toBe(dir + 1);
    expect(doSysOpenat(f.k, 99, 'x', O_RDONLY, 0)).toBe(-EBADF);
    expect(doSysOpenat(f.k, dir + 1, 'x', O_RDONLY, 0)).toBe(-ENOTDIR);
    expect(fget(f.k, dir)).toBeNull();
    doUnlinkat(f.k, AT_FDCWD, 'y', 0);
    doUnlinkat(f.k, AT_FDCWD, '/dev/shm/x', AT_REMOVEDIR);
    expect(getcwd(f.k)).toBe(-ENOENT);
  });

  test('permissions: owner, others, sticky, root', () => {
    const f = new Fixture();
    f.put('/tmp/secret', 's', 0o600);
    doMkdirat(f.k, AT_FDCWD, '/home/u', 0o755);
    doFchownat(f.k, AT_FDCWD, '/home/u', 1000, 1000, 0);
    f.as(1000);
    expect(f.open('/tmp/secret')).toBe(-EACCES);
    expect(doUnlinkat(f.k, AT_FDCWD, '/tmp/secret', 0)).toBe(-EPERM);
    expect(f.open('/etc/new', O_CREAT | O_WRONLY)).toBe(-EACCES);
    expect(f.open('/home/u/new', O_CREAT | O_WRONLY, 0o400)).toBe(0);
    expect(doFchmodat(f.k, AT_FDCWD, '/tmp/secret', 0o777)).toBe(-EPERM);
    expect(doFchmodat(f.k, AT_FDCWD, '/home/u/new', 0o500)).toBe(0);
    expect(doFchownat(f.k, AT_FDCWD, '/home/u/new', 0, 0, 0)).toBe(-EPERM);
    expect([2, 4, 1].map((m) => doFaccessat(f.k, AT_FDCWD, '/home/u/new', m, 0))).toEqual([-EACCES, 0, 0]);
    expect(doUtimensat(f.k, AT_FDCWD, '/tmp/secret', null, 0)).toBe(-EACCES);
    expect(doUtimensat(f.k, AT_FDCWD, '/home/u/new', [{ tvSec: 5, tvNsec: 6 }, 'omit'], 0)).toBe(0);
    expect(f.stat('/home/u/new').atime).toEqual({ tvSec: 5, tvNsec: 6 });
    expect(doMknodat(f.k, AT_FDCWD, '/home/u/null', 0o020666, 0x103)).toBe(-EPERM);
    f.as(0);
    expect(doFaccessat(f.k, AT_FDCWD, '/tmp/secret', 1, 0)).toBe(-EACCES);
    expect(doFaccessat(f.k, AT_FDCWD, '/home/u/new', 7, 0)).toBe(0);
  });

  test('a running program is not written, a written one not run', () => {
    const f = new Fixture();
    f.put('/bin/prog', '\x7fELF', 0o755);
    const fd = f.open('/bin/prog', O_WRONLY);
    expect(openExec(f.k, AT_FDCWD, '/bin/prog')).toBe(-ETXTBSY);
    closeFd(f.k, fd);
    const file = openExec(f.k, AT_FDCWD, '/bin/prog');
    if (typeof file === 'number') throw new Error('openExec');
    expect(kernelReadFile(f.k, file, 1, 3)).toEqual(new TextEncoder().encode('ELF'));
    fput(f.k, file);
    expect(openExec(f.k, AT_FDCWD, '/tmp')).toBe(-EACCES);
    f.put('/bin/data', 'x', 0o644);
    expect(openExec(f.k, AT_FDCWD, '/bin/data')).toBe(-EACCES);
  });

  test('statx bytes', () => {
    const f = new Fixture();
    f.put('/tmp/s', 'four', 0o640);
    const bytes = encodeStatx(f.stat('/tmp/s'));
    const v = new DataView(bytes.buffer);
    expect([
      v.getUint16(28, true),
      v.getUint32(40, true),
      v.getUint32(16, true),
      v.getUint32(112, true),
    ]).toEqual([0o100640, 4, 1, 1_000_000_000]);
  });
});

describe('descriptors', () => {
  test('lowest free, dup, close-on-exec, limits', () => {
    const f = new Fixture();
    const { k } = f;
    expect([f.open('/dev/null'), f.open('/dev/null', O_CLOEXEC), ksysDup(k, 0)]).toEqual([0, 1, 2]);
    expect([doFcntl(k, 1, F_GETFD, 0), doFcntl(k, 2, F_GETFD, 0)]).toEqual([1, 0]);
    expect(closeFd(k, 0)).toBe(0);
    expect(closeFd(k, 0)).toBe(-EBADF);
    expect(f.open('/dev/zero')).toBe(0);
    expect(ksysDup3(k, 0, 0, 0)).toBe(-EINVAL);
    expect(ksysDup3(k, 0, 10, O_CLOEXEC)).toBe(10);
    expect(ksysDup3(k, 0, 5000, 0)).toBe(-EBADF);
    expect(ksysDup3(k, 77, 3, 0)).toBe(-EBADF);
    expect(doFcntl(k, 0, F_DUPFD, 20)).toBe(20);
    expect(doFcntl(k, 20, F_SETFD, 1)).toBe(0);
    expect(doFcntl(k, 0, F_GETFL, 0)).toBe(0);
    const copy = dupFilesStruct(f.task.files);
    expect(f.file(0).count).toBe(6);
    doCloseOnExec(k, f.task.files);
    expect(f.task.files.fd.map((x) => x !== null).lastIndexOf(true)).toBe(2);
    putFilesStruct(k, copy);
    expect(f.file(0).count).toBe(1);
    f.task.rlim[RLIMIT_NOFILE] = { rlimCur: 4, rlimMax: 4096 };
    expect(f.open('/dev/null')).toBe(1);
    expect(f.open('/dev/null')).toBe(3);
    expect(f.open('/dev/null')).toBe(-EMFILE);
    expect(closeRange(k, 1, 0xffff_ffff, 0)).toBe(0);
    expect(f.task.files.fd.filter((x) => x !== null).length).toBe(1);
  });
});

describe('pipes', () => {
  test('carry bytes, wait when empty or full, end', () => {
    const f = new Fixture();
    const { k } = f;
    const ends = doPipe2(k, 0);
    if (typeof ends === 'number') throw new Error('pipe');
    const [r, w] = ends;
    expect(f.read(r)).toBe('wait');
    expect(f.write(w, 'hello')).toBe(5);
    expect(vfsPoll(k, f.file(r)).mask & 1).toBe(1);
    expect(vfsIoctl(k, r, f.file(r), 0x541b, 0)).toBe(-EFAULT);
    expect(f.read(r, 2)).toBe('he');
    expect(f.read(r)).toBe('llo');
    expect(vfsLlseek(k, f.file(r), 0, 0)).toBe(-ESPIPE);
    // A blocking writer says how far it came; repeated, it goes on from there.
    const big = new Uint8Array(70_000).fill(1);
    const blocked = vfsWrite(k, f.file(w), kernelIter(big));
    expect(isWait(blocked) ? blocked.progress : -1).toBe(65536);
    const waiter = isWait(blocked) ? blocked.wait : null;
    waiter?.waiters.push(f.task as never);
    expect(vfsRead(k, f.file(r), kernelIter(new Uint8Array(60_000)))).toBe(60_000);
    expect(waiter !== null && k.wakeQueues.includes(waiter)).toBe(true);
    expect(vfsWrite(k, f.file(w), kernelIter(big), 65536)).toBe(70_000);
    // Writes up to PIPE_BUF are atomic.
    doFcntl(k, w, 4, O_NONBLOCK);
    vfsRead(k, f.file(r), kernelIter(new Uint8Array(65536)));
    expect(vfsWrite(k, f.file(w), kernelIter(new Uint8Array(65000)))).toBe(65000);
    expect(vfsWrite(k, f.file(w), kernelIter(new Uint8Array(4096)))).toBe(-EAGAIN);
    expect(vfsWrite(k, f.file(w), kernelIter(new Uint8Array(5000)))).toBe(536);
    expect([doFcntl(k, r, F_GETPIPE_SZ, 0), doFcntl(k, r, F_SETPIPE_SZ, 5000)]).toEqual([65536, -EBUSY]);
    vfsRead(k, f.file(r), kernelIter(new Uint8Array(65536)));
    expect(doFcntl(k, r, F_SETPIPE_SZ, 5000)).toBe(8192);
    const again = f.open(`/proc/self/fd/${w}`, O_WRONLY);
    closeFd(k, w);
    expect(f.read(r)).toBe('wait');
    closeFd(k, again);
    expect(f.read(r)).toBe('');
    closeFd(k, r);
    const other = doPipe2(k, O_CLOEXEC);
    if (typeof other === 'number') throw new Error('pipe');
    closeFd(k, other[0]);
    expect(f.write(other[1], 'x')).toBe(-EPIPE);
    expect(doPipe2(k, 0x8000_0000 | 1)).toBe(-EINVAL);
  });
});

describe('devices and streams', () => {
  test('null, zero, full, urandom, tty', () => {
    const f = new Fixture();
    const [nul, zero, full, rnd] = ['null', 'zero', 'full', 'urandom'].map((n) =>
      f.open(`/dev/${n}`, O_RDWR),
    );
    expect([f.read(nul ?? 0), f.read(zero ?? 0, 3), f.read(full ?? 0, 2)]).toEqual(['', '\0\0\0', '\0\0']);
    expect([f.write(nul ?? 0, 'x'), f.write(zero ?? 0, 'xy'), f.write(full ?? 0, 'x')]).toEqual([
      1,
      2,
      -ENOSPC,
    ]);
    const one = new Uint8Array(16);
    const same = new Fixture();
    const two = new Uint8Array(16);
    vfsRead(f.k, f.file(rnd ?? 0), kernelIter(one));
    vfsRead(same.k, same.file(same.open('/dev/urandom')), kernelIter(two));
    expect(one).toEqual(two);
    expect(new Set(one).size).toBeGreaterThan(4);
    expect(f.open('/dev/tty')).toBe(-ENXIO);
    expect(vfsFstat(f.file(nul ?? 0)).mode).toBe(0o020666);
  });

  test('host streams are the other end of stdin and stdout', () => {
    const f = new Fixture();
    const { k } = f;
    fdInstall(k, k.stream(5, false), false);
    fdInstall(k, k.stream(6, true), false);
    k.streams.input.set(5, [...new TextEncoder().encode('line\n')]);
    expect([f.read(0, 3), f.read(0), f.read(0)]).toEqual(['lin', 'e\n', '']);
    expect(f.write(1, 'out')).toBe(3);
    const fd = f.open('/dev/stdout', O_WRONLY);
    f.write(fd, '!');
    expect(k.streams.text(6)).toBe('out!');
    expect(vfsIoctl(k, 1, f.file(1), 0x5413, 0)).toBe(-ENOTTY);
    expect(doReadlinkat(k, AT_FDCWD, '/proc/self/fd/1')).toMatch(/^pipe:\[\d+\]$/);
  });

  test('sendfile', () => {
    const f = new Fixture();
    f.put('/tmp/a', 'abcdef');
    const a = f.open('/tmp/a');
    const b = f.open('/tmp/b', O_WRONLY | O_CREAT);
    expect(doSendfile(f.k, f.file(b), f.file(a), 2, 3)).toEqual({ result: 3, next: 5 });
    expect(doSendfile(f.k, f.file(b), f.file(a), null, 100)).toEqual({ result: 6, next: 6 });
    expect(f.text('/tmp/b')).toBe('cdeabcdef');
  });
});

describe('/proc', () => {
  test('lists processes, shows maps, follows links', () => {
    const f = new Fixture();
    const { k } = f;
    f.put('/bin/prog', 'x', 0o755);
    setMmExeFile(f.mm, openExec(k, AT_FDCWD, '/bin/prog') as File);
    expect(f.open('/bin/prog', O_WRONLY)).toBe(-ETXTBSY);
    const a = ksysMmapPgoff(k, 0x1000_0000, 2 * P, 3, 0x32, -1, 0);
    copyToUser(k, f.mm, a, new TextEncoder().encode('prog\0arg\0'));
    f.mm.layout = { ...f.mm.layout, argStart: a, argEnd: a + 9 };
    expect(doReadlinkat(k, AT_FDCWD, '/proc/self')).toBe('1001');
    expect(doReadlinkat(k, AT_FDCWD, '/proc/self/exe')).toBe('/bin/prog');
    expect(f.text('/proc/self/maps')).toBe('10000000-10002000 rw-p 00000000 00:00 0 \n');
    expect(f.text('/proc/1001/cmdline')).toBe('prog\0arg\0');
    expect(f.text('/proc/self/statm')).toBe('2 2 1 0 0 2 0\n'.replace('2 2 1', '2 1 0'));
    expect(f.list('/proc')).toContain('1001');
    expect(f.list('/proc')).toContain('meminfo');
    f.open('/tmp', O_RDONLY);
    expect(f.list('/proc/self/fd')).toEqual(['.', '..', '0', '1']);
    expect(f.text('/proc/2000/maps')).toBe(String(-ENOENT));
    expect(f.open('/proc/meminfo', O_WRONLY)).toBe(-EACCES);
    expect(f.open('/proc/new', O_CREAT | O_WRONLY)).toBe(-EACCES);
    expect(f.text('/proc/meminfo')).toContain('MemTotal:           4096 kB\n');
    f.as(1000);
    expect(f.text('/proc/1001/maps')).toBe(String(-EACCES));
    expect(f.text('/proc/sys/vm/max_map_count')).toBe('65530\n');
    expect(f.put('/proc/sys/vm/max_map_count', '1')).toBe(-EACCES);
  });
});
