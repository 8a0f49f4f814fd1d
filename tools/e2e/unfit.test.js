/** A browser that computes wrong is no forger: it watches, and is told so. Nor is one with another module. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from './bounds.js';
import { inEach } from './scene.js';
import { startServer } from './server.js';
import { donut, figure, playing, text } from './tab.js';
import { breakArithmetic, first, otherModule, startTampering } from './tampering.js';

inEach(startServer, (scene) => {
  /** @param {import('node:test').TestContext} t @param {import('./tampering.js').Changes} changes @param {string} [search] */
  async function visit(t, changes, search = '') {
    const tampered = await startTampering(scene.server, changes);
    const tab = await scene.visit(t, { url: tampered.url, search });
    t.after(() => tampered.stop());
    return tab;
  }

  /** Nobody was taken for a forger. */
  async function nobodyBlamed() {
    const { evictions, forged_frames } = await scene.server.stats();
    assert.deepEqual({ evictions, forged_frames }, { evictions: 0, forged_frames: 0 });
  }

  test('a browser that computes wrong is never lent anything, watches, and says why', async (t) => {
    const tab = await visit(t, { '/js/stream.worker.js': first(breakArithmetic) }, '?threads=2');
    await playing(tab);
    await until(() => figure(tab, 'own'), (own) => own === 'watching only, 2 unfit');
    const { threads, unfit, frame } = await donut(tab);
    await until(() => donut(tab), (later) => later.frame > frame + 60);
    assert.deepEqual({ threads, unfit }, { threads: 0, unfit: 2 });
    assert.match(await text(tab, '#detail'), /does not compute what the module should.*only watch/);
    await until(() => figure(tab, 'verified'), (verified) => verified === 'not here: unfit', 15_000);
    assert.deepEqual((await donut(tab)).verified, { checked: 0, equal: 0 });
    assert.equal(await tab.page.$eval('#alarm', (alarm) => alarm.checkVisibility()), false, 'the server is blamed');
    const { fleet_frames, workers } = await scene.server.stats();
    assert.deepEqual({ fleet_frames, workers }, { fleet_frames: 0, workers: 0 });
    await nobodyBlamed();
    assert.ok(tab.complaints.every((each) => /self-test/.test(each)), `${tab.complaints}`);
  });

  test('where one thread of two computes wrong, the other one renders', async (t) => {
    const tab = await visit(t, { '/js/stream.worker.js': first(breakArithmetic, 0) }, '?threads=2');
    await playing(tab);
    await until(() => figure(tab, 'own'), (own) => own === '1 thread, 1 unfit', 10_000);
    const { threads, unfit, failures } = await donut(tab);
    assert.deepEqual({ threads, unfit, failures }, { threads: 1, unfit: 1, failures: 0 });
    const before = await scene.server.stats();
    await until(scene.server.stats, ({ fleet_frames }) => fleet_frames > before.fleet_frames + 120, 10_000);
    assert.equal((await scene.server.stats()).threads, 1);
    await nobodyBlamed();
  });

  test('a page with another module is asked to reload, and its address may render with the right one', async (t) => {
    const outdated = await visit(t, { '/donut.wasm': otherModule });
    // It reloads by itself once, in the middle of any question, and then asks.
    const asks = () =>
      outdated.page.$eval('#reload', (button) => {
        const [{ type }] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType('navigation'));
        return type === 'reload' && button.checkVisibility();
      });
    await until(() => asks().catch(() => false), (visible) => visible, 15_000);
    await until(() => text(outdated, '#status').catch(() => ''), (status) => status === 'outdated');
    const tab = await scene.visit(t);
    await tab.page.waitForFunction(() => /** @type {any} */ (window).donut.threads === 1, { timeout: 10_000 });
    await nobodyBlamed();
  });
}, { together: true });
