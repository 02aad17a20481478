/**
 * The interpreter's module when a build has made it ahead: the bundle of the command (.ci/bundle.ts) puts its bytes
 * here, one character each, which saves a quarter of the start-up of a short program. From source it is made at run
 * time.
 */
const BYTES = '';

/** The module's bytes, or null when they must be made from the rows. */
export function prebuiltInterpreter(): Uint8Array<ArrayBuffer> | null {
  const text: string = BYTES;
  if (text === '') return null;
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
