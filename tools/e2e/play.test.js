/** Tabs of one fleet play at the frames' pace, together, what the module draws, and they draw it themselves. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { bounds, sleep, until } from './bounds.js';
import { browsers, launch, unavailable } from './browser.js';
import { evenness, percentile, record, recorded, spread } from './recorder.js';
import { command, startServer } from './server.js';
import { donut, figure, openTab, playing, text } from './tab.js';

/** @typedef {import('./browser.js').Make} Make */

const SETTLE = 5_000; // milliseconds until joining is over

/** A frame as the module draws it natively. @param {number} frame */
const drawn = (frame) =>
  execFileSync(command('framecheck'), ['-first', String(frame), '-count', '1', '-print'], { encoding: 'utf8' });

/**
 * Who plays, how far apart they may be, and for how many milliseconds they are watched.
 * @typedef {[Make[], typeof bounds.apart, number]} Fleet
 */
/** @type {Fleet[]} */
const fleets = [
  [['chrome', 'chrome', 'chrome'], bounds.apart, 10_000],
  [['firefox', 'firefox', 'chrome'], bounds.launchApart, 10_000],
];

for (const [makes, apart, watch] of fleets) {
  const names = makes.map((make) => browsers[make].name);
  describe(`a fleet of ${names.join(', ')}`, { skip: makes.map(unavailable).find(Boolean) ?? false }, () => {
    /** @type {import('./server.js').Server} */
    let server;
    /** @type {Map<Make, import('puppeteer-core').Browser>} */
    const running = new Map();
    /** @type {import('./tab.js').Tab[]} */
    let tabs;
    /** @type {import('./recorder.js').Painting[][]} */
    let paintings;
    /** @type {any[]} */
    let stats;

    before(async () => {
      server = await startServer();
      for (const make of new Set(makes)) running.set(make, await launch(make));
      tabs = await Promise.all(makes.map((make) => openTab(/** @type {any} */ (running.get(make)), server.url)));
      await Promise.all(tabs.map((tab) => playing(tab)));
      await sleep(SETTLE);
      const first = await server.stats();
      await Promise.all(tabs.map(({ page }) => record(page)));
      await sleep(watch);
      paintings = await Promise.all(tabs.map(({ page }) => recorded(page)));
      stats = [first, await server.stats()];
    });

    after(async () => {
      await Promise.all([...running.values()].map((browser) => browser.close()));
      await server?.stop();
    });

    test('each tab paints sixty frames a second, without a stutter', (t) => {
      for (const [i, each] of paintings.entries()) {
        const { perSecond, longestGap, longestWait, skipped, backward } = evenness(each);
        const tab = `tab ${i} (${names[i]})`;
        const gap = `longest gap ${longestGap.toFixed(1)} ms and ${longestWait} refreshes`;
        t.diagnostic(`${tab}: ${perSecond.toFixed(2)} frames/s, ${gap}, ${skipped} skipped`);
        assert.ok(perSecond >= bounds.slowest && perSecond <= bounds.fastest, `${tab}: ${perSecond} frames a second`);
        assert.ok(longestGap <= bounds.longestGap, `${tab} stood still for ${longestGap} ms`);
        assert.ok(longestWait <= bounds.longestWait, `${tab} had nothing to paint for ${longestWait} refreshes`);
        assert.equal(backward, 0, `${tab} went back`);
      }
    });

    test('the tabs show the same frame at the same moment', (t) => {
      const spreads = spread(paintings);
      const [p50, p99] = [0.5, 0.99].map((share) => percentile(spreads, share));
      t.diagnostic(`${spreads.length} frames, apart: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
      const least = (watch / 1000) * bounds.slowest * 0.8;
      assert.ok(spreads.length > least, `only ${spreads.length} frames were painted by all`);
      assert.ok(p50 <= apart.half, `p50: ${p50} ms`);
      assert.ok(p99 <= apart.all, `p99: ${p99} ms`);
    });

    test('what is shown is what the module draws', () => {
      for (const [i, each] of paintings.entries()) {
        for (const share of [0.1, 0.5, 0.9]) {
          const { frame, text } = each[Math.floor(each.length * share)];
          assert.equal(text, drawn(frame), `tab ${i}, frame ${frame}`);
        }
      }
    });

    test('the tabs render what they watch, and all of it is audited', (t) => {
      const [first, last] = stats;
      const grown = (/** @type {string} */ name) => last[name] - first[name];
      const [aired, own] = [grown('aired_frames'), grown('fleet_frames')];
      t.diagnostic(`${aired} frames aired, ${own} from tabs, ${last.bytes_per_frame.toFixed(1)} bytes a frame`);
      assert.equal(last.workers, tabs.length);
      assert.ok(own > 0.95 * aired, `${own} of ${aired}`);
      assert.equal(last.aired_unaudited_frames, 0);
      assert.equal(last.forged_frames, 0);
      assert.equal(grown('stalled_frames'), 0);
    });

    test('window.donut says how things stand, and cannot be changed', async () => {
      await Promise.all(tabs.map(({ page }) => record(page)));
      await sleep(1500);
      for (const { page } of tabs) {
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
      const { module_sha256: digest } = await server.stats();
      for (const tab of tabs) {
        assert.equal(await text(tab, '#status'), 'live');
        assert.equal(await figure(tab, 'tabs'), String(tabs.length));
        assert.equal(await figure(tab, 'workers'), String(tabs.length));
        assert.equal(await figure(tab, 'forged'), '0');
        assert.equal(await tab.page.$eval('[data-figure="digest"]', (place) => place.getAttribute('title')), digest);
      }
    });

    test('pause stops the picture and nothing else', async () => {
      const [tab] = tabs;
      await tab.page.click('#pause');
      const { frame } = await until(() => donut(tab), ({ paused }) => paused);
      await sleep(500);
      assert.equal((await donut(tab)).frame, frame);
      await tab.page.click('#pause');
      await until(() => donut(tab), ({ frame: now }) => now >= frame + 60);
    });

    test('nothing moves but the picture, as far as Chromium tells', async (t) => {
      const shift = await tabs[makes.indexOf('chrome')].page.evaluate(() => {
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
  });
}
