/** The page around the picture: shows how things stand, and lets the visitor decide. See early.js for what comes before. */

import { shares } from './arcs.js';
import { Board } from './board.js';
import { offsetAt } from './clock.js';
import { Controls } from './controls.js';
import { Dial } from './dial.js';
import { picture, readers, start as startWorker, startWith } from './early.js';
import { Growth, alarm, figures, trends } from './figures.js';
import { listen } from './keys.js';
import { threadsAsked } from './page-url.js';
import { Panel } from './panel.js';
import { mayReload, missing } from './status.js';
import { Workers } from './workers.js';

const PANEL_EVERY = 250; // milliseconds
const FADE = 0.8; // of what a result says of the pace, with each one after it

const { screen } = picture;
const dial = new Dial(
  /** @type {HTMLCanvasElement} */ (document.getElementById('ring')),
  /** @type {HTMLElement} */ (document.getElementById('hand')),
);
const board = new Board();
const panel = new Panel();
const growth = new Growth();
/** @type {import('./status.js').Status} */
let status = { state: 'connecting' };
/** @type {import('./messages.js').Welcome | null} */
let welcome = null;
/** @type {import('./module.js').Constants | null} */
let constants = null;
/** @type {import('./clock.js').Reading | null} */
let reading = null;
/** @type {number | null} */
let rtt = null;
let offered = 0;
let rendered = 0;
/** Of the last results, each counting less than the one after it. */
let recent = { frames: 0, spent: 0 };
let credited = 0;
let failures = 0;
let unfit = { threads: 0, verifier: false };
/** @type {Readonly<{ checked: number, equal: number }>} */
let verified = Object.freeze({ checked: 0, equal: 0 });
/** The last frame that was not equal. @type {import('./messages.js').Mismatch | null} */
let mismatch = null;
/** The last one. @type {import('./messages.js').Broadcast | null} */
let broadcast = null;

const now = () => performance.timeOrigin + performance.now();
const fps = () => screen.perSecond(now());
const threads = () => (status.state === 'live' ? offered : 0);
const offset = () => reading && welcome && offsetAt(reading, now()) + welcome.epoch / 1000;

/** @type {Partial<import('./facade.js').Readers>} */
const known = {
  offsetMs: offset,
  rttMs: () => rtt,
  threads,
  failures: () => failures,
  unfit: () => unfit.threads,
  verified: () => verified,
};
Object.assign(readers, known);

/** @param {import('./messages.js').ToPage} message */
function hear(message) {
  switch (message.type) {
    case 'status':
      status = message.status;
      if (status.state === 'outdated' && mayReload(sessionStorage, Date.now())) location.reload();
      return panel.status(status, now());
    case 'welcome':
      return enter(message.welcome, message.constants);
    case 'offered':
      offered = message.threads;
      return;
    case 'clock':
      return void ({ reading, rtt } = message);
    case 'frames':
      growth.add(message.broadcast.stats, message.broadcast.count / (constants?.fps ?? 1));
      broadcast = message.broadcast;
      return showBroadcast();
    case 'rendered':
      rendered += message.frames;
      recent = { frames: FADE * recent.frames + message.frames, spent: FADE * recent.spent + message.spent };
      return;
    case 'credited':
      credited = message.frames;
      return;
    case 'failed':
      failures++;
      return;
    case 'unfit':
      unfit = message;
      return;
    case 'verified':
      verified = Object.freeze({ checked: verified.checked + 1, equal: verified.equal + (message.mismatch ? 0 : 1) });
      mismatch = message.mismatch ?? mismatch;
      return panel.alarm(alarm(verified, mismatch));
  }
}

/** @param {import('./messages.js').Welcome} to @param {import('./module.js').Constants} fixed */
function enter(to, fixed) {
  welcome = to;
  constants = fixed;
  offered = to.threads;
  credited = 0;
  panel.module(to.digest);
}

function showBroadcast() {
  if (!broadcast || !welcome || document.hidden) return;
  showRing();
  board.show(broadcast.board, welcome.you);
  panel.trends(trends(growth));
  panel.servers(growth.last?.servers ?? 1);
}

function showRing() {
  if (!broadcast || !welcome || !constants || !reading) return;
  dial.show(broadcast.ring, welcome, constants, ((now() + offsetAt(reading, now())) * constants.fps) / 1000);
}

function showPanel() {
  if (document.hidden) return;
  showRing();
  panel.status(status, now());
  const digest = welcome?.digest ?? '';
  const handle = status.state === 'live' ? (welcome?.handle ?? '') : '';
  const { late } = screen;
  const ring = broadcast && constants && shares(broadcast.ring, constants, welcome?.you ?? 0);
  const local = { fps: fps(), rendered, recent, credited, threads: threads(), rtt, offset: offset(), late, digest, handle, unfit, verified, ring };
  panel.show(figures(growth, local));
}

function start() {
  const workers = new Workers({ start: startWorker, hear });
  const controls = new Controls(threadsAsked(location.search), (effort) => workers.tell({ type: 'work', effort }));

  const watch = () => workers.tell({ type: 'watching', watching: !document.hidden && !screen.paused });
  document.addEventListener('visibilitychange', watch);
  addEventListener('online', () => workers.tell({ type: 'resume' }));
  const pause = offerPause(watch);
  listen({
    ' ': pause,
    r: () => controls.toggle(),
    h: () => controls.choose({ hidden: !controls.settings.hidden }),
    '+': () => controls.step(1),
    '=': () => controls.step(1),
    '-': () => controls.step(-1),
  });

  const wake = () => {
    workers.wake(startWith(controls.effort));
    watch();
  };
  const sleep = () => {
    workers.sleep();
    status = { state: 'connecting' }; // is what comes next
    unfit = { threads: 0, verifier: false };
  };
  addEventListener('pagehide', sleep);
  document.addEventListener('freeze', sleep);
  addEventListener('pageshow', ({ persisted }) => persisted && wake());
  document.addEventListener('resume', wake);
  wake();

  setInterval(showPanel, PANEL_EVERY);
}

/** Has the picture pause and play, and answers how to switch. @param {() => void} switched */
function offerPause(switched) {
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

const lacking = missing(window);
if (lacking) {
  status = { state: 'unsupported', missing: lacking };
  panel.status(status, now());
} else {
  start();
}
