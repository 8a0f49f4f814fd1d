/** The page around the picture: what is shown there, and what its visitor decides. See early.js for what comes before. */

import { Controls } from './controls.js';
import { Dial } from './dial.js';
import { listen } from './keys.js';
import { threadsAsked } from './page-url.js';
import { Page } from './page.js';
import { Parting } from './parting.js';
import { missing } from './status.js';
import { attend } from './tips.js';
import { Workers } from './workers.js';

const SHOW_EVERY = 250; // milliseconds

/**
 * @typedef {object} Early  what is there already
 * @property {import('./picture.js').Picture} picture
 * @property {import('./facade.js').Readers} readers  those that know more take their places in it
 * @property {import('./workers.js').Places['start']} start  a worker
 * @property {(effort: import('./messages.js').Effort) => import('./messages.js').Start} startWith  what the stream worker
 *   is told first
 */

/** Completes the page, once. @param {Early} early */
export function complete({ picture: { screen }, readers, start, startWith }) {
  const dial = new Dial(
    /** @type {HTMLCanvasElement} */ (document.getElementById('ring')),
    /** @type {HTMLElement} */ (document.getElementById('hand')),
  );
  const page = new Page(screen, dial);
  Object.assign(readers, page.readers);
  attend();
  const lacking = missing(window);
  if (lacking) return page.stands({ state: 'unsupported', missing: lacking });

  const workers = new Workers({ start, hear: (message) => page.hear(message) });
  const controls = new Controls(threadsAsked(location.search), (effort) => workers.tell({ type: 'work', effort }));
  const watch = () => workers.tell({ type: 'watching', watching: !document.hidden && !screen.paused });
  const pause = offerPause(screen, dial, watch);
  listen({
    ' ': pause,
    r: () => controls.toggle(),
    h: () => controls.choose({ hidden: !controls.settings.hidden }),
    '+': () => controls.step(1),
    '=': () => controls.step(1),
    '-': () => controls.step(-1),
  });
  document.addEventListener('visibilitychange', watch);
  addEventListener('online', () => workers.tell({ type: 'resume' }));

  const wake = () => {
    workers.wake(startWith(controls.effort));
    watch();
  };
  const sleep = () => {
    workers.sleep();
    page.sleep();
  };
  addEventListener('pagehide', sleep);
  document.addEventListener('freeze', sleep);
  addEventListener('pageshow', ({ persisted }) => persisted && wake());
  document.addEventListener('resume', wake);
  wake();
  watchSleep(() => workers.tell({ type: 'resume' }));
  setInterval(() => page.show(), SHOW_EVERY);
}

/**
 * Notices at the first refresh that the machine slept, since a worker's timer may take a second to. Where both clocks went
 * on meanwhile, that timer is overdue, and comes at once.
 * @param {() => void} woke
 */
function watchSleep(woke) {
  const parting = new Parting();
  const look = () => {
    requestAnimationFrame(look);
    if (parting.jumped(performance.now(), Date.now()) !== 0) woke();
  };
  requestAnimationFrame(look);
}

/**
 * Has the picture pause and play, and answers how to switch.
 * @param {import('./screen.js').Screen} screen @param {Dial} dial @param {() => void} switched
 */
function offerPause(screen, dial, switched) {
  const button = /** @type {HTMLButtonElement} */ (document.getElementById('pause'));
  const set = (/** @type {boolean} */ paused) => {
    screen.paused = dial.still = paused;
    button.textContent = paused ? 'play' : 'pause';
    switched();
  };
  const toggle = () => set(!screen.paused);
  button.addEventListener('click', toggle);
  set(screen.paused);
  button.hidden = false;
  return toggle;
}
