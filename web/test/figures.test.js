import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Growth, alarm, figures, trends } from '../static/js/figures.js';
import { path } from '../static/js/spark.js';

/** @param {Partial<import('../static/js/messages.js').Stats>} change @returns {import('../static/js/messages.js').Stats} */
const stats = (change) => ({
  viewers: 3, workers: 2, threads: 5, leadMillis: 9_850, aired: 0, unaudited: 0, fleet: 0, server: 0, stalled: 0, audited: 0,
  forged: 0, evictions: 0, hedged: 0, wasted: 0, streamSize: 0, foreign: 0, servers: 1, allViewers: 3, allWorkers: 2, allThreads: 5, ...change,
});
const none = { own: 0, all: 0 };
const local = {
  fps: 60, rendered: 1234, recent: { frames: 10, spent: 5 }, credited: 1200, threads: 1, rtt: 0.14, offset: -1.25, late: 2,
  digest: 'fce71b1f86a4d4df0d', handle: 'amber otter', ring: null,
  unfit: { threads: 0, verifier: false }, verified: { checked: 0, equal: 0 },
};

test('before the first broadcast nothing is claimed', () => {
  const shown = figures(new Growth(), { ...local, digest: '', rtt: null, offset: null, recent: { frames: 0, spent: 0 } });
  for (const name of ['tabs', 'rate', 'stalled', 'forged', 'evictions', 'stream', 'pace', 'offset', 'ring-you']) {
    assert.equal(shown[name], '–', name);
  }
  assert.equal(shown.rtt, '–');
  assert.equal(shown.digest, '–');
});

test('shares are of the last minute, not of all time', () => {
  const growth = new Growth();
  growth.add(stats({ aired: 100_000, fleet: 0, server: 100_000, streamSize: 1_000_000, stalled: 500 }), 1, none);
  growth.add(stats({ aired: 100_060, fleet: 57, server: 100_003, streamSize: 1_004_200, audited: 123_456, stalled: 507 }), 1, none);
  const shown = figures(growth, local);
  assert.equal(shown.share, '95 %');
  assert.equal(shown.stream, '70');
  assert.equal(shown.audited, '123.46K');
  assert.equal(shown.stalled, '7');
  assert.equal(shown.lead, '9.8 s');
  assert.equal(shown.own, '1 thread');
  assert.equal(shown.rendered, '1,234');
  assert.equal(shown.credited, '1,200');
  assert.equal(shown.pace, '0.50 ms');
  assert.equal(shown.offset, '-1.3 ms');
  assert.equal(shown.late, '2');
  assert.equal(shown.rate, '60');
});

test('the share of the picture is of the frames that came', () => {
  const growth = new Growth();
  assert.equal(figures(growth, local).part, '–');
  growth.add(stats({}), 1, { own: 0, all: 60 });
  assert.equal(figures(growth, local).part, '0 %');
  growth.add(stats({}), 1, { own: 59, all: 60 });
  assert.equal(figures(growth, local).part, '49 %');
  for (let i = 0; i < 60; i++) growth.add(stats({}), 1, { own: 60, all: 60 });
  assert.equal(figures(growth, local).part, '100 %');
});

test('totals of centuries are no harder to read, and what they grew by is exact', () => {
  const growth = new Growth();
  growth.add(stats({ aired: 2 ** 40, fleet: 2 ** 40, audited: 2 ** 40, stalled: 2 ** 53 - 4, streamSize: 2 ** 48 }), 1, none);
  growth.add(stats({ aired: 2 ** 40 + 60, fleet: 2 ** 40 + 57, server: 3, audited: 2 ** 40, stalled: 2 ** 53 - 1, streamSize: 2 ** 48 + 4200 }), 1, none);
  const shown = figures(growth, local);
  assert.deepEqual([shown.share, shown.stalled, shown.audited, shown.stream], ['95 %', '3', '1.1T', '70']);
});

test('trends are drawn of levels and of what grew', () => {
  const growth = new Growth();
  growth.add(stats({ allViewers: 1, aired: 0 }), 1, none);
  growth.add(stats({ allViewers: 2, aired: 60, fleet: 40, foreign: 20, streamSize: 3_840 }), 1, none);
  growth.add(stats({ allViewers: 2, aired: 90, fleet: 55, foreign: 20, server: 15, streamSize: 5_760 }), 0.5, none);
  const drawn = trends(growth);
  assert.equal(drawn.tabs, path([1, 2, 2]));
  assert.equal(drawn.rate, path([60, 60]));
  assert.equal(drawn.share, path([1, 0.5]));
  assert.equal(drawn.stream, path([64, 64]));
  assert.equal(figures(growth, local).rate, '60');
});

test('another server starts the counting over', () => {
  const growth = new Growth();
  growth.add(stats({ aired: 5000, fleet: 5000 }), 1, none);
  growth.add(stats({ aired: 60, server: 60 }), 1, none);
  growth.add(stats({ aired: 120, server: 120 }), 1, none);
  assert.equal(figures(growth, local).share, '0 %');
});

test('no more than a minute is remembered', () => {
  const growth = new Growth();
  for (let i = 0; i < 200; i++) growth.add(stats({ aired: 60 * i }), 1, none);
  assert.equal(growth.of('aired'), 59 * 60);
});

test('what this tab verified is shown as soon as there is any', () => {
  const shown = (/** @type {object} */ change) => figures(new Growth(), { ...local, ...change }).verified;
  assert.equal(shown({}), '–');
  assert.equal(shown({ verified: { checked: 1234, equal: 1234 } }), '1,234 of 1,234');
  assert.equal(shown({ verified: { checked: 42, equal: 41 } }), '41 of 42');
  assert.match(shown({ verified: { checked: 42, equal: 42 }, unfit: { threads: 0, verifier: true } }), /unfit/);
});

test('threads that are unfit are not passed over', () => {
  const own = (/** @type {number} */ threads, /** @type {number} */ unfit) =>
    figures(new Growth(), { ...local, threads, unfit: { threads: unfit, verifier: false } }).own;
  assert.equal(own(3, 0), '3 threads');
  assert.equal(own(3, 1), '3 threads, 1 unfit');
  assert.equal(own(0, 4), 'watching only, 4 unfit');
});

test('a frame that is not what the module renders is cried out, and stays', () => {
  const differs = { frame: 123456, cells: 1, aired: 'ab', rendered: 'cd' };
  assert.equal(alarm({ checked: 9, equal: 9 }, null), '');
  assert.match(alarm({ checked: 1, equal: 0 }, differs), /^NOT THE DONUT: frame 123456 .* 1 cell differs/);
  assert.match(alarm({ checked: 9, equal: 7 }, { ...differs, cells: 1700 }), /1,700 cells differ.* 2 of 9 frames/);
});
