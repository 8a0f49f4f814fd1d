/** What a tab does that was stopped, or whose machine slept. */

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { settle } from './fakes.js';
import { broadcast, live } from './tab.js';

mock.method(console, 'warn', () => {});

/** What happens to a tab that sleeps for so long. @type {[string, (world: import('./fakes.js').World, slept: number) => void][]} */
const SLEEPS = [
  ['stopped', (world, slept) => void (world.time += slept)],
  ['on a machine that slept', (world, slept) => void (world.wallAhead += slept)],
];
/** What it notices that by. @type {[string, (t: Awaited<ReturnType<typeof live>>) => void][]} */
const SIGNS = [
  ['a timer', (t) => t.world.pass(1_000)],
  ['a message', (t) => t.socket.say(broadcast())],
  ['the end of its connection', (t) => t.socket.drop()],
  ['the page', (t) => t.stream.resume()],
];
for (const [how, sleep] of SLEEPS) {
  for (const [what, notice] of SIGNS) {
    test(`a tab that was ${how} long enough to be given up, and notices by ${what}, is back without a wait`, async () => {
      const t = await live();
      t.world.pass(3_000);
      sleep(t.world, 12_000);
      notice(t);
      await settle();
      assert.equal(t.sockets.length, 2);
      assert.equal(t.sockets[0].closed, true);
      assert.equal(t.asked, 1);
      assert.ok(t.of('status').every(({ status }) => status.state !== 'waiting'));
    });
  }

  test(`a tab that was ${how} for less reads what there is, and is back without a wait where it is lost after that`, async () => {
    const t = await live();
    t.world.pass(3_000);
    sleep(t.world, 10_000);
    t.world.pass(1_000);
    t.socket.say(broadcast());
    assert.equal(t.sockets.length, 1);
    t.socket.drop();
    await settle();
    assert.equal(t.sockets.length, 2);
    t.answers = () => false;
    t.socket.drop();
    await settle();
    assert.equal(t.status.state, 'waiting', 'once: whether it can be reached is another matter');
  });
}

test('a tab that was awake waits, and so does one that was awake for a while', async () => {
  const t = await live();
  t.world.time += 4_000;
  for (let i = 0; i < 11; i++) {
    t.world.pass(1_000);
    t.socket.say(broadcast());
  }
  t.socket.drop();
  assert.equal(t.status.state, 'waiting');
});

test('a tab that slept and is sent away does as it is told', async () => {
  const t = await live();
  t.world.time += 4_000;
  t.socket.say({ kind: 'goodbye', reason: 'draining', retry: 3_000 });
  assert.equal(t.status.state, 'waiting');
});
