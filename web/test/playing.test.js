/** What a page shows while clocks drift, step and sleep, through the tab's own stream and screen, in virtual time. */

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { offsetAt } from '../static/js/clock.js';
import { Parting } from '../static/js/parting.js';
import { Screen } from '../static/js/screen.js';
import { welcome } from './fakes.js';
import { broadcast, kinds, tab } from './tab.js';

mock.method(console, 'warn', () => {});

const FPS = 60;
const REFRESH = 1000 / 60;

/** A generator of numbers in [0, 1) that is the same in every run. */
function randomness(seed = 1) {
  return () => (seed = (seed * 16807) % 2147483647) / 2147483647;
}

/**
 * A tab that plays from a server whose clock is off and drifts. Messages are under way for some milliseconds each way.
 * @param {{ ppm?: number, at?: number, underWay?: () => number }} [options]  at: the timeline's milliseconds at the start
 */
async function playing({ ppm = 0, at = 5_000, underWay = () => 20 } = {}) {
  const t = tab();
  const { world } = t;
  const start = world.time;
  /** What the server's clock is apart from its drift, and which generation it is in. */
  const server = { generation: 1, ahead: at, frozen: false };
  const serverNow = () => (world.time - start) * (1 + ppm / 1e6) + server.ahead;
  const micros = () => Math.round(serverNow() * 1000);

  /** @param {any} message  made when it is sent */
  const say = (message) => {
    const { socket } = t;
    world.after(underWay(), () => socket.say(message));
  };
  const screen = new Screen(/** @type {any} */ ({}));
  screen.play(/** @type {any} */ ({ at: (/** @type {number} */ number) => ({ number, text: new Uint8Array() }) }), FPS);
  const parting = new Parting();
  let reading = { at: 0, from: 0, to: 0 };
  const connect = () => {
    const { socket } = t;
    socket.send = (message) => {
      socket.sent.push(message);
      if (message.kind !== 'probe') return;
      world.after(underWay(), () => {
        if (socket.closed) return;
        const { sent } = message;
        say({ kind: 'reply', sent, received: micros(), replied: micros(), generation: server.generation, verified: 0 });
      });
    };
    socket.open();
    say(welcome({ now: micros(), generation: server.generation }));
  };
  await t.stream.connect();
  connect();
  const p = {
    t,
    server,
    say,
    connect,
    probes: () => kinds(t.socket).filter((kind) => kind === 'probe').length,
    right: () => (serverNow() * FPS) / 1000,
    /** How many milliseconds the page believes it is from the server. */
    error: () => world.time + offsetAt(reading, world.time) - serverNow(),
    /** The server broadcasts each second. */
    broadcasts() {
      if (!server.frozen) say(broadcast({ generation: server.generation }));
      world.after(1000, p.broadcasts);
    },
    /**
     * Refreshes the screen for a while, and hands over what each shows.
     * @param {number} milliseconds
     * @param {(shown: { frame: number, before: number | null, right: number, error: number }) => void} [look]
     */
    play(milliseconds, look) {
      for (const end = world.time + milliseconds; world.time < end; ) {
        world.pass(REFRESH);
        if (parting.jumped(world.time, world.wall()) !== 0) t.stream.resume();
        for (const message of t.posted.splice(0)) {
          if (message.type === 'clock') screen.set((reading = message.reading));
        }
        const before = screen.frame;
        screen.refresh(world.time);
        if (screen.frame !== null) look?.({ frame: screen.frame, before, right: p.right(), error: p.error() });
      }
    },
    /** Plays on, and demands the right frame, within so many, and that none goes back. @param {number} milliseconds */
    playRight(milliseconds, within = 1.3) {
      p.play(milliseconds, ({ frame, before, right }) => {
        assert.ok(Math.abs(right - frame - 0.5) <= within, `shows ${frame} at ${right}`);
        assert.ok(before === null || frame >= before, `${frame} after ${before}`);
      });
    },
  };
  p.broadcasts();
  p.play(3000);
  return p;
}

/** How long, in milliseconds, until the page shows the right frame for good, within what is played. @param {Awaited<ReturnType<typeof playing>>} p @param {number} milliseconds */
function wrongFor(p, milliseconds) {
  const start = p.t.world.time;
  let last = start;
  let backward = 0;
  p.play(milliseconds, ({ frame, before, right }) => {
    if (Math.abs(right - frame - 0.5) > 1.3) last = p.t.world.time;
    if (before !== null && frame < before) backward++;
  });
  return { wrong: last - start, backward };
}

for (const ppm of [-200, -50, 0, 50, 200]) {
  test(`over hours of ${ppm} ppm of drift nothing goes back, and the page stays close`, async () => {
    const random = randomness();
    const p = await playing({ ppm, underWay: () => 1 + 15 * random() });
    let worst = 0;
    let restarts = 0;
    let skipped = 0;
    for (let minute = 0; minute < 120; minute++) {
      p.t.world.wallAhead = (p.t.world.time * ppm) / 1e6; // the wall clock is kept right, as the server's is
      const before = p.probes();
      p.play(60_000, ({ frame, before, error }) => {
        worst = Math.max(worst, Math.abs(error));
        assert.ok(before === null || frame >= before, `${frame} after ${before}`);
        if (before !== null && frame > before + 1) skipped += frame - before - 1;
      });
      if (p.probes() - before >= 8 + 8) restarts++;
    }
    const most = 8 + 80 * (Math.abs(ppm) / 1000); // a sample's asymmetry, and how old it gets before another beats it
    assert.ok(worst <= most, `${worst} ms off, want at most ${most}`);
    assert.ok(restarts <= 120 * (60 * Math.abs(ppm)) / 100_000 + 1, `${restarts} restarts`);
    assert.ok(skipped <= 120, `${skipped} frames skipped`);
  });
}

test('each probe tells of the round trip before it', async () => {
  const p = await playing();
  p.play(500);
  const [first, ...rest] = p.t.socket.sent.filter(({ kind }) => kind === 'probe').map(({ took }) => took);
  assert.equal(first, 0);
  assert.ok(rest.length >= 6 && rest.every((took) => took >= 40_000 && took < 41_000), `${rest} us, want 40 ms each`);
});

test('a broadcast of a new generation has the clock measured anew at once, by eight probes, and the page jumps', async () => {
  const p = await playing();
  p.server.ahead += 600_000; // the server's machine slept
  p.server.generation = 2;
  const before = p.probes();
  p.say(broadcast({ generation: 2 }));
  const { wrong, backward } = wrongFor(p, 800);
  assert.ok(wrong <= 20 + 2 * 20 + 3 * REFRESH, `wrong for ${wrong} ms, want the broadcast, a round trip and a refresh`);
  assert.equal(backward, 0);
  assert.ok(p.probes() - before >= 8, `${p.probes() - before} probes`);
  p.playRight(10_000);
});

test('so has a reply of a new generation, which is no sample itself', async () => {
  const p = await playing();
  p.server.frozen = true; // no broadcast tells of it
  p.play(6000);
  const before = p.probes();
  p.server.ahead += 600_000;
  p.server.generation = 2;
  p.play(5200); // to the next probe, and its round trip
  p.play(800);
  assert.ok(p.probes() - before >= 1 + 8, `${p.probes() - before} probes`);
  p.playRight(2_000);
});

test('a reply of the old generation that was overtaken by the new one does no lasting harm', async () => {
  const p = await playing();
  const { sent } = p.t.socket.sent.findLast(({ kind }) => kind === 'probe');
  p.server.ahead += 600_000;
  p.server.generation = 2;
  p.t.socket.say(broadcast({ generation: 2 }));
  p.t.socket.say({ kind: 'reply', sent, received: 1, replied: 1, generation: 1, verified: 0 });
  p.play(1500);
  p.playRight(10_000);
});

test('a tab whose machine slept, so that its own clock stood still, is right a round trip after it wakes', async () => {
  const p = await playing();
  p.server.ahead += 4_000; // too short for the server to give it up
  p.t.world.wallAhead += 4_000;
  const { wrong, backward } = wrongFor(p, 3_000);
  assert.ok(wrong <= 2 * 20 + 3 * REFRESH, `wrong for ${wrong} ms, want a round trip`);
  assert.equal(backward, 0);
  p.playRight(5_000);
});

test('a tab that is told to resume measures at once, by eight probes', async () => {
  const p = await playing();
  p.play(20_000); // to one probe in five seconds
  p.server.ahead += 4_000;
  const before = p.probes();
  p.t.stream.resume();
  const { wrong, backward } = wrongFor(p, 600);
  assert.ok(wrong <= 2 * 20 + 3 * REFRESH, `wrong for ${wrong} ms, want a round trip`);
  assert.equal(backward, 0);
  assert.equal(p.probes() - before, 8);
});

for (const step of [-600_000, -10_000, -300, 300, 10_000]) {
  test(`a new server that is ${step} ms off the old one is followed in one step`, async () => {
    const p = await playing();
    p.t.socket.drop();
    p.server.ahead += step;
    await p.t.pass(1000);
    p.connect();
    const { wrong, backward } = wrongFor(p, 1_000);
    assert.ok(wrong <= 3 * 20 + 3 * REFRESH, `wrong for ${wrong} ms, want the welcome and a round trip`);
    assert.equal(backward, step < 0 ? 1 : 0);
    p.playRight(5_000);
  });
}

test('a connection lost and taken up again does not move the picture', async () => {
  const p = await playing();
  p.t.socket.drop();
  p.playRight(200);
  await p.t.pass(300);
  p.connect();
  p.play(REFRESH);
  p.playRight(5_000);
});

test('far from the epoch, at frame 2^40, every frame is shown', async () => {
  const p = await playing({ at: ((2 ** 40 - 600) * 1000) / FPS });
  let [shown, last] = [0, 0];
  p.play(30_000, ({ frame, before, right }) => {
    assert.ok(Number.isSafeInteger(frame) && Math.abs(right - frame - 0.5) <= 1, `shows ${frame} at ${right}`);
    if (before !== null) assert.equal(frame, before + 1);
    [shown, last] = [shown + 1, frame];
  });
  assert.ok(shown >= 1799 && last > 2 ** 40, `${shown} frames up to ${last}`);
});
