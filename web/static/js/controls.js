/** What the visitor chooses in the page: how much this tab renders, and when it rests. */

import { watchConditions } from './conditions.js';
import { Resting, WORDS } from './rest.js';
import { DUTIES, load, mostThreads, save } from './settings.js';

const LOOK_EVERY = 1_000; // milliseconds, whether it is still hot

/** @typedef {import('./messages.js').Effort} Effort */

const storage = () => localStorage;

/** @template {HTMLElement} T @param {string} id */
const place = (id) => /** @type {T} */ (document.getElementById(id));

export class Controls {
  #settings = load(storage);
  #resting = new Resting();
  /** @type {import('./rest.js').Conditions} */
  #conditions = { hidden: false, battery: { charging: true, level: 1 }, saving: false, pressed: false };
  #changed;
  /** @type {Effort} */
  #effort = { threads: 0, duty: 100 };

  #threads = /** @type {HTMLInputElement} */ (place('threads'));
  #duty = /** @type {HTMLInputElement} */ (place('duty'));
  #unseen = /** @type {HTMLInputElement} */ (place('unseen'));
  #rests = /** @type {HTMLInputElement} */ (place('rests'));
  #work = /** @type {HTMLButtonElement} */ (place('work'));

  /**
   * @param {number | null} threads  that the page's address asks for, in place of what was chosen before
   * @param {(effort: Effort) => void} changed  called when what to render with is another
   */
  constructor(threads, changed) {
    this.#changed = changed;
    if (threads !== null) this.#settings.threads = threads;
    const most = Math.max(mostThreads(navigator.hardwareConcurrency), this.#settings.threads);
    this.#threads.max = String(most);
    this.#settings.threads = Math.min(this.#settings.threads, most);
    this.#duty.min = this.#duty.step = String(DUTIES[0]);

    this.#threads.addEventListener('input', () => this.choose({ threads: Number(this.#threads.value) }));
    this.#duty.addEventListener('input', () => this.choose({ duty: Number(this.#duty.value) }));
    this.#unseen.addEventListener('change', () => this.choose({ hidden: this.#unseen.checked }));
    this.#rests.addEventListener('change', () => this.choose({ rests: this.#rests.checked }));
    this.#work.addEventListener('click', () => this.toggle());
    watchConditions((conditions) => {
      this.#conditions = conditions;
      this.#look();
    });
    setInterval(() => this.#look(), LOOK_EVERY);
    place('controls').hidden = false;
  }

  get settings() {
    return this.#settings;
  }

  /** What to render with now. */
  get effort() {
    return this.#effort;
  }

  /** @param {Partial<import('./settings.js').Settings>} change */
  choose(change) {
    Object.assign(this.#settings, change);
    save(storage, this.#settings);
    this.#look();
  }

  /** A thread more or less. @param {number} by */
  step(by) {
    const threads = this.#settings.threads + by;
    if (threads >= 0 && threads <= Number(this.#threads.max)) this.choose({ threads });
  }

  /** Pauses rendering, or goes on. */
  toggle() {
    this.#resting.paused = !this.#resting.paused;
    this.#look();
  }

  #look() {
    const { threads, duty, hidden, rests } = this.#settings;
    const why = this.#resting.why(this.#settings, this.#conditions, performance.now());
    this.#threads.value = String(threads);
    this.#duty.value = String(duty);
    this.#unseen.checked = hidden;
    this.#rests.checked = rests;
    write('threads-chosen', threads === 0 ? 'none' : String(threads));
    write('duty-chosen', `${duty} %`);
    write('work', this.#resting.paused ? 'go on rendering' : 'pause rendering');
    write('rest', threads > 0 && why ? WORDS[why] : '');

    const effort = { threads: why ? 0 : threads, duty };
    if (effort.threads === this.#effort.threads && effort.duty === this.#effort.duty) return;
    this.#effort = effort;
    this.#changed(effort);
  }
}

/** @param {string} id @param {string} text */
function write(id, text) {
  const element = place(id);
  if (element.textContent !== text) element.textContent = text;
}
