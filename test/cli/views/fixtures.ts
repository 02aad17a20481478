/** Pictures made by hand, for the views' tests: as inspect.ts would give them after producer and consumer met. */
import type {
  MmPicture,
  Picture,
  PtePicture,
  ShmidKernelPicture,
  TaskPicture,
  VmAreaPicture,
} from '../../../kernel-ts/system/picture.ts';

const PAGE = 4096;
/** First frame of segment data; segment n uses frames from FRAMES + 16 * n. */
const FRAMES = 0x80140;

export interface SegmentShape {
  readonly pages?: number;
  readonly key?: number;
  readonly mode?: number;
  readonly segsz?: number;
}

export interface PictureShape {
  readonly segments?: readonly SegmentShape[];
  /** Pids, each attached to the segments whose index it lists. */
  readonly attached?: readonly (readonly number[])[];
}

function pte(root: number, va: number, pfn: number, low: number): PtePicture {
  const table = root + PAGE * (1 + ((va >>> 22) & 3));
  return {
    va,
    pte1Address: root + (va >>> 22) * 4,
    pte1: ((table >>> 12) << 10) | 1,
    pte0Address: table + ((va >>> 12) & 0x3ff) * 4,
    pte0: (((pfn << 10) >>> 0) | low) >>> 0,
    pfn,
    flags: [...'DAGUXWRV'].map((letter, bit) => (low & (0x80 >> bit) ? letter : '-')).join(''),
  };
}

function anonymous(
  start: number,
  pages: number,
  perms: string,
  name: string,
  ptes: PtePicture[],
): VmAreaPicture {
  const letters: readonly (readonly [string, number])[] = [
    ['r', 1],
    ['w', 2],
    ['x', 4],
  ];
  const flags = letters.reduce((sum, [letter, bit]) => sum + (perms.includes(letter) ? bit : 0), 0);
  return {
    vmStart: start,
    vmEnd: start + pages * PAGE,
    vmPgoff: name.startsWith('/') ? 0 : start / PAGE,
    vmFlags: flags,
    perms,
    vmFile: name.startsWith('/') ? 1 : null,
    vmOps: '',
    name,
    shmid: null,
    ipcNs: null,
    ptes,
  };
}

function shmVma(root: number, segment: ShmidKernelPicture, pages: number, start: number): VmAreaPicture {
  const first = FRAMES + 16 * segment.index;
  return {
    vmStart: start,
    vmEnd: start + Math.ceil(segment.shmSegsz / PAGE) * PAGE,
    vmPgoff: 0,
    vmFlags: 0xfb,
    perms: 'rw-s',
    vmFile: segment.shmFile,
    vmOps: 'shmVmOps',
    name: `/SYSV${segment.key.toString(16).padStart(8, '0')} (deleted)`,
    shmid: segment.id,
    ipcNs: 'init_ipc_ns',
    ptes: Array.from({ length: pages }, (_, page) => pte(root, start + page * PAGE, first + page, 0xd7)),
  };
}

function segment(shape: SegmentShape, index: number, nattch: number): ShmidKernelPicture {
  return {
    index,
    id: 32768 * 2 + index,
    seq: 2,
    key: shape.key ?? 0x1234 + index,
    uid: 0,
    gid: 0,
    cuid: 0,
    cgid: 0,
    mode: shape.mode ?? 0o600,
    shmSegsz: shape.segsz ?? 4096,
    shmNattch: nattch,
    shmCprid: 1001,
    shmLprid: 1002,
    shmAtim: 1_000_000_000,
    shmDtim: 0,
    shmCtim: 1_000_000_000,
    shmFile: 10 + index,
  };
}

function mm(number: number, vmas: (root: number) => VmAreaPicture[]): MmPicture {
  const root = 0x80200000 + number * 0x10000;
  const mmap = vmas(root).sort((a, b) => a.vmStart - b.vmStart);
  return {
    id: number + 1,
    pgd: root,
    satp: (0x80000000 | (root >>> 12)) >>> 0,
    startBrk: 0x13000,
    brk: 0x13000,
    startStack: 0x9dbffe40,
    totalVm: mmap.reduce((sum, vma) => sum + (vma.vmEnd - vma.vmStart) / PAGE, 0),
    rss: mmap.reduce((sum, vma) => sum + vma.ptes.length, 0),
    mmap,
  };
}

function task(
  number: number,
  segments: readonly { picture: ShmidKernelPicture; pages: number }[],
): TaskPicture {
  const comm = number === 0 ? 'producer' : 'consumer';
  return {
    pid: 1001 + number,
    ppid: 1,
    comm,
    state: number === 0 ? 'R' : 'S',
    waiting: number === 0 ? '' : 'nanosleep',
    uid: 0,
    gid: 0,
    ipcNs: 'init_ipc_ns',
    pc: 0x110f4,
    exitCode: null,
    mm: mm(number, (root) => [
      anonymous(0x10000, 2, 'r-xp', `/bin/${comm}`, [pte(root, 0x10000, 0x80090, 0x5b)]),
      anonymous(0x12000, 1, 'rw-p', '', [pte(root, 0x12000, 0x80300 + number, 0xd7)]),
      ...segments.map(({ picture, pages }, place) =>
        shmVma(root, picture, pages, 0x95500000 - place * 0x10000),
      ),
      anonymous(0x9dbdf000, 33, 'rw-p', '[stack]', [pte(root, 0x9dbff000, 0x80310 + number, 0xd7)]),
    ]),
  };
}

/** A picture with the given segments and processes; by default one segment that two processes have attached. */
export function picture(shape: PictureShape = {}): Picture {
  const shapes = shape.segments ?? [{}];
  const attached = shape.attached ?? [[0], [0]];
  const entries = shapes.map((one, index) =>
    segment(one, index, attached.filter((list) => list.includes(index)).length),
  );
  const pagesOf = (index: number): number => shapes[index]?.pages ?? 1;
  return {
    version: 1,
    instructions: 1_234_567,
    time: 1_234_567,
    ram: { base: 0x80000000, size: 268435456, framesTotal: 65536, framesFree: 65000, zeroPfn: null },
    namespaces: [
      {
        name: 'init_ipc_ns',
        shmCtlmax: 4278190079,
        shmCtlall: 4278190079,
        shmCtlmni: 4096,
        shmTot: entries.reduce((sum, one) => sum + Math.ceil(one.shmSegsz / PAGE), 0),
        shmRmidForced: 0,
        shmIds: { inUse: entries.length, seq: 2, maxIdx: entries.length - 1, entries },
        semIds: { inUse: 0, seq: 0, maxIdx: -1, entries: [] },
        msgIds: { inUse: 0, seq: 0, maxIdx: -1, entries: [] },
      },
    ],
    files: [
      { file: 1, path: '/bin/producer', fOp: 'shmemFileOperations', count: 1, inode: 5 },
      ...entries.map((one) => ({
        file: one.shmFile,
        path: `/SYSV${one.key.toString(16).padStart(8, '0')} (deleted)`,
        fOp: 'shmFileOperations',
        count: 1 + one.shmNattch,
        inode: one.id,
      })),
    ],
    inodes: entries.map((one, index) => ({
      inode: one.id,
      iSize: one.shmSegsz,
      iMapping: {
        nrpages: pagesOf(index),
        pages: Array.from({ length: pagesOf(index) }, (_, page) => ({
          index: page,
          pfn: FRAMES + 16 * index + page,
          count: 1 + one.shmNattch,
          mapcount: one.shmNattch,
        })),
      },
    })),
    sharedObjects: [],
    tasks: attached.map((list, number) =>
      task(
        number,
        list.flatMap((index) => {
          const known = entries[index];
          return known === undefined ? [] : [{ picture: known, pages: pagesOf(index) }];
        }),
      ),
    ),
  };
}
