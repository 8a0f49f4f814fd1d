/**
 * Finds workers that hang. In an endless call a worker hears nothing, and only its end helps; so once a round each is
 * asked for a sign of life, which it gives between two slices of a lease, however long the lease is.
 *
 * The longest a healthy worker is silent for is one call: a frame at the highest detail, half a second on an ordinary
 * machine. One that is silent for ten is beyond use even if it would come back, since no lease lasts as long.
 *
 * Only rounds that come on time count. A machine that sleeps, a browser that is stopped and a hidden tab whose timers
 * are held back stop who asks as well as who is asked, and nobody hangs then. Before its first sign a worker is not
 * watched: it may be waiting for the network.
 */

export const ROUND = 1_000; // milliseconds from one round to the next
const LATE = 500; // milliseconds after which a round is not on time
const PATIENCE = 10; // rounds on time without a sign

/**
 * Asks workers for a sign of life in every round, for ever.
 * @template {{ post: (message: { type: 'ping' }) => void }} T
 * @param {Watchdog<T>} watchdog
 * @param {Pick<import('./session.js').Env, 'now' | 'after'>} env
 * @param {() => T[]} workers        those that there are
 * @param {(worker: T) => void} hangs  ends one that hangs
 */
export function watch(watchdog, env, workers, hangs) {
  watchdog.round(env.now(), workers()).forEach(hangs);
  for (const worker of workers()) worker.post({ type: 'ping' });
  env.after(ROUND, () => watch(watchdog, env, workers, hangs));
}

/** @template {object} T */
export class Watchdog {
  /** How many rounds each has let pass since its last sign. @type {WeakMap<T, number>} */
  #silent = new WeakMap();
  #last = -Infinity;

  /** Takes in a sign of life; the first begins the watch. @param {T} worker */
  heard(worker) {
    this.#silent.set(worker, 0);
  }

  /**
   * To be called every ROUND, before everybody is asked.
   * @param {number} now @param {T[]} workers
   * @returns {T[]} those that hang
   */
  round(now, workers) {
    const late = now - this.#last > ROUND + LATE;
    this.#last = now;
    if (late) return [];
    return workers.filter((worker) => {
      const silent = this.#silent.get(worker) ?? -Infinity; // which stays below any patience
      this.#silent.set(worker, silent + 1);
      return silent >= PATIENCE;
    });
  }
}
