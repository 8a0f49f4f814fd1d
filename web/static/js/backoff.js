/**
 * How long to wait before the next try: full jitter, so that a crowd that lost its server together does not come back
 * together. What it is drawn from grows with the time since the first wait, and not with the tries, so that who drew
 * short waits does not pay for them with long ones: a server that was away for t is back for everybody by t + t/8, or
 * by the least bound where that is more. The least is what a tab has frames to show for meanwhile: nobody sees a shorter
 * wait, and the server does.
 */
const LEAST = 2_000; // milliseconds
const MOST = 15_000; // milliseconds
const SHARE = 1 / 8; // of the time since the first wait

export class Backoff {
  /** When the first wait began, while there were any. @type {number | null} */
  #since = null;

  /** Milliseconds until the next try. @param {number} now  in milliseconds @param {number} random  in [0, 1) */
  next(now, random) {
    this.#since ??= now;
    return random * Math.min(MOST, Math.max(LEAST, (now - this.#since) * SHARE));
  }

  /** Nothing is to be waited for any more. */
  reset() {
    this.#since = null;
  }
}
