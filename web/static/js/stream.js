/**
 * Keeps a tab connected: one session after the other, each with a fresh instance, with waits between them. It tells the
 * page what it should show, the crew what it should render, and the verifier what it may check.
 *
 * It offers threads only where its own instance passes the module's self-test, which is the engine's test; each thread
 * takes it once more for itself. So a hello never waits for a worker to start, and nobody renders untested.
 */

import { Backoff } from './backoff.js';
import { Clock } from './clock.js';
import { Crew } from './crew.js';
import { Refusal } from './module.js';
import { Session } from './session.js';
import { Verifier } from './verifier.js';

const SETTLED = 5_000; // milliseconds of being live after which a loss counts as the first

/**
 * @typedef {object} Places  what differs from one environment to another
 * @property {() => Promise<{ module: WebAssembly.Module, file: Uint8Array }>} load  may fail, and is asked again then
 * @property {(module: WebAssembly.Module) => Promise<import('./module.js').Donut>} instantiate
 * @property {() => import('./session.js').Socket} open  answers a new socket
 * @property {(module: WebAssembly.Module, name: 'render' | 'verify') => import('./crew.js').Spawn} spawn
 * @property {(n: number) => number} draw  see verifier.js
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
  /** @type {Verifier | null} */
  #verifier = null;
  #watching = true;
  #mismatches = 0;
  #shutOut = false;
  /** What failed its self-test. */
  #unfit = { threads: 0, verifier: false };
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
      this.#threads = Math.min(this.#threads, donut.constants.maxThreads);
      this.#examine(donut);
      const threads = this.#threads;
      this.#crew ??= new Crew(this.#env.spawn(module, 'render'), this.#env, {
        result: (message, frames) => this.#deliver(message, frames),
        failed: (why) => this.#failed(`a lease was given up: ${why}`),
        unfit: (why) => {
          this.#giveUp(1, why);
          this.#session?.end('unfit');
        },
      });
      this.#crew.hire(threads);
      this.#verifier ??= new Verifier(this.#env.spawn(module, 'verify'), this.#env, {
        verified: (mismatch) => this.#verified(mismatch),
        failed: (why) => this.#failed(`a check was given up: ${why}`),
        unfit: (why) => {
          this.#unfit.verifier = true;
          this.#tellUnfit(`nothing is verified: ${why}`);
        },
      });
      this.#verifier.watching = this.#watching;
      this.#session = this.#begin(socket, donut, threads);
    } catch (error) {
      console.warn(`donut: no connection: ${error instanceof Error ? error.message : error}`);
      this.#wait('unreachable', 0);
    }
  }

  /** The network is back: what was known of the clock is old, and waiting is pointless. */
  resume() {
    this.#session?.remeasure();
    if (this.#waiting.atLeastUntil > 0 && this.#env.now() >= this.#waiting.atLeastUntil) this.#retry();
  }

  /** Somebody looks at the page and it plays, or not. @param {boolean} watching */
  watch(watching) {
    this.#watching = watching;
    if (this.#verifier) this.#verifier.watching = watching;
  }

  /** Offers no threads where the connection's own instance does not compute what it should. @param {import('./module.js').Donut} donut */
  #examine(donut) {
    if (this.#threads === 0) return; // there is nothing to offer
    try {
      donut.selfTest();
    } catch (error) {
      this.#giveUp(this.#threads, String(error));
      if (!(error instanceof Refusal)) throw error; // the instance is gone, and the next try only watches
    }
  }

  /** Offers so many threads less from now on. @param {number} threads @param {string} why */
  #giveUp(threads, why) {
    this.#threads = Math.max(0, this.#threads - threads);
    this.#unfit.threads += threads;
    this.#tellUnfit(`this tab renders with ${threads} thread${threads === 1 ? '' : 's'} less: ${why}`);
  }

  /** @param {string} warning */
  #tellUnfit(warning) {
    console.warn(`donut: ${warning}`);
    this.#env.post({ type: 'unfit', ...this.#unfit });
  }

  /** @param {import('./session.js').Socket} socket @param {import('./module.js').Donut} donut @param {number} threads */
  #begin(socket, donut, threads) {
    const crew = /** @type {Crew} */ (this.#crew);
    let detail = 0;
    return new Session(socket, donut, this.#clock, threads, this.#env, {
      welcome: (welcome) => {
        this.#liveSince = this.#env.now();
        ({ detail } = welcome);
        crew.hire(Math.min(threads, welcome.threads));
        this.#env.post({ type: 'welcome', welcome, constants: donut.constants });
        this.#status({ state: 'live', shutOut: this.#shutOut, unfit: threads === 0 && this.#unfit.threads > 0 });
      },
      broadcast: (broadcast, text) => {
        this.#verifier?.take(detail, broadcast.first, text, donut.constants.textSize);
        this.#env.post({ type: 'frames', broadcast, text }, [text]);
      },
      lease: (lease, message) => crew.lease(lease, message),
      revoke: (lease) => crew.revoke(lease),
      credit: (frames) => this.#env.post({ type: 'credited', frames }),
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
    this.#env.post({ type: 'rendered', frames });
  }

  /** @param {string} why */
  #failed(why) {
    console.warn(`donut: ${why}`);
    this.#env.post({ type: 'failed' });
  }

  /** @param {import('./messages.js').Mismatch | null} mismatch */
  #verified(mismatch) {
    if (mismatch && ++this.#mismatches === 1) {
      const { frame, cells, aired, rendered } = mismatch;
      console.warn(`donut: frame ${frame} is not what the module renders, cells that differ: ${cells}, got ${aired}, want ${rendered}`);
    }
    this.#env.post({ type: 'verified', mismatch });
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
