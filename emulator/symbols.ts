/**
 * The symbol table of an ELF image, for people: pc -> "main+0x1c" and name -> address. (Linux: kallsyms, for users.)
 *
 * Reads .symtab, or .dynsym when stripped. A damaged table gives an empty one: symbols are a help, never a
 * condition for running. Known to be missing: DWARF line numbers, C++ demangling.
 */

interface Symbol {
  readonly name: string;
  /** Before the load bias. */
  readonly value: number;
  readonly size: number;
  /** Functions win over labels at one address; global over local. */
  readonly rank: number;
}

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const SHDR_SIZE = 40;
const SYM_SIZE = 16;

/** Symbols of one image, sorted by address. */
export class SymbolTable {
  private readonly byAddress: readonly Symbol[];
  private readonly byName: ReadonlyMap<string, number>;

  constructor(symbols: readonly Symbol[]) {
    const sorted = symbols
      .slice()
      .sort((a, b) => a.value - b.value || a.rank - b.rank || (a.name < b.name ? -1 : 1));
    this.byAddress = sorted;
    const names = new Map<string, number>();
    const ranks = new Map<string, number>();
    for (const s of sorted) {
      const known = ranks.get(s.name);
      if (known !== undefined && known >= s.rank) continue;
      names.set(s.name, s.value);
      ranks.set(s.name, s.rank);
    }
    this.byName = names;
  }

  get count(): number {
    return this.byAddress.length;
  }

  /** Address of a symbol (before the load bias), or null. */
  addressOf(name: string): number | null {
    return this.byName.get(name) ?? null;
  }

  /** "name+0xoffset", "name" when exact, "" when nothing is near. `address` is before the load bias. */
  nameAt(address: number): string {
    let low = 0;
    let high = this.byAddress.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      const s = this.byAddress[mid];
      if (s !== undefined && s.value <= address) low = mid + 1;
      else high = mid;
    }
    const s = this.byAddress[low - 1];
    if (s === undefined) return '';
    const offset = address - s.value;
    // A sized symbol does not own what lies behind it; an unsized label (assembly) owns up to a page.
    if (offset >= (s.size > 0 ? s.size : 4096) && offset !== 0) return '';
    return offset === 0 ? s.name : `${s.name}+0x${offset.toString(16)}`;
  }
}

export const NO_SYMBOLS = new SymbolTable([]);

/** Reads the symbols of an image whose header readElfHeaders accepts. Never fails: damaged tables give fewer symbols. */
export function readSymbols(image: Uint8Array): SymbolTable {
  if (image.length < 52) return NO_SYMBOLS;
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const shoff = view.getUint32(32, true);
  const shentsize = view.getUint16(46, true);
  const shnum = view.getUint16(48, true);
  if (shoff === 0 || shentsize !== SHDR_SIZE || shoff + shnum * SHDR_SIZE > image.length) return NO_SYMBOLS;
  for (const wanted of [SHT_SYMTAB, SHT_DYNSYM]) {
    for (let i = 0; i < shnum; i++) {
      const at = shoff + i * SHDR_SIZE;
      if (view.getUint32(at + 4, true) !== wanted) continue;
      const link = view.getUint32(at + 24, true);
      if (link >= shnum) continue;
      return new SymbolTable(readTable(image, view, at, shoff + link * SHDR_SIZE));
    }
  }
  return NO_SYMBOLS;
}

function readTable(image: Uint8Array, view: DataView, symtab: number, strtab: number): Symbol[] {
  const offset = view.getUint32(symtab + 16, true);
  const size = view.getUint32(symtab + 20, true);
  const strOffset = view.getUint32(strtab + 16, true);
  const strSize = view.getUint32(strtab + 20, true);
  if (offset + size > image.length || strOffset + strSize > image.length) return [];
  const symbols: Symbol[] = [];
  for (let at = offset; at + SYM_SIZE <= offset + size; at += SYM_SIZE) {
    const info = view.getUint8(at + 12);
    const shndx = view.getUint16(at + 14, true);
    const type = info & 15;
    // NOTYPE, OBJECT, FUNC; not sections, files or thread-local offsets; not undefined.
    if (type > 2 || shndx === 0) continue;
    const name = stringAt(image, strOffset + view.getUint32(at, true), strOffset + strSize);
    // $x and $d are the psABI's mapping symbols; .L* are the assembler's.
    if (name === '' || name.startsWith('$') || name.startsWith('.L')) continue;
    const value = view.getUint32(at + 4, true);
    const rank = (type === 2 ? 2 : type === 1 ? 1 : 0) * 2 + (info >>> 4 === 0 ? 0 : 1);
    symbols.push({ name, value, size: view.getUint32(at + 8, true), rank });
  }
  return symbols;
}

function stringAt(image: Uint8Array, start: number, limit: number): string {
  let text = '';
  for (let i = start; i < limit && text.length < 512; i++) {
    const c = image[i] ?? 0;
    if (c === 0) break;
    text += String.fromCharCode(c);
  }
  return text;
}
