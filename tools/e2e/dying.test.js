/** Tabs die and freeze, as tabs do. Who stays sees nothing of it. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sleep, until } from './bounds.js';
import { launch, openTab, playing } from './browser.js';
import { startServer } from './server.js';

/** @type {import('./server.js').Server} */
let server;
/** Each has a process group of its own. @type {import('puppeteer-core').Browser[]} */
let browsers = [];
/** @type {import('./browser.js').Tab} */
let survivor;

before(async () => {
  server = await startServer();
  browsers = await Promise.all([launch(), launch(), launch()]);
  const tabs = await Promise.all(browsers.map((browser) => openTab(browser, server.url)));
  await Promise.all(tabs.map((tab) => playing(tab)));
  survivor = tabs[2];
});

after(async () => {
  for (const browser of browsers) {
    const { pid } = /** @type {import('node:child_process').ChildProcess} */ (browser.process());
    if (pid && browser.connected) process.kill(-pid, 'SIGCONT');
    await browser.close().catch(() => {}); // it may be dead
  }
  await server?.stop();
});

/** Sends a signal to a browser and all that it started. @param {number} i @param {NodeJS.Signals} signal */
function signal(i, signal) {
  const { pid } = /** @type {import('node:child_process').ChildProcess} */ (browsers[i].process());
  process.kill(-(/** @type {number} */ (pid)), signal);
}

/** Waits until the fleet has so many workers. @param {number} workers @param {number} within  milliseconds */
const workers = (workers, within) => until(server.stats, (stats) => stats.workers === workers, within);

/**
 * Lets the server run for a while and tells what changed.
 * @param {number} milliseconds
 */
async function watch(milliseconds) {
  const before = await server.stats();
  await sleep(milliseconds);
  const later = await server.stats();
  /** @param {string} name */
  const grown = (name) => later[name] - before[name];
  return { aired: grown('aired_frames'), byServer: grown('server_frames'), stalled: grown('stalled_frames') };
}

/** @param {{ aired: number, byServer: number, stalled: number }} watched @param {number} share  of the server at most */
function carried({ aired, byServer, stalled }, share) {
  assert.equal(stalled, 0);
  assert.ok(aired > 0, 'nothing aired');
  assert.ok(byServer <= share * aired, `the server rendered ${byServer} of ${aired} frames`);
}

test('a frozen browser stops nobody, and works again when it thaws', async (t) => {
  await workers(3, 10_000);
  await until(server.stats, (stats) => stats.lead_seconds > 5, 10_000);
  signal(0, 'SIGSTOP');
  const frozen = await watch(12_000);
  t.diagnostic(`frozen: the server rendered ${frozen.byServer} of ${frozen.aired} frames`);
  carried(frozen, 0.05);
  await workers(2, 20_000); // it says nothing, so it is dropped
  signal(0, 'SIGCONT');
  await workers(3, 20_000);
  carried(await watch(4_000), 0.05);
});

test('two of three browsers are killed, and the third carries on', async (t) => {
  await workers(3, 20_000);
  signal(0, 'SIGKILL');
  signal(1, 'SIGKILL');
  await workers(1, 3_000);
  const first = await watch(6_000);
  t.diagnostic(`killed: the server rendered ${first.byServer} of ${first.aired} frames at first`);
  carried(first, 0.2);
  carried(await watch(6_000), 0.01);
});

test('who stayed saw a picture without a stall', async () => {
  assert.deepEqual(survivor.complaints, []);
  const frame = () => survivor.page.evaluate(() => /** @type {any} */ (window).donut.frame);
  const before = await frame();
  await sleep(1000);
  assert.ok((await frame()) - before > 40, 'the picture stands still');
});
