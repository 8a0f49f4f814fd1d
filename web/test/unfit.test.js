/** A tab whose engine does not compute what it should: it is never lent anything, and never taken for a forger. */

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { Trap } from '../static/js/module.js';
import { welcome } from './fakes.js';
import { broadcast, live, tab } from './tab.js';

const warn = mock.method(console, 'warn', () => {});
beforeEach(() => warn.mock.resetCalls());

const lease = (/** @type {number} */ number, thread = 0) => ({
  kind: 'lease', lease: number, thread, detail: 1, first: 100, count: 4, within: 100,
});
const unfit = { type: 'unfit', why: 'Refusal: self-test' };
const warnings = () => warn.mock.calls.map(({ arguments: [line] }) => line);

test('where the first instance fails its self-test, the hello offers nothing', async () => {
  const t = tab({ threads: 3 });
  t.engine = (donut) => (donut.fit = false);
  await t.stream.connect();
  t.socket.open();
  assert.deepEqual(t.socket.sent, [{ kind: 'hello', threads: 0 }]);
  t.socket.say(welcome({ threads: 0 }));
  assert.deepEqual(t.status, { state: 'live', shutOut: false, unfit: true });
  assert.deepEqual(t.of('unfit'), [{ type: 'unfit', threads: 3, verifier: false }]);
  assert.equal(t.workers.length, 0);
  assert.equal(warnings().length, 1);
});

test('a tab that never wanted to render is told nothing of it', async () => {
  const t = tab({ threads: 0 });
  t.engine = (donut) => (donut.fit = false);
  await t.stream.connect();
  t.socket.open();
  t.socket.say(welcome({ threads: 0 }));
  assert.deepEqual(t.status, { state: 'live', shutOut: false, unfit: false });
  assert.deepEqual(t.of('unfit'), []);
});

test('where the self-test takes the instance along, the next one only watches', async () => {
  const t = tab();
  t.engine = (donut) => {
    donut.selfTest = () => {
      throw new Trap('selfTest', 'unreachable');
    };
  };
  await t.stream.connect();
  await t.pass(1000);
  t.socket.open();
  assert.deepEqual(t.socket.sent, [{ kind: 'hello', threads: 0 }]);
});

test('a thread that fails gives its leases up, and the tab comes back with one thread less', async () => {
  const t = await live({ threads: 2 });
  t.socket.say(lease(1, 0));
  t.socket.say(lease(2, 1));
  const { socket } = t;
  t.workers[0].hear(unfit);
  assert.equal(socket.closed, true);
  assert.equal(t.status.why, 'unfit');
  t.workers[1].hear({ type: 'result', job: 2, message: 'of the connection before' });
  await t.pass(1000);
  t.socket.open();
  assert.deepEqual(t.socket.sent, [{ kind: 'hello', threads: 1 }]);
  t.socket.say(welcome({ threads: 1 }));
  assert.deepEqual(t.status, { state: 'live', shutOut: false, unfit: false });
  assert.deepEqual(t.of('unfit').at(-1), { type: 'unfit', threads: 1, verifier: false });
  assert.equal(t.workers.length, 2, 'the one that is fit stays');
  t.socket.say(lease(1, 0));
  t.workers[1].hear({ type: 'result', job: 3, message: 'rendered' });
  assert.equal(t.socket.sent.at(-1), 'rendered');
});

test('where all threads fail the tab comes back once, to watch', async () => {
  const t = await live({ threads: 2 });
  t.workers[0].hear(unfit);
  t.workers[1].hear(unfit);
  await t.pass(1000);
  assert.equal(t.sockets.length, 2);
  t.socket.open();
  assert.deepEqual(t.socket.sent, [{ kind: 'hello', threads: 0 }]);
  t.socket.say(welcome({ threads: 0 }));
  assert.deepEqual(t.status, { state: 'live', shutOut: false, unfit: true });
  assert.equal(t.of('unfit').at(-1).threads, 2);
  assert.equal(t.of('failed').length, 0);
});

test('what the tab is shown is verified, whether it renders or not', async () => {
  for (const threads of [0, 2]) {
    const t = await live({ threads });
    t.socket.say(broadcast());
    const [{ sample }] = t.verifiers[0].posted.filter(({ type }) => type === 'check');
    assert.deepEqual([sample.frame, sample.detail, sample.text.byteLength], [600, 1, 4]);
    t.verifiers[0].hear({ type: 'checked', job: 1, took: 0.5, mismatch: null });
    assert.deepEqual(t.of('verified'), [{ type: 'verified', mismatch: null }]);
  }
});

test('a tab that is hidden or paused verifies nothing, also when it said so before it was connected', async () => {
  const t = tab();
  t.stream.watch(false);
  await t.stream.connect();
  t.socket.open();
  t.socket.say(welcome());
  t.socket.say(broadcast());
  assert.equal(t.verifiers.length, 0);
  t.stream.watch(true);
  t.socket.say(broadcast());
  assert.equal(t.verifiers.length, 1);
  assert.equal(t.of('frames').length, 2);
});

test('frames that differ are logged once, and told each time', async () => {
  const t = await live();
  for (const frame of [600, 601]) {
    t.socket.say(broadcast());
    t.verifiers[0].hear({ type: 'checked', job: 1, took: 0, mismatch: { frame, cells: 3, aired: 'abcd', rendered: 'ef01' } });
  }
  assert.equal(warnings().length, 1);
  assert.match(warnings()[0], /frame 600 .*differ: 3.*abcd.*ef01/);
  assert.deepEqual(t.of('verified').map(({ mismatch }) => mismatch.frame), [600, 601]);
  assert.ok(t.socket.sent.every(({ kind }) => kind === 'hello' || kind === 'probe'), 'nobody else is told');
});

test('a verifier that is unfit is told, and the threads render on', async () => {
  const t = await live();
  t.socket.say(broadcast());
  t.verifiers[0].hear(unfit);
  assert.deepEqual(t.of('unfit'), [{ type: 'unfit', threads: 0, verifier: true }]);
  assert.equal(t.socket.closed, false);
});
