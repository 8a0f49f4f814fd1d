/** The page around the picture: shows how things stand, and lets the visitor decide. See early.js for what comes before. */

import { brought, shares } from './arcs.js';
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
import { Tally } from './tally.js';
import { Workers } from './workers.js';

const PANEL_EVERY = 250; // milliseconds

const { screen } = picture;
const dial = new Dial(
  /** @type {HTMLCanvasElement} */ (document.getElementById('ring')),
  /** @type {HTMLElement} */ (document.getElementById('hand')),
);
const board = new Board();
const panel = new Panel();
const growth = new Growth();
const tally = new Tally();
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
  failures: () => tally.failures,
  unfit: () => tally.unfit.threads,
  verified: () => tally.verified,
};
Object.assign(readers, known);

/** @param {import('./messages.js').ToPage} message */
function hear(message) {
  tally.hear(message);
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
      broadcast = message.broadcast;
      if (welcome && constants) {
        growth.add(broadcast.stats, broadcast.count / constants.fps, brought(broadcast, constants, welcome.you));
      }
      return showBroadcast();
    case 'verified':
      return panel.alarm(alarm(tally.verified, tally.mismatch));
  }
}

/** @param {import('./messages.js').Welcome} to @param {import('./module.js').Constants} fixed */
function enter(to, fixed) {
  welcome = to;
  constants = fixed;
  offered = to.threads;
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
  const { rendered, recent, credited, unfit, verified } = tally;
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
    tally.dismiss();
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
