/**
 * What a visitor waits for: plays the picture from what the stream worker says, which boot.js has started. All the rest of
 * the page, main.js, comes once the first frame is on screen, so that it takes no time from that.
 */

import { expose } from './facade.js';
import { Picture } from './picture.js';

const REST_WITHIN = 500; // milliseconds, in which the rest comes where no frame does

const { booted } = /** @type {{ booted?: import('./messages.js').Booted }} */ (/** @type {unknown} */ (window));

/** It hears every stream worker. */
const picture = new Picture(/** @type {HTMLElement} */ (document.getElementById('donut')));
picture.screen.paused = matchMedia('(prefers-reduced-motion: reduce)').matches;

/** What window.donut says. main.js knows more. @type {import('./facade.js').Readers} */
const readers = {
  frame: () => picture.screen.frame,
  fps: () => picture.screen.perSecond(performance.timeOrigin + performance.now()),
  offsetMs: () => null,
  rttMs: () => null,
  threads: () => 0,
  paused: () => picture.screen.paused,
  failures: () => 0,
  unfit: () => 0,
  verified: () => Object.freeze({ checked: 0, equal: 0 }),
};
expose(readers);

/** @param {Worker} worker */
const follow = (worker) => worker.addEventListener('message', ({ data }) => picture.hear(data));

/** The stream worker that nobody has taken yet. */
let early = booted?.worker;
if (early) {
  booted?.said.forEach(({ data }) => picture.hear(data));
  follow(early);
}

/** How to start the stream worker. @param {import('./messages.js').Effort} effort @returns {import('./messages.js').Start} */
function startWith(effort) {
  if (!booted) throw new Error('got no stream worker, want what boot.js starts where a browser has all it takes');
  return { ...booted.start, effort };
}

/**
 * Starts a worker. The first stream worker is the one that is there, and what it has said is told then.
 * @param {'stream' | 'render'} script @param {string} name
 */
function start(script, name) {
  const worker = (script === 'stream' && early) || new Worker(new URL(`${script}.worker.js`, import.meta.url), { type: 'module', name });
  if (worker === early) {
    early = undefined;
    queueMicrotask(() => booted?.said.splice(0).forEach((event) => worker.onmessage?.(event)));
  } else if (script === 'stream') {
    follow(worker);
  }
  return worker;
}

let asked = false;
async function loadRest() {
  if (asked) return;
  asked = true;
  const { complete } = await import('./main.js');
  complete({ picture, readers, start, startWith });
}

/** @param {DOMHighResTimeStamp} time */
function refresh(time) {
  requestAnimationFrame(refresh);
  picture.screen.refresh(performance.timeOrigin + time);
  if (picture.screen.frame !== null) loadRest();
}
requestAnimationFrame(refresh);
setTimeout(loadRest, booted ? REST_WITHIN : 0);
