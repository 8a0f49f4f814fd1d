import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwn } from '../static/js/keys.js';
import { Resting } from '../static/js/rest.js';
import { DEFAULTS, load, mostThreads, save, settingsFrom } from '../static/js/settings.js';
import { path } from '../static/js/spark.js';

/** Storage that remembers. */
function storage() {
  /** @type {Map<string, string>} */
  const kept = new Map();
  return () => ({
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value),
  });
}

test('choices are kept', () => {
  const place = storage();
  assert.deepEqual(load(place), DEFAULTS);
  const chosen = { threads: 3, duty: 50, hidden: true, rests: false };
  save(place, chosen);
  assert.deepEqual(load(place), chosen);
});

test('what is no choice is the default', () => {
  for (const given of [null, 7, 'x', [], { threads: 9 }, { threads: -1 }, { threads: 1.5 }, { threads: '2' }, { duty: 33 }, { hidden: 1 }, { rests: 'no' }]) {
    assert.deepEqual(settingsFrom(given), DEFAULTS, JSON.stringify(given));
  }
  assert.deepEqual(load(() => ({ getItem: () => '{"threads":' })), DEFAULTS);
});

test('where storage is forbidden, choices hold for the visit', () => {
  const forbidden = () => {
    throw new DOMException('no', 'SecurityError');
  };
  assert.deepEqual(load(forbidden), DEFAULTS);
  save(forbidden, DEFAULTS);
});

test('one core is left to the page', () => {
  assert.deepEqual([undefined, 1, 2, 4, 64].map(mostThreads), [1, 1, 1, 3, 8]);
});

const fine = { hidden: false, battery: { charging: true, level: 1 }, saving: false, pressed: false };

test('a tab rests while it is paused or hidden, and says why', () => {
  const resting = new Resting();
  assert.equal(resting.why(DEFAULTS, fine, 0), null);
  assert.equal(resting.why(DEFAULTS, { ...fine, hidden: true }, 0), 'hidden');
  assert.equal(resting.why({ ...DEFAULTS, hidden: true }, { ...fine, hidden: true }, 0), null);
  resting.paused = true;
  assert.equal(resting.why({ ...DEFAULTS, rests: false }, fine, 0), 'paused');
});

test('it rests on a low battery and to save data, but where the visitor does not want that', () => {
  const resting = new Resting();
  const low = { ...fine, battery: { charging: false, level: 0.2 } };
  assert.equal(resting.why(DEFAULTS, low, 0), 'battery');
  assert.equal(resting.why(DEFAULTS, { ...fine, battery: { charging: true, level: 0.1 } }, 0), null);
  assert.equal(resting.why(DEFAULTS, { ...fine, battery: { charging: false, level: 0.21 } }, 0), null);
  assert.equal(resting.why(DEFAULTS, { ...fine, saving: true }, 0), 'saving');
  assert.equal(resting.why({ ...DEFAULTS, rests: false }, { ...low, saving: true, pressed: true }, 0), null);
});

test('after pressure it rests for a while', () => {
  const resting = new Resting();
  assert.equal(resting.why(DEFAULTS, { ...fine, pressed: true }, 1_000), 'hot');
  assert.equal(resting.why(DEFAULTS, fine, 30_999), 'hot');
  assert.equal(resting.why(DEFAULTS, fine, 31_000), null);
});

test('a key that an element needs is left to it', () => {
  const at = (/** @type {string} */ tagName) => ({ tagName });
  assert.equal(isOwn(' ', at('BUTTON')), true);
  assert.equal(isOwn(' ', at('BODY')), false);
  assert.equal(isOwn('r', at('BUTTON')), false);
  assert.equal(isOwn('r', at('TEXTAREA')), true);
  assert.equal(isOwn('r', null), false);
});

test('a small picture ends at the right edge, and spans its box from 0 up', () => {
  assert.equal(path([]), '');
  assert.equal(path([0, 0]), 'M59.0 8.0L60.0 8.0');
  assert.equal(path([0, 5, 10]), 'M58.0 15.0L59.0 8.0L60.0 1.0');
  const full = path(Array.from({ length: 60 }, (_, i) => i % 2));
  assert.ok(full.startsWith('M0.0 15.0L1.0 1.0'), full);
  assert.equal(path([-2, 2]), 'M59.0 15.0L60.0 1.0');
});
