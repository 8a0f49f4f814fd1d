/**
 * npm run cost: what a laptop's page that only watches costs, in processor time of Chromium's processes and of the page's
 * own thread. Linux only, and without a graphics card, so what it takes to put the page together counts in full.
 */

import { readFileSync, readdirSync } from 'node:fs';
import { sleep } from './bounds.js';
import { launch } from './browser.js';
import { startServer } from './server.js';
import { openTab, playing } from './tab.js';

const [SETTLE, WATCH] = [3_000, 20_000]; // milliseconds
const TICK = 10; // milliseconds, of the times in /proc: sysconf(_SC_CLK_TCK) is 100

/** Processor time so far of a process and all that it started, by what they are, in milliseconds. @param {number} root */
function spent(root) {
  /** @type {Map<number, { parent: number, time: number, kind: string }>} */
  const all = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const kind = /--type=([a-z-]+)/.exec(readFileSync(`/proc/${name}/cmdline`, 'utf8'))?.[1] ?? 'browser';
      all.set(Number(name), { parent: Number(fields[1]), time: (Number(fields[11]) + Number(fields[12])) * TICK, kind });
    } catch {
      // it has ended
    }
  }
  /** @type {Record<string, number>} */
  const sum = {};
  for (const [id, { kind, time }] of all) {
    let above = id;
    while (above !== root && all.has(above)) above = /** @type {any} */ (all.get(above)).parent;
    if (above === root) sum[kind] = (sum[kind] ?? 0) + time;
  }
  return sum;
}

const server = await startServer();
const browser = await launch('chrome');
try {
  const tab = await openTab(browser, `${server.url}?threads=0`);
  await tab.page.setViewport({ width: 1366, height: 768 });
  await playing(tab);
  await sleep(SETTLE);
  const id = /** @type {number} */ (browser.process()?.pid);
  const [before, page] = [spent(id), await tab.page.metrics()];
  await sleep(WATCH);
  const [after, later] = [spent(id), await tab.page.metrics()];
  console.log(`a watching page, ${WATCH / 1000} s, ${await tab.page.evaluate(() => /** @type {any} */ (window).donut.fps)} frames a second`);
  for (const kind of ['renderer', 'gpu-process']) {
    console.log(`  ${kind.padEnd(14)}${((100 * (after[kind] - before[kind])) / WATCH).toFixed(1)} % of a core`);
  }
  const busy = Number(later.TaskDuration) - Number(page.TaskDuration);
  console.log(`  page's thread ${((100 * busy * 1000) / WATCH).toFixed(1)} %`);
} finally {
  await browser.close();
  await server.stop();
}
