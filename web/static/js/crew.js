/**
 * The render workers of a tab, and which lease is with which. A worker that dies or hangs takes its leases along; another
 * one takes its place when the next lease for that thread comes. The server hears nothing of it: those leases run out.
 * One that is unfit leaves for good, and those after it move up.
 */

import { Watchdog, watch } from './watchdog.js';

/**
 * @typedef {object} Hand  a render worker
 * @property {(message: import('./messages.js').ToRenderer, transfer?: Transferable[]) => void} post
 * @property {() => void} end
 *
 * @typedef {(hear: (message: import('./messages.js').FromRenderer) => void, died: () => void) => Hand} Spawn
 * @typedef {{ thread: number, lease: number, frames: number }} Task
 *
 * @typedef {object} Events
 * @property {(message: ArrayBuffer, frames: number, spent: number) => void} result  spent is milliseconds
 * @property {(why: string) => void} failed  a worker or its instance, and what it had to render is lost
 * @property {(why: string) => void} unfit   a worker left: threads have other numbers now, and every lease is void
 */

export class Crew {
  #spawn;
  #events;
  /** By thread. @type {(Hand | undefined)[]} */
  #hands = [];
  /** By job. @type {Map<number, Task>} */
  #tasks = new Map();
  #jobs = 0;
  #duty = 100;
  /** @type {Watchdog<Hand>} */
  #watchdog = new Watchdog();

  /**
   * @param {Spawn} spawn
   * @param {Pick<import('./session.js').Env, 'now' | 'after'>} env
   * @param {Events} events
   */
  constructor(spawn, env, events) {
    this.#spawn = spawn;
    this.#events = events;
    watch(
      this.#watchdog,
      env,
      () => this.#hands.filter((hand) => hand !== undefined),
      (hand) => this.#lose(hand, 'its worker hung'),
    );
  }

  /** How much of the time each thread renders, in percent. @param {number} duty */
  set duty(duty) {
    if (this.#duty === duty) return;
    this.#duty = duty;
    for (const hand of this.#hands) hand?.post({ type: 'duty', duty });
  }

  /** Makes the crew so many threads. @param {number} threads */
  hire(threads) {
    for (const hand of this.#hands.splice(threads)) hand?.end();
    for (const [job, task] of this.#tasks) if (task.thread >= threads) this.#tasks.delete(job);
    for (let thread = 0; thread < threads; thread++) this.#hands[thread] ??= this.#start();
  }

  /**
   * Gives a lease to its thread. One for a thread that this tab never offered stays unanswered.
   * @param {import('./messages.js').Lease} lease
   * @param {ArrayBuffer} message  the same, as it came; it is transferred
   */
  lease({ lease, thread, count }, message) {
    if (thread >= this.#hands.length) return;
    const hand = (this.#hands[thread] ??= this.#start());
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

  #start() {
    /** @type {Hand} */
    const hand = this.#spawn(
      (message) => this.#hear(hand, message),
      () => this.#lose(hand, 'its worker died'),
    );
    if (this.#duty !== 100) hand.post({ type: 'duty', duty: this.#duty });
    return hand;
  }

  /** Gives up a worker, and all that it was to render. @param {Hand} hand @param {string} why */
  #lose(hand, why) {
    const thread = this.#hands.indexOf(hand);
    if (thread < 0) return;
    hand.end();
    this.#hands[thread] = undefined;
    for (const [job, task] of this.#tasks) if (task.thread === thread) this.#tasks.delete(job);
    this.#events.failed(`thread ${thread}: ${why}`);
  }

  /** @param {number} thread @param {string} why */
  #dismiss(thread, why) {
    this.#hands.splice(thread, 1)[0]?.end();
    this.stop();
    this.#events.unfit(why);
  }

  /** @param {Hand} hand @param {import('./messages.js').FromRenderer} message */
  #hear(hand, message) {
    const thread = this.#hands.indexOf(hand);
    if (thread < 0) return; // it was ended
    this.#watchdog.heard(hand);
    if (message.type === 'pong' || message.type === 'checked') return;
    if (message.type === 'unfit') return this.#dismiss(thread, message.why);
    const task = this.#tasks.get(message.job);
    this.#tasks.delete(message.job);
    if (message.type === 'spoilt') return this.#events.failed(`thread ${thread}: ${message.why}`);
    if (task) this.#events.result(message.message, task.frames, message.spent); // else revoked, or of a connection that is gone
  }
}
