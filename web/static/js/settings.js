/**
 * What the visitor has chosen, kept from visit to visit. What storage holds is not trusted: anything that is not a choice
 * is the default.
 */

/**
 * @typedef {object} Settings
 * @property {number} threads  to render with, 0 to MOST_THREADS
 * @property {number} duty     share of the time that each of them renders, in percent: one of DUTIES
 * @property {boolean} hidden  render on while the page is hidden
 * @property {boolean} rests   rest where the browser tells of a low battery, of saving data, or of a machine that is hot
 */

export const MOST_THREADS = 8;
export const DUTIES = Object.freeze([25, 50, 75, 100]);

/** @type {Readonly<Settings>} */
export const DEFAULTS = Object.freeze({ threads: 1, duty: 100, hidden: false, rests: true });

const KEY = 'donut.settings';

/** The most threads to choose from: one core is the page's. @param {number | undefined} cores */
export function mostThreads(cores) {
  return Math.max(1, Math.min(MOST_THREADS, (cores ?? 2) - 1));
}

/** @param {unknown} value @returns {Settings} */
export function settingsFrom(value) {
  const given = /** @type {Partial<Record<keyof Settings, unknown>>} */ (value ?? {});
  const { threads, duty, hidden, rests } = given;
  return {
    threads: Number.isInteger(threads) && Number(threads) >= 0 && Number(threads) <= MOST_THREADS ? Number(threads) : DEFAULTS.threads,
    duty: DUTIES.includes(Number(duty)) ? Number(duty) : DEFAULTS.duty,
    hidden: typeof hidden === 'boolean' ? hidden : DEFAULTS.hidden,
    rests: typeof rests === 'boolean' ? rests : DEFAULTS.rests,
  };
}

/**
 * @param {() => Pick<Storage, 'getItem'>} storage  may throw, where storage is forbidden
 * @returns {Settings}
 */
export function load(storage) {
  try {
    return settingsFrom(JSON.parse(storage().getItem(KEY) ?? '{}'));
  } catch {
    return { ...DEFAULTS };
  }
}

/** @param {() => Pick<Storage, 'setItem'>} storage @param {Settings} settings */
export function save(storage, settings) {
  try {
    storage().setItem(KEY, JSON.stringify(settings));
  } catch {
    // then they hold for this visit
  }
}
