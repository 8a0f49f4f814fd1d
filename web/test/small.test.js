import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../static/js/backoff.js';
import { threadsAsked } from '../static/js/page-url.js';
import { Rate } from '../static/js/rate.js';
import { nextSlice } from '../static/js/slices.js';
import { goesAbove } from '../static/js/tips.js';

test('waits are drawn from a share of the time since the first, between two bounds', () => {
  const backoff = new Backoff();
  const start = 1_000_000;
  const bounds = [0, 100, 16_000, 24_000, 80_000, 120_000, 86_400_000].map((after) => backoff.next(start + after, 1));
  assert.deepEqual(bounds, [2000, 2000, 2000, 3000, 10_000, 15_000, 15_000]);
  assert.equal(backoff.next(start + 24_000, 0), 0);
  assert.equal(backoff.next(start + 24_000, 0.5), 1500);
  backoff.reset();
  assert.equal(backoff.next(start + 90_000_000, 0.5), 1000);
});

test('a server that was away is back for everybody after an eighth more', () => {
  for (const random of [1, 0.5, 0.01]) {
    const backoff = new Backoff();
    let at = 0;
    for (let tries = 0; at < 600_000; tries++) {
      const wait = backoff.next(at, random);
      assert.ok(wait <= Math.max(2000, at / 8), `waits ${wait} ms after ${at} ms and ${tries} tries`);
      at += wait;
    }
  }
});

test('the rate counts the last second', () => {
  const rate = new Rate();
  for (let i = 0; i < 120; i++) rate.count(i * (1000 / 60));
  assert.equal(rate.perSecond(119 * (1000 / 60)), 60);
  assert.equal(rate.perSecond(2500), 29);
  assert.equal(rate.perSecond(9999), 0);
});

test('slices grow to what fits into six milliseconds, and shrink at once', () => {
  assert.equal(nextSlice(1, 0.2), 2);
  assert.equal(nextSlice(16, 3.2), 30);
  assert.equal(nextSlice(30, 60), 3);
  assert.equal(nextSlice(1, 40), 1);
  assert.equal(nextSlice(4, 0), 8); // a coarse clock
  assert.equal(nextSlice(100, 0), 120);
});

test('threads come from the address', () => {
  for (const [search, threads] of /** @type {[string, number | null][]} */ ([
    ['', null], ['?threads=0', 0], ['?threads=4', 4], ['?a=b&threads=12', 8], ['?threads=', null], ['?threads=-1', null],
    ['?threads=1e3', null], ['?threads=two', null], ['?threads=99999', null],
  ])) {
    assert.equal(threadsAsked(search), threads, search);
  }
});

test('an explanation goes below its row, and above it where only there is room', () => {
  assert.equal(goesAbove({ top: 100, bottom: 120 }, 80, 200), false);
  assert.equal(goesAbove({ top: 100, bottom: 121 }, 80, 200), true);
  assert.equal(goesAbove({ top: 79, bottom: 150 }, 80, 200), false); // nowhere, and a page scrolls down
});
