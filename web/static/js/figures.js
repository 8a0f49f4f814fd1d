/** What the panel says, as text, from what the server and this tab counted. */

/**
 * @typedef {object} Local  what this tab knows of itself
 * @property {number} fps
 * @property {number} rendered    frames sent to the server
 * @property {{ frames: number, spent: number }} recent  the last of them, and the milliseconds they took
 * @property {number} credited    how many of them the server found right
 * @property {number} threads     that the server leases to
 * @property {number | null} rtt  in milliseconds
 * @property {number | null} offset  of the server's clock, in milliseconds
 * @property {number} late        refreshes for which the frame that was due was not there
 * @property {string} handle      what others see this connection called, or ''
 * @property {ReturnType<typeof import('./arcs.js').shares> | null} ring
 * @property {string} digest      of the module, or ''
 * @property {{ threads: number, verifier: boolean }} unfit  what failed its self-test
 * @property {{ checked: number, equal: number }} verified  frames
 */

import { path } from './spark.js';

const NONE = '–';
const WINDOW = 60; // broadcasts, so about a minute

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const signed = new Intl.NumberFormat('en', { signDisplay: 'exceptZero', minimumFractionDigits: 1, maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 });

/** @param {number} n */
const count = (n) => (n < 100_000 ? whole.format(n) : compact.format(n));

/** All of something is 100 %, and nothing less is. @param {number} share */
const percent = (share) => `${Math.floor(100 * share)} %`;

/** How totals grew over the last minute. */
export class Growth {
  /** @type {import('./messages.js').Stats[]} */
  #seen = [];
  /** What each of them brought. @type {number[]} */
  #seconds = [];
  /** @type {ReturnType<typeof import('./arcs.js').brought>[]} */
  #frames = [];

  /**
   * @param {import('./messages.js').Stats} stats
   * @param {number} seconds  of the stream that came with them
   * @param {ReturnType<typeof import('./arcs.js').brought>} frames  that these were
   */
  add(stats, seconds, frames) {
    const last = this.#seen.at(-1);
    if (last && stats.aired < last.aired) this.#seen = this.#seconds = this.#frames = []; // another server, or one that began anew
    this.#seen = [...this.#seen, stats].slice(-WINDOW);
    this.#seconds = [...this.#seconds, seconds].slice(-WINDOW);
    this.#frames = [...this.#frames, frames].slice(-WINDOW);
  }

  /** @returns {import('./messages.js').Stats | undefined} */
  get last() {
    return this.#seen.at(-1);
  }

  /** @param {keyof import('./messages.js').Stats} name */
  of(name) {
    const [first, last] = [this.#seen.at(0), this.#seen.at(-1)];
    return first && last ? last[name] - first[name] : 0;
  }

  /** How many seconds of the stream came while totals grew so. */
  get seconds() {
    return this.#seconds.slice(1).reduce((sum, each) => sum + each, 0);
  }

  /** What share of the frames that came this tab rendered, or null. @returns {number | null} */
  get part() {
    const sum = (/** @type {'own' | 'all'} */ which) => this.#frames.reduce((sum, frames) => sum + frames[which], 0);
    return sum('all') > 0 ? sum('own') / sum('all') : null;
  }

  /** What something was at each broadcast. @param {(stats: import('./messages.js').Stats) => number} read */
  levels(read) {
    return this.#seen.map(read);
  }

  /**
   * What something was from each broadcast to the next.
   * @param {(grown: (name: keyof import('./messages.js').Stats) => number, seconds: number) => number} read
   */
  steps(read) {
    return this.#seen.slice(1).map((stats, i) => read((name) => stats[name] - this.#seen[i][name], this.#seconds[i + 1]));
  }
}

/**
 * Whose the frames of the ring are, as shares of all that it could hold.
 * @param {Local['ring']} ring
 */
function ringParts(ring) {
  const part = (/** @type {'you' | 'tab' | 'server' | 'peer' | 'leased'} */ who) =>
    ring ? `${Math.round((100 * ring[who]) / ring.all)} %` : NONE;
  return { 'ring-you': part('you'), 'ring-tab': part('tab'), 'ring-server': part('server'), 'ring-peer': part('peer'), 'ring-leased': part('leased') };
}

/**
 * What share of the frames tabs rendered, this server's or others', or null.
 * @param {(name: 'fleet' | 'foreign' | 'server') => number} of
 */
function byTabs(of) {
  const tabs = of('fleet') + of('foreign');
  const all = tabs + of('server');
  return all > 0 ? tabs / all : null;
}

/**
 * How some figures went, as paths for their small pictures.
 * @param {Growth} growth
 * @returns {Record<string, string>} by figure
 */
export function trends(growth) {
  return {
    tabs: path(growth.levels((stats) => stats.allViewers)),
    rate: path(growth.steps((grown, seconds) => grown('aired') / seconds)),
    lead: path(growth.levels((stats) => stats.leadMillis)),
    share: path(growth.steps((grown) => byTabs(grown) ?? 0)),
    stream: path(growth.steps((grown) => grown('streamSize') / Math.max(1, grown('aired')))),
  };
}

/** What the tab renders with. @param {Local} local */
function rendersWith({ threads, unfit }) {
  const fit = threads === 0 ? 'watching only' : `${threads} thread${threads === 1 ? '' : 's'}`;
  return unfit.threads > 0 ? `${fit}, ${unfit.threads} unfit` : fit;
}

/** What came of verifying. @param {Local} local */
function verifiedOf({ unfit, verified: { checked, equal } }) {
  if (unfit.verifier) return 'not here: unfit';
  return checked > 0 ? `${count(equal)} of ${count(checked)}` : NONE;
}

/**
 * What to say of frames that were not equal, or nothing.
 * @param {{ checked: number, equal: number }} verified
 * @param {import('./messages.js').Mismatch | null} last
 */
export function alarm({ checked, equal }, last) {
  if (!last) return '';
  const { frame, cells } = last;
  const how = `${whole.format(cells)} ${cells === 1 ? 'cell differs' : 'cells differ'}`;
  return `NOT THE DONUT: frame ${frame} is not what the module renders in this browser, ${how}. ` +
    `So it was with ${count(checked - equal)} of ${count(checked)} frames that were verified here.`;
}

/**
 * @param {Growth} growth
 * @param {Local} local
 * @returns {Record<string, string>} by the name of the place that shows it
 */
export function figures(growth, local) {
  const own = {
    fps: String(local.fps),
    rendered: count(local.rendered),
    credited: count(local.credited),
    part: growth.part === null ? NONE : percent(growth.part),
    pace: local.recent.frames > 0 ? `${(local.recent.spent / local.recent.frames).toFixed(2)} ms` : NONE,
    handle: local.handle,
    own: rendersWith(local),
    verified: verifiedOf(local),
    rtt: local.rtt === null ? NONE : `${local.rtt.toFixed(1)} ms`,
    offset: local.offset === null ? NONE : `${signed.format(local.offset)} ms`,
    late: count(local.late),
    ...ringParts(local.ring),
    digest: local.digest.slice(0, 12) || NONE,
  };
  const stats = growth.last;
  if (!stats) {
    const unknown = [
      'servers', 'tabs', 'workers', 'threads', 'rate', 'lead', 'share', 'stalled', 'audited', 'forged', 'evictions', 'stream',
    ];
    return { ...own, ...Object.fromEntries(unknown.map((name) => [name, NONE])) };
  }
  const aired = growth.of('aired');
  const share = byTabs((name) => growth.of(name));
  return {
    ...own,
    servers: count(stats.servers),
    tabs: count(stats.allViewers),
    workers: count(stats.allWorkers),
    threads: count(stats.allThreads),
    rate: growth.seconds > 0 ? (aired / growth.seconds).toFixed(0) : NONE,
    evictions: count(stats.evictions),
    lead: `${(stats.leadMillis / 1000).toFixed(1)} s`,
    share: share === null ? NONE : percent(share),
    stalled: count(growth.of('stalled')),
    audited: count(stats.audited),
    forged: count(stats.forged),
    stream: aired > 0 ? (growth.of('streamSize') / aired).toFixed(0) : NONE,
  };
}
