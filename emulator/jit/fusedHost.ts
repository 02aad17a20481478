/**
 * Whether the host's relaxed_madd and relaxed_nmadd (WebAssembly 3.0, relaxed SIMD) are fused multiply-adds. The specification lets it round
 * once or twice, as the processor has it; V8 before 11.4 (Node 20) knows it behind --experimental-wasm-relaxed-simd.
 */
import { get } from '../codegen/emitter.ts';
import { fusedMultiplyAdd, lane, splat } from '../codegen/lanes.ts';
import { encodeModule, type Code, type FunctionBody } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

function probe(): boolean {
  const type = { params: ['f64', 'f64', 'f64'], results: ['f64'] } as const;
  const [a, b, c] = [0, 1, 2].map((n) => splat('f64', get(n))) as [Code, Code, Code];
  const function_ = (name: string, negateProduct: boolean): FunctionBody => ({
    name,
    type,
    locals: [],
    code: lane('f64', fusedMultiplyAdd('f64', negateProduct, a, b, c)) + OP.return,
    exported: true,
  });
  const bytes = encodeModule({
    memory: { initial: 0, maximum: 0x1_0000, shared: false },
    imports: [],
    functions: [function_('madd', false), function_('nmadd', true)],
  });
  if (!WebAssembly.validate(bytes)) return false;
  const memory = new WebAssembly.Memory({ initial: 0, maximum: 0 });
  const { madd, nmadd } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
    .exports;
  const x = 1 + 2 ** -30;
  type Fused = (a: number, b: number, c: number) => number;
  return (madd as Fused)(x, x, -(x * x)) === 2 ** -60 && (nmadd as Fused)(x, x, x * x) === -(2 ** -60);
}

let known: boolean | undefined;

export function hostFuses(): boolean {
  known ??= probe();
  return known;
}
