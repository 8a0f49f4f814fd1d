import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lease, welcome } from './fakes.js';
import { live, tab } from './tab.js';

const rest = { threads: 0, duty: 100 };
const threads = (/** @type {any} */ offer) => offer.threads;
const offers = (/** @type {any} */ t) => t.socket.sent.filter((/** @type {any} */ { kind }) => kind === 'offer');

test('a tab that rests stops its workers at once, and takes no lease that comes after', async () => {
  const t = await live();
  t.socket.say(lease(1, 0));
  t.stream.work(rest);
  assert.deepEqual(offers(t), [{ kind: 'offer', threads: 0 }]);
  assert.deepEqual(t.of('offered'), [{ type: 'offered', threads: 0 }]);
  assert.ok(t.workers.every(({ posted, ended }) => posted.at(-1)?.type === 'stop' && !ended));
  t.workers[0].hear({ type: 'result', job: 1, message: 'late', spent: 1 });
  assert.equal(t.socket.sent.includes('late'), false);
  t.socket.say(lease(2, 0));
  assert.equal(t.workers[0].posted.at(-1).type, 'stop');
});

test('it goes on with the same workers', async () => {
  const t = await live();
  const workers = t.workers.length;
  t.stream.work(rest);
  await t.pass(250);
  t.stream.work({ threads: 2, duty: 100 });
  assert.deepEqual(offers(t).map(threads), [0, 2]);
  assert.equal(t.instances[0].tests, 1);
  t.socket.say(lease(3, 1));
  assert.equal(t.workers.length, workers);
  assert.equal(t.workers[1].posted.at(-1).type, 'lease');
});

test('fewer threads end the others, and more start new ones', async () => {
  const t = await live();
  t.stream.work({ threads: 1, duty: 100 });
  assert.deepEqual(t.workers.map(({ ended }) => ended), [false, true]);
  t.stream.work({ threads: 2, duty: 100 });
  assert.equal(t.workers.filter(({ ended }) => !ended).length, 2);
});

test('who changes its mind often says so eight times at once, then four times a second, and its last word counts', async () => {
  const t = await live();
  for (let i = 0; i < 20; i++) t.stream.work({ threads: i % 2, duty: 100 });
  t.stream.work({ threads: 2, duty: 100 });
  assert.deepEqual(offers(t).map(threads), [0, 1, 0, 1, 0, 1, 0, 1]);
  await t.pass(249);
  assert.equal(offers(t).length, 8);
  await t.pass(1);
  assert.deepEqual(offers(t).map(threads).slice(8), [2]);
  t.stream.work(rest);
  await t.pass(249);
  assert.equal(offers(t).length, 9);
  await t.pass(1);
  assert.deepEqual(offers(t).map(threads).slice(8), [2, 0]);
});

test('what was saved of offers is had back, and no more', async () => {
  const t = await live();
  for (let i = 0; i < 8; i++) t.stream.work({ threads: i % 2, duty: 100 });
  await t.pass(750);
  for (let i = 0; i < 8; i++) t.stream.work({ threads: i % 2, duty: 100 });
  assert.equal(offers(t).length, 11);
  await t.pass(5_000);
  const { length } = offers(t);
  for (let i = 0; i < 20; i++) t.stream.work({ threads: i % 2, duty: 100 });
  assert.equal(offers(t).length, length + 8);
});

test('what was chosen before the welcome is said after it', async () => {
  const t = tab();
  await t.stream.connect();
  t.socket.open();
  t.stream.work({ threads: 1, duty: 100 });
  assert.deepEqual(offers(t), []);
  t.socket.say(welcome());
  assert.deepEqual(offers(t), [{ kind: 'offer', threads: 1 }]);
});

test('a tab that rests where it connects says so in its hello, and is tested when it first offers', async () => {
  const t = tab({ threads: 0 });
  await t.stream.connect();
  t.socket.open();
  t.socket.say(welcome({ threads: 0 }));
  assert.equal(t.workers.length, 0);
  t.stream.work({ threads: 2, duty: 50 });
  assert.deepEqual(offers(t), [{ kind: 'offer', threads: 2 }]);
  assert.deepEqual(t.workers.map(({ posted }) => posted[0]), [{ type: 'duty', duty: 50 }, { type: 'duty', duty: 50 }]);
});

test('a tab that turns out unfit when it first offers says so', async () => {
  const t = tab({ threads: 0 });
  t.engine = (donut) => (donut.fit = false);
  await t.stream.connect();
  t.socket.open();
  t.socket.say(welcome({ threads: 0 }));
  assert.deepEqual(t.status, { state: 'live', shutOut: false, unfit: false });
  t.stream.work({ threads: 2, duty: 100 });
  assert.deepEqual(offers(t), []);
  assert.deepEqual(t.status, { state: 'live', shutOut: false, unfit: true });
  assert.deepEqual(t.of('unfit'), [{ type: 'unfit', threads: 2, verifier: false }]);
});

test('an effort that changes reaches the workers without an offer', async () => {
  const t = await live();
  t.stream.work({ threads: 2, duty: 25 });
  assert.deepEqual(offers(t), []);
  assert.ok(t.workers.every(({ posted }) => posted.at(-1)?.duty === 25));
});
