/** A visit asks its own server alone, and does nothing that the policy forbids: in the page and in its workers. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from './bounds.js';
import { inEach } from './scene.js';
import { startServer } from './server.js';
import { donut } from './tab.js';
import { first, startTampering } from './tampering.js';

/** Runs in a worker or a page: asks others for something. @param {string[]} urls */
const ask = (...urls) => urls.forEach((url) => void fetch(url).catch(() => {}));
/** For each kind of worker, that it has done what it is for. @type {(donut: any) => boolean} */
const allBusy = ({ frame, threads, verified }) => frame !== null && threads > 0 && verified.checked > 1;

inEach(startServer, (scene) => {
  test('a visit violates no policy, and asks nobody else', async (t) => {
    const proxy = await startTampering(scene.server);
    const tab = await scene.visit(t, { url: proxy.url });
    t.after(() => proxy.stop());
    await until(() => donut(tab), allBusy, 20_000);
    assert.deepEqual(proxy.violations, []);
    assert.deepEqual(tab.complaints, []);
  });

  for (const script of ['/js/main.js', '/js/stream.worker.js', '/js/render.worker.js']) {
    test(`what ${script} asks somebody else for would be noticed, and what it must not ask for reported`, async (t) => {
      const somebody = scene.server.url;
      const lax = (/** @type {string} */ policy) => policy.replace('connect-src', `connect-src ${somebody}`);
      const changes = { [script]: first(ask, `${somebody}healthz`, 'http://donut.invalid/') };
      const proxy = await startTampering(scene.server, changes, lax);
      const tab = await scene.visit(t, { url: proxy.url });
      t.after(() => proxy.stop());
      await until(async () => proxy.violations, (all) => /^connect-src http:\/\/donut\.invalid/.test(all[0]));
      await until(async () => tab.complaints, (all) => all.includes(`foreign: ${somebody}healthz`));
    });
  }
}, { together: true });
