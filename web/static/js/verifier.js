/**
 * Verifies what this tab is shown: a worker of its own renders a frame of a broadcast again and compares every cell.
 *
 * Which frame that is, is drawn after the broadcast has arrived, so whoever sent it could not know. One frame a broadcast
 * at most, one at a time, and so few that all of it takes no more than SHARE of one processor: after each, the verifier
 * rests in proportion to what it took. It does nothing while nobody looks.
 */

import { Watchdog, watch } from './watchdog.js';

export const SHARE = 0.01;

/**
 * @typedef {object} Env
 * @property {import('./session.js').Env['now']} now
 * @property {import('./session.js').Env['after']} after
 * @property {(n: number) => number} draw  from 0 to n - 1, each as likely, and nobody can foretell which
 *
 * @typedef {object} Events
 * @property {(mismatch: import('./messages.js').Mismatch | null) => void} verified  a frame, and how it was not equal, if so
 * @property {(why: string) => void} failed  the worker or its instance
 * @property {(why: string) => void} unfit   nothing is verified any more
 */

export class Verifier {
  #spawn;
  #env;
  #events;
  /** @type {import('./crew.js').Hand | null} */
  #hand = null;
  #unfit = false;
  #job = 0;
  #busy = false;
  #restUntil = -Infinity;
  /** @type {Watchdog<import('./crew.js').Hand>} */
  #watchdog = new Watchdog();

  /** Whether anybody looks. */
  watching = true;

  /** @param {import('./crew.js').Spawn} spawn @param {Env} env @param {Events} events */
  constructor(spawn, env, events) {
    this.#spawn = spawn;
    this.#env = env;
    this.#events = events;
    watch(
      this.#watchdog,
      env,
      () => (this.#hand ? [this.#hand] : []),
      (hand) => this.#lose(hand, 'the verifying worker hung'),
    );
  }

  /**
   * Takes in a broadcast: count frames, first and following.
   * @param {number} detail  of the frames
   * @param {number} first
   * @param {ArrayBuffer} text  where one that begins with a zero byte is missing
   * @param {number} textSize   bytes of each
   */
  take(detail, first, text, textSize) {
    if (!this.watching || this.#unfit || this.#busy || this.#env.now() < this.#restUntil) return;
    const bytes = new Uint8Array(text);
    const there = [];
    for (let start = 0; start < bytes.length; start += textSize) if (bytes[start] !== 0) there.push(start);
    if (there.length === 0) return;
    const start = there[this.#env.draw(there.length)];
    const sample = { detail, frame: first + start / textSize, text: text.slice(start, start + textSize) };
    this.#busy = true;
    this.#hand ??= this.#start();
    this.#hand.post({ type: 'check', job: ++this.#job, sample }, [sample.text]);
  }

  #start() {
    /** @type {import('./crew.js').Hand} */
    const hand = this.#spawn(
      (message) => this.#hear(hand, message),
      () => this.#lose(hand, 'the verifying worker died'),
    );
    return hand;
  }

  /** @param {import('./crew.js').Hand} hand @param {import('./messages.js').FromRenderer} message */
  #hear(hand, message) {
    if (hand !== this.#hand) return; // it was ended
    this.#watchdog.heard(hand);
    switch (message.type) {
      case 'checked':
        this.#busy = false;
        this.#restUntil = this.#env.now() + message.took / SHARE;
        return this.#events.verified(message.mismatch);
      case 'spoilt':
        this.#busy = false;
        return this.#events.failed(message.why);
      case 'unfit':
        this.#unfit = true;
        this.#end();
        return this.#events.unfit(message.why);
    }
  }

  /** @param {import('./crew.js').Hand} hand @param {string} why */
  #lose(hand, why) {
    if (hand !== this.#hand) return;
    this.#end();
    this.#events.failed(why);
  }

  #end() {
    this.#hand?.end();
    this.#hand = null;
    this.#busy = false;
  }
}
