/** What a browser was told before it came: that its visitor wants little to move, or an address that is not secure. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bounds, sleep, until } from './bounds.js';
import { inEach } from './scene.js';
import { startServer } from './server.js';
import { donut, figure, text } from './tab.js';

const ELSEWHERE = 'donut.test';

inEach(startServer, (scene) => {
  test('who prefers little motion sees a still frame, and may have it play', async (t) => {
    const tab = await scene.watch(t);
    const { frame, paused } = await donut(tab);
    assert.equal(paused, true);
    const turning = () => tab.page.$eval('#hand', (hand) => hand.getAnimations().map(({ playState }) => playState));
    await until(turning, (states) => states.length === 1);
    await sleep(1500);
    assert.equal((await donut(tab)).frame, frame);
    assert.deepEqual(await turning(), ['paused']);
    assert.equal(await text(tab, '#pause'), 'play');
    await tab.page.click('#pause');
    await until(() => donut(tab), ({ frame: now, fps }) => now > Number(frame) + 60 && fps > bounds.slowest / 2);
    assert.deepEqual(await turning(), ['running']);
  });

  test('over plain http from another machine all works that the browser still allows', async (t) => {
    const tab = await scene.watch(t, { url: scene.server.url.replace('127.0.0.1', ELSEWHERE) });
    assert.equal(await tab.page.evaluate(() => isSecureContext), false);
    await tab.page.click('#pause'); // a still page verifies nothing
    await until(() => figure(tab, 'rendered'), (rendered) => Number(rendered) > 0, 10_000);
    await until(() => figure(tab, 'verified'), (verified) => /^(\d+) of \1$/.test(verified), 10_000);
    // That a header means nothing here is no fault of the page's.
    const harmless = /Cross-Origin-Opener-Policy.* header has been ignored/;
    assert.deepEqual(tab.complaints.filter((each) => !harmless.test(each)), []);
  });
}, { together: true, setting: { still: true, host: ELSEWHERE } });
