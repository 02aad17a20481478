/**
 * What the kernel asks of its host beyond ECMAScript: UTF-8. Declared here because neither the DOM library nor
 * Node's types are wanted in this room.
 */
declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: ArrayBufferView | ArrayBuffer): string;
}
