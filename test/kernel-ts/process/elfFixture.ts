/** Small ELF images made by hand, so that loader and symbols can be tested without a compiler. */

export interface FixtureSegment {
  readonly vaddr: number;
  readonly bytes: Uint8Array;
  readonly memsz?: number;
  /** PF_X 1, PF_W 2, PF_R 4. Default 5. */
  readonly flags?: number;
}

export interface FixtureOptions {
  readonly entry?: number;
  readonly type?: number;
  readonly segments?: readonly FixtureSegment[];
  readonly symbols?: readonly {
    readonly name: string;
    readonly value: number;
    readonly size?: number;
    readonly type?: number;
  }[];
  /** Changes the finished image. */
  readonly patch?: (view: DataView) => void;
  /** Adds a PT_INTERP with this path. */
  readonly interpreter?: string;
}

const EHDR = 52;
const PHDR = 32;
const PAGE = 4096;

/** Instructions as bytes. */
export function code(...words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((w, i) => view.setUint32(i * 4, w >>> 0, true));
  return bytes;
}

/** An RV32 executable of these segments, each at a page boundary of the file. */
export function elf(options: FixtureOptions = {}): Uint8Array {
  const segments = options.segments ?? [{ vaddr: 0x10000, bytes: code(0x00100073) }];
  const headers = segments.length + (options.interpreter === undefined ? 0 : 1);
  const offsets: number[] = [];
  let end = Math.ceil((EHDR + headers * PHDR + 64) / PAGE) * PAGE;
  for (const s of segments) {
    offsets.push(end + (s.vaddr % PAGE));
    end = Math.ceil((end + (s.vaddr % PAGE) + s.bytes.length) / PAGE) * PAGE;
  }
  const symbols = options.symbols ?? [];
  const strings = `\0${symbols.map((s) => `${s.name}\0`).join('')}`;
  const symtab = end;
  const strtab = symtab + (symbols.length + 1) * 16;
  const shoff = Math.ceil((strtab + strings.length) / 4) * 4;
  const image = new Uint8Array(shoff + 3 * 40);
  const view = new DataView(image.buffer);
  image.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, options.type ?? 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, options.entry ?? segments[0]?.vaddr ?? 0, true);
  view.setUint32(28, EHDR, true);
  view.setUint32(32, shoff, true);
  view.setUint32(36, 5, true);
  view.setUint16(40, EHDR, true);
  view.setUint16(42, PHDR, true);
  view.setUint16(44, headers, true);
  view.setUint16(46, 40, true);
  view.setUint16(48, 3, true);
  segments.forEach((s, i) => {
    const at = EHDR + i * PHDR;
    const fields = [
      1,
      offsets[i] ?? 0,
      s.vaddr,
      s.vaddr,
      s.bytes.length,
      s.memsz ?? s.bytes.length,
      s.flags ?? 5,
      PAGE,
    ];
    fields.forEach((value, word) => view.setUint32(at + word * 4, value, true));
    image.set(s.bytes, offsets[i] ?? 0);
  });
  if (options.interpreter !== undefined) {
    const at = EHDR + segments.length * PHDR;
    const text = EHDR + headers * PHDR;
    [3, text, 0, 0, options.interpreter.length + 1, options.interpreter.length + 1, 4, 1].forEach(
      (value, word) => view.setUint32(at + word * 4, value, true),
    );
    image.set(new TextEncoder().encode(`${options.interpreter}\0`), text);
  }
  let name = 1;
  symbols.forEach((s, i) => {
    const at = symtab + (i + 1) * 16;
    view.setUint32(at, name, true);
    view.setUint32(at + 4, s.value, true);
    view.setUint32(at + 8, s.size ?? 0, true);
    view.setUint8(at + 12, 0x10 | (s.type ?? 2));
    view.setUint16(at + 14, 1, true);
    name += s.name.length + 1;
  });
  image.set(new TextEncoder().encode(strings), strtab);
  const section = (i: number, type: number, offset: number, size: number, link: number): void => {
    const at = shoff + i * 40;
    view.setUint32(at + 4, type, true);
    view.setUint32(at + 16, offset, true);
    view.setUint32(at + 20, size, true);
    view.setUint32(at + 24, link, true);
  };
  section(1, 2, symtab, (symbols.length + 1) * 16, 2);
  section(2, 3, strtab, strings.length, 0);
  options.patch?.(view);
  return image;
}
