/**
 * The interpreter's module when a build has made it ahead. The bundle of the command has cli/prebuiltInterpreter.ts in the place of this
 * file, which saves half of what a short program takes beyond Node's own start. From source it is made at run time.
 */
export function prebuiltInterpreter(_sharedMemory: boolean): WebAssembly.Module | null {
  return null;
}
