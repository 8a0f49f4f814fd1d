/** Firefox plays along with Chromium. It takes only its newest page for visible, so there is one. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { bounds, sleep } from './bounds.js';
import { launch, openTab, playing, unavailable } from './browser.js';
import { evenness, percentile, record, recorded, spread } from './recorder.js';
import { command, startServer } from './server.js';

const SETTLE = 5_000; // milliseconds
const WATCH = 10_000;

test('Firefox and Chromium show the same frames at the same moment', { skip: unavailable('firefox') }, async (t) => {
  const server = await startServer();
  const browsers = await Promise.all([launch('firefox'), launch('chrome')]);
  try {
    const tabs = await Promise.all(browsers.map((browser) => openTab(browser, server.url)));
    await Promise.all(tabs.map((tab) => playing(tab)));
    await sleep(SETTLE);
    await Promise.all(tabs.map(({ page }) => record(page)));
    await sleep(WATCH);
    const paintings = await Promise.all(tabs.map(({ page }) => recorded(page)));

    const { perSecond, longestGap, backward } = evenness(paintings[0]);
    const apart = spread(paintings);
    const [p50, p99] = [0.5, 0.99].map((share) => percentile(apart, share));
    t.diagnostic(`Firefox: ${perSecond.toFixed(2)} frames/s, longest gap ${longestGap.toFixed(1)} ms`);
    t.diagnostic(`apart from Chromium: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
    assert.ok(perSecond >= bounds.slowest && perSecond <= bounds.fastest, `${perSecond} frames a second`);
    assert.ok(longestGap <= bounds.longestGap, `stood still for ${longestGap} ms`);
    assert.equal(backward, 0);
    assert.ok(p50 <= bounds.browsersApart.half, `p50: ${p50} ms`);
    assert.ok(p99 <= bounds.browsersApart.all, `p99: ${p99} ms`);

    const { frame, text } = paintings[0][60];
    const want = execFileSync(command('framecheck'), ['-first', String(frame), '-count', '1', '-print'], { encoding: 'utf8' });
    assert.equal(text, want);
    const { workers, forged_frames: forged } = await server.stats();
    assert.deepEqual([workers, forged], [2, 0]);
    for (const { complaints } of tabs) assert.deepEqual(complaints, []);
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
    await server.stop();
  }
});
