/**
 * How long to wait before the next try: full jitter over a bound that doubles, so that a crowd that lost its server
 * together does not come back together. It is never less than what a tab has frames to show for meanwhile: nobody sees a
 * shorter wait, and the server does.
 */
const LEAST = 2_000; // milliseconds

export class Backoff {
  #base;
  #cap;
  #failures = 0;

  /** @param {number} [base] milliseconds @param {number} [cap] milliseconds */
  constructor(base = 500, cap = 15_000) {
    this.#base = base;
    this.#cap = cap;
  }

  /** Milliseconds until the next try. @param {number} random  in [0, 1) */
  next(random) {
    const bound = Math.min(this.#cap, this.#base * 2 ** this.#failures);
    if (bound < this.#cap) this.#failures++;
    return random * Math.max(LEAST, bound);
  }

  reset() {
    this.#failures = 0;
  }
}
