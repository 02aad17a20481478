/** From the options of `compile` to a compiler's arguments, sources and output excluded. */
import type { ToolchainName } from './find.ts';

/**
 * What the executable runs on:
 * - 'riscv32-linux-musl': RV32GC, ilp32d, static musl; what sameframe's kernel runs
 * - 'native': the host's own architecture, Linux, static musl; for comparing with a real kernel
 * - 'native32': the same in 32 bits (x86 on x86_64, arm on aarch64)
 * - 'bare': RV32GC, ilp32d, without an operating system and without a libc, linked at
 *   0x80000000; it starts at the ELF's entry point, `_start`
 */
export type Target = 'riscv32-linux-musl' | 'native' | 'native32' | 'bare';

export type Optimization = '0' | '1' | '2' | '3' | 's';

export interface Flags {
  /** Default 'riscv32-linux-musl'. */
  readonly target: Target;
  /** The -O level. Default '2'. zig builds musl once per kind of level (0, 1-3, s). */
  readonly optimize: Optimization;
  /** -D options; `true` defines the bare name. */
  readonly defines: Readonly<Record<string, string | number | true>>;
  /** -I options, in order. */
  readonly includeDirs: readonly string[];
  /** Software floating point (riscv32 targets only): RV32IMAC, ilp32. Default false. */
  readonly softFloat: boolean;
  /** Further arguments, last on the command line, so that they win: '-Wall', '-lm', '-T', 'link.ld'. */
  readonly flags: readonly string[];
}

/** @throws {RangeError} soft float for a target that has none, or 'native' on a host that is not Linux */
export function commandLine(toolchain: ToolchainName, target: Target, options: Partial<Flags>): string[] {
  const soft = options.softFloat ?? false;
  if (soft && target.startsWith('native')) throw new RangeError(`compile: no soft float for ${target}`);
  const extra = options.flags ?? [];
  return [
    ...machineFlags(toolchain, target, soft),
    `-O${options.optimize ?? '2'}`,
    ...(target === 'bare' ? bareFlags(toolchain, extra) : ['-static']),
    // zig turns the undefined-behaviour sanitizer on below -O2; its traps would surprise a C author.
    ...(toolchain === 'gcc' ? [] : ['-fno-sanitize=undefined']),
    ...Object.entries(options.defines ?? {}).map(([name, value]) =>
      value === true ? `-D${name}` : `-D${name}=${value}`,
    ),
    ...(options.includeDirs ?? []).map((dir) => `-I${dir}`),
    ...extra,
  ];
}

function machineFlags(toolchain: ToolchainName, target: Target, soft: boolean): string[] {
  if (target === 'native' || target === 'native32') return ['-target', hostTriple(target)];
  const bare = target === 'bare';
  if (toolchain === 'zig') {
    const cpu = soft ? ['-mcpu=generic_rv32+m+a+c'] : [];
    if (!bare) return ['-target', target, ...cpu];
    // A freestanding target knows no C or D by default.
    return [
      '-target',
      'riscv32-freestanding-none',
      ...(soft ? cpu : ['-mcpu=generic_rv32+m+a+f+d+c+zicsr+zifencei']),
    ];
  }
  // gcc matches its libraries by the exact -march: those without zicsr are meant, whose ISA version has CSRs in I.
  if (toolchain === 'gcc') {
    return [
      '-misa-spec=2.2',
      ...(soft ? ['-march=rv32imac', '-mabi=ilp32'] : ['-march=rv32imafdc', '-mabi=ilp32d']),
    ];
  }
  return [
    `--target=${bare ? 'riscv32-unknown-elf' : 'riscv32-unknown-linux-musl'}`,
    ...(soft
      ? ['-march=rv32imac_zicsr_zifencei', '-mabi=ilp32']
      : ['-march=rv32imafdc_zicsr_zifencei', '-mabi=ilp32d']),
    '-fuse-ld=lld',
  ];
}

/** A specs file or a linker script among the user's flags takes the place of the defaults. */
function bareFlags(toolchain: ToolchainName, extra: readonly string[]): string[] {
  const flags = ['-static', '-mcmodel=medany'];
  // zig brings compiler_rt along unless -nostdlib keeps it out; a freestanding target has nothing else to link.
  if (toolchain === 'zig') flags.push('-ffreestanding');
  else if (!hasSpecs(extra)) flags.push('-ffreestanding', '-nostdlib');
  if (!extra.some((flag) => flag === '-T' || flag.startsWith('-T') || flag.startsWith('-Wl,-T'))) {
    flags.push(toolchain === 'gcc' ? '-Wl,-Ttext-segment=0x80000000' : '-Wl,--image-base=0x80000000');
  }
  return flags;
}

function hasSpecs(extra: readonly string[]): boolean {
  return extra.some((flag) => flag.startsWith('--specs='));
}

/** What has to come after the sources: the compiler's own arithmetic, which a linker takes from left to right. */
export function trailingFlags(toolchain: ToolchainName, target: Target, options: Partial<Flags>): string[] {
  return toolchain === 'gcc' && target === 'bare' && !hasSpecs(options.flags ?? []) ? ['-lgcc'] : [];
}

function hostTriple(target: 'native' | 'native32'): string {
  const machines: Readonly<Record<string, readonly [string, string]>> = {
    x64: ['x86_64-linux-musl', 'x86-linux-musl'],
    arm64: ['aarch64-linux-musl', 'arm-linux-musleabihf'],
  };
  const pair = machines[process.arch];
  if (process.platform !== 'linux' || !pair) {
    throw new RangeError(`compile: no ${target} target on ${process.platform} ${process.arch}`);
  }
  return pair[target === 'native' ? 0 : 1];
}
