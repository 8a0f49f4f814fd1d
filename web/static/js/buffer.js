/** The frames that have arrived, by number. What the stream left out is a hole, and shows the frame before it. */
export class FrameBuffer {
  /** In the order in which they came, which is that of their numbers. @type {Map<number, Uint8Array>} */
  #frames = new Map();
  #textSize;
  #kept;
  #behind;

  /**
   * @param {number} textSize  bytes of a frame
   * @param {number} kept      the most frames kept; where there are more, the first to come goes first
   * @param {number} behind    how many frames back a hole looks for one to show
   */
  constructor(textSize, kept, behind) {
    this.#textSize = textSize;
    this.#kept = kept;
    this.#behind = behind;
  }

  get size() {
    return this.#frames.size;
  }

  /**
   * Takes in count frames, first and following. One that begins with a zero byte is a hole.
   * @param {number} first @param {number} count @param {ArrayBuffer} text
   */
  add(first, count, text) {
    for (let i = 0; i < count; i++) {
      const frame = new Uint8Array(text, i * this.#textSize, this.#textSize);
      if (frame[0] !== 0) this.#frames.set(first + i, frame);
    }
    for (const number of this.#frames.keys()) {
      if (this.#frames.size <= this.#kept) break;
      this.#frames.delete(number);
    }
  }

  /**
   * The frame to show when number is due: the newest of that number or a little less. Forgets those long past.
   * @param {number} number
   * @returns {{ number: number, text: Uint8Array } | null}
   */
  at(number) {
    for (const old of this.#frames.keys()) {
      if (old >= number - this.#behind) break;
      this.#frames.delete(old);
    }
    for (let n = number; n >= number - this.#behind; n--) {
      const text = this.#frames.get(n);
      if (text) return { number: n, text };
    }
    return null;
  }

  clear() {
    this.#frames.clear();
  }
}
