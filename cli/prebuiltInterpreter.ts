/**
 * The interpreter's module as the build made it, with its machine code: dist/cli/interpreter.cache. The bundle of the command has this
 * file in the place of emulator/tier0/prebuilt.ts (.ci/bundle.ts).
 */
import { join } from 'node:path';
import { readModule } from './moduleCache.ts';

/** Of the kind that the command's machines have. Null when there is no such file, or it is damaged: then the module is made from the rows. */
export function prebuiltInterpreter(sharedMemory: boolean): WebAssembly.Module | null {
  if (!sharedMemory) return null;
  return readModule(join(import.meta.dirname, 'interpreter.cache'))?.module ?? null;
}
