/** Comparing the answers of two kernels, and showing where they part. */
import type { Answers } from './machines.ts';
import { encode, show, type Sequence } from './operations.ts';

/** The number of the first step whose answers differ; -1 when all are the same. */
export function firstDifference(ours: Answers, expected: Answers): number {
  for (let i = 0; i < Math.max(ours.length, expected.length); i++) if (ours[i] !== expected[i]) return i;
  return -1;
}

const indented = (text: string, mark: string): string =>
  text
    .split('\n')
    .map((line) => `      ${mark} ${line}`)
    .join('\n');

/** The sequence as a program, each step with its answer; where they differ, with both. */
export function report(sequence: Sequence, ours: Answers, expected: Answers): string {
  const lines: string[] = [];
  for (let i = 0; i < Math.max(ours.length, expected.length, sequence.length); i++) {
    const step = sequence[i];
    lines.push(`  ${step === undefined ? 'end' : show(step)}`);
    const [our, host] = [ours[i], expected[i]];
    if (our === host) lines.push(indented(our ?? 'no answer', ' '));
    else lines.push(indented(host ?? 'no answer', 'linux'), indented(our ?? 'no answer', 'ours '));
  }
  return `${lines.join('\n')}\nas the driver reads it:\n${encode(sequence)}`;
}
