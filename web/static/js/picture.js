/** The picture that plays: takes what the stream worker says of frames and of the clock, and paints. */

import { FrameBuffer } from './buffer.js';
import { Screen } from './screen.js';

const KEPT_SECONDS = 20; // of frames; more arrive while the page is hidden and paints nothing
const BEHIND_SECONDS = 2; // how long a stall shows the frame before it; then the picture just stays

export class Picture {
  /** @readonly */
  screen;
  /** @type {FrameBuffer | null} */
  #frames = null;
  /** @type {Pick<import('./messages.js').Welcome, 'epoch' | 'detail'>} */
  #of = { epoch: 0, detail: 0 };

  /** @param {HTMLElement} element */
  constructor(element) {
    this.screen = new Screen(element);
  }

  /** What is not about the picture it leaves to others. @param {import('./messages.js').ToPage} message */
  hear(message) {
    switch (message.type) {
      case 'welcome':
        return this.#enter(message.welcome, message.constants);
      case 'clock':
        return this.screen.set(message.reading);
      case 'frames':
        return this.#frames?.add(message.broadcast.first, message.broadcast.count, message.text);
    }
  }

  /** @param {import('./messages.js').Welcome} to @param {import('./module.js').Constants} fixed */
  #enter({ epoch, detail }, { textSize, fps }) {
    // Frames of another picture or timeline bear the same numbers.
    if (this.#frames && this.#of.epoch === epoch && this.#of.detail === detail) return;
    this.#of = { epoch, detail };
    this.#frames = new FrameBuffer(textSize, KEPT_SECONDS * fps, BEHIND_SECONDS * fps);
    this.screen.play(this.#frames, fps);
  }
}
