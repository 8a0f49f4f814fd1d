/**
 * Draws the ring buffer as a ring around the picture, with a hand that points at what is on screen. The ring is drawn anew
 * a few times a second, when a broadcast brings news of it or the hand has passed some of it; in between the browser's
 * compositor turns the hand, and the page's thread does nothing.
 */

import { arcs, turnOf } from './arcs.js';

/** How thick an arc is, as a part of the ring's width, and how strong. @type {Record<string, [thick: number, strong: number]>} */
const LOOKS = {
  leased: [0.22, 0.7],
  filled: [0.55, 0.7],
  ready: [1, 0.8],
  aired: [1, 1],
  stalled: [1, 1],
};
const WIDTH = 0.042; // of the ring, in parts of the canvas
const MARK = [0.02, 0.045]; // of the ring's radius: from where to where the marks of the seconds are, within its inner edge
const HAIR = 0.008; // radians left out between arcs, to tell them apart
const FULL = 2 * Math.PI;

export class Dial {
  #canvas;
  #hand;
  #colours = { you: '', server: '', peer: '', nobody: '', track: '', mark: '', saturation: '', lightness: '' };
  /** @type {Animation | null} */
  #turning = null;
  /** What is drawn: from where on, and over how many milliseconds the hand goes round. */
  #shown = { all: /** @type {import('./arcs.js').Arc[]} */ ([]), begin: 0, at: 0, period: 0 };
  #still = false;

  /** @param {HTMLCanvasElement} canvas @param {HTMLElement} hand */
  constructor(canvas, hand) {
    this.#canvas = canvas;
    this.#hand = hand;
    const restyle = () => {
      this.#restyle();
      this.#draw();
    };
    matchMedia('(prefers-color-scheme: light)').addEventListener('change', restyle);
    new ResizeObserver(() => this.#draw()).observe(canvas);
    this.#restyle();
  }

  /** Whether the hand stands still. @param {boolean} still */
  set still(still) {
    this.#still = still;
    this.#point();
  }

  /**
   * Shows the ring as a broadcast described it.
   * @param {import('./messages.js').Broadcast['ring']} ring
   * @param {import('./messages.js').Welcome} welcome
   * @param {import('./module.js').Constants} constants
   * @param {number} position  the frame on screen, and how far it has come
   */
  show(ring, welcome, constants, position) {
    const { fps } = constants;
    const turn = turnOf(welcome.lead, fps);
    const all = arcs(ring, constants, welcome.you, turn);
    const first = (ring.first % turn) / turn;
    const at = first + Math.max(0, position - ring.first) / turn; // in turns, as the arcs count them
    this.#shown = { all, begin: at * FULL, at: at % 1, period: (turn / fps) * 1000 };
    this.#draw();
    this.#point();
    this.#hand.hidden = false;
  }

  /** Has the hand point at what is on screen, and go on from there. */
  #point() {
    const { at, period } = this.#shown;
    if (period === 0) return;
    if (this.#turning?.effect?.getTiming().duration !== period) {
      this.#turning?.cancel();
      const turn = [{ transform: 'rotate(0turn)' }, { transform: 'rotate(1turn)' }];
      this.#turning = this.#hand.animate(turn, { duration: period, iterations: Infinity });
    }
    const animation = /** @type {Animation} */ (this.#turning);
    const off = Math.abs((Number(animation.currentTime) % period) - at * period);
    if (Math.min(off, period - off) > 50) animation.currentTime = at * period; // a smaller error is not seen
    if (this.#still) animation.pause();
    else if (animation.playState !== 'running') animation.play();
  }

  #restyle() {
    const style = getComputedStyle(this.#canvas);
    const read = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
    this.#colours = {
      you: read('you'), server: read('server'), peer: read('peer'), nobody: read('bad'), track: read('line'), mark: read('faint'),
      saturation: read('tab-saturation'), lightness: read('tab-lightness'),
    };
  }

  #draw() {
    const size = Math.round(this.#canvas.clientWidth * Math.min(devicePixelRatio, 2));
    const context = this.#canvas.getContext('2d');
    if (!context || size === 0) return;
    if (this.#canvas.width !== size) this.#canvas.width = this.#canvas.height = size;
    context.clearRect(0, 0, size, size);
    const width = WIDTH * size;
    const outer = size / 2 - 1;
    /** @param {number} from @param {number} to @param {string} colour @param {number} thick @param {number} strong */
    const arc = (from, to, colour, thick, strong) => {
      context.globalAlpha = strong;
      context.fillStyle = colour;
      context.beginPath();
      context.arc(size / 2, size / 2, outer, from - FULL / 4, to - FULL / 4);
      context.arc(size / 2, size / 2, outer - Math.max(1, thick * width), to - FULL / 4, from - FULL / 4, true);
      context.fill();
    };
    arc(0, FULL, this.#colours.track, 0.08, 1);
    this.#mark(context, size / 2, outer - width);
    for (const { from, to, state, who, owner } of this.#shown.all) {
      const start = Math.max(from, this.#shown.begin);
      const end = to - HAIR;
      const [thick, strong] = LOOKS[state] ?? [0, 0];
      if (end > start) arc(start, end, this.#colour(who, owner), thick, strong);
    }
  }

  /**
   * Marks the seconds, within the ring.
   * @param {CanvasRenderingContext2D} context @param {number} center @param {number} radius  of the ring's inner edge
   */
  #mark(context, center, radius) {
    const seconds = this.#shown.period / 1000;
    context.beginPath();
    for (let i = 0; i < seconds; i++) {
      const [x, y] = [Math.sin((i / seconds) * FULL), -Math.cos((i / seconds) * FULL)];
      context.moveTo(center + x * (radius - MARK[0] * center), center + y * (radius - MARK[0] * center));
      context.lineTo(center + x * (radius - MARK[1] * center), center + y * (radius - MARK[1] * center));
    }
    context.globalAlpha = 0.5;
    context.strokeStyle = this.#colours.mark;
    context.lineWidth = Math.max(1, center / 250);
    context.stroke();
  }

  /** Other tabs' colours differ from each other by the golden angle, so that neighbours are told apart. */
  #colour(/** @type {import('./arcs.js').Who} */ who, /** @type {number} */ owner) {
    if (who !== 'tab') return this.#colours[who];
    const hue = 150 + ((owner * 0.618034) % 1) * 130; // green to blue; yours is none of these
    return `hsl(${hue.toFixed(0)} ${this.#colours.saturation} ${this.#colours.lightness})`;
  }
}
