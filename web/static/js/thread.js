/**
 * One thread's work: jobs are done in the order in which they come. A lease is rendered in slices, so that a revoke is
 * heard between two of them. Nothing is sent for a lease that was revoked.
 *
 * A new instance must pass the module's self-test before it is used. Where it does not, the thread is unfit: it says so
 * once, and does nothing any more. What a broken engine or memory renders would be taken for a forgery.
 */

import { Refusal } from './module.js';
import { nextSlice } from './slices.js';

/**
 * @typedef {Pick<import('./module.js').Donut, 'selfTest' | 'begin' | 'work' | 'result' | 'verify'>} Renderer
 *
 * @typedef {object} Env
 * @property {() => Promise<Renderer>} instantiate
 * @property {() => number} now           milliseconds
 * @property {() => Promise<void>} pause  lets the messages that have arrived be handled
 * @property {(milliseconds: number) => Promise<void>} rest  does nothing for about so long
 * @property {(message: import('./messages.js').FromRenderer, transfer: Transferable[]) => void} post
 *
 * @typedef {{ number: number, dropped: boolean, run: (donut: Renderer) => Promise<void> }} Job
 */

const SHORTEST_REST = 4; // milliseconds: a browser's timers are no finer
const LONGEST_REST = 200;

export class Thread {
  #env;
  /** The first is being done. @type {Job[]} */
  #jobs = [];
  /** @type {Promise<Renderer> | null} */
  #donut = null;
  #slice = 1;
  #running = false;
  #unfit = false;
  #owed = 0; // milliseconds of rest

  /** How much of the time it renders, in percent. */
  duty = 100;

  /** @param {Env} env */
  constructor(env) {
    this.#env = env;
  }

  /** @param {number} number @param {ArrayBuffer} message  the lease */
  lease(number, message) {
    /** @type {Job} */
    const job = { number, dropped: false, run: (donut) => this.#render(donut, job, message) };
    this.#take(job);
  }

  /** Compares a frame with what aired. @param {number} number @param {import('./messages.js').Sample} sample */
  check(number, sample) {
    this.#take({ number, dropped: false, run: async (donut) => this.#verify(donut, number, sample) });
  }

  /** @param {number} number */
  revoke(number) {
    this.#drop((each) => each.number === number);
  }

  stop() {
    this.#drop(() => true);
  }

  /** Makes an instance before the first job asks for it, which hears of it where that fails. */
  prepare() {
    this.#equipped().catch(() => {});
  }

  /** @param {Job} job */
  #take(job) {
    if (this.#unfit) return;
    this.#jobs.push(job);
    if (!this.#running) this.#run();
  }

  /** @param {(job: Job) => boolean} which */
  #drop(which) {
    for (const job of this.#jobs) job.dropped ||= which(job);
    this.#jobs = this.#jobs.filter((job) => !job.dropped);
  }

  #equipped() {
    return (this.#donut ??= this.#env.instantiate().then((donut) => {
      this.#examine(donut);
      return donut;
    }));
  }

  /** @param {Renderer} donut */
  #examine(donut) {
    try {
      donut.selfTest();
    } catch (error) {
      this.#unfit = true;
      this.stop();
      this.#env.post({ type: 'unfit', why: String(error) }, []);
      throw error;
    }
  }

  async #run() {
    this.#running = true;
    for (let job; (job = this.#jobs[0]); ) {
      try {
        const donut = await this.#equipped();
        if (!job.dropped) await job.run(donut);
      } catch (error) {
        if (!(error instanceof Refusal)) this.#donut = null; // the next job gets a new one
        if (!this.#unfit) this.#env.post({ type: 'spoilt', job: job.number, why: String(error) }, []);
      }
      this.#drop((each) => each === job);
      await this.#env.pause();
    }
    this.#running = false;
  }

  /** @param {Renderer} donut @param {Job} job @param {ArrayBuffer} lease */
  async #render(donut, job, lease) {
    let spent = 0;
    for (let left = donut.begin(new Uint8Array(lease)); left > 0; ) {
      const wanted = Math.min(this.#slice, left);
      const start = this.#env.now();
      left = donut.work(wanted);
      const took = this.#env.now() - start;
      spent += took;
      if (wanted === this.#slice) this.#slice = nextSlice(wanted, took);
      if (left > 0 || this.duty < 100) spent += await this.#rest(took);
      if (job.dropped) return;
    }
    const message = donut.result(spent * 1000);
    this.#env.post({ type: 'result', job: job.number, message, spent }, [message]);
  }

  /** Rests after so much work, where it is not to work all the time. @param {number} took @returns {Promise<number>} how long */
  async #rest(took) {
    this.#owed = Math.min(this.#owed + took * (100 / this.duty - 1), LONGEST_REST);
    const start = this.#env.now();
    if (this.#owed < SHORTEST_REST) await this.#env.pause();
    else await this.#env.rest(this.#owed);
    const rested = this.#env.now() - start;
    this.#owed = Math.max(0, this.#owed - rested);
    return this.duty < 100 ? rested : 0;
  }

  /** @param {Renderer} donut @param {number} job @param {import('./messages.js').Sample} sample */
  #verify(donut, job, { detail, frame, text }) {
    const start = this.#env.now();
    const { cells, aired = '', rendered = '' } = donut.verify(detail, frame, new Uint8Array(text));
    const took = this.#env.now() - start;
    if (cells > 0) this.#examine(donut); // so that nobody is blamed for what is wrong here
    const mismatch = cells > 0 ? { frame, cells, aired, rendered } : null;
    this.#env.post({ type: 'checked', job, took, mismatch }, []);
  }
}
