/** Paints frames into the page at the screen's pace, and counts what it painted. */

import { offsetAt } from './clock.js';
import { Playback } from './playback.js';
import { Rate } from './rate.js';

/** The mark on the page's timeline when the first frame was painted. */
export const FIRST_FRAME = 'first frame';

export class Screen {
  #element;
  #playback = new Playback();
  #painted = new Rate();
  #ascii = new TextDecoder();
  /** @type {import('./buffer.js').FrameBuffer | null} */
  #frames = null;
  /** @type {import('./clock.js').Reading | null} */
  #reading = null;
  #fps = 0;

  /** The number of the frame on screen, null before the first. @type {number | null} */
  frame = null;
  paused = false;
  /** Refreshes for which the frame that was due was not there, and an older one or none was. */
  late = 0;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** Shows these frames from now on, so many a second. @param {import('./buffer.js').FrameBuffer} frames @param {number} fps */
  play(frames, fps) {
    this.#frames = frames;
    this.#fps = fps;
  }

  /** @param {import('./clock.js').Reading} reading */
  set(reading) {
    this.#reading = reading;
  }

  /** Distinct frames painted within the last second. @param {number} now  absolute */
  perSecond(now) {
    return this.#painted.perSecond(now);
  }

  /** Paints what is due. @param {number} now  the refresh's instant, absolute */
  refresh(now) {
    if (!this.#frames || !this.#reading || (this.paused && this.frame !== null)) return;
    const server = now + offsetAt(this.#reading, now);
    const number = this.#playback.frame((server * this.#fps) / 1000);
    const due = this.#frames.at(number);
    if (this.frame !== null && due?.number !== number) this.late++;
    if (!due || due.number === this.frame) return;
    this.#element.textContent = this.#ascii.decode(due.text);
    if (this.frame === null) performance.mark(FIRST_FRAME);
    this.frame = due.number;
    this.#painted.count(now);
  }
}
