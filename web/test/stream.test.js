import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { lease, settle, welcome } from './fakes.js';
import { broadcast, kinds, live, tab } from './tab.js';

mock.method(console, 'warn', () => {});

test('it says hello when the socket opens, and is live once it is welcomed', async () => {
  const t = tab({ threads: 3 });
  await t.stream.connect();
  assert.equal(t.status.state, 'connecting');
  assert.equal(t.socket.binaryType, 'arraybuffer');
  assert.equal(t.instances[0].hashed, 10);
  assert.deepEqual(t.socket.sent, []);
  t.socket.open();
  assert.deepEqual(t.socket.sent, [{ kind: 'hello', threads: 3 }]);
  t.socket.say(welcome({ threads: 2 }));
  assert.equal(t.status.state, 'live');
  assert.equal(t.of('welcome')[0].welcome.you, 7);
  assert.deepEqual(t.workers.map(({ ended }) => ended), [false, false, true]); // the server wants two of three
});

test('no more threads are offered than the module allows', async () => {
  const t = tab({ threads: 99 });
  await t.stream.connect();
  t.socket.open();
  assert.equal(t.socket.sent[0].threads, 8);
});

test('the welcome sets the clock, and probes follow', async () => {
  const t = await live();
  assert.equal(t.of('clock')[0].reading.to, 5000 - t.world.time);
  t.world.pass(600);
  assert.equal(kinds(t.socket).filter((kind) => kind === 'probe').length, 8);
  const { sent } = t.socket.sent[1];
  t.socket.say({ kind: 'reply', sent, received: 9e6, replied: 9e6, generation: 1, verified: 0 });
  assert.ok(t.of('clock').at(-1).rtt >= 599);
});

test('once it has settled, a probe goes with a broadcast', async () => {
  const t = await live();
  const probes = () => kinds(t.socket).filter((kind) => kind === 'probe').length;
  for (let i = 0; i < 14; i++) {
    await t.pass(1000);
    t.socket.say(broadcast());
  }
  const before = probes();
  let along = 0;
  for (let i = 0; i < 10; i++) {
    await t.pass(1000);
    const timed = probes();
    t.socket.say(broadcast());
    along += probes() - timed;
  }
  assert.deepEqual([probes() - before, along], [2, 2]);
});

test('the page is told how many of its frames the server has verified', async () => {
  const t = await live();
  const reply = { kind: 'reply', sent: 0, received: 9e6, replied: 9e6, generation: 1 };
  for (const verified of [0, 12]) t.socket.say({ ...reply, verified });
  assert.deepEqual(t.of('credited'), [0, 12].map((frames) => ({ type: 'credited', frames })));
});

test('frames go to the page', async () => {
  const t = await live();
  t.socket.say(broadcast());
  const [frames] = t.of('frames');
  assert.equal(frames.broadcast.first, 600);
  assert.equal(frames.text.byteLength, 12);
});

test('leases go to their threads, results to the server, and what is revoked to nobody', async () => {
  const t = await live();
  t.socket.say(lease(1, 0));
  t.socket.say(lease(2, 1));
  t.socket.say({ kind: 'revoke', lease: 1 });
  assert.deepEqual(t.workers[0].posted.map(({ type }) => type), ['lease', 'revoke']);
  assert.deepEqual(t.workers[1].posted.map(({ type }) => type), ['lease']);
  t.workers[0].hear({ type: 'result', job: 1, message: 'first', spent: 1 });
  t.workers[1].hear({ type: 'result', job: 2, message: 'second', spent: 2.5 });
  assert.equal(t.socket.sent.at(-1), 'second');
  assert.equal(t.socket.sent.includes('first'), false);
  assert.deepEqual(t.of('rendered'), [{ type: 'rendered', frames: 4, spent: 2.5 }]);
});

test('a lost connection is taken up again with a fresh instance, after a wait', async () => {
  const t = await live();
  t.socket.say(lease(1));
  t.socket.drop();
  assert.deepEqual(t.status, { state: 'waiting', why: 'lost', until: t.world.time + 1000 });
  assert.equal(t.workers[0].posted.at(-1).type, 'stop');
  t.workers[0].hear({ type: 'result', job: 1, message: 'late' }); // and must not throw
  await t.pass(999);
  assert.equal(t.sockets.length, 1);
  await t.pass(1);
  assert.equal(t.sockets.length, 2);
  assert.equal(t.instances.length, 2);
  t.socket.open();
  t.socket.say(welcome());
  assert.equal(t.status.state, 'live');
});

test('the clock is measured anew over a new connection', async () => {
  const t = await live();
  t.world.pass(3000);
  t.socket.drop();
  await t.pass(1000);
  t.socket.open();
  t.socket.say(welcome());
  t.world.pass(600);
  assert.equal(kinds(t.socket).filter((kind) => kind === 'probe').length, 8);
});

test('a server that does not answer is not a connection lost', async () => {
  const t = tab();
  await t.stream.connect();
  t.socket.drop();
  assert.equal(t.status.why, 'unreachable');
});

test('no socket is opened where no server answers, but for the first one', async () => {
  const t = await live();
  assert.equal(t.asked, 0);
  t.answers = () => false;
  t.socket.drop();
  for (let asked = 1; asked < 10; asked++) {
    await t.pass(1000);
    assert.equal(t.asked, asked);
    assert.deepEqual([t.status.state, t.status.why], ['waiting', 'unreachable']);
  }
  assert.equal(t.sockets.length, 1);
  t.answers = () => true;
  await t.pass(1000);
  assert.equal(t.sockets.length, 2);
  t.socket.open();
  t.socket.say(welcome());
  assert.equal(t.status.state, 'live');
});

test('the waits grow, until a connection has lasted', async () => {
  const t = await live({ random: 1 });
  t.answers = () => false;
  t.socket.drop();
  const waits = [];
  for (let i = 0; i < 30; i++) {
    const wait = t.status.until - t.world.time;
    waits.push(wait);
    await t.pass(wait);
  }
  assert.deepEqual(waits.slice(0, 9), [2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000]);
  assert.deepEqual(waits.slice(9, 11), [2250, 2531.25]);
  assert.equal(waits.at(-1), 15_000);
  t.answers = () => true;
  await t.pass(15_000);
  t.socket.open();
  t.socket.say(welcome());
  t.world.pass(4000);
  t.socket.say(broadcast());
  t.world.pass(1000);
  t.socket.drop();
  assert.equal(t.status.until - t.world.time, 2000);
});

test('a server that says goodbye says for how long, at least', async () => {
  const t = await live({ random: 0 });
  t.socket.say({ kind: 'goodbye', reason: 'draining', retry: 4000 });
  assert.equal(t.socket.closed, true);
  assert.deepEqual(t.status, { state: 'waiting', why: 'draining', until: t.world.time + 4000 });
  t.stream.resume(); // is no reason to come sooner
  await t.pass(3999);
  assert.equal(t.sockets.length, 1);
  await t.pass(1);
  assert.equal(t.sockets.length, 2);
});

test('a crowd that is asked back at one moment spreads, and so does one whose server died', async () => {
  /** @param {(t: Awaited<ReturnType<typeof live>>) => void} part @param {number} first  the earliest */
  const spread = async (part, first) => {
    const moments = new Set();
    for (let i = 0; i < 100; i++) {
      const t = await live({ random: i / 100 });
      part(t);
      const wait = t.status.until - t.world.time;
      assert.ok(wait >= first && wait < first + 2000, `waits for ${wait} ms`);
      moments.add(Math.floor((wait - first) / 100));
    }
    assert.equal(moments.size, 20);
  };
  await spread((t) => t.socket.say({ kind: 'goodbye', reason: 'draining', retry: 9000 }), 9000);
  await spread((t) => t.socket.drop(), 0);
});

test('a goodbye instead of a welcome counts as well', async () => {
  const t = tab();
  await t.stream.connect();
  t.socket.open();
  t.socket.say({ kind: 'goodbye', reason: 'full', retry: 0 });
  assert.equal(t.status.why, 'full');
});

test('an outdated tab does not come back', async () => {
  const t = await live();
  t.socket.say({ kind: 'goodbye', reason: 'outdated', retry: 0 });
  assert.deepEqual(t.status, { state: 'outdated' });
  await t.pass(600_000);
  assert.equal(t.sockets.length, 1);
});

test('an evicted tab comes back to watch', async () => {
  const t = await live();
  t.socket.say({ kind: 'goodbye', reason: 'evicted', retry: 1000 });
  assert.equal(t.status.why, 'evicted');
  await t.pass(2000);
  t.socket.open();
  assert.deepEqual(t.socket.sent, [{ kind: 'hello', threads: 0 }]);
  assert.ok(t.workers.every(({ ended }) => ended));
  t.socket.say(welcome({ threads: 0 }));
  assert.deepEqual(t.status, { state: 'live', shutOut: true, unfit: false });
});

test('a socket may open before the module has started', async () => {
  const t = tab();
  t.engine = () => t.socket.open();
  await t.stream.connect();
  assert.deepEqual(t.socket.sent, [{ kind: 'hello', threads: 2 }]);
});

test('a socket may fail before the module has started, and is tried again', async () => {
  const t = tab();
  t.engine = () => t.socket.drop();
  await t.stream.connect();
  await t.pass(0);
  assert.equal(t.status.why, 'unreachable');
  t.engine = () => {};
  await t.pass(2000);
  t.socket.open();
  assert.equal(t.sockets.length, 2);
  assert.equal(t.socket.sent.length, 1);
});

test('a module that does not start leaves no socket open', async () => {
  const t = tab();
  t.engine = () => {
    throw new Error('no memory');
  };
  await t.stream.connect();
  assert.equal(t.status.why, 'unreachable');
  assert.ok(t.socket.closed);
});

test('the module is named by the digest that the browser computed', async () => {
  const t = tab();
  t.digest = new ArrayBuffer(32);
  await t.stream.connect();
  assert.equal(t.instances[0].named, t.digest);
  assert.equal(t.instances[0].hashed, 0);
});

test('a module that cannot be had is asked for again', async () => {
  const t = tab();
  t.loads = () => false;
  await t.stream.connect();
  assert.equal(t.status.why, 'unreachable');
  t.loads = () => true;
  await t.pass(1000);
  assert.equal(t.sockets.length, 1);
});

test('when the network is back, a wait is over and the clock is measured anew', async () => {
  const t = await live();
  t.world.pass(2000);
  const before = t.socket.sent.length;
  t.stream.resume();
  assert.equal(t.socket.sent.length, before + 1);
  t.socket.drop();
  t.stream.resume();
  await settle();
  assert.equal(t.sockets.length, 2);
  t.stream.resume(); // while it connects
  await t.pass(1000); // past the wait that was cut short
  assert.equal(t.sockets.length, 2);
});

for (const jump of [5_000, -60_000]) {
  test(`a wall clock that jumps by ${jump} ms has the clock measured anew`, async () => {
    const t = await live();
    t.world.pass(3000);
    t.world.wallAhead = jump;
    const before = kinds(t.socket).length;
    await t.pass(1600);
    assert.ok(kinds(t.socket).length >= before + 8);
    assert.equal(t.sockets.length, 1);
  });
}

for (const [what, say] of /** @type {[string, unknown][]} */ ([
  ['text', 'hello there'],
  ['bytes that the module refuses', { toJSON: () => undefined }],
  ['a second welcome', welcome()],
])) {
  test(`a server that sends ${what} is left, and tried again`, async () => {
    const t = await live();
    t.socket.say(say);
    assert.equal(t.socket.closed, true);
    assert.equal(t.status.why, 'garbled');
    await t.pass(15_000);
    assert.ok(t.sockets.length > 1);
  });
}

test('a server that leases before its welcome is left', async () => {
  const t = tab();
  await t.stream.connect();
  t.socket.open();
  t.socket.say(lease(1));
  assert.equal(t.status.why, 'garbled');
  assert.equal(t.workers[0].posted.filter(({ type }) => type === 'lease').length, 0);
});

test('a server that falls silent is left', async () => {
  const t = await live();
  t.world.pass(9_999);
  assert.equal(t.status.state, 'live');
  t.world.pass(1_001);
  assert.ok(t.of('status').some(({ status }) => status.why === 'silent'));
  assert.equal(t.sockets[0].closed, true);
});

test('a server that speaks every second is not left', async () => {
  const t = await live();
  for (let i = 0; i < 30; i++) {
    t.world.pass(1000);
    t.socket.say(broadcast());
  }
  assert.equal(t.status.state, 'live');
});

test('a socket that never opens is given up', async () => {
  const t = tab();
  await t.stream.connect();
  t.world.pass(10_000);
  assert.equal(t.status.why, 'silent');
});

test('nothing that an abandoned socket says is heard', async () => {
  const t = await live();
  const { socket } = t;
  const { onmessage, onclose } = socket;
  socket.drop();
  const { length } = t.posted;
  onmessage({ data: new TextEncoder().encode(JSON.stringify(broadcast())).buffer });
  onclose({});
  assert.equal(t.posted.length, length);
});
