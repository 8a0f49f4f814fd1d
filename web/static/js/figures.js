/** What the panel says, as text, from what the server and this tab counted. */

/**
 * @typedef {object} Local  what this tab knows of itself
 * @property {number} fps
 * @property {number} rendered    frames sent to the server
 * @property {number} threads     that the server leases to
 * @property {number | null} rtt  in milliseconds
 * @property {string} digest      of the module, or ''
 * @property {{ threads: number, verifier: boolean }} unfit  what failed its self-test
 * @property {{ checked: number, equal: number }} verified  frames
 */

const NONE = '–';
const WINDOW = 60; // broadcasts, so about a minute

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 });

/** @param {number} n */
const count = (n) => (n < 100_000 ? whole.format(n) : compact.format(n));

/** How totals grew over the last minute. */
export class Growth {
  /** @type {import('./messages.js').Stats[]} */
  #seen = [];

  /** @param {import('./messages.js').Stats} stats */
  add(stats) {
    const last = this.#seen.at(-1);
    if (last && stats.aired < last.aired) this.#seen = []; // another server, or one that began anew
    this.#seen.push(stats);
    if (this.#seen.length > WINDOW) this.#seen.shift();
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
    own: rendersWith(local),
    verified: verifiedOf(local),
    rtt: local.rtt === null ? NONE : `${local.rtt.toFixed(1)} ms`,
    digest: local.digest.slice(0, 12) || NONE,
  };
  const stats = growth.last;
  if (!stats) {
    const unknown = ['tabs', 'workers', 'threads', 'lead', 'share', 'stalled', 'audited', 'forged', 'stream'];
    return { ...own, ...Object.fromEntries(unknown.map((name) => [name, NONE])) };
  }
  const [fleet, server, aired] = [growth.of('fleet'), growth.of('server'), growth.of('aired')];
  return {
    ...own,
    tabs: count(stats.viewers),
    workers: count(stats.workers),
    threads: count(stats.threads),
    lead: `${(stats.leadMillis / 1000).toFixed(1)} s`,
    share: fleet + server > 0 ? `${Math.floor((100 * fleet) / (fleet + server))} %` : NONE,
    stalled: count(growth.of('stalled')),
    audited: count(stats.audited),
    forged: count(stats.forged),
    stream: aired > 0 ? `${(growth.of('streamSize') / aired).toFixed(0)} bytes/frame` : NONE,
  };
}
