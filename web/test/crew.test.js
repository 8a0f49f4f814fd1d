import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Crew } from '../static/js/crew.js';
import { FakeWorker, World } from './fakes.js';

/** A crew of workers that the test plays. */
function crew() {
  /** @type {FakeWorker[]} */
  const workers = [];
  /** @type {any[]} */
  const delivered = [];
  /** @type {string[]} */
  const failures = [];
  /** @type {string[]} */
  const unfit = [];
  const world = new World();
  const crew = new Crew(
    (hear, die) => {
      const worker = new FakeWorker(hear, die);
      workers.push(worker);
      return worker;
    },
    world,
    {
      result: (_message, frames) => delivered.push(frames),
      failed: (why) => failures.push(why),
      unfit: (why) => unfit.push(why),
    },
  );
  const lease = (/** @type {number} */ lease, thread = 0, count = 4) =>
    crew.lease({ kind: 'lease', lease, thread, count, detail: 1, first: 0, within: 100 }, new ArrayBuffer(1));
  return { crew, workers, delivered, failures, unfit, world, lease };
}

const answer = (/** @type {number} */ job) => ({ type: 'result', job, message: new ArrayBuffer(1) });

test('each lease goes to its thread, and its result is delivered once', () => {
  const { crew: c, workers, delivered, lease } = crew();
  c.hire(2);
  lease(10, 0, 4);
  lease(11, 1, 60);
  assert.deepEqual(workers.map(({ posted }) => posted.map(({ job }) => job)), [[1], [2]]);
  workers[1].hear(answer(2));
  workers[1].hear(answer(2));
  workers[0].hear(answer(1));
  assert.deepEqual(delivered, [60, 4]);
});

test('a lease for a thread that was never offered is left alone', () => {
  const { crew: c, workers, lease } = crew();
  c.hire(1);
  lease(10, 1);
  assert.equal(workers.length, 1);
  assert.equal(workers[0].posted.length, 0);
});

test('what is revoked is not delivered, though it was ready', () => {
  const { crew: c, workers, delivered, lease } = crew();
  c.hire(1);
  lease(10);
  c.revoke(10);
  c.revoke(12);
  workers[0].hear(answer(1));
  assert.deepEqual(delivered, []);
  assert.deepEqual(workers[0].posted.map(({ type }) => type), ['lease', 'revoke']);
});

test('a result of the connection before is not delivered on the next one, though leases bear the same numbers', () => {
  const { crew: c, workers, delivered, lease } = crew();
  c.hire(1);
  lease(10);
  c.stop();
  lease(10);
  workers[0].hear(answer(1));
  assert.deepEqual(delivered, []);
  workers[0].hear(answer(2));
  assert.deepEqual(delivered, [4]);
});

test('a worker that dies is replaced at the next lease', () => {
  const { crew: c, workers, delivered, failures, lease } = crew();
  c.hire(1);
  lease(10);
  workers[0].die();
  assert.deepEqual(failures, ['thread 0: its worker died']);
  assert.equal(workers[0].ended, true);
  assert.equal(workers.length, 1);
  lease(11);
  workers[0].die(); // once more, from the grave
  workers[0].hear(answer(1));
  workers[1].hear(answer(2));
  assert.deepEqual(delivered, [4]);
  assert.equal(workers.length, 2);
  assert.equal(failures.length, 1);
});

test('a lease that a worker gives up is counted, even where it was revoked', () => {
  const { crew: c, workers, delivered, failures, lease } = crew();
  c.hire(1);
  lease(10);
  lease(11);
  c.revoke(11);
  workers[0].hear({ type: 'spoilt', job: 1, why: 'unreachable' });
  workers[0].hear({ type: 'spoilt', job: 2, why: 'unreachable' });
  assert.deepEqual(failures, ['thread 0: unreachable', 'thread 0: unreachable']);
  assert.deepEqual(delivered, []);
});

test('a crew is made smaller and larger', () => {
  const { crew: c, workers, lease } = crew();
  c.hire(3);
  c.hire(1);
  assert.deepEqual(workers.map(({ ended }) => ended), [false, true, true]);
  lease(10, 2);
  c.hire(2);
  assert.equal(workers.length, 4);
  c.hire(0);
  assert.ok(workers.every(({ ended }) => ended));
});

const pong = { type: 'pong' };
const pings = (/** @type {{ posted: any[] }} */ { posted }) => posted.filter(({ type }) => type === 'ping').length;

test('a worker that hangs is ended and its leases given up; the others work on', () => {
  const { crew: c, workers, delivered, failures, world, lease } = crew();
  c.hire(2);
  lease(10, 0, 4);
  lease(11, 0, 5);
  lease(12, 1, 6);
  world.pass(1000);
  for (const worker of workers) worker.hear(pong);
  for (let i = 0; i < 11; i++) {
    assert.deepEqual(failures, [], `after ${i} s`);
    world.pass(1000);
    workers[1].hear(pong);
  }
  assert.deepEqual(failures, ['thread 0: its worker hung']);
  assert.deepEqual(workers.map(({ ended }) => ended), [true, false]);
  workers[0].hear(answer(1)); // it was on its way
  workers[0].hear({ type: 'spoilt', job: 2, why: 'unreachable' });
  assert.equal(failures.length, 1);
  workers[1].hear(answer(3));
  assert.deepEqual(delivered, [6]);
  lease(13, 0, 7);
  workers[2].hear(answer(4));
  assert.deepEqual(delivered, [6, 7]);
  assert.deepEqual(workers.map(pings), [11, 12, 0]);
});

test('a worker that hangs in a lease that was revoked is ended all the same', () => {
  const { crew: c, workers, failures, world, lease } = crew();
  c.hire(1);
  lease(10);
  workers[0].hear(pong);
  c.revoke(10);
  c.stop();
  world.pass(12_000);
  assert.equal(failures.length, 1);
  assert.equal(workers[0].ended, true);
});

test('a worker that was let go is watched no more', () => {
  const { crew: c, workers, failures, world } = crew();
  c.hire(1);
  workers[0].hear(pong);
  c.hire(0);
  world.pass(60_000);
  assert.deepEqual(failures, []);
  assert.equal(pings(workers[0]), 0);
});

test('a worker that is unfit leaves, those after it move up, and nothing that was lent before is delivered', () => {
  const { crew: c, workers, delivered, failures, unfit, lease } = crew();
  c.hire(3);
  lease(10, 0);
  lease(11, 2);
  workers[0].hear({ type: 'unfit', why: 'Refusal: self-test' });
  assert.deepEqual(unfit, ['Refusal: self-test']);
  assert.deepEqual(failures, []);
  assert.deepEqual(workers.map(({ ended }) => ended), [true, false, false]);
  assert.equal(workers[2].posted.at(-1).type, 'stop');
  workers[0].hear(answer(1)); // from the grave
  workers[2].hear(answer(2));
  assert.deepEqual(delivered, []);
  c.hire(2);
  assert.equal(workers.length, 3, 'those that are fit stay');
  lease(12, 1, 9);
  workers[2].hear(answer(3));
  assert.deepEqual(delivered, [9]);
});
