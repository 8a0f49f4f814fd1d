import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arcs, brought, shares, turnOf } from '../static/js/arcs.js';

const constants = { ringStates: ['free', 'leased', 'filled', 'ready', 'aired', 'stalled'], firstMember: 2 ** 31 };
const YOU = 7;

/** @param {number} first @param {[number, number, number][]} runs */
const ring = (first, runs) => ({ first, runs });

test('a turn is a little more than the ring holds', () => {
  assert.equal(turnOf(10_000, 60), 660);
});

test('arcs follow each other clockwise, and frames keep their place', () => {
  const drawn = arcs(ring(660 * 3 + 165, [[4, YOU, 60], [3, 0, 30], [0, 0, 15], [1, 9, 60], [5, 0, 1], [3, 2 ** 31 + 1, 2]]), constants, YOU, 660);
  const turns = drawn.map(({ from, to, state, who }) => [from / 2 / Math.PI, to / 2 / Math.PI, state, who]);
  assert.deepEqual(turns.map(([, , ...what]) => what), [['aired', 'you'], ['ready', 'server'], ['leased', 'tab'], ['stalled', 'nobody'], ['ready', 'peer']]);
  const ends = turns.map(([from, to]) => [Math.round(Number(from) * 660), Math.round(Number(to) * 660)]);
  assert.deepEqual(ends, [[165, 225], [225, 255], [270, 330], [330, 331], [331, 333]]);
});

test('what is rendered is counted for who rendered it, and what is lent out for itself', () => {
  const sum = shares(ring(0, [[4, YOU, 60], [3, 0, 30], [2, 9, 10], [0, 0, 15], [1, YOU, 20], [5, 0, 1], [2, 2 ** 31, 5]]), constants, YOU);
  assert.deepEqual(sum, { you: 60, tab: 10, server: 30, peer: 5, leased: 20, all: 141 });
});

test('of what a broadcast brings, the frames count that lie in it and are not missing', () => {
  const of = (/** @type {number} */ first, /** @type {number} */ count) =>
    brought({ first, count, ring: ring(100, [[4, YOU, 60], [5, 0, 3], [4, 0, 27], [4, YOU, 10], [3, YOU, 20]]) }, constants, YOU);
  assert.deepEqual(of(100, 60), { own: 60, all: 60 });
  assert.deepEqual(of(150, 50), { own: 20, all: 47 });
  assert.deepEqual(of(161, 2), { own: 0, all: 0 });
  assert.deepEqual(of(90, 20), { own: 10, all: 10 }); // what was before the ring, nobody can tell
  assert.deepEqual(of(300, 60), { own: 0, all: 0 });
});
