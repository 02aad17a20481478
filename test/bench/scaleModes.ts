/** What guest/bench/scale.c does, by its modes and the letters that it writes behind their phases. */

export interface Phase {
  readonly letter: string;
  readonly name: string;
}

export interface Mode {
  readonly name: string;
  readonly counts: readonly number[];
  /**
   * Things made in all, at every count: so many that most phases take 40 ms and more. A collection of V8's takes some, and copies the more the
   * more there is; in shorter phases it is chance which of them has it.
   */
  readonly total: number;
  readonly phases: readonly Phase[];
}

export const MODES: readonly Mode[] = [
  {
    name: 'segments',
    counts: [16, 256, 4096],
    total: 262_144,
    phases: [
      { letter: 'c', name: 'create one' },
      { letter: 'g', name: 'find one by key' },
      { letter: 'w', name: 'first attach, touch, detach' },
      { letter: 'a', name: 'find, attach, touch, detach' },
      { letter: 's', name: 'find and IPC_STAT' },
      { letter: 'r', name: 'find and remove one' },
    ],
  },
  {
    name: 'processes',
    counts: [10, 100, 1000],
    total: 16_000,
    phases: [
      { letter: 'f', name: 'fork, attach, touch' },
      { letter: 'o', name: 'attach, touch, detach' },
      { letter: 'x', name: 'exit and wait' },
    ],
  },
  {
    name: 'attaches',
    counts: [100, 1000, 10_000, 100_000],
    total: 400_000,
    phases: [
      { letter: 'a', name: 'attach one more' },
      { letter: 't', name: 'first touch' },
      { letter: 'o', name: 'attach, touch, detach' },
      { letter: 'd', name: 'detach one' },
    ],
  },
  {
    name: 'exit',
    counts: [100, 1000, 10_000, 100_000],
    total: 400_000,
    phases: [{ letter: 'x', name: 'exit, per attach' }],
  },
];
