/**
 * Whether the host's relaxed_madd (WebAssembly 3.0, relaxed SIMD) is a fused multiply-add. The specification lets it round
 * once or twice, as the processor has it; V8 before 11.4 (Node 20) knows it behind --experimental-wasm-relaxed-simd.
 */
import { OP } from '../wasm/opcodes.ts';
import { encodeModule } from '../wasm/encode.ts';
import { get } from '../codegen/emitter.ts';
import { fusedMultiplyAdd } from '../codegen/floatCode.ts';

function probe(): boolean {
  const type = { params: ['f64', 'f64', 'f64'], results: ['f64'] } as const;
  const code = fusedMultiplyAdd('f64', get(0), get(1), get(2));
  const bytes = encodeModule({
    memory: { initial: 0, maximum: 0x1_0000 },
    imports: [],
    functions: [{ name: 'fma', type, locals: [], code: [...code, OP.return], exported: true }],
  });
  if (!WebAssembly.validate(bytes)) return false;
  const memory = new WebAssembly.Memory({ initial: 0, maximum: 0 });
  const { fma } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports;
  const x = 1 + 2 ** -30;
  return (fma as (a: number, b: number, c: number) => number)(x, x, -(x * x)) === 2 ** -60;
}

let known: boolean | undefined;

export function hostFuses(): boolean {
  known ??= probe();
  return known;
}
