/** How far the wall clock parts from the monotonic one: at once, where somebody sets it or the machine slept. */

const JUMP = 100; // milliseconds; less may be the wall clock put right little by little

export class Parting {
  /** Of the wall clock before the other, when it last jumped. @type {number | null} */
  #ahead = null;

  /**
   * By how many milliseconds the wall clock has jumped ahead since it last did, or 0.
   * @param {number} now   monotonic
   * @param {number} wall  Date.now()
   */
  jumped(now, wall) {
    const ahead = wall - now;
    const by = ahead - (this.#ahead ?? ahead);
    if (this.#ahead !== null && Math.abs(by) < JUMP) return 0;
    this.#ahead = ahead;
    return by;
  }
}
