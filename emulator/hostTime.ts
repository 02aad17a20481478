/**
 * Where the host's time goes, for `--stats`: nothing in the machine depends on it, and nothing is measured without a clock.
 *
 * Compiled regions are called from the interpreter, and both call the supervisor, so a stretch is measured from outside and what
 * lies within it is taken off.
 */
export class HostTime {
  /** In the stretches of the hart all told, in milliseconds of `clock`; so are all that follow. */
  total = 0;
  /** Compiling regions; what the host's WebAssembly compiles later, in threads of its own, not counted. */
  compiling = 0;
  /** In regions that the interpreter has entered, and those that they call; without what the supervisor does meanwhile. */
  regions = 0;
  /** In the supervisor's traps. */
  supervisor = 0;
  readonly #clock: (() => number) | null;

  /** `clock`: milliseconds from whenever; null: nothing is measured. */
  constructor(clock: (() => number) | null) {
    this.#clock = clock;
  }

  /** In the interpreter: what is left. */
  get interpreter(): number {
    return Math.max(0, this.total - this.compiling - this.regions - this.supervisor);
  }

  /** 0 without a clock. */
  now(): number {
    return this.#clock === null ? 0 : this.#clock();
  }

  /** Calls a region. */
  region(call: (budget: number, depth: number) => number, budget: number, depth: number): number {
    const begun = this.now();
    const elsewhere = this.supervisor;
    const left = call(budget, depth);
    this.regions += this.now() - begun - (this.supervisor - elsewhere);
    return left;
  }
}
