import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal, Trap } from '../static/js/module.js';
import { Thread } from '../static/js/thread.js';
import { settle } from './fakes.js';

/**
 * A thread whose module takes some milliseconds a frame. A lease is one byte: how many frames; 0 is refused, and 255
 * traps. Each pause runs what the test has put into `meanwhile`.
 */
function bench({ perFrame = 1 } = {}) {
  const world = {
    time: 0,
    instances: 0,
    rendered: 0,
    pauses: 0,
    /** @type {number[]} */
    rests: [],
    /** @type {any[]} */
    posted: [],
    meanwhile: () => {},
    /** What goes wrong in a self-test, by instance. @type {(instance: number) => unknown} */
    ill: () => null,
    /** How many cells of an aired frame differ. */
    cells: 0,
  };
  const thread = new Thread({
    now: () => world.time,
    post: (message) => world.posted.push(message),
    pause: async () => {
      world.pauses++;
      world.meanwhile();
    },
    rest: async (milliseconds) => {
      world.rests.push(milliseconds);
      world.time += milliseconds;
      world.meanwhile();
    },
    instantiate: async () => {
      const instance = ++world.instances;
      let left = 0;
      return {
        selfTest() {
          const error = world.ill(instance);
          if (error) throw error;
        },
        verify(_detail, frame) {
          if (frame === 255) throw new Trap('verify', 'unreachable');
          world.time += perFrame;
          return world.cells > 0 ? { cells: world.cells, aired: 'ab', rendered: 'cd' } : { cells: 0 };
        },
        begin(message) {
          if (message[0] === 0) throw new Refusal('no frames');
          if (message[0] === 255) throw new Trap('begin', 'unreachable');
          return (left = message[0]);
        },
        work(count) {
          const done = Math.min(count, left);
          world.time += done * perFrame;
          world.rendered += done;
          return (left -= done);
        },
        result: (spent) => new Float64Array([spent]).buffer,
      };
    },
  });
  const lease = (/** @type {number} */ job, /** @type {number} */ frames) => thread.lease(job, new Uint8Array([frames]).buffer);
  const check = (/** @type {number} */ job, frame = 7) => thread.check(job, { detail: 1, frame, text: new ArrayBuffer(4) });
  return { world, thread, lease, check };
}

const spent = (/** @type {{ message: ArrayBuffer }} */ { message }) => new Float64Array(message)[0];

test('leases are answered in the order in which they came, each with its own time', async () => {
  const { world, lease } = bench({ perFrame: 2 });
  lease(1, 30);
  lease(2, 10);
  await settle();
  assert.deepEqual(world.posted.map(({ type, job }) => [type, job]), [['result', 1], ['result', 2]]);
  assert.deepEqual(world.posted.map(spent), [60_000, 20_000]);
  assert.equal(world.instances, 1);
});

test('the thread looks up every few milliseconds, and time outside of its work does not count', async () => {
  const { world, lease } = bench({ perFrame: 3 });
  world.meanwhile = () => (world.time += 1000);
  lease(1, 40);
  await settle();
  assert.ok(world.pauses >= 20 && world.pauses <= 25, `${world.pauses} pauses`);
  assert.equal(spent(world.posted[0]), 120_000);
});

test('at half its effort it rests as long as it renders, and both are time that the lease took', async () => {
  const { world, thread, lease } = bench({ perFrame: 2 });
  thread.duty = 50;
  lease(1, 30);
  await settle();
  const rested = world.rests.reduce((sum, each) => sum + each, 0);
  assert.ok(rested >= 54 && rested <= 60, `${rested} ms of rest for 60 of work`);
  assert.equal(spent(world.posted[0]), (60 + rested) * 1000);
  assert.ok(Math.max(...world.rests) <= 12, `${world.rests}`); // so a revoke is heard soon
});

test('a rest that is too short for a timer is made up for later', async () => {
  const { world, thread, lease } = bench({ perFrame: 1 });
  thread.duty = 75;
  lease(1, 60);
  await settle();
  const rested = world.rests.reduce((sum, each) => sum + each, 0);
  assert.ok(rested >= 16 && rested <= 20, `${rested} ms of rest for 60 of work`);
});

test('rests are no shorter than timers are fine, and what they run over counts', async () => {
  const { world, thread, lease } = bench({ perFrame: 1 });
  thread.duty = 75;
  world.meanwhile = () => (world.time += 3); // late timers, and the way to oneself
  lease(1, 60);
  await settle();
  assert.ok(Math.min(...world.rests) >= 4, `${world.rests}`);
  assert.ok(world.time >= 60 / 0.75 - 4 && world.time <= 60 / 0.75 + 40, `${world.time}`);
});

test('a lease that is revoked in the middle is left there, and nothing is sent', async () => {
  const { world, thread, lease } = bench({ perFrame: 6 });
  lease(1, 100);
  lease(2, 5);
  world.meanwhile = () => world.pauses === 3 && thread.revoke(1);
  await settle();
  assert.deepEqual(world.posted.map(({ job }) => job), [2]);
  assert.equal(world.rendered, 3 + 5);
});

test('a lease that is revoked before its turn is never begun', async () => {
  const { world, thread, lease } = bench();
  lease(1, 10);
  lease(2, 50);
  thread.revoke(2);
  thread.revoke(99);
  await settle();
  assert.deepEqual(world.posted.map(({ job }) => job), [1]);
  assert.equal(world.rendered, 10);
});

test('a stop voids everything, and work goes on with what comes after it', async () => {
  const { world, thread, lease } = bench({ perFrame: 6 });
  lease(1, 100);
  lease(2, 100);
  await settle();
  world.posted.length = 0;
  lease(3, 100);
  thread.stop();
  lease(4, 10);
  await settle();
  assert.deepEqual(world.posted.map(({ job }) => job), [4]);
});

test('an instance that traps is replaced, and its lease stays unanswered', async () => {
  const { world, lease } = bench();
  lease(1, 255);
  lease(2, 4);
  await settle();
  assert.deepEqual(world.posted.map(({ type, job }) => [type, job]), [['spoilt', 1], ['result', 2]]);
  assert.equal(world.instances, 2);
});

test('a lease that the module refuses costs no instance', async () => {
  const { world, lease } = bench();
  lease(1, 0);
  lease(2, 4);
  await settle();
  assert.deepEqual(world.posted.map(({ type }) => type), ['spoilt', 'result']);
  assert.equal(world.instances, 1);
});

for (const [what, error] of /** @type {[string, unknown][]} */ ([
  ['is refused', new Refusal('self-test: digest: got ab, want cd')],
  ['traps', new Trap('selfTest', 'unreachable')],
])) {
  test(`a thread whose self-test ${what} says so once, and never renders`, async () => {
    const { world, thread, lease, check } = bench();
    world.ill = () => error;
    thread.prepare();
    lease(1, 4); // it came before the test was over
    lease(2, 4);
    await settle();
    lease(3, 4);
    check(4);
    await settle();
    assert.deepEqual(world.posted, [{ type: 'unfit', why: String(error) }]);
    assert.equal(world.rendered, 0);
    assert.equal(world.instances, 1);
  });
}

test('the self-test comes before the first lease, though nothing was prepared', async () => {
  const { world, lease } = bench();
  world.ill = () => new Refusal('self-test');
  lease(1, 4);
  await settle();
  assert.deepEqual(world.posted.map(({ type }) => type), ['unfit']);
  assert.equal(world.rendered, 0);
});

test('the instance after one that trapped is tested like the first', async () => {
  const { world, lease } = bench();
  world.ill = (instance) => instance > 1 && new Refusal('self-test');
  lease(1, 4);
  lease(2, 255);
  lease(3, 4);
  await settle();
  assert.deepEqual(world.posted.map(({ type }) => type), ['result', 'spoilt', 'unfit']);
  assert.equal(world.rendered, 4);
});

test('a frame is verified, with the time that it took', async () => {
  const { world, check } = bench({ perFrame: 3 });
  check(1);
  await settle();
  assert.deepEqual(world.posted, [{ type: 'checked', job: 1, took: 3, mismatch: null }]);
});

test('a frame that differs is told with both digests', async () => {
  const { world, check } = bench();
  world.cells = 9;
  check(1, 77);
  await settle();
  assert.deepEqual(world.posted[0].mismatch, { frame: 77, cells: 9, aired: 'ab', rendered: 'cd' });
});

test('a frame that differs blames nobody where it is this engine that is broken', async () => {
  const { world, check } = bench();
  let tests = 0;
  world.cells = 9;
  world.ill = () => ++tests > 1 && new Refusal('self-test');
  check(1);
  await settle();
  assert.deepEqual(world.posted.map(({ type }) => type), ['unfit']);
});

test('a check that traps is given up, and costs its instance alone', async () => {
  const { world, check } = bench();
  check(1, 255);
  check(2);
  await settle();
  assert.deepEqual(world.posted.map(({ type, job }) => [type, job]), [['spoilt', 1], ['checked', 2]]);
  assert.equal(world.instances, 2);
});
