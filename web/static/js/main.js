/** The page: starts the stream worker, paints what it sends, and shows how things stand. */

import { FrameBuffer } from './buffer.js';
import { offsetAt } from './clock.js';
import { Growth, alarm, figures } from './figures.js';
import { threadsAsked } from './page-url.js';
import { Panel } from './panel.js';
import { Screen } from './screen.js';
import { mayReload, missing } from './status.js';
import { Workers } from './workers.js';

const KEPT_SECONDS = 20; // of frames; more arrive while the page is hidden and paints nothing
const BEHIND_SECONDS = 2; // how long a stall shows the frame before it; then the picture just stays
const PANEL_EVERY = 250; // milliseconds

const screen = new Screen(/** @type {HTMLElement} */ (document.getElementById('donut')));
const panel = new Panel();
const growth = new Growth();
/** @type {import('./status.js').Status} */
let status = { state: 'connecting' };
/** @type {import('./messages.js').Welcome | null} */
let welcome = null;
/** @type {import('./clock.js').Reading | null} */
let reading = null;
/** @type {number | null} */
let rtt = null;
let rendered = 0;
let failures = 0;
let unfit = { threads: 0, verifier: false };
/** @type {Readonly<{ checked: number, equal: number }>} */
let verified = Object.freeze({ checked: 0, equal: 0 });
/** The last frame that was not equal. @type {import('./messages.js').Mismatch | null} */
let mismatch = null;
/** @type {FrameBuffer | null} */
let frames = null;

const now = () => performance.timeOrigin + performance.now();
const fps = () => screen.perSecond(now());
const threads = () => (status.state === 'live' && welcome ? welcome.threads : 0);

Object.defineProperty(window, 'donut', {
  enumerable: true,
  value: Object.freeze({
    /** The number of the frame on screen, or null. */
    get frame() { return screen.frame; },
    /** Distinct frames painted within the last second. */
    get fps() { return fps(); },
    /** What to add to this machine's clock (Unix time) to get the server's, or null. */
    get offsetMs() { return reading && welcome && offsetAt(reading, now()) + welcome.epoch / 1000; },
    /** The round trip of the best probe, or null. */
    get rttMs() { return rtt; },
    /** Threads that the server leases to. */
    get threads() { return threads(); },
    get paused() { return screen.paused; },
    /** How often a render worker or its instance failed, and was replaced. */
    get failures() { return failures; },
    /** Render threads that failed the module's self-test, and so never render. */
    get unfit() { return unfit.threads; },
    /** Frames that aired and were rendered again here: how many, and how many of them were equal in every cell. */
    get verified() { return verified; },
  }),
});

/** @param {import('./messages.js').ToPage} message */
function hear(message) {
  switch (message.type) {
    case 'status':
      status = message.status;
      if (status.state === 'outdated' && mayReload(sessionStorage, Date.now())) location.reload();
      return panel.status(status, now());
    case 'welcome': {
      const { fps, textSize } = message.constants;
      // Frames of another picture or timeline bear the same numbers.
      if (!frames || welcome?.epoch !== message.welcome.epoch || welcome.detail !== message.welcome.detail) {
        frames = new FrameBuffer(textSize, KEPT_SECONDS * fps, BEHIND_SECONDS * fps);
        screen.play(frames, fps);
      }
      welcome = message.welcome;
      return panel.module(welcome.digest);
    }
    case 'clock':
      ({ reading, rtt } = message);
      return screen.set(reading);
    case 'frames':
      growth.add(message.broadcast.stats);
      return frames?.add(message.broadcast.first, message.broadcast.count, message.text);
    case 'rendered':
      rendered += message.frames;
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

function showPanel() {
  panel.status(status, now());
  const digest = welcome?.digest ?? '';
  panel.show(figures(growth, { fps: fps(), rendered, threads: threads(), rtt, digest, unfit, verified }));
}

/** Where the module is: the server writes the version of its own into the page. */
function moduleURL() {
  const named = document.querySelector('meta[name=module]');
  return new URL(named?.getAttribute('content') ?? 'donut.wasm', document.baseURI).href;
}

/** @param {number} threads  to offer */
function start(threads) {
  const workers = new Workers({
    start: (script, name) => new Worker(new URL(`${script}.worker.js`, import.meta.url), { type: 'module', name }),
    hear,
  });

  const watch = () => workers.tell({ type: 'watching', watching: !document.hidden && !screen.paused });
  document.addEventListener('visibilitychange', watch);
  document.getElementById('pause')?.addEventListener('click', watch); // after it has been heard by offerPause
  addEventListener('online', () => workers.tell({ type: 'resume' }));

  const wake = () => {
    workers.wake({ type: 'start', base: document.baseURI, module: moduleURL(), threads });
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

  /** @param {DOMHighResTimeStamp} time */
  const refresh = (time) => {
    requestAnimationFrame(refresh);
    screen.refresh(performance.timeOrigin + time);
  };
  requestAnimationFrame(refresh);
  setInterval(showPanel, PANEL_EVERY);
}

/** Marks the link to what this page already is. @param {number} threads */
function markThreads(threads) {
  for (const link of document.querySelectorAll('nav a')) {
    if (threadsAsked(new URL(/** @type {HTMLAnchorElement} */ (link).href).search) === threads) {
      link.setAttribute('aria-current', 'page');
    }
  }
}

function offerPause() {
  const button = /** @type {HTMLButtonElement} */ (document.getElementById('pause'));
  const set = (/** @type {boolean} */ paused) => {
    screen.paused = paused;
    button.textContent = paused ? 'play' : 'pause';
  };
  button.addEventListener('click', () => set(!screen.paused));
  set(matchMedia('(prefers-reduced-motion: reduce)').matches);
  button.hidden = false;
}

const lacking = missing(window);
if (lacking) {
  status = { state: 'unsupported', missing: lacking };
  panel.status(status, now());
} else {
  const asked = threadsAsked(location.search);
  markThreads(asked);
  offerPause();
  start(asked);
}
