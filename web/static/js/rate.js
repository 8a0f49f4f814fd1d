/** Counts what happened within the last second. */
export class Rate {
  /** @type {number[]} */
  #instants = [];

  /** @param {number} now  in milliseconds, never less than before */
  count(now) {
    this.#instants.push(now);
    this.#forget(now);
  }

  /** How often it happened in the second before now. @param {number} now */
  perSecond(now) {
    this.#forget(now);
    return this.#instants.length;
  }

  /** @param {number} now */
  #forget(now) {
    let old = 0;
    while (old < this.#instants.length && this.#instants[old] <= now - 1000) old++;
    if (old > 0) this.#instants.splice(0, old);
  }
}
