/**
 * Flags of V8 that the command sets. Everything works without them.
 *
 * The young generation stays as small as it begins: the kernel and the code generator leave much garbage and little else, so letting
 * it grow costs 25 to 60 MB and gains no time. V8 of Node 20 has two things behind flags: hints which branches of compiled guest code
 * are unlikely, and fused multiply-add, which Node 24 has without; else matrix multiplication runs at a quarter of the speed.
 */
import { setFlagsFromString } from 'node:v8';

export function setV8Flags(): void {
  // V8 takes its code cache only under the flags under which it was filled, and they are set after it was read.
  if (process.env['SAMEFRAME_FILL_CODE_CACHE'] === '1') return;
  setFlagsFromString('--semi-space-growth-factor=1');
  if (Number(process.versions.node.split('.')[0]) >= 24) return;
  setFlagsFromString('--experimental-wasm-branch-hinting');
  setFlagsFromString('--experimental-wasm-relaxed-simd');
}
