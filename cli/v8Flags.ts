/**
 * What V8 of Node 20 has behind flags: hints which branches of compiled guest code are unlikely, and fused multiply-add,
 * which Node 24 has without. Everything works without; matrix multiplication runs at a quarter of the speed.
 */
import { setFlagsFromString } from 'node:v8';

export function setV8Flags(): void {
  // V8 takes its code cache only under the flags under which it was filled, and they are set after it was read.
  if (process.env['SAMEFRAME_FILL_CODE_CACHE'] === '1') return;
  if (Number(process.versions.node.split('.')[0]) >= 24) return;
  setFlagsFromString('--experimental-wasm-branch-hinting');
  setFlagsFromString('--experimental-wasm-relaxed-simd');
}
