/**
 * Why a tab rests, that is renders nothing though it could. Time is an argument, in milliseconds.
 *
 * @typedef {'paused' | 'hidden' | 'battery' | 'saving' | 'hot'} Rest
 *
 * @typedef {object} Conditions  what the browser tells; what it does not tell is as good as can be
 * @property {boolean} hidden
 * @property {{ charging: boolean, level: number }} battery  level from 0 to 1
 * @property {boolean} saving   the visitor asked to save data
 * @property {boolean} pressed  the machine is under serious pressure
 */

const LOW = 0.2;
const COOLING = 30_000; // how long it rests after pressure: rendering again at once would bring it back

/** @type {Record<Rest, string>} */
export const WORDS = {
  paused: 'Resting: you paused it.',
  hidden: 'Resting while the page is hidden.',
  battery: 'Resting: the battery is low.',
  saving: 'Resting: this browser is to save data.',
  hot: 'Resting: this machine has enough to do.',
};

export class Resting {
  #hotUntil = -Infinity;

  /** Whether the visitor paused rendering. */
  paused = false;

  /**
   * Why to rest now, or null.
   * @param {Pick<import('./settings.js').Settings, 'hidden' | 'rests'>} settings @param {Conditions} conditions @param {number} now
   * @returns {Rest | null}
   */
  why(settings, { hidden, battery, saving, pressed }, now) {
    if (pressed) this.#hotUntil = now + COOLING;
    if (this.paused) return 'paused';
    if (hidden && !settings.hidden) return 'hidden';
    if (!settings.rests) return null;
    if (!battery.charging && battery.level <= LOW) return 'battery';
    if (saving) return 'saving';
    return now < this.#hotUntil ? 'hot' : null;
  }
}
