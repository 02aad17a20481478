/** Reading what valgrind's callgrind has counted (format: valgrind manual, "Callgrind Format Specification"), and V8's map of its code. */
import { readFileSync } from 'node:fs';

/** What was counted: instructions, and loads and stores of what was not in a cache of the size of L2, of L3. */
export interface Counts {
  instructions: number;
  beyondL2: number;
  beyondL3: number;
}

export function noCounts(): Counts {
  return { instructions: 0, beyondL2: 0, beyondL3: 0 };
}

export function addCounts(to: Counts, what: Counts): void {
  to.instructions += what.instructions;
  to.beyondL2 += what.beyondL2;
  to.beyondL3 += what.beyondL3;
}

/** The name of the function in which an address lies, or null. */
export type NameOf = (address: number) => string | null;

/**
 * A map that V8 writes with --perf-basic-prof: address and size of each function in hexadecimal, and its name. Of functions that lay at one
 * place one after the other, the last.
 */
export function readPerfMap(path: string): NameOf {
  const functions = new Map<number, { readonly end: number; readonly name: string }>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, start = '', size = '', name = ''] = /^([0-9a-f]+) ([0-9a-f]+) (.*)$/.exec(line) ?? [];
    if (start === '') continue;
    const address = parseInt(start, 16);
    // "JS:*exitMmap file:///.../library.js:18029:20": the mark says how far it is optimised.
    const short = name.replace(/^JS:[~^*+]?/, '').replace(/ (file|node):.*$/, '');
    functions.set(address, { end: address + parseInt(size, 16), name: short });
  }
  const starts = Float64Array.from(functions.keys()).sort();
  return (address) => {
    let low = 0;
    for (let high = starts.length; low < high;) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] as number) <= address) low = middle + 1;
      else high = middle;
    }
    const found = functions.get(starts[low - 1] ?? -1);
    return found !== undefined && address < found.end ? found.name : null;
  };
}

/** A position, which may be told relative to the last one. */
function position(text: string, last: number): number {
  if (text === '*') return last;
  if (text.startsWith('+')) return last + Number(text.slice(1));
  if (text.startsWith('-')) return last - Number(text.slice(1));
  return Number(text);
}

const BEYOND_L2 = ['D1mr', 'D1mw'];
const BEYOND_L3 = ['DLmr', 'DLmw'];

/** Adds what a dump has to `counts`, by function. A dump by instructions, whose own costs alone count. */
export function readDump(path: string, nameOf: NameOf, counts: Map<string, Counts>): void {
  const names = new Map<string, string>();
  let events: readonly string[] = [];
  let current = '';
  let address = 0;
  let isCall = false;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const fn = /^c?fn=\((\d+)\)(?: (.*))?$/.exec(line);
    if (fn !== null) {
      const [, number = '', name] = fn;
      if (name !== undefined) names.set(number, name);
      if (line.startsWith('fn')) current = names.get(number) ?? number;
    } else if (line.startsWith('events: ')) events = line.slice(8).split(' ');
    else if (line.startsWith('calls=')) isCall = true;
    else if (/^[0-9+*-]/.test(line)) {
      const [place = '', , ...costs] = line.split(' ');
      address = position(place, address);
      // What the called function cost: that is counted there.
      if (!isCall) {
        const cost = (kinds: readonly string[]): number =>
          kinds.reduce((sum, kind) => sum + Number(costs[events.indexOf(kind)] ?? 0), 0);
        const name = nameOf(address) ?? current;
        let sum = counts.get(name);
        if (sum === undefined) counts.set(name, (sum = noCounts()));
        addCounts(sum, {
          instructions: cost(['Ir']),
          beyondL2: cost(BEYOND_L2),
          beyondL3: cost(BEYOND_L3),
        });
      }
      isCall = false;
    }
  }
}
