import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../static/js/backoff.js';
import { threadsAsked } from '../static/js/page-url.js';
import { Rate } from '../static/js/rate.js';
import { nextSlice } from '../static/js/slices.js';

test('backoff doubles its bound up to the cap, and is spread over all of it', () => {
  const backoff = new Backoff();
  const bounds = Array.from({ length: 8 }, () => backoff.next(1));
  assert.deepEqual(bounds, [2000, 2000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  assert.equal(backoff.next(0), 0);
  backoff.reset();
  assert.equal(backoff.next(0.5), 1000);
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
