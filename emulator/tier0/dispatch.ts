/** A jump through a table: how both `run` and `step` find a row's handler. */
import { uleb } from '../wasm/encode.ts';
import { OP } from '../wasm/opcodes.ts';

const VOID = 0x40;

/** A block nest around `br_table`: `targets[op]` is a handler's index, or -1 for the block outside. */
export function dispatch(
  selector: readonly number[],
  targets: readonly number[],
  handlers: readonly number[][],
): number[] {
  const count = handlers.length;
  const code: number[] = [];
  for (let i = 0; i < count; i++) code.push(OP.block, VOID);
  code.push(...selector, OP.br_table, ...uleb(targets.length));
  for (const t of targets) code.push(...uleb(t < 0 ? count : t));
  code.push(...uleb(count));
  for (const h of handlers) {
    code.push(OP.end);
    for (const byte of h) code.push(byte);
  }
  return code;
}
