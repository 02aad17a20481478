/** What the steps of a sequence cover: each operation with each outcome, and with what it changed. */
import type { Answers } from './machines.ts';
import { show, type Sequence } from './operations.ts';

/** An answer without its numbers: an errno, "#", "@#", and a mark for each kind of thing that changed besides. */
function outcome(answer: string): string {
  const [first = '', ...changes] = answer.split('\n');
  const kinds = changes.map((line) => line.replaceAll(/\d+/g, '#').split(':')[0]?.trim());
  return [first.replaceAll(/\d+/g, '#').slice(0, 24), ...new Set(kinds)].join(' ');
}

/** The call, its flags and commands by name, without variables, numbers and addresses. */
function call(text: string): string {
  const names = text.match(/[A-Z]+_[A-Z_]+/g) ?? [];
  const operation = text.replace(/^w\d: (\w+ = )?/, '').match(/^\w+/)?.[0] ?? '';
  return `${operation} ${names.join(' ')}`;
}

/** One entry for each operation, flags and outcome; steps that nobody could carry out do not count. */
export function coverage(sequence: Sequence, answers: Answers): string[] {
  return sequence.flatMap((step, i) => {
    const answer = answers[i] ?? '';
    return /^(no such worker|is asleep|is there)/.test(answer)
      ? []
      : [`${call(show(step))}: ${outcome(answer)}`];
  });
}
