/**
 * window.donut, which scripts may read: see its properties.
 *
 * @typedef {object} Facts
 * @property {number | null} frame  on screen
 * @property {number} fps         distinct frames painted within the last second
 * @property {number | null} offsetMs  what to add to this machine's clock (Unix time) to get the server's
 * @property {number | null} rttMs     the round trip of the best probe
 * @property {number} threads     that the server lends to
 * @property {boolean} paused     the picture
 * @property {number} failures    how often a render worker or its instance failed, and was replaced
 * @property {number} unfit       render threads that failed the module's self-test, and so never render
 * @property {Readonly<{ checked: number, equal: number }>} verified  frames that aired and were rendered again here:
 *   how many, and how many of them were equal in every cell
 *
 * @typedef {{ [name in keyof Facts]: () => Facts[name] }} Readers
 */

/** Lets scripts read what the readers of the moment say. @param {Readers} readers */
export function expose(readers) {
  const facade = {};
  for (const name of /** @type {(keyof Readers)[]} */ (Object.keys(readers))) {
    Object.defineProperty(facade, name, { enumerable: true, get: () => readers[name]() });
  }
  Object.defineProperty(window, 'donut', { enumerable: true, value: Object.freeze(facade) });
}
