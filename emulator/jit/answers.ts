/**
 * What compiling was told by its world (batch.ts), question by question: told the same again, it would make the same code, so that
 * need not be made again. That is how compiled code outlives a run.
 *
 * Answers are words: which question, what it is asked of, how many words the answer has if that is not one, the answer.
 */
import { hostFuses } from './fusedHost.ts';
import type { World } from './batch.ts';

/** The questions. */
const ASK = {
  half: 0,
  stopsAt: 1,
  room: 2,
  isWarm: 3,
  slotFor: 4,
  decoded: 5,
  isWild: 6,
  reachOf: 7,
  assumes: 8,
  reserve: 9,
  isKnown: 10,
  targets: 11,
} as const;

/** Questions of one word with an answer of one, by ASK. `assumes` comes when there is floating-point code, so it tells all about that. */
const QUESTIONS: readonly ((world: World, of: number) => number)[] = [
  (world, va) => world.half(va),
  (world, va) => Number(world.stopsAt(va)),
  (world, pc) => world.room(pc),
  (world, pc) => Number(world.isWarm(pc)),
  (world, pc) => world.slotFor(pc),
  (world, page) => world.decoded(page),
  (world, pc) => Number(world.isWild(pc)),
  (world, pc) => world.reachOf(pc),
  (world) => Number(world.assumes()) | (Number(hostFuses()) << 1),
  (world, pool) => world.reserve((pool & 1) !== 0, pool >>> 1),
  (world, pc) => Number(world.isKnown(pc)),
];

/** A world that writes down what another answers. */
export class Listener implements World {
  readonly #world: World;
  readonly #words: number[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  get answers(): Int32Array<ArrayBuffer> {
    return Int32Array.from(this.#words);
  }

  get isa(): World['isa'] {
    return this.#world.isa;
  }

  get groups(): boolean {
    return this.#world.groups;
  }

  #ask(question: number, of: number): number {
    const answer = (QUESTIONS[question] as (typeof QUESTIONS)[number])(this.#world, of);
    this.#words.push(question, of, answer);
    return answer;
  }

  half(va: number): number {
    return this.#ask(ASK.half, va);
  }

  stopsAt(va: number): boolean {
    return this.#ask(ASK.stopsAt, va) !== 0;
  }

  room(pc: number): number {
    return this.#ask(ASK.room, pc);
  }

  isKnown(pc: number): boolean {
    return this.#ask(ASK.isKnown, pc) !== 0;
  }

  isWarm(pc: number): boolean {
    return this.#ask(ASK.isWarm, pc) !== 0;
  }

  slotFor(pc: number): number {
    return this.#ask(ASK.slotFor, pc);
  }

  decoded(page: number): number {
    return this.#ask(ASK.decoded, page);
  }

  isWild(pc: number): boolean {
    return this.#ask(ASK.isWild, pc) !== 0;
  }

  reachOf(pc: number): 0 | 1 | 2 {
    return this.#ask(ASK.reachOf, pc) as 0 | 1 | 2;
  }

  assumes(): boolean {
    return (this.#ask(ASK.assumes, 0) & 1) !== 0;
  }

  reserve(write: boolean, size: number): number {
    return this.#ask(ASK.reserve, (size << 1) | Number(write));
  }

  targets(pc: number): readonly number[] {
    const targets = this.#world.targets(pc);
    this.#words.push(ASK.targets, pc, targets.length, ...targets);
    return targets;
  }
}

/** Asks a world all again; true when it answers the same. What it gives away until it does not stays given. */
export function answersAgain(world: World, answers: Int32Array): boolean {
  let at = 0;
  while (at < answers.length) {
    const question = answers[at++] as number;
    const of = (answers[at++] as number) >>> 0;
    if (question === ASK.targets) {
      const targets = world.targets(of);
      if (targets.length !== answers[at++]) return false;
      for (const target of targets) if (target !== (answers[at++] as number) >>> 0) return false;
    } else {
      const ask = QUESTIONS[question];
      if (ask === undefined || ask(world, of) !== answers[at++]) return false;
    }
  }
  return true;
}
