/**
 * The state of the connection, and the words for it.
 *
 * @typedef {import('./session.js').End | 'unreachable'} Why
 *
 * @typedef {{ state: 'connecting' }
 *   | { state: 'live', shutOut: boolean, unfit: boolean }
 *   | { state: 'waiting', why: Why, until: number }
 *   | { state: 'outdated' }
 *   | { state: 'unsupported', missing: string }} Status
 *
 * @typedef {object} Words
 * @property {'good' | 'busy' | 'bad'} tone
 * @property {string} label   in a word or two
 * @property {string} detail  a sentence, or nothing
 * @property {boolean} grave  whether it goes over the picture, since nothing moves until somebody acts
 * @property {boolean} reload whether to offer a reload
 */

/** @type {Record<Why, string>} */
const reasons = {
  unreachable: 'The server cannot be reached.',
  lost: 'The connection was lost.',
  silent: 'Nothing came from the server for a while.',
  garbled: 'The server sent something that makes no sense.',
  draining: 'The server is going down, and will be back.',
  evicted: 'A frame rendered here was not what the module renders, so this tab will only watch.',
  malformed: 'The server could not read what this tab sent.',
  slow: 'This connection is too slow for the stream.',
  full: 'The server has as many visitors as it allows.',
  crowded: 'Too many connections come from this address.',
  flooding: 'This tab sent more than the server takes.',
  outdated: 'The server has moved on.',
  unfit: 'A thread of this browser failed its self-test, and will not render.',
};

/** @type {Partial<Record<Why, string>>} */
const LABELS = { full: 'full', crowded: 'crowded' };

const OFFLINE = 'This machine is offline. The picture goes on when the network is back.';
const ONLY_WATCHES = 'This browser does not compute what the module should, so this tab will only watch.';

/**
 * @param {Status} status
 * @param {number} now      absolute, in milliseconds
 * @param {boolean} online  whether the machine has a network at all, as far as the browser knows
 * @returns {Words}
 */
export function words(status, now, online) {
  const plain = { grave: false, reload: false };
  switch (status.state) {
    case 'connecting':
      return { ...plain, tone: 'busy', label: 'connecting', detail: '' };
    case 'live': {
      const detail = status.shutOut ? reasons.evicted : status.unfit ? ONLY_WATCHES : '';
      return { ...plain, tone: 'good', label: 'live', detail };
    }
    case 'waiting': {
      if (!online) return { ...plain, tone: 'busy', label: 'offline', detail: OFFLINE };
      const detail = `${reasons[status.why]} Next try ${when(status.until - now)}.`;
      return { ...plain, tone: 'busy', label: LABELS[status.why] ?? 'reconnecting', detail };
    }
    case 'outdated':
      return { tone: 'bad', label: 'outdated', detail: `${reasons.outdated} Reload to go on.`, grave: true, reload: true };
    case 'unsupported':
      return {
        ...plain,
        tone: 'bad',
        label: 'not supported',
        detail: `This browser has no ${status.missing}, and without it the donut stands still.`,
        grave: true,
      };
  }
}

/** @param {number} wait  in milliseconds */
function when(wait) {
  const seconds = Math.ceil(wait / 1000);
  if (seconds <= 0) return 'now';
  return seconds < 120 ? `in ${seconds} s` : `in ${Math.ceil(seconds / 60)} min`;
}

/** What the page cannot do without and a browser lacks, or null. @param {Record<string, any>} scope  its globals */
export function missing(scope) {
  return ['WebAssembly', 'Worker', 'WebSocket'].find((name) => scope[name] === undefined) ?? null;
}

const RELOAD_KEY = 'donut.reloaded';
const RELOAD_PAUSE = 60_000;

/**
 * Whether an outdated page should reload by itself: not when it just did, which then was of no use.
 * @param {{ getItem: (key: string) => string | null, setItem: (key: string, value: string) => void }} storage  of the
 *   tab's session
 * @param {number} now
 */
export function mayReload(storage, now) {
  try {
    const last = Number(storage.getItem(RELOAD_KEY) ?? -Infinity);
    if (now - last < RELOAD_PAUSE) return false;
    storage.setItem(RELOAD_KEY, String(now));
    return true;
  } catch {
    return false; // storage may be forbidden, and a guard that cannot be set does not guard
  }
}
