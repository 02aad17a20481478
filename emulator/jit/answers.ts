/**
 * What compiling was told by its world (batch.ts), question by question: while the world says the same, the code that was made may be
 * used, and need not be made again. That is how compiled code outlives a run.
 *
 * Of some questions the answer is a matter of taste: how warm a callee was, where jumps had gone, what other regions had already. Had it
 * been another, there would be other code, as right as this.
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

const TASTE: ReadonlySet<number> = new Set([ASK.isWarm, ASK.isKnown, ASK.targets]);

/** Questions of one word with an answer of one, by ASK; `wish`: the answer that an earlier run got. `assumes` comes when there is floating-point code, so it tells all about that. */
const QUESTIONS: readonly ((world: World, of: number, wish?: number) => number)[] = [
  (world, va) => world.half(va),
  (world, va) => Number(world.stopsAt(va)),
  (world, pc) => world.room(pc),
  (world, pc) => Number(world.isWarm(pc)),
  (world, pc, wish) => world.slotFor(pc, wish),
  (world, page) => world.decoded(page),
  (world, pc) => Number(world.isWild(pc)),
  (world, pc) => world.reachOf(pc),
  (world) => Number(world.assumes()) | (Number(hostFuses()) << 1),
  (world, pool, wish) => world.reserve((pool & 1) !== 0, pool >>> 1, wish),
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

/** Asks a world all again; true when it answers the same, but for tastes. What it gives away until it does not stays given. */
export function answersAgain(world: World, answers: Int32Array): boolean {
  let at = 0;
  while (at < answers.length) {
    const question = answers[at++] as number;
    const of = (answers[at++] as number) >>> 0;
    const answer = answers[at++] as number;
    if (question === ASK.targets) at += answer;
    if (TASTE.has(question)) continue;
    const ask = QUESTIONS[question];
    if (ask === undefined || at > answers.length || ask(world, of, answer) !== answer) return false;
  }
  return at === answers.length;
}
