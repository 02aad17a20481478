/** A jump through a table: how `step` finds a row's handler. */
import { uleb, type Code } from '../wasm/encode.ts';
import { OP, VOID } from '../wasm/opcodes.ts';

/** A block nest around `br_table`: `targets[op]` is a handler's index, or -1 for the block outside. */
export function dispatch(selector: Code, targets: readonly number[], handlers: readonly Code[]): Code {
  const count = handlers.length;
  let code: Code = '';
  for (let i = 0; i < count; i++) code += OP.block + VOID;
  code += selector + OP.br_table + uleb(targets.length);
  for (const t of targets) code += uleb(t < 0 ? count : t);
  code += uleb(count);
  for (const h of handlers) {
    code += OP.end + h;
  }
  return code;
}
