import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SHARE, Verifier } from '../static/js/verifier.js';
import { FakeWorker, World } from './fakes.js';

const SIZE = 4; // bytes of a frame
const COUNT = 60;
const FIRST = 600;

/** A verifier whose worker the test plays. */
function bench() {
  const v = {
    world: new World(),
    /** @type {FakeWorker[]} */
    workers: [],
    /** @type {any[]} */
    verified: [],
    /** @type {string[]} */
    failures: [],
    /** @type {string[]} */
    unfit: [],
    /** What is drawn next, and out of how many it was the last time. */
    next: 0,
    outOf: 0,
    /** A broadcast whose frame n is n % 256 all over, but for those that are missing. @param {number[]} missing */
    broadcast(missing = []) {
      const text = new Uint8Array(COUNT * SIZE);
      for (let i = 0; i < COUNT; i++) if (!missing.includes(i)) text.fill(i + 1, i * SIZE, (i + 1) * SIZE);
      verifier.take(2, FIRST, text.buffer, SIZE);
      return text;
    },
    get worker() {
      return /** @type {FakeWorker} */ (v.workers.at(-1));
    },
    get checks() {
      return v.workers.flatMap(({ posted }) => posted).filter(({ type }) => type === 'check');
    },
    /** The worker answers what it was asked last. @param {number} took @param {any} mismatch */
    answer(took = 0.5, mismatch = null) {
      v.worker.hear({ type: 'checked', job: v.checks.at(-1).job, took, mismatch });
    },
  };
  const verifier = new Verifier(
    (hear, die) => {
      const worker = new FakeWorker(hear, die);
      v.workers.push(worker);
      return worker;
    },
    { now: v.world.now, after: v.world.after, draw: (n) => ((v.outOf = n), Math.min(v.next, n - 1)) },
    {
      verified: (mismatch) => v.verified.push(mismatch),
      failed: (why) => v.failures.push(why),
      unfit: (why) => v.unfit.push(why),
    },
  );
  return { v, verifier };
}

test('nothing is started before there is something to verify', () => {
  const { v, verifier } = bench();
  v.world.pass(60_000);
  verifier.take(1, FIRST, new ArrayBuffer(COUNT * SIZE), SIZE); // all of it is missing
  assert.equal(v.workers.length, 0);
});

test('any frame that arrived may be drawn, and none that is missing', () => {
  for (const drawn of [0, 7, 57, 999]) {
    const { v } = bench();
    v.next = drawn;
    const text = v.broadcast([0, 8, 59]);
    const there = Array.from({ length: COUNT }, (_, i) => i).filter((i) => ![0, 8, 59].includes(i));
    assert.equal(v.outOf, there.length);
    const at = there[Math.min(drawn, there.length - 1)];
    const [{ sample }] = v.checks;
    assert.deepEqual([sample.frame, sample.detail], [FIRST + at, 2]);
    assert.deepEqual(new Uint8Array(sample.text), text.slice(at * SIZE, (at + 1) * SIZE));
  }
});

test('what is equal is told, and what is not', () => {
  const { v } = bench();
  const mismatch = { frame: 603, cells: 2, aired: 'ab', rendered: 'cd' };
  for (const each of [null, mismatch, null]) {
    v.broadcast();
    v.answer(0.5, each);
    v.world.pass(1000);
  }
  assert.deepEqual(v.verified, [null, mismatch, null]);
});

test('one frame at a time, however many broadcasts come at once', () => {
  const { v } = bench();
  for (let i = 0; i < 5; i++) v.broadcast();
  assert.equal(v.checks.length, 1);
});

for (const took of [0.4, 9, 30, 600]) {
  test(`where a frame takes ${took} ms, no more than ${SHARE} of the time goes into it`, () => {
    const { v } = bench();
    const SECONDS = 600;
    let spent = 0;
    for (let i = 0; i < SECONDS; i++) {
      const { length } = v.checks;
      v.broadcast();
      if (v.checks.length > length) {
        v.answer(took);
        spent += took;
      }
      v.world.pass(1000);
    }
    assert.ok(spent <= SHARE * SECONDS * 1000 + took, `${spent} ms of ${SECONDS} s`);
    const fitting = Math.min(SECONDS, (SHARE * SECONDS * 1000) / took);
    assert.ok(v.checks.length >= 0.6 * fitting, `${v.checks.length} frames, where ${fitting} would fit`);
  });
}

test('while nobody looks nothing is verified', () => {
  const { v, verifier } = bench();
  verifier.watching = false;
  v.broadcast();
  assert.equal(v.workers.length, 0);
  verifier.watching = true;
  v.broadcast();
  assert.equal(v.checks.length, 1);
});

test('a worker that is unfit ends all verifying, and blames nobody', () => {
  const { v } = bench();
  v.broadcast();
  v.worker.hear({ type: 'unfit', why: 'Refusal: self-test' });
  v.world.pass(10_000);
  v.broadcast();
  assert.deepEqual(v.unfit, ['Refusal: self-test']);
  assert.deepEqual([v.verified, v.failures], [[], []]);
  assert.deepEqual([v.workers.length, v.worker.ended, v.checks.length], [1, true, 1]);
});

test('a check that is given up counts neither way, and the next one goes on', () => {
  const { v } = bench();
  v.broadcast();
  v.worker.hear({ type: 'spoilt', job: 1, why: 'Trap: verify' });
  v.broadcast();
  assert.equal(v.checks.length, 2);
  v.answer();
  assert.deepEqual(v.failures, ['Trap: verify']);
  assert.deepEqual(v.verified, [null]);
});

test('a worker that dies or hangs is replaced, and what it says later is not heard', () => {
  const { v } = bench();
  v.broadcast();
  v.worker.die();
  v.broadcast();
  v.workers[0].hear({ type: 'checked', job: 1, took: 1, mismatch: null });
  assert.deepEqual(v.verified, []);
  v.worker.hear({ type: 'pong' });
  v.world.pass(12_000);
  v.broadcast();
  assert.deepEqual(v.failures, ['the verifying worker died', 'the verifying worker hung']);
  assert.deepEqual(v.workers.map(({ ended }) => ended), [true, true, false]);
});
