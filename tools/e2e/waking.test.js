/** A browser is stopped for so long that the server gives its tab up, as by a machine that sleeps, and runs on. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bounds, sleep, until } from './bounds.js';
import { launch } from './browser.js';
import { inEach } from './scene.js';
import { startServer } from './server.js';
import { donut, openTab, playing } from './tab.js';

/** Runs in the page: notes when the live frame is on screen again after nothing was painted for seconds. */
function noteWaking() {
  const scope = /** @type {any} */ (window);
  const epoch = Date.parse('2026-01-01T00:00:00Z');
  const behind = () => ((Date.now() + scope.donut.offsetMs - epoch) * 60) / 1000 - scope.donut.frame;
  let last = Date.now();
  let stopped = false;
  const look = () => {
    stopped ||= Date.now() - last > 5_000;
    last = Date.now();
    if (stopped && behind() < 6) scope.awake = last;
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

const PAST = 4_000; // milliseconds after which nothing that the server sent before is of use any more

inEach(startServer, (scene) => {
  /** Stops the browser until the server gives its tab up, and for so long after that. @param {import('node:test').TestContext} t @param {number} longer  milliseconds @param {number} bound  likewise */
  async function stopped(t, longer, bound) {
    const { pid } = /** @type {import('node:child_process').ChildProcess} */ (scene.browser.process());
    /** To the browser and all that it started. @param {NodeJS.Signals} signal */
    const send = (signal) => process.kill(-(/** @type {number} */ (pid)), signal);
    t.after(() => send('SIGCONT'));
    const other = await launch(scene.make); // so that there is a stream meanwhile
    t.after(() => other.close());
    await playing(await openTab(other, scene.server.url));
    const tab = await scene.watch(t);
    await until(scene.server.stats, ({ viewers }) => viewers === 2);
    await tab.page.evaluate(noteWaking);
    send('SIGSTOP');
    await until(scene.server.stats, ({ viewers }) => viewers === 1, 20_000); // it says nothing, so it is dropped
    await sleep(longer);

    const woken = Date.now();
    send('SIGCONT');
    const noted = await tab.page.waitForFunction(() => /** @type {any} */ (window).awake);
    const took = (await noted.jsonValue()) - woken;
    t.diagnostic(`the live frame is on screen after ${took} ms`);
    assert.ok(took <= bound, `${took} ms`);
    await until(scene.server.stats, ({ viewers, workers }) => viewers === 2 && workers === 2);
    const { fps } = await until(() => donut(tab), ({ fps }) => fps > bounds.slowest / 2);
    assert.ok(fps <= bounds.fastest, `${fps} frames a second`);
  }

  test('a browser that was stopped shows the live frame at once when it runs on', (t) => stopped(t, 0, bounds.seenAgain));

  test('and where it was for longer, once its tab is connected', (t) => stopped(t, PAST, bounds.connectAgain[scene.make]));
});
