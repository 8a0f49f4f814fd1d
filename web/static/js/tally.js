/** What this tab has done since the page was opened, as its workers tell. */

const FADE = 0.8; // of what a result says of the pace, with each one after it

export class Tally {
  /** Frames sent to the server. */
  rendered = 0;
  /** The last of these, each result counting less than the one after it, and the milliseconds that they took. */
  recent = { frames: 0, spent: 0 };
  /** Frames of this connection that the server found right. */
  credited = 0;
  /** How often a render worker or its instance failed. */
  failures = 0;
  /** What failed its self-test. */
  unfit = { threads: 0, verifier: false };
  /** Frames that aired and were rendered again here. @type {Readonly<{ checked: number, equal: number }>} */
  verified = Object.freeze({ checked: 0, equal: 0 });
  /** The last of them that was not equal. @type {import('./messages.js').Mismatch | null} */
  mismatch = null;

  /** What is not about this it leaves to others. @param {import('./messages.js').ToPage} message */
  hear(message) {
    switch (message.type) {
      case 'welcome':
        this.credited = 0;
        return;
      case 'rendered':
        this.rendered += message.frames;
        this.recent = { frames: FADE * this.recent.frames + message.frames, spent: FADE * this.recent.spent + message.spent };
        return;
      case 'credited':
        this.credited = message.frames;
        return;
      case 'failed':
        this.failures++;
        return;
      case 'unfit':
        this.unfit = { threads: message.threads, verifier: message.verifier };
        return;
      case 'verified':
        this.verified = Object.freeze({
          checked: this.verified.checked + 1,
          equal: this.verified.equal + (message.mismatch ? 0 : 1),
        });
        this.mismatch = message.mismatch ?? this.mismatch;
        return;
    }
  }

  /** Other workers will take the place of those that there are, and be tested anew. */
  dismiss() {
    this.unfit = { threads: 0, verifier: false };
  }
}
