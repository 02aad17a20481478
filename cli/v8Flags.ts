/**
 * Flags of V8 that the command sets, and `npm run bench` with it. Everything works without them.
 *
 * Most JavaScript that V8 finds hot enough to optimise is our code generator, which has little left to do by then. Optimising later makes
 * a program of 10 M instructions take 0.70 of the processor's time and one of 100 M 0.58 (Node 20; 0.87 and 0.86 on Node 24); those
 * that live on system calls reach it all the same.
 */
import type { setFlagsFromString } from 'node:v8';

const version = Number(process.versions.node.split('.')[0]);

/** When V8 optimises JavaScript: after so many bytes of bytecode, or times the length of the function. */
const TIERING: readonly string[] = [
  ...(version === 20 ? ['--interrupt-budget=500000'] : []),
  ...(version >= 22 ? ['--invocation-count-for-maglev=3000', '--invocation-count-for-turbofan=22000'] : []),
];

export const V8_FLAGS: readonly string[] = [
  ...TIERING,
  // A system call goes through some twenty short functions: with three times V8's own budget they become one. semop 1.12, getpid 1.08.
  '--max-inlined-bytecode-size-cumulative=3000',
  // The young generation stays as small as it begins: the kernel and the code generator leave much garbage and little else, so letting it
  // grow costs 25 to 60 MB, and the processor's cache. So little of it is not worth a second thread.
  '--semi-space-growth-factor=1',
  '--no-parallel-scavenge',
  // Messages and sleepers live a little longer than a scavenge's time. V8 would then make them in the old generation, in one of four
  // runs, which collects it all the time: messages 2.4 times as slow.
  '--no-allocation-site-pretenuring',
  // The old generation is collected when it has grown by four fifths: with a thousand hot functions 122 MB are resident at most
  // instead of 150 (test/cli/command/memory.test.ts).
  '--heap-growing-percent=80',
  // From Node 26 on V8 counts shared memory too, and takes a machine's for pressure: it collected all garbage before the shortest program
  // ended, which cost 0.15 of its time.
  ...(version >= 26 ? ['--external-memory-accounted-in-global-limit'] : []),
  // Up to Node 24 hints which branches of compiled guest code are unlikely stand behind a flag: they are worth 1.2 to 1.7.
  ...(version < 26 ? ['--experimental-wasm-branch-hinting'] : []),
  // So does fused multiply-add in Node 20: without it matrix multiplication runs at a quarter of the speed.
  ...(version < 22 ? ['--experimental-wasm-relaxed-simd'] : []),
];

/** Node's own module below `node:v8`. */
interface Bindings {
  binding(name: 'v8'): { readonly setFlagsFromString: typeof setFlagsFromString };
}

/**
 * `node:v8` loads all of Node's streams, for 1.3 ms of a start that takes 25. Node 20 has a deprecated way to what lies below it;
 * later ones have closed it.
 */
function findSetFlags(): typeof setFlagsFromString {
  // Where Node was told so, it cannot be written.
  const silent = process.noDeprecation === true;
  if (version === 20) {
    try {
      if (!silent) process.noDeprecation = true;
      return (process as unknown as Bindings).binding('v8').setFlagsFromString;
    } catch {
      // Not under Node's permission model.
    } finally {
      if (!silent) process.noDeprecation = false;
    }
  }
  return process.getBuiltinModule('node:v8').setFlagsFromString;
}

export const setV8Flag = findSetFlags();

export function setV8Flags(): void {
  for (const flag of V8_FLAGS) setV8Flag(flag);
}
