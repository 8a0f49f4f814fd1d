/**
 * Keeps a tab connected: one session after the other, each with a fresh instance, with waits between them. It tells the
 * page what it should show, and the crew what it should render.
 */

import { Backoff } from './backoff.js';
import { Clock } from './clock.js';
import { Crew } from './crew.js';
import { Session } from './session.js';

const SETTLED = 5_000; // milliseconds of being live after which a loss counts as the first

/**
 * @typedef {object} Places  what differs from one environment to another
 * @property {() => Promise<{ module: WebAssembly.Module, file: Uint8Array }>} load  may fail, and is asked again then
 * @property {(module: WebAssembly.Module) => Promise<import('./module.js').Donut>} instantiate
 * @property {() => import('./session.js').Socket} open  answers a new socket
 * @property {(module: WebAssembly.Module) => import('./crew.js').Spawn} spawn
 * @property {() => number} random  in [0, 1)
 * @property {number} step          of the clock, see clockStep
 * @property {(message: import('./messages.js').ToPage, transfer?: Transferable[]) => void} post  to the page
 *
 * @typedef {Places & import('./session.js').Env} Env
 */

export class Stream {
  #env;
  #threads;
  #clock;
  #backoff = new Backoff();
  /** @type {Session | null} */
  #session = null;
  /** @type {Crew | null} */
  #crew = null;
  #rendered = 0;
  #failures = 0;
  #shutOut = false;
  #liveSince = Infinity; // while nobody has welcomed it
  /** While waiting: what may not be cut short, and how to call the next try off. */
  #waiting = { atLeastUntil: 0, callOff: () => {} };

  /** @param {Env} env @param {number} threads  wanted; the module and the server may allow fewer */
  constructor(env, threads) {
    this.#env = env;
    this.#threads = threads;
    this.#clock = new Clock(env.step);
  }

  /** Connects, once. */
  async connect() {
    this.#status({ state: 'connecting' });
    try {
      const { module, file } = await this.#env.load();
      const donut = await this.#env.instantiate(module);
      const socket = this.#env.open(); // opens while the file is hashed
      donut.hash(file);
      const threads = Math.min(this.#threads, donut.constants.maxThreads);
      this.#crew ??= new Crew(this.#env.spawn(module), this.#env, {
        result: (message, frames) => this.#deliver(message, frames),
        failed: (why) => this.#failed(why),
      });
      this.#crew.hire(threads);
      this.#session = this.#begin(socket, donut, threads);
    } catch (error) {
      console.warn(`donut: no connection: ${error instanceof Error ? error.message : error}`);
      this.#wait('unreachable', 0);
    }
  }

  /** Something was asleep, or the network is back: what was known of the clock is old, and waiting is pointless. */
  resume() {
    this.#session?.remeasure();
    if (this.#waiting.atLeastUntil > 0 && this.#env.now() >= this.#waiting.atLeastUntil) this.#retry();
  }

  /** @param {import('./session.js').Socket} socket @param {import('./module.js').Donut} donut @param {number} threads */
  #begin(socket, donut, threads) {
    const crew = /** @type {Crew} */ (this.#crew);
    return new Session(socket, donut, this.#clock, threads, this.#env, {
      welcome: (welcome) => {
        this.#liveSince = this.#env.now();
        crew.hire(Math.min(threads, welcome.threads));
        this.#env.post({ type: 'welcome', welcome, constants: donut.constants });
        this.#status({ state: 'live', shutOut: this.#shutOut });
      },
      broadcast: (broadcast, text) => this.#env.post({ type: 'frames', broadcast, text }, [text]),
      lease: (lease, message) => crew.lease(lease, message),
      revoke: (lease) => crew.revoke(lease),
      clock: () => {
        const { reading, rtt } = this.#clock;
        if (reading) this.#env.post({ type: 'clock', reading, rtt });
      },
      end: (end, retry) => this.#end(end, retry),
    });
  }

  /** @param {ArrayBuffer} message @param {number} frames */
  #deliver(message, frames) {
    this.#session?.send(message);
    this.#rendered += frames;
    this.#env.post({ type: 'rendered', frames: this.#rendered });
  }

  /** @param {string} why */
  #failed(why) {
    console.warn(`donut: a lease was given up: ${why}`);
    this.#env.post({ type: 'failed', failures: ++this.#failures });
  }

  /** @param {import('./session.js').End} end @param {number} retry */
  #end(end, retry) {
    this.#session = null;
    this.#crew?.stop();
    const live = this.#env.now() - this.#liveSince;
    if (live >= SETTLED) this.#backoff.reset();
    this.#liveSince = Infinity;
    if (end === 'outdated') return this.#status({ state: 'outdated' });
    if (end === 'evicted') {
      // It may watch. Its address is shut out from rendering, so offering threads again would be of no use.
      this.#threads = 0;
      this.#shutOut = true;
    }
    this.#wait(end === 'lost' && live < 0 ? 'unreachable' : end, retry);
  }

  /** @param {import('./status.js').Why} why @param {number} atLeast  milliseconds */
  #wait(why, atLeast) {
    const now = this.#env.now();
    const wait = Math.max(atLeast, this.#backoff.next(this.#env.random()));
    this.#waiting = {
      atLeastUntil: now + atLeast,
      callOff: this.#env.after(wait, () => this.#retry()),
    };
    this.#status({ state: 'waiting', why, until: now + wait });
  }

  #retry() {
    this.#waiting.callOff();
    this.#waiting = { atLeastUntil: 0, callOff: () => {} };
    this.connect();
  }

  /** @param {import('./status.js').Status} status */
  #status(status) {
    this.#env.post({ type: 'status', status });
  }
}
