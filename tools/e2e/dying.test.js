/**
 * Tabs die, freeze and sleep, as tabs do. Who stays sees nothing of it. In Chromium alone, since no other browser can be
 * told to freeze a tab.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from './bounds.js';
import { launch } from './browser.js';
import { carried, smooth, workers } from './fleet.js';
import { record } from './recorder.js';
import { startServer } from './server.js';
import { donut, openTab, playing } from './tab.js';

/** @type {import('./server.js').Server} */
let server;
/** Each has a process group of its own. @type {import('puppeteer-core').Browser[]} */
let browsers = [];
/** One in each browser; the last one stays. @type {import('./tab.js').Tab[]} */
let tabs;
/** @type {import('./tab.js').Tab} */
let survivor;

before(async () => {
  server = await startServer();
  browsers = await Promise.all([launch('chrome'), launch('chrome'), launch('chrome')]);
  tabs = await Promise.all(browsers.map((browser) => openTab(browser, server.url)));
  await Promise.all(tabs.map((tab) => playing(tab)));
  survivor = tabs[2];
  await workers(server, 3, 10_000);
  await until(server.stats, (stats) => stats.lead_seconds > 5, 10_000);
  await record(survivor.page);
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

test('a browser is frozen and a tab sleeps behind another: nobody is stopped, and both work again', async (t) => {
  const { page, hide } = tabs[1];
  const session = await page.createCDPSession();
  await hide();
  signal(0, 'SIGSTOP');
  await session.send('Page.setWebLifecycleState', { state: 'frozen' }); // its workers too
  await carried(t, server, 'frozen', 8_000, 0.2);
  await workers(server, 1, 20_000); // they say nothing, so they are dropped
  await carried(t, server, 'without them', 2_000, 0.01);
  signal(0, 'SIGCONT');
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  await page.bringToFront();
  await workers(server, 3, 20_000);
  await carried(t, server, 'awake', 4_000, 0.01);
  const { frame: right } = await donut(survivor);
  for (const tab of tabs.slice(0, 2)) {
    const { frame, failures } = await donut(tab);
    assert.ok(Math.abs(frame - right) < 60, `it shows frame ${frame}, and who stayed shows ${right}`);
    assert.equal(failures, 0, 'a healthy worker was ended');
  }
  await smooth(t, survivor);
});

test('two of three browsers are killed, and the third carries on', async (t) => {
  signal(0, 'SIGKILL');
  signal(1, 'SIGKILL');
  await workers(server, 1, 3_000);
  await carried(t, server, 'killed', 6_000, 0.2);
  await carried(t, server, 'without them', 4_000, 0.01);
  await smooth(t, survivor);
  assert.deepEqual(survivor.complaints, []);
});
