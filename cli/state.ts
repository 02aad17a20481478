/** State files: the JSON of a picture, written by `run --state` and read back by the views. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Picture } from '../kernel-ts/index.ts';
import { CliError, fileError } from './errors.ts';
import { writeFully } from './io.ts';

/** The shape of a value: a type's name ("number", "number?" when null is allowed), a list or a record. */
type Shape = string | readonly [Shape] | { readonly [field: string]: Shape };

function fields(type: string, names: string): { readonly [field: string]: Shape } {
  return Object.fromEntries(names.split(' ').map((name) => [name, type]));
}

const PTE = fields('number', 'va pte1Address pte1 pte0Address pte0 pfn');
const VMA: Shape = {
  ...fields('number', 'vmStart vmEnd vmPgoff vmFlags'),
  ...fields('string', 'perms vmOps name'),
  ...fields('number?', 'vmFile shmid'),
  ...fields('string?', 'ipcNs'),
  ptes: [{ ...PTE, flags: 'string' }],
};
const MM: Shape = {
  ...fields('number', 'id pgd satp startBrk brk startStack totalVm rss'),
  mmap: [VMA],
};
const SEGMENT = fields(
  'number',
  'index id seq key uid gid cuid cgid mode shmSegsz shmNattch shmCprid shmLprid shmAtim shmDtim shmCtim shmFile',
);
const PERM = fields('number', 'index id seq key uid gid cuid cgid mode');
const IDS = fields('number', 'inUse seq maxIdx');
const SEM_ARRAY: Shape = {
  ...PERM,
  ...fields('number', 'semOtime semCtime complexCount'),
  sems: [fields('number', 'semval sempid')],
  sleepers: [{ ...fields('number', 'pid blockedOn'), sops: [fields('number', 'semNum semOp semFlg')] }],
  undos: [{ pids: ['number'], semadj: ['number'] }],
};
const MSG_QUEUE: Shape = {
  ...PERM,
  ...fields('number', 'qStime qRtime qCtime qCbytes qQbytes qLspid qLrpid'),
  messages: [fields('number', 'mType size')],
  receivers: [{ ...fields('number', 'pid msgtyp bufsz'), mode: 'string' }],
  senders: [fields('number', 'pid mType size')],
};
const PICTURE: Shape = {
  ...fields('number', 'version instructions time'),
  ram: { ...fields('number', 'base size framesTotal framesFree'), ...fields('number?', 'zeroPfn') },
  namespaces: [
    {
      name: 'string',
      ...fields('number', 'shmCtlmax shmCtlall shmCtlmni shmTot shmRmidForced'),
      shmIds: { ...IDS, entries: [SEGMENT] },
      semIds: { ...IDS, entries: [SEM_ARRAY] },
      msgIds: { ...IDS, entries: [MSG_QUEUE] },
    },
  ],
  files: [{ ...fields('number', 'file count inode'), ...fields('string', 'path fOp') }],
  inodes: [
    {
      ...fields('number', 'inode iSize'),
      iMapping: { nrpages: 'number', pages: [fields('number', 'index pfn count mapcount')] },
    },
  ],
  sharedObjects: [
    {
      ...fields('string', 'kind path'),
      ...fields('number', 'inode iMode iUid iGid iNlink seals'),
      openBy: [fields('number', 'pid fd')],
      mappedBy: [fields('number', 'pid vmStart')],
    },
  ],
  tasks: [
    {
      ...fields('number', 'pid ppid uid gid pc'),
      ...fields('string', 'comm state waiting'),
      ...fields('string?', 'ipcNs'),
      mm: 'object?',
    },
  ],
};

/** Where a value first differs from its shape ("tasks[2].pid"), or null. */
function mismatch(value: unknown, shape: Shape, path: string): string | null {
  if (typeof shape === 'string') {
    const nullable = shape.endsWith('?');
    if (nullable && value === null) return null;
    const type = nullable ? shape.slice(0, -1) : shape;
    return typeof value === type && value !== null ? null : path;
  }
  if (Array.isArray(shape)) {
    const [item] = shape as readonly [Shape];
    if (!Array.isArray(value)) return path;
    for (const [index, element] of value.entries()) {
      const found = mismatch(element, item, `${path}[${String(index)}]`);
      if (found !== null) return found;
    }
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return path;
  const record = new Map<string, unknown>(Object.entries(value));
  for (const [name, inner] of Object.entries(shape)) {
    const found = mismatch(record.get(name), inner, path === '' ? name : `${path}.${name}`);
    if (found !== null) return found;
  }
  return null;
}

function isPicture(value: unknown): value is Picture {
  return pictureProblem(value) === null;
}

function pictureProblem(value: unknown): string | null {
  const found = mismatch(value, PICTURE, '');
  if (found !== null) return found === '' ? 'not an object' : `${found} is missing or of the wrong type`;
  const { tasks, version } = value as Picture;
  if (version !== 1) return `version ${String(version)}, and this sameframe reads version 1`;
  for (const [index, task] of tasks.entries()) {
    const wrong = task.mm === null ? null : mismatch(task.mm, MM, `tasks[${String(index)}].mm`);
    if (wrong !== null) return `${wrong} is missing or of the wrong type`;
  }
  return null;
}

/** Reads a state file. */
export function readState(path: string): Picture {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError('read', path, error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CliError(`${path} is not a state file: not JSON (run --state FILE writes one)`);
  }
  if (isPicture(value)) return value;
  throw new CliError(
    `${path} is not a state file: ${pictureProblem(value) ?? ''} (run --state FILE writes one)`,
  );
}

/** A file opened before the run, so that a path that cannot be written costs no time. */
export class OutputFile {
  private readonly path: string;
  private readonly fd: number;
  private pending: string[] = [];
  private size = 0;

  constructor(path: string) {
    this.path = path;
    try {
      this.fd = openSync(path, 'w');
    } catch (error) {
      throw fileError('write', path, error);
    }
  }

  /** Buffered: a trace has a line per instruction. */
  line(text: string): void {
    this.pending.push(text);
    this.size += text.length + 1;
    // Small enough that the lines die young: the collector costs more than the writing.
    if (this.size > 1 << 16) this.flush();
  }

  /** Lines that end with a newline each. */
  text(text: string): void {
    if (text !== '') this.line(text.slice(0, -1));
  }

  flush(): void {
    if (this.pending.length === 0) return;
    const text = `${this.pending.join('\n')}\n`;
    this.pending = [];
    this.size = 0;
    try {
      writeFully(this.fd, text);
    } catch (error) {
      throw fileError('write', this.path, error);
    }
  }

  close(): void {
    this.flush();
    closeSync(this.fd);
  }
}

export function stateText(picture: Picture): string {
  return JSON.stringify(picture, null, 2);
}
