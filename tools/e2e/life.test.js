/** Tabs come and go, and so does the server. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bounds, sleep, until } from './bounds.js';
import { launch, openTab, playing } from './browser.js';
import { firstPictures } from './first-picture.js';
import { percentile } from './recorder.js';
import { startServer } from './server.js';

/** @type {import('./server.js').Server} */
let server;
/** @type {import('puppeteer-core').Browser} */
let browser;

before(async () => {
  server = await startServer();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/**
 * A tab that is closed when its test ends, whichever way.
 * @param {import('node:test').TestContext} t @param {string} url @param {{ before?: () => void }} [options]
 */
async function visit(t, url, options) {
  const tab = await openTab(browser, url, options);
  t.after(() => tab.close());
  return tab;
}

const frameOf = (/** @type {import('./browser.js').Tab} */ { page }) =>
  page.evaluate(() => /** @type {any} */ (window).donut.frame);

/** Runs in the page: when the first frame was painted, in milliseconds since the page was asked for. */
function noteFirstFrame() {
  const scope = /** @type {any} */ (window);
  const look = () => {
    if (typeof scope.donut?.frame === 'number') scope.firstFrame = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

test('with nobody there nothing is done, and the first to return is served at once', async (t) => {
  const tabs = await Promise.all([visit(t, server.url), visit(t, server.url)]);
  await Promise.all(tabs.map((tab) => playing(tab)));
  await sleep(3000);
  await Promise.all(tabs.map((tab) => tab.close()));
  await sleep(1500);
  const before = await server.stats();
  assert.equal(before.workers, 0);
  assert.equal(before.viewers, 0);
  await sleep(2500);
  const later = await server.stats();
  for (const name of ['aired_frames', 'stalled_frames', 'audited_frames', 'fleet_frames', 'server_frames']) {
    assert.equal(later[name], before[name], name);
  }

  const tab = await visit(t, server.url, { before: noteFirstFrame });
  await playing(tab);
  const noted = await tab.page.waitForFunction(() => /** @type {any} */ (window).firstFrame);
  const took = Number(await noted.jsonValue());
  t.diagnostic(`first frame ${took.toFixed(0)} ms after the page was asked for`);
  assert.ok(took <= bounds.comeBack, `${took} ms`);
  await tab.close();
});

test('who joins others sees the picture at once', async (t) => {
  const took = await firstPictures(server.url, 5);
  const median = percentile(took, 0.5);
  t.diagnostic(`first frames ${took.map((each) => each.toFixed(0)).join(', ')} ms after the page was asked for`);
  assert.ok(median <= bounds.join, `${median} ms`);
});

test('a tab that only watches renders nothing, and sees everything', async (t) => {
  const worker = await visit(t, server.url);
  const viewer = await visit(t, `${server.url}?threads=0`);
  await playing(viewer);
  await sleep(4000);
  await until(server.stats, ({ viewers, workers }) => viewers === 2 && workers === 1);
  assert.equal(await viewer.page.evaluate(() => /** @type {any} */ (window).donut.threads), 0);
  assert.equal(await viewer.page.$eval('[data-figure="rendered"]', (place) => place.textContent), '0');
  assert.ok((await viewer.page.evaluate(() => /** @type {any} */ (window).donut.fps)) >= bounds.slowest - 5);
  await Promise.all([worker.close(), viewer.close()]);
});

test('a hidden tab that may renders on, and shows the right frame when it is seen again', async (t) => {
  const tab = await visit(t, server.url);
  await playing(tab);
  await tab.page.click('#unseen');
  await tab.hide();
  assert.equal(await tab.page.evaluate(() => document.hidden), true);
  await sleep(4000); // until the lead is rendered and what is left is routine
  const hidden = await frameOf(tab);
  const before = await server.stats();
  await sleep(5000);
  const later = await server.stats();
  const share = (later.fleet_frames - before.fleet_frames) / (later.aired_frames - before.aired_frames);
  t.diagnostic(`${(100 * share).toFixed(1)}% of the frames came from the hidden tab`);
  assert.ok(share > 0.95, `${share}`);
  assert.equal(later.stalled_frames, before.stalled_frames);

  await tab.page.bringToFront();
  await sleep(300);
  const { frame, offsetMs } = await tab.page.evaluate(() => ({ .../** @type {any} */ (window).donut }));
  assert.ok(frame > hidden + 240);
  const moment = Date.now() + offsetMs - Date.parse('2026-01-01T00:00:00Z');
  assert.ok(Math.abs((moment * 60) / 1000 - frame) < 30, 'not the frame of the moment');
  await tab.close();
});

test('a tab that is frozen gives back its leases at once, and plays on when it is thawed', async (t) => {
  const tab = await visit(t, server.url);
  await playing(tab);
  await tab.page.click('#unseen'); // thawed in this way it counts as hidden
  const lifecycle = await tab.page.createCDPSession();
  await lifecycle.send('Page.setWebLifecycleState', { state: 'frozen' });
  await until(server.stats, ({ viewers }) => viewers === 0, 4000); // less than half of what it takes to find out who is silent
  await sleep(1000);
  await lifecycle.send('Page.setWebLifecycleState', { state: 'active' });
  await until(server.stats, ({ viewers, workers }) => viewers === 1 && workers === 1, 4000);
  await playing(tab);
  assert.deepEqual(tab.complaints, []);
});

test('a tab that is left and come back to plays on', async (t) => {
  const tab = await visit(t, server.url);
  await playing(tab);
  await tab.page.goto('about:blank');
  await until(server.stats, ({ viewers }) => viewers === 0, 4000);
  await tab.page.goBack();
  await until(server.stats, ({ viewers, workers }) => viewers === 1 && workers === 1);
  await playing(tab);
});

test('a tab that comes while the last one leaves is served like any other', async (t) => {
  for (let i = 0; i < 3; i++) {
    const first = await visit(t, server.url);
    await playing(first);
    await sleep(2500); // so that frames are aired that are still to be shown
    await first.close();
    const second = await visit(t, server.url);
    await playing(second);
    await sleep(1500);
    assert.deepEqual(second.complaints, []);
    await second.close();
  }
});

test('a tab takes as many threads as its address asks for', async (t) => {
  const tab = await visit(t, `${server.url}?threads=3`);
  await playing(tab);
  await tab.page.waitForFunction(() => /** @type {any} */ (window).donut.threads === 3, { timeout: 3000 });
  await until(server.stats, ({ threads }) => threads === 3); // the server's statistics are a little old
  await tab.close();
});

test('a server that goes away is announced, and taken up again when it is back', async (t) => {
  const tab = await visit(t, server.url);
  await playing(tab);
  await sleep(1000);
  const { addr } = server;
  await server.stop();
  await tab.page.waitForFunction(() => document.getElementById('status')?.textContent === 'reconnecting', { timeout: 3000 });
  assert.match(await tab.page.$eval('#detail', (place) => place.textContent ?? ''), /next try/i);
  const shown = await frameOf(tab);
  await sleep(1000);

  server = await startServer({ addr });
  const start = performance.now();
  await tab.page.waitForFunction(() => document.getElementById('status')?.textContent === 'live', { timeout: bounds.rejoin });
  const back = performance.now() - start;
  await sleep(2000);
  assert.ok((await frameOf(tab)) > shown + 60);
  assert.ok((await tab.page.evaluate(() => /** @type {any} */ (window).donut.fps)) >= bounds.slowest - 5);
  t.diagnostic(`live again ${back.toFixed(0)} ms after the server listened`);
  await tab.close();
});
