/**
 * What compiling was told by its world (batch.ts), question by question: while the world says the same, the code that was made may be
 * used, and need not be made again. That is how compiled code outlives a run.
 *
 * Of some questions the answer is a matter of taste: how warm a callee was, where jumps had gone, what other regions had already, what
 * registers held. Had it
 * been another, there would be other code, as right as this.
 *
 * Answers are words: which question, what it is asked of, how many words the answer has if that is not one, the answer.
 */
import { hostFuses } from './fusedHost.ts';
import type { World } from './batch.ts';

type Question = (world: World, of: number, wish?: number) => number;

/**
 * Questions of one word with an answer of one; `wish`: the answer that an earlier run got. `assumes` comes when there is
 * floating-point code, so it tells all about that.
 */
const QUESTIONS = {
  half: (world, va) => world.half(va),
  stopsAt: (world, va) => Number(world.stopsAt(va)),
  room: (world, pc) => world.room(pc),
  isKnown: (world, pc) => Number(world.isKnown(pc)),
  isWarm: (world, pc) => Number(world.isWarm(pc)),
  isUsed: (world, pc) => Number(world.isUsed(pc)),
  slotFor: (world, pc, wish) => world.slotFor(pc, wish),
  decoded: (world, page) => world.decoded(page),
  reserve: (world, pool, wish) => world.reserve((pool & 1) !== 0, pool >>> 1, wish),
  isWild: (world, pc) => Number(world.isWild(pc)),
  reachOf: (world, pc) => world.reachOf(pc),
  entered: (world, register) => world.entered(register),
  assumes: (world) => Number(world.assumes()) | (Number(hostFuses()) << 1),
} satisfies Record<string, Question>;

type Name = keyof typeof QUESTIONS;

/** A question's number is its place in the list; that of `targets`, whose answer is many words, comes last. */
const NAMES = Object.keys(QUESTIONS) as Name[];
const NUMBERS = Object.fromEntries(NAMES.map((name, i) => [name, i])) as Record<Name, number>;
const TARGETS = NAMES.length;

const TASTE: ReadonlySet<number> = new Set([
  NUMBERS.isWarm,
  NUMBERS.isUsed,
  NUMBERS.isKnown,
  NUMBERS.entered,
  TARGETS,
]);

/** A world that writes down what another answers. */
export class Listener implements World {
  readonly #world: World;
  readonly #words: number[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  get answers(): Int32Array<ArrayBuffer> {
    return new Int32Array(this.#words);
  }

  get isa(): World['isa'] {
    return this.#world.isa;
  }

  get groups(): boolean {
    return this.#world.groups;
  }

  #note(name: Name, of: number, answer: number): number {
    this.#words.push(NUMBERS[name], of, answer);
    return answer;
  }

  #ask(name: Name, of: number): number {
    const ask: Question = QUESTIONS[name];
    return this.#note(name, of, ask(this.#world, of));
  }

  // These two are asked of every instruction.

  half(va: number): number {
    return this.#note('half', va, this.#world.half(va));
  }

  stopsAt(va: number): boolean {
    return this.#note('stopsAt', va, Number(this.#world.stopsAt(va))) !== 0;
  }

  room(pc: number): number {
    return this.#ask('room', pc);
  }

  isKnown(pc: number): boolean {
    return this.#ask('isKnown', pc) !== 0;
  }

  isWarm(pc: number): boolean {
    return this.#ask('isWarm', pc) !== 0;
  }

  isUsed(pc: number): boolean {
    return this.#ask('isUsed', pc) !== 0;
  }

  slotFor(pc: number): number {
    return this.#ask('slotFor', pc);
  }

  decoded(page: number): number {
    return this.#ask('decoded', page);
  }

  isWild(pc: number): boolean {
    return this.#ask('isWild', pc) !== 0;
  }

  reachOf(pc: number): 0 | 1 | 2 {
    return this.#ask('reachOf', pc) as 0 | 1 | 2;
  }

  entered(register: number): number {
    return this.#ask('entered', register);
  }

  assumes(): boolean {
    return (this.#ask('assumes', 0) & 1) !== 0;
  }

  reserve(write: boolean, size: number): number {
    return this.#ask('reserve', (size << 1) | Number(write));
  }

  targets(pc: number): readonly number[] {
    const targets = this.#world.targets(pc);
    this.#words.push(TARGETS, pc, targets.length, ...targets);
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
    if (question === TARGETS) at += answer;
    if (TASTE.has(question)) continue;
    const name = NAMES[question];
    const ask: Question | undefined = name && QUESTIONS[name];
    if (ask === undefined || at > answers.length || ask(world, of, answer) !== answer) return false;
  }
  return at === answers.length;
}
