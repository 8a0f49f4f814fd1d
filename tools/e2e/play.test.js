/** Three tabs of one fleet: they play at the frames' pace, together, what the module draws, and they draw it themselves. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { bounds, sleep } from './bounds.js';
import { launch, openTab, playing } from './browser.js';
import { evenness, percentile, record, recorded, spread } from './recorder.js';
import { command, startServer } from './server.js';

const TABS = 3;
const SETTLE = 5_000; // milliseconds until joining is over
const WATCH = 20_000;

/** @type {import('./server.js').Server} */
let server;
/** @type {import('puppeteer-core').Browser} */
let browser;
/** @type {import('./browser.js').Tab[]} */
let tabs;
/** @type {import('./recorder.js').Painting[][]} */
let paintings;
/** @type {any[]} */
let stats;

before(async () => {
  server = await startServer();
  browser = await launch();
  tabs = await Promise.all(Array.from({ length: TABS }, () => openTab(browser, server.url)));
  await Promise.all(tabs.map((tab) => playing(tab)));
  await sleep(SETTLE);
  const first = await server.stats();
  await Promise.all(tabs.map(({ page }) => record(page)));
  await sleep(WATCH);
  paintings = await Promise.all(tabs.map(({ page }) => recorded(page)));
  stats = [first, await server.stats()];
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('each tab paints sixty frames a second, without a stutter', (t) => {
  for (const [i, each] of paintings.entries()) {
    const { perSecond, longestGap, skipped, backward } = evenness(each);
    t.diagnostic(`tab ${i}: ${perSecond.toFixed(2)} frames/s, longest gap ${longestGap.toFixed(1)} ms, ${skipped} skipped`);
    assert.ok(perSecond >= bounds.slowest && perSecond <= bounds.fastest, `tab ${i} painted ${perSecond} frames a second`);
    assert.ok(longestGap <= bounds.longestGap, `tab ${i} stood still for ${longestGap} ms`);
    assert.equal(backward, 0, `tab ${i} went back`);
  }
});

test('the tabs show the same frame at the same moment', (t) => {
  const apart = spread(paintings);
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(apart, share));
  t.diagnostic(`${apart.length} frames, apart: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  assert.ok(apart.length > (WATCH / 1000) * bounds.slowest * 0.8, `only ${apart.length} frames were painted by all`);
  assert.ok(p50 <= bounds.apart.half, `p50: ${p50} ms`);
  assert.ok(p99 <= bounds.apart.all, `p99: ${p99} ms`);
});

test('what is shown is what the module draws', () => {
  for (const [i, each] of paintings.entries()) {
    for (const share of [0.1, 0.5, 0.9]) {
      const { frame, text } = each[Math.floor(each.length * share)];
      const want = execFileSync(command('framecheck'), ['-first', String(frame), '-count', '1', '-print'], { encoding: 'utf8' });
      assert.equal(text, want, `tab ${i}, frame ${frame}`);
    }
  }
});

test('the tabs render what they watch, and all of it is audited', (t) => {
  const [first, last] = stats;
  const grown = (/** @type {string} */ name) => last[name] - first[name];
  const share = grown('fleet_frames') / grown('aired_frames');
  t.diagnostic(`${grown('aired_frames')} frames aired, ${(100 * share).toFixed(1)}% from tabs, ${last.bytes_per_frame.toFixed(1)} bytes a frame`);
  assert.equal(last.workers, TABS);
  assert.ok(share > 0.95, `${grown('fleet_frames')} of ${grown('aired_frames')}`);
  assert.equal(last.aired_unaudited_frames, 0);
  assert.equal(last.forged_frames, 0);
  assert.equal(grown('stalled_frames'), 0);
});

test('window.donut says how things stand, and cannot be changed', async () => {
  for (const { page } of tabs) {
    await record(page);
    await sleep(1500);
    const { donut, now, seen } = await page.evaluate(() => {
      const scope = /** @type {any} */ (window);
      const now = performance.timeOrigin + performance.now();
      return { donut: { ...scope.donut }, now, seen: scope.paintings.map((/** @type {any} */ { at }) => at) };
    });
    assert.ok(Number.isInteger(donut.frame));
    const lately = seen.filter((/** @type {number} */ at) => at > now - 1000).length;
    assert.ok(Math.abs(donut.fps - lately) <= 1, `fps ${donut.fps}, where ${lately} frames were painted`);
    assert.ok(Math.abs(donut.offsetMs) < 100, `offset ${donut.offsetMs}`); // one machine, one clock
    assert.ok(donut.rttMs > 0 && donut.rttMs < 1000, `round trip ${donut.rttMs}`);
    assert.equal(donut.threads, 1);
    assert.equal(donut.paused, false);
    const changed = await page.evaluate(() => {
      const scope = /** @type {any} */ (window);
      for (const change of [() => (scope.donut = 1), () => (scope.donut.frame = 1)]) {
        try {
          change();
        } catch {
          // strict code is told; sloppy code is not
        }
      }
      return scope.donut.frame;
    });
    assert.ok(changed > 1);
  }
});

test('the page says the same as the server', async () => {
  const { page } = tabs[0];
  const figure = (/** @type {string} */ name) => page.$eval(`[data-figure="${name}"]`, (place) => place.textContent);
  assert.equal(await page.$eval('#status', (place) => place.textContent), 'live');
  assert.equal(await figure('tabs'), String(TABS));
  assert.equal(await figure('workers'), String(TABS));
  assert.equal(await figure('forged'), '0');
  const { module_sha256: digest } = await server.stats();
  assert.equal(await page.$eval('[data-figure="digest"]', (place) => place.getAttribute('title')), digest);
});

test('pause stops the picture and nothing else', async () => {
  const { page } = tabs[1];
  const donut = () => page.evaluate(() => ({ .../** @type {any} */ (window).donut }));
  await page.click('#pause');
  const { frame } = await donut();
  await sleep(500);
  assert.deepEqual(await donut().then(({ frame, paused }) => [frame, paused]), [frame, true]);
  await page.click('#pause');
  await sleep(500);
  assert.ok((await donut()).frame >= frame + 30);
});

test('nothing moves but the picture', async (t) => {
  const shift = await tabs[2].page.evaluate(() => {
    let sum = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) sum += /** @type {any} */ (entry).value;
    }).observe({ type: 'layout-shift', buffered: true });
    return new Promise((resolve) => setTimeout(() => resolve(sum), 200));
  });
  t.diagnostic(`layout shift ${shift}`);
  assert.ok(Number(shift) < 0.01, `${shift}`);
});

test('no request goes elsewhere, and nothing is wrong in any console', () => {
  for (const { complaints } of tabs) assert.deepEqual(complaints, []);
});
