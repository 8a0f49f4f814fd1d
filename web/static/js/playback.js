/**
 * Which frame is on screen at a position of the timeline, that is the server's instant counted in frames.
 *
 * It is floor(position), but for one thing: on a screen that refreshes as often as frames come, floor() skips and
 * doubles whenever the refreshes fall together with the change of frames. So playback keeps the beat in which the
 * screen has taken the frames so far, as long as that is right within a band around floor's answer. When the beat
 * leaves the band, one frame is skipped or doubled, and the new beat lies far from both edges.
 *
 * A beat depends on when a tab joined, and floor() does not. So that all tabs show the same frame, a beat that floor has
 * contradicted at every refresh for a while is given up: the two changes lie further apart than anything jitters.
 */

const BAND = 0.25; // frames, so 4 ms: how far the answer may lie off floor's
const PATIENCE = 60; // refreshes
const GAIN = 0.1; // with which beat and interval follow the refreshes, which jitter

export class Playback {
  /** @type {number | null} */
  #shown = null;
  #beat = 0; // the position at which the shown frame should have come
  #last = 0; // the position of the last refresh
  #contradicted = 0; // how many refreshes in a row floor has had another answer
  #interval = 1; // between refreshes, in frames; 1 where they are further apart

  /** The frame to show at a refresh. @param {number} position  in frames since the epoch */
  frame(position) {
    const floor = Math.floor(position);
    if (this.#shown === null) return this.#land(floor, position);

    const passed = Math.max(0, Math.min(1, position - this.#last));
    this.#interval += GAIN * (passed - this.#interval);
    this.#last = position;

    // A beat belongs to the refresh nearest to it.
    const beats = Math.floor(position - this.#beat + this.#interval / 2);
    const frame = this.#shown + beats;
    this.#contradicted = frame === floor ? 0 : this.#contradicted + 1;
    const outside = position < frame - BAND || position >= frame + 1 + BAND;
    if (beats < 0 || outside || this.#contradicted >= PATIENCE) return this.#land(floor, position);
    if (beats > 0) {
      this.#beat += beats;
      this.#beat += GAIN * (position - this.#beat);
      this.#shown = frame;
    }
    return frame;
  }

  /** Begins a new beat. @param {number} frame @param {number} position */
  #land(frame, position) {
    this.#shown = frame;
    this.#contradicted = 0;
    this.#beat = this.#last = position;
    return frame;
  }
}
