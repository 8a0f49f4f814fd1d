/**
 * Keeps a tab connected: one session after the other, each with a fresh instance, with waits between them. It tells the
 * page what it should show, the crew what it should render, and the verifier what it may check.
 *
 * It offers threads only where its own instance passes the module's self-test, which is the engine's test; each thread
 * takes it once more for itself. So a hello never waits for a worker to start, and nobody renders untested.
 *
 * What is offered may change while a connection lasts. Who offers nothing rests: its workers stay, and do nothing.
 *
 * Browsers hold back a socket to where others of theirs have failed, the longer the more have. So each connection but
 * the first asks by plain HTTP whether a server is there, which is not held back, before it opens one.
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
 * @property {() => Promise<Loaded>} load  may fail, and is asked again then
 * @property {(module: WebAssembly.Module) => Promise<import('./module.js').Donut>} instantiate
 * @property {() => Promise<void>} ask  fails unless a server is there to take a socket
 * @property {() => import('./session.js').Socket} open  answers a new socket
 * @property {(module: WebAssembly.Module, name: 'render' | 'verify') => import('./crew.js').Spawn} spawn
 * @property {(n: number) => number} draw  see verifier.js
 * @property {() => number} random  in [0, 1)
 * @property {number} step          of the clock, see clockStep
 * @property {(message: import('./messages.js').ToPage, transfer?: Transferable[]) => void} post  to the page
 *
 * @typedef {object} Loaded
 * @property {WebAssembly.Module} module
 * @property {Uint8Array} file         its bytes
 * @property {ArrayBuffer | null} digest  their SHA-256, where the browser computes it
 *
 * @typedef {Places & import('./session.js').Env} Env
 */

export class Stream {
  #env;
  #wanted;
  #duty;
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
  /** Whether the connection's own instance passed it. @type {boolean | null} */
  #passed = null;
  /** That instance. @type {import('./module.js').Donut | null} */
  #donut = null;
  #liveSince = Infinity; // while nobody has welcomed it
  /** While waiting: what may not be cut short, and how to call the next try off. */
  #waiting = { atLeastUntil: 0, callOff: () => {} };

  /** @param {Env} env @param {import('./messages.js').Effort} effort */
  constructor(env, { threads, duty }) {
    this.#env = env;
    this.#wanted = threads;
    this.#duty = duty;
    this.#clock = new Clock(env.step);
  }

  /** Connects, once. */
  connect() {
    return this.#connect(async () => {});
  }

  /** @param {() => Promise<void>} ask  before a socket is opened */
  async #connect(ask) {
    this.#status({ state: 'connecting' });
    /** @type {import('./session.js').Socket | undefined} */
    let socket;
    try {
      const { module, file, digest } = await this.#env.load();
      await ask();
      socket = this.#env.open(); // opens while the module starts
      const donut = await this.#env.instantiate(module);
      if (digest) donut.name(digest);
      else donut.hash(file);
      this.#donut = donut;
      this.#passed = null;
      const threads = this.#offer();
      this.#crew ??= new Crew(this.#env.spawn(module, 'render'), this.#env, {
        result: (message, frames, spent) => this.#deliver(message, frames, spent),
        failed: (why) => this.#failed(`a lease was given up: ${why}`),
        unfit: (why) => {
          this.#giveUp(1, why);
          this.#session?.end('unfit');
        },
      });
      this.#crew.duty = this.#duty;
      if (threads > 0) this.#crew.hire(threads);
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
      socket?.close();
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

  /** Offers something else from now on. @param {import('./messages.js').Effort} effort */
  work({ threads, duty }) {
    this.#wanted = threads;
    this.#duty = duty;
    if (this.#crew) this.#crew.duty = duty;
    if (!this.#session) return; // the next hello says it
    try {
      const offered = this.#offer();
      if (offered > 0) this.#crew?.hire(offered);
      else this.#crew?.stop();
      this.#session.offer(offered);
      if (this.#liveSince < Infinity) this.#tellLive(offered);
    } catch (error) {
      console.warn(`donut: the connection is given up: ${error}`);
      this.#session.end('garbled');
    }
  }

  /** How many threads to offer: none where the connection's own instance does not compute what it should. */
  #offer() {
    const most = this.#donut?.constants.maxThreads ?? 0;
    const threads = this.#shutOut ? 0 : Math.max(0, Math.min(this.#wanted, most) - this.#unfit.threads);
    if (threads === 0 || this.#passed) return threads;
    try {
      this.#donut?.selfTest();
      this.#passed = true;
    } catch (error) {
      this.#giveUp(threads, String(error));
      if (!(error instanceof Refusal)) throw error; // the instance is gone, and the next try only watches
      return 0;
    }
    return threads;
  }

  /** @param {number} offered */
  #tellLive(offered) {
    this.#status({ state: 'live', shutOut: this.#shutOut, unfit: offered === 0 && this.#unfit.threads > 0 });
  }

  /** Offers so many threads less from now on. @param {number} threads @param {string} why */
  #giveUp(threads, why) {
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
        if (threads > 0) crew.hire(Math.min(threads, welcome.threads));
        this.#env.post({ type: 'welcome', welcome, constants: donut.constants });
        this.#tellLive(threads);
      },
      broadcast: (broadcast, text) => {
        this.#verifier?.take(detail, broadcast.first, text, donut.constants.textSize);
        this.#env.post({ type: 'frames', broadcast, text }, [text]);
      },
      lease: (lease, message) => crew.lease(lease, message),
      revoke: (lease) => crew.revoke(lease),
      credit: (frames) => this.#env.post({ type: 'credited', frames }),
      offered: (threads) => this.#env.post({ type: 'offered', threads }),
      clock: () => {
        const { reading, rtt } = this.#clock;
        if (reading) this.#env.post({ type: 'clock', reading, rtt });
      },
      end: (end, retry, woke) => this.#end(end, retry, woke),
    });
  }

  /** @param {ArrayBuffer} message @param {number} frames @param {number} spent */
  #deliver(message, frames, spent) {
    this.#session?.send(message);
    this.#env.post({ type: 'rendered', frames, spent });
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

  /** @param {import('./session.js').End} end @param {number} retry @param {boolean} woke */
  #end(end, retry, woke) {
    this.#session = null;
    this.#crew?.stop();
    const live = this.#env.now() - this.#liveSince;
    if (live >= SETTLED) this.#backoff.reset();
    this.#liveSince = Infinity;
    if (end === 'outdated') return this.#status({ state: 'outdated' });
    if (end === 'evicted') {
      // It may watch. Its address is shut out from rendering, so offering threads again would be of no use.
      this.#shutOut = true;
      this.#crew?.hire(0);
    }
    // Who was away itself comes back at once: no crowd comes with it.
    if (woke && (end === 'lost' || end === 'silent')) return void this.#connect(this.#env.ask);
    this.#wait(end === 'lost' && live < 0 ? 'unreachable' : end, retry);
  }

  /** @param {import('./status.js').Why} why @param {number} atLeast  milliseconds */
  #wait(why, atLeast) {
    const now = this.#env.now();
    // The server may ask many for the same moment, so chance has its part after that, too.
    const wait = atLeast + this.#backoff.next(now, this.#env.random());
    this.#waiting = {
      atLeastUntil: now + atLeast,
      callOff: this.#env.after(wait, () => this.#retry()),
    };
    this.#status({ state: 'waiting', why, until: now + wait });
  }

  #retry() {
    this.#waiting.callOff();
    this.#waiting = { atLeastUntil: 0, callOff: () => {} };
    this.#connect(this.#env.ask);
  }

  /** @param {import('./status.js').Status} status */
  #status(status) {
    this.#env.post({ type: 'status', status });
  }
}
