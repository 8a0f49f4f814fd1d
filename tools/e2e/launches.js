/**
 * How far apart Chromium and Firefox paint the same frame, over several launches of both. Without a screen each
 * refreshes by a timer of its own, and the two stand to each other as chance has it for as long as they run: one launch
 * says how the dice fell, and no more.
 */

import { sleep } from './bounds.js';
import { launch } from './browser.js';
import { percentile, record, recorded, spread } from './recorder.js';
import { openTab, playing } from './tab.js';

const SETTLE = 3_000; // milliseconds until joining is over, and clocks are agreed on
export const WATCH = 6_000; // 360 frames

/** Who is launched. @type {import('./browser.js').Make[]} */
export const makes = ['chrome', 'firefox'];

/**
 * When a tab painted, counted from each frame's own instant.
 * @typedef {object} Phase
 * @property {number} median  milliseconds after the instant
 * @property {number} drift   of the median, from the first third of the frames to the last
 */

/**
 * @typedef {object} Launch
 * @property {number[]} apart  for each frame that both painted: milliseconds from the one to the other
 * @property {Phase[]} phases  of each browser, in their order
 */

/**
 * Launches the browsers with fresh profiles, has each play in one tab, and ends them.
 * @param {import('./server.js').Server} server
 * @returns {Promise<Launch>}
 */
async function oneLaunch(server) {
  const running = await Promise.allSettled(makes.map((make) => launch(make)));
  const browsers = running.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  try {
    for (const each of running) if (each.status === 'rejected') throw each.reason;
    const tabs = await Promise.all(browsers.map((browser) => openTab(browser, server.url)));
    await Promise.all(tabs.map((tab) => playing(tab)));
    await sleep(SETTLE);
    await Promise.all(tabs.map(({ page }) => record(page)));
    await sleep(WATCH);
    const paintings = await Promise.all(tabs.map(({ page }) => recorded(page)));
    const { frame } = await server.stats();
    const epoch = Math.round(Date.now() / 1_000 - frame / 60) * 1_000; // is a whole second
    return { apart: spread(paintings), phases: paintings.map((each) => phase(each, epoch)) };
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
  }
}

/**
 * Where in a frame's time a tab paints it, and whether that wanders.
 * @param {import('./recorder.js').Painting[]} paintings
 * @param {number} epoch  the instant of frame 0
 * @returns {Phase}
 */
function phase(paintings, epoch) {
  const late = paintings.map(({ frame, at }) => at - epoch - (frame * 1_000) / 60);
  const third = Math.floor(late.length / 3);
  const drift = percentile(late.slice(-third), 0.5) - percentile(late.slice(0, third), 0.5);
  return { median: percentile(late, 0.5), drift };
}

/**
 * Launches the browsers several times, one launch after the other.
 * @param {import('./server.js').Server} server
 * @param {{ launches: number, every: number }} plan  how many, and milliseconds from one's start to the next's at least
 * @param {(launch: Launch, i: number) => void} [done]  is called after each
 */
export async function launchAll(server, { launches, every }, done = () => {}) {
  const all = [];
  for (let i = 0; i < launches; i++) {
    const next = sleep(i < launches - 1 ? every : 0);
    all.push(await oneLaunch(server));
    done(all[i], i);
    await next;
  }
  return all;
}

/** The 50th, 95th and 99th percentile. @param {number[]} apart */
export const percentiles = (apart) => [0.5, 0.95, 0.99].map((share) => percentile(apart, share));
