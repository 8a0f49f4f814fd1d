/** Chromium and Firefox show the same frame at the same moment, as far as their refreshes let them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bounds } from './bounds.js';
import { unavailable } from './browser.js';
import { WATCH, launchAll, makes, percentiles } from './launches.js';
import { startServer } from './server.js';

const skip = makes.map(unavailable).find(Boolean) ?? false;

test('two browsers show the same frame at the same moment, over several launches', { skip }, async (t) => {
  const { half, all, ...plan } = bounds.browsersApart;
  const server = await startServer();
  t.after(() => server.stop());
  const apart = await launchAll(server, plan, ({ apart, phases }, i) => {
    const [p50, , p99] = percentiles(apart).map((each) => each.toFixed(1));
    const moved = phases.map(({ drift }) => drift.toFixed(1)).join(' and ');
    const counted = `launch ${i + 1}: ${apart.length} frames`;
    t.diagnostic(`${counted}, p50 ${p50} ms, p99 ${p99} ms; refreshes moved by ${moved} ms`);
    const least = (WATCH / 1_000) * bounds.slowest * 0.8;
    assert.ok(apart.length > least, `only ${apart.length} frames were painted by both`);
  });
  const [p50, , p99] = percentiles(apart.flatMap((launch) => launch.apart));
  t.diagnostic(`all launches: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  assert.ok(p50 <= half, `p50: ${p50} ms`);
  assert.ok(p99 <= all, `p99: ${p99} ms`);
});
