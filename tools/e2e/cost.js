/**
 * npm run cost: what a laptop's page that only watches costs, in processor time of all of a browser's processes; in
 * Chromium also of those of one kind, and of the page's own thread. Linux only, and without a graphics card, so what it
 * takes to put the page together counts in full.
 */

import { readFileSync, readdirSync } from 'node:fs';
import { sleep } from './bounds.js';
import { browsers, launch } from './browser.js';
import { startServer } from './server.js';
import { donut, openTab, playing } from './tab.js';

/** @typedef {import('./browser.js').Make} Make */

const [SETTLE, WATCH] = [3_000, 20_000]; // milliseconds
const TICK = 10; // milliseconds, of the times in /proc: sysconf(_SC_CLK_TCK) is 100
const KINDS = ['renderer', 'gpu-process']; // of Chromium's processes: those that a page takes time of

/** Processor time so far of a process and all that it started, in all and by what they are, in milliseconds. @param {number} root */
function spent(root) {
  /** @type {Map<number, { parent: number, time: number, kind: string }>} */
  const all = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const kind = /--type=([a-z-]+)/.exec(readFileSync(`/proc/${name}/cmdline`, 'utf8'))?.[1] ?? 'other';
      all.set(Number(name), { parent: Number(fields[1]), time: (Number(fields[11]) + Number(fields[12])) * TICK, kind });
    } catch {
      // it has ended
    }
  }
  /** @type {Record<string, number>} */
  const sum = { all: 0 };
  for (const [id, { kind, time }] of all) {
    let above = id;
    while (above !== root && all.has(above)) above = /** @type {any} */ (all.get(above)).parent;
    if (above !== root) continue;
    sum.all += time;
    sum[kind] = (sum[kind] ?? 0) + time;
  }
  return sum;
}

/** How much of the page's own thread is taken so far, in milliseconds, where the browser tells. @param {import('./tab.js').Tab} tab @param {Make} make */
async function busy({ page }, make) {
  return make === 'chrome' ? 1000 * Number((await page.metrics()).TaskDuration) : NaN;
}

/** @param {import('./server.js').Server} server @param {Make} make */
async function cost(server, make) {
  const browser = await launch(make);
  try {
    const tab = await openTab(browser, `${server.url}?threads=0`);
    await tab.page.setViewport({ width: 1366, height: 768 });
    await playing(tab);
    await sleep(SETTLE);
    const id = /** @type {number} */ (browser.process()?.pid);
    const [before, busyBefore] = [spent(id), await busy(tab, make)];
    await sleep(WATCH);
    const [after, busyAfter] = [spent(id), await busy(tab, make)];
    console.log(`${browsers[make].name}: a watching page, ${WATCH / 1000} s, ${(await donut(tab)).fps} frames a second`);
    const line = (/** @type {string} */ what, /** @type {number} */ time) =>
      console.log(`  ${what.padEnd(14)}${((100 * time) / WATCH).toFixed(1)} % of a core`);
    line('all', after.all - before.all);
    if (make !== 'chrome') return;
    for (const kind of KINDS) line(kind, after[kind] - before[kind]);
    line("page's thread", busyAfter - busyBefore);
  } finally {
    await browser.close();
  }
}

const server = await startServer();
try {
  for (const make of /** @type {Make[]} */ (Object.keys(browsers))) await cost(server, make);
} finally {
  await server.stop();
}
