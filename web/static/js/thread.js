/**
 * One thread's work: leases are rendered in the order in which they come, in slices, so that a revoke is heard between
 * two of them. Nothing is sent for a lease that was revoked.
 */

import { Refusal } from './module.js';
import { nextSlice } from './slices.js';

/**
 * @typedef {object} Env
 * @property {() => Promise<Pick<import('./module.js').Donut, 'begin' | 'work' | 'result'>>} instantiate
 * @property {() => number} now           milliseconds
 * @property {() => Promise<void>} pause  lets the messages that have arrived be handled
 * @property {(message: import('./messages.js').FromRenderer, transfer: Transferable[]) => void} post
 *
 * @typedef {{ job: number, message: ArrayBuffer, dropped: boolean }} Job
 */

export class Thread {
  #env;
  /** The first is being rendered. @type {Job[]} */
  #jobs = [];
  /** @type {ReturnType<Env['instantiate']> | null} */
  #donut = null;
  #slice = 1;
  #running = false;

  /** @param {Env} env */
  constructor(env) {
    this.#env = env;
  }

  /** @param {number} job @param {ArrayBuffer} message  the lease */
  lease(job, message) {
    this.#jobs.push({ job, message, dropped: false });
    if (!this.#running) this.#run();
  }

  /** @param {number} job */
  revoke(job) {
    this.#drop((each) => each.job === job);
  }

  stop() {
    this.#drop(() => true);
  }

  /** Makes an instance before the first lease asks for it. */
  prepare() {
    return (this.#donut ??= this.#env.instantiate());
  }

  /** @param {(job: Job) => boolean} which */
  #drop(which) {
    for (const job of this.#jobs) job.dropped ||= which(job);
    this.#jobs = this.#jobs.filter((job) => !job.dropped);
  }

  async #run() {
    this.#running = true;
    for (let job; (job = this.#jobs[0]); ) {
      try {
        const message = await this.#render(job);
        if (message) this.#env.post({ type: 'result', job: job.job, message }, [message]);
      } catch (error) {
        if (!(error instanceof Refusal)) this.#donut = null; // the next lease gets a new one
        this.#env.post({ type: 'spoilt', job: job.job, why: String(error) }, []);
      }
      this.#drop((each) => each === job);
      await this.#env.pause();
    }
    this.#running = false;
  }

  /** @param {Job} job @returns {Promise<ArrayBuffer | null>} the result, null where the job was dropped */
  async #render(job) {
    const donut = await this.prepare();
    if (job.dropped) return null;
    let spent = 0;
    for (let left = donut.begin(new Uint8Array(job.message)); left > 0; ) {
      const wanted = Math.min(this.#slice, left);
      const start = this.#env.now();
      left = donut.work(wanted);
      const took = this.#env.now() - start;
      spent += took;
      if (wanted === this.#slice) this.#slice = nextSlice(wanted, took);
      if (left > 0) await this.#env.pause();
      if (job.dropped) return null;
    }
    return donut.result(spent * 1000);
  }
}
