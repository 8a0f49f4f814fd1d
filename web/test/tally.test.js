import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tally } from '../static/js/tally.js';

/** @param {import('../static/js/messages.js').ToPage[]} messages */
function heard(...messages) {
  const tally = new Tally();
  for (const message of messages) tally.hear(message);
  return tally;
}

/** @type {any} */
const welcome = { type: 'welcome' };
const mismatch = { frame: 9, cells: 2, aired: 'a', rendered: 'b' };

test('frames that were rendered add up, and the last ones say most of the pace', () => {
  const tally = heard({ type: 'rendered', frames: 100, spent: 100 }, { type: 'rendered', frames: 100, spent: 50 });
  assert.equal(tally.rendered, 200);
  assert.deepEqual(tally.recent, { frames: 180, spent: 130 });
});

test('what the server credits is of one connection', () => {
  const tally = heard({ type: 'credited', frames: 40 }, { type: 'credited', frames: 44 });
  assert.equal(tally.credited, 44);
  tally.hear(welcome);
  assert.equal(tally.credited, 0);
});

test('failures add up, and what is unfit is as last told, until other workers come', () => {
  const tally = heard({ type: 'failed' }, { type: 'unfit', threads: 1, verifier: false }, { type: 'failed' }, { type: 'unfit', threads: 2, verifier: true });
  assert.equal(tally.failures, 2);
  assert.deepEqual(tally.unfit, { threads: 2, verifier: true });
  tally.dismiss();
  assert.deepEqual(tally.unfit, { threads: 0, verifier: false });
  assert.equal(tally.failures, 2);
});

test('a frame that is not equal is remembered, whatever comes after it', () => {
  const tally = heard({ type: 'verified', mismatch: null }, { type: 'verified', mismatch }, { type: 'verified', mismatch: null }, welcome);
  assert.deepEqual(tally.verified, { checked: 3, equal: 2 });
  assert.equal(tally.mismatch, mismatch);
  assert.ok(Object.isFrozen(tally.verified), 'scripts of the page may read it');
});
