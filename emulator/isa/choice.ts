/**
 * Which extensions a machine has, from an ISA string such as "rv32gc_zba_zbb_zbs".
 * Unprivileged specification, chapter "ISA Extension Naming Conventions": upper and lower case are the same, G stands for
 * IMAFD_Zicsr_Zifencei, a version may follow each name, underscores separate. Dependencies need not be written.
 * Looser than the chapter: letters may come in any order. The interpreter holds every row; the decoder asks here.
 * Zicsr, Zicntr and Zihpm are always there, since the privileged architecture is; Svade and Svadu only choose (Isa.adUpdate).
 */
/** A choice of extensions. */
export interface Isa {
  /** All of its extensions, as an ISA string. */
  readonly name: string;
  /** The value of misa. */
  readonly misa: number;
  /**
   * Who sets A and D, where the string says it: Svade alone a trap handler, Svadu alone the hardware, both as menvcfg.ADUE says (0 at
   * reset); null when it names neither.
   */
  readonly adUpdate: 'hardware' | 'menvcfg' | 'trap' | null;
  /** Instructions are of 16 and 32 bits (IALIGN = 16): Zca is chosen. */
  readonly compressed: boolean;
  /** The extensions, in lower case: those that were named, and those that they imply. */
  readonly all: ReadonlySet<string>;
  /** It has every row that there is. */
  readonly full: boolean;
}

/** What each name brings with it. Every supported name is a key, in the order of a canonical string. */
const IMPLIES: Readonly<Record<string, readonly string[]>> = {
  i: [],
  g: ['i', 'm', 'a', 'f', 'd', 'zicsr', 'zifencei'],
  m: ['zmmul'],
  a: ['zaamo', 'zalrsc'],
  f: ['zicsr'],
  d: ['f'],
  c: ['zca'],
  b: ['zba', 'zbb', 'zbs'],
  zicntr: [],
  zicond: [],
  zicsr: [],
  zifencei: [],
  zihintntl: [],
  zihintpause: [],
  zihpm: [],
  zmmul: [],
  zaamo: [],
  zalrsc: [],
  zfa: ['f'],
  zca: [],
  zcb: ['zca'],
  zcd: ['zca', 'd'],
  zcf: ['zca', 'f'],
  zba: [],
  zbb: [],
  zbc: [],
  zbs: [],
  svade: [],
  svadu: [],
};
/** What brings rows, all but what chooses (Isa.adUpdate). */
const WITH_ROWS = Object.keys(IMPLIES).filter((name) => !name.startsWith('sva'));
/** Names that say what every machine has. */
const ALWAYS = ['i', 'zicsr', 'zicntr', 'zihpm'];
/** The privilege modes, which older strings write as extensions. */
const MODES = ['s', 'u', 'su'];

const VERSION = /\d+(p\d+)?$/;

/** The names in an ISA string; RangeError when one is not supported. */
function names(text: string): string[] {
  const refuse = (why: string): never => {
    throw new RangeError(`ISA ${JSON.stringify(text)}: ${why}`);
  };
  const head = /^rv(\d+)/.exec(text.toLowerCase());
  if (head === null) return refuse('it must begin with rv32');
  if (head[1] !== '32') return refuse(`RV${head[1]} is not supported, only RV32`);
  let rest = text.toLowerCase().slice(head[0].length);
  if (rest.startsWith('e')) return refuse('the base E is not supported, only I');
  if (!/^[ig]/.test(rest)) return refuse('the base I (or G) must follow rv32');
  const found: string[] = [];
  while (rest !== '') {
    const token = /^_?(?:([zsx][a-z0-9]+)(?=_|$)|([a-z])(?:\d+(?:p\d+)?)?)/.exec(rest);
    if (token === null) return refuse(`${JSON.stringify(rest)} is not a name of an extension`);
    const long = token[1] ?? '';
    const name = token[2] ?? (long in IMPLIES || MODES.includes(long) ? long : long.replace(VERSION, ''));
    if (!Object.hasOwn(IMPLIES, name) && !MODES.includes(name))
      return refuse(
        `the extension ${name.charAt(0).toUpperCase()}${name.slice(1)} is not supported; these are: ${supportedExtensions()}`,
      );
    found.push(name);
    rest = rest.slice(token[0].length);
  }
  return found;
}

/** The names with all that they imply. */
function closure(chosen: readonly string[]): ReadonlySet<string> {
  const all = new Set<string>();
  const add = (name: string): void => {
    if (all.has(name)) return;
    all.add(name);
    for (const implied of IMPLIES[name] ?? []) add(implied);
  };
  [...ALWAYS, ...chosen].forEach(add);
  const whenAll = (parts: readonly string[], whole: string): void => {
    if (parts.every((part) => all.has(part))) add(whole);
  };
  whenAll(['c', 'f'], 'zcf');
  whenAll(['c', 'd'], 'zcd');
  whenAll(['zaamo', 'zalrsc'], 'a');
  whenAll(['zba', 'zbb', 'zbs'], 'b');
  // "misa.C is set if": Zca, with Zcf where there is F, and with Zcd where there is D.
  if (all.has('zca') && (!all.has('f') || all.has('zcf')) && (!all.has('d') || all.has('zcd'))) add('c');
  return all;
}

/** The names that an ISA string may have, as a line of text. */
export function supportedExtensions(): string {
  return Object.keys(IMPLIES)
    .map((name) => name.charAt(0).toUpperCase() + name.slice(1))
    .join(' ');
}

/** misa: MXL = 1 (32 bits), S and U, and the single letters. */
function misaOf(all: ReadonlySet<string>): number {
  let misa = 0x4000_0000;
  for (const letter of [...'imafdcb'].filter((l) => all.has(l)).concat('s', 'u'))
    misa |= 1 << (letter.charCodeAt(0) - 97);
  return misa >>> 0;
}

function adUpdateOf(chosen: readonly string[]): Isa['adUpdate'] {
  const [svade, svadu] = ['svade', 'svadu'].map((name) => chosen.includes(name));
  if (svade) return svadu ? 'menvcfg' : 'trap';
  return svadu ? 'hardware' : null;
}

function makeIsa(chosen: readonly string[]): Isa {
  const all = closure(chosen);
  const named = Object.keys(IMPLIES).filter((name) => name !== 'g' && name !== 'b' && all.has(name));
  const letters = named.filter((name) => name.length === 1).join('');
  return {
    name: [`rv32${letters}`, ...named.filter((name) => name.length > 1)].join('_'),
    misa: misaOf(all),
    adUpdate: adUpdateOf(chosen),
    compressed: all.has('zca'),
    all: new Set(named),
    full: WITH_ROWS.every((name) => all.has(name)),
  };
}

/** Everything that is implemented. */
export const FULL_ISA: Isa = makeIsa(WITH_ROWS);

/**
 * The choice that an ISA string makes.
 * @throws RangeError, with one line that says what is not supported
 */
export function parseIsa(text: string): Isa {
  return makeIsa(names(text));
}
