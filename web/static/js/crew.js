/**
 * The render workers of a tab, and which lease is with which. A worker that dies takes its leases along; another one
 * takes its place when the next lease for that thread comes.
 */

/**
 * @typedef {object} Hand  a render worker
 * @property {(message: import('./messages.js').ToRenderer, transfer?: Transferable[]) => void} post
 * @property {() => void} end
 *
 * @typedef {(hear: (message: import('./messages.js').FromRenderer) => void, died: () => void) => Hand} Spawn
 * @typedef {{ thread: number, lease: number, frames: number }} Task
 */

export class Crew {
  #spawn;
  #deliver;
  /** By thread. @type {(Hand | undefined)[]} */
  #hands = [];
  /** By job. @type {Map<number, Task>} */
  #tasks = new Map();
  #jobs = 0;
  #spoilt = 0;

  /**
   * @param {Spawn} spawn
   * @param {(message: ArrayBuffer, frames: number) => void} deliver  takes the results
   */
  constructor(spawn, deliver) {
    this.#spawn = spawn;
    this.#deliver = deliver;
  }

  /** Leases that were given up because a worker or its instance failed. */
  get spoilt() {
    return this.#spoilt;
  }

  /** Makes the crew so many threads. @param {number} threads */
  hire(threads) {
    for (const hand of this.#hands.splice(threads)) hand?.end();
    for (const [job, task] of this.#tasks) if (task.thread >= threads) this.#tasks.delete(job);
    for (let thread = 0; thread < threads; thread++) this.#hands[thread] ??= this.#start(thread);
  }

  /**
   * Gives a lease to its thread. One for a thread that this tab never offered stays unanswered.
   * @param {import('./messages.js').Lease} lease
   * @param {ArrayBuffer} message  the same, as it came; it is transferred
   */
  lease({ lease, thread, count }, message) {
    if (thread >= this.#hands.length) return;
    const hand = (this.#hands[thread] ??= this.#start(thread));
    const job = ++this.#jobs;
    this.#tasks.set(job, { thread, lease, frames: count });
    hand.post({ type: 'lease', job, message }, [message]);
  }

  /** @param {number} lease */
  revoke(lease) {
    for (const [job, task] of this.#tasks) {
      if (task.lease !== lease) continue;
      this.#tasks.delete(job);
      this.#hands[task.thread]?.post({ type: 'revoke', job });
    }
  }

  /** Voids every lease. */
  stop() {
    this.#tasks.clear();
    for (const hand of this.#hands) hand?.post({ type: 'stop' });
  }

  /** @param {number} thread */
  #start(thread) {
    const hand = this.#spawn(
      (message) => this.#hear(message),
      () => {
        if (this.#hands[thread] !== hand) return;
        hand.end();
        this.#hands[thread] = undefined;
        for (const [job, task] of this.#tasks) if (task.thread === thread) this.#spoil(job);
      },
    );
    return hand;
  }

  /** @param {import('./messages.js').FromRenderer} message */
  #hear(message) {
    const task = this.#tasks.get(message.job);
    if (!task) return; // revoked, or of a connection that is gone
    if (message.type === 'spoilt') return this.#spoil(message.job);
    this.#tasks.delete(message.job);
    this.#deliver(message.message, task.frames);
  }

  /** @param {number} job */
  #spoil(job) {
    this.#tasks.delete(job);
    this.#spoilt++;
  }
}
