/**
 * The server's clock, as seen from here: server instant = local instant + offset.
 *
 * Each probe that comes back gives a sample of the offset, wrong by half its round trip at most. The best sample is the
 * one with the least such bound, grown by what two quartz clocks may have drifted apart since. Small corrections are
 * slewed, so that playback neither skips nor doubles for them; large ones are stepped.
 *
 * All instants are milliseconds. Time is an argument.
 */

import { Parting } from './parting.js';

const BURST = 8; // probes after a join or a jump
const BURST_SPACING = 75;
const FIRST_SPACING = 250; // after the burst; each is twice the one before it
const SPACING = 5_500; // at most
const NEAR = 1_000; // so long before its time a probe may go along with something else
const SAMPLES = 32; // remembered; the drift makes older ones useless
const DRIFT = 50e-6;
const SLEW = 0.02; // of the time that passes
const STEP = 100; // errors from here on are stepped
const ROUGH = 500; // how far a guess from the welcome may be off

/**
 * The offset as a function of time: it starts at `from` and moves toward `to`. Plain data, so that it can be posted.
 * @typedef {{ at: number, from: number, to: number }} Reading
 */

/** @param {Reading} reading @param {number} now @returns {number} the offset at a local instant */
export function offsetAt({ at, from, to }, now) {
  const most = SLEW * Math.max(0, now - at);
  return from + Math.max(-most, Math.min(most, to - from));
}

/**
 * The step in which a clock advances: a round trip shorter than that cannot be told from one as long.
 * @param {() => number} now
 */
export function clockStep(now) {
  let [step, last] = [Infinity, now()];
  for (let changes = 0, reads = 0; changes < 4 && reads < 1e6; reads++) {
    const time = now();
    if (time > last) {
      step = Math.min(step, time - last);
      changes++;
    }
    last = time;
  }
  return Number.isFinite(step) ? step : 0;
}

/** @typedef {{ offset: number, rtt: number, at: number }} Sample */

export class Clock {
  #step;
  /** @type {Sample[]} */
  #samples = [];
  /** @type {Reading | null} */
  #reading = null;
  #measured = false; // whether the reading rests on a sample, not on a guess
  /** @type {number | null} */
  #rtt = null;
  #trip = 0; // the last round trip; 0 once it was taken
  #burst = BURST;
  #spacing = FIRST_SPACING;
  #since = -Infinity; // what was sent earlier says nothing
  #lastProbe = -Infinity;
  /** @type {number | null} */
  #generation = null;
  #parting = new Parting();

  /** @param {number} step  of the local clock, see clockStep */
  constructor(step) {
    this.#step = step;
  }

  /** @returns {Reading | null} null before the first guess */
  get reading() {
    return this.#reading;
  }

  /** The best sample's round trip, at least the clock's step; null without a sample. */
  get rtt() {
    return this.#rtt;
  }

  /** The last round trip, once: the server is told of each. 0 where there was none since. @returns {number} */
  takeTrip() {
    const trip = this.#trip;
    this.#trip = 0;
    return trip;
  }

  /** Drops what was measured; the reading stands until there is better. @param {number} now */
  restart(now) {
    this.#samples = [];
    this.#since = Math.floor(now); // probes name their instant in whole microseconds
    this.#burst = BURST;
    this.#spacing = FIRST_SPACING;
    this.#lastProbe = -Infinity;
  }

  /**
   * Takes in the instant at which a server says it sent something that is here now. The guess is early by the time it
   * was under way, so an offset that fits is left alone.
   * @param {number} server
   * @param {number} generation
   * @param {number} now
   */
  guess(server, generation, now) {
    const jumped = this.#generation !== generation;
    this.generation(generation, now);
    const offset = server - now;
    if (this.#reading && !jumped) {
      const late = offsetAt(this.#reading, now) - offset;
      if (late >= -ROUGH && late <= ROUGH) return;
    }
    this.#reading = { at: now, from: offset, to: offset };
    this.#measured = false;
  }

  /** Takes in the generation of the server's clock that a message names. @param {number} generation @param {number} now */
  generation(generation, now) {
    if (this.#generation === generation) return;
    this.#generation = generation;
    this.restart(now);
  }

  /**
   * Looks whether the local clock jumped, as it does when the machine sleeps, and restarts if so.
   * @param {number} now
   * @param {number} wall  Date.now()
   * @returns {number} how far the wall clock jumped ahead, or 0
   */
  check(now, wall) {
    const by = this.#parting.jumped(now, wall);
    if (by !== 0) this.restart(now);
    return by;
  }

  /** Milliseconds until the next probe is due. @param {number} now */
  due(now) {
    return Math.max(0, this.#lastProbe + (this.#burst > 0 ? BURST_SPACING : this.#spacing) - now);
  }

  /**
   * Whether the next probe may as well be sent now, where the server is at work for this tab anyway: a thousand probes a
   * second that each wake it cost it as much as the stream does.
   * @param {number} now
   */
  near(now) {
    return this.#burst === 0 && this.#spacing === SPACING && this.due(now) <= NEAR;
  }

  /**
   * Notes that a probe is sent. The burst falls into the busiest moment of a tab, which starts and decodes while its
   * answers wait: so the probes that follow spread out step by step, and the first quiet one puts things right.
   * @param {number} now
   */
  sent(now) {
    this.#lastProbe = now;
    if (this.#burst > 0) this.#burst--;
    else this.#spacing = Math.min(SPACING, 2 * this.#spacing);
  }

  /**
   * Takes in a probe's answer: when it was sent and came back by this clock, was received and answered by the server's.
   * @param {{ sent: number, received: number, replied: number, generation: number }} reply
   * @param {number} now
   */
  reply({ sent, received, replied, generation }, now) {
    if (generation !== this.#generation) {
      this.generation(generation, now); // it may lie astride the jump: not a sample
      return;
    }
    const elapsed = now - sent - (replied - received);
    if (sent < this.#since || sent > now || received > replied || elapsed < -this.#step) return;
    const rtt = Math.max(elapsed, this.#step);
    this.#trip = rtt;
    this.#samples.push({ offset: (received - sent + (replied - now)) / 2, rtt, at: now });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    const bound = (/** @type {Sample} */ sample) => sample.rtt / 2 + DRIFT * (now - sample.at);
    const best = this.#samples.reduce((best, sample) => (bound(best) < bound(sample) ? best : sample));
    this.#rtt = best.rtt;
    this.#aim(best.offset, now);
  }

  /** @param {number} offset @param {number} now */
  #aim(offset, now) {
    const from = this.#reading ? offsetAt(this.#reading, now) : offset;
    const slew = this.#measured && Math.abs(offset - from) < STEP;
    this.#reading = { at: now, from: slew ? from : offset, to: offset };
    this.#measured = true;
  }
}
