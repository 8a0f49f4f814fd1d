/** Who rendered what a server aired, and whether anybody who watched could tell. */

import assert from 'node:assert/strict';
import { bounds, sleep, until } from './bounds.js';
import { evenness, recorded } from './recorder.js';

/** Waits until the fleet has so many workers. @param {import('./server.js').Server} server @param {number} workers @param {number} within  milliseconds */
export const workers = (server, workers, within) => until(server.stats, (stats) => stats.workers === workers, within);

/**
 * Lets the server run for a while, and demands that it has rendered no more than a share of what aired, that nothing was
 * missing, and that nobody was taken for a forger.
 * @param {import('node:test').TestContext} t
 * @param {import('./server.js').Server} server
 * @param {string} when
 * @param {number} milliseconds
 * @param {number} share  of the server at most
 */
export async function carried(t, server, when, milliseconds, share) {
  const before = await server.stats();
  await sleep(milliseconds);
  const later = await server.stats();
  const grown = (/** @type {string} */ name) => later[name] - before[name];
  const [aired, byServer] = [grown('aired_frames'), grown('server_frames')];
  t.diagnostic(`${when}: the server rendered ${byServer} of ${aired} frames`);
  assert.ok(aired > 0, `${when}: nothing aired`);
  assert.ok(byServer <= share * aired, `${when}: the server rendered ${byServer} of ${aired} frames`);
  for (const name of ['stalled_frames', 'evictions', 'forged_frames']) assert.equal(grown(name), 0, `${when}: ${name}`);
}

/**
 * Demands that a tab had something to paint ever since it was last asked. It must be recording.
 * @param {import('node:test').TestContext} t
 * @param {import('./tab.js').Tab} tab
 */
export async function smooth(t, { page }) {
  const { perSecond, longestGap, longestWait, backward } = evenness(await recorded(page));
  t.diagnostic(`painted ${perSecond.toFixed(2)} frames/s, longest gap ${longestGap.toFixed(1)} ms, ${longestWait} refreshes`);
  assert.ok(perSecond >= bounds.slowest, `painted ${perSecond} frames a second`);
  assert.ok(longestWait <= bounds.longestWait, `stood still for ${longestWait} refreshes`);
  assert.equal(backward, 0, 'went back');
}
