import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Clock, clockStep, offsetAt } from '../static/js/clock.js';

/** A server ahead by offset, with whatever delays there and back; the local time afterwards. */
function exchange(/** @type {Clock} */ clock, /** @type {number} */ now, { offset = 0, there = 0, back = 0, generation = 1 } = {}) {
  clock.sent(now);
  const received = now + there + offset;
  const after = now + there + back;
  clock.reply({ sent: now, received, replied: received, generation }, after);
  return after;
}

function started({ step = 0.1, offset = 0, now = 0 } = {}) {
  const clock = new Clock(step);
  clock.guess(now + offset, 1, now);
  return clock;
}

const offsetOf = (/** @type {Clock} */ clock, /** @type {number} */ now) =>
  offsetAt(/** @type {import('../static/js/clock.js').Reading} */ (clock.reading), now);

test('the welcome alone gives an offset, and the first sample steps it', () => {
  const clock = started({ offset: 960 }); // 40 ms under way
  assert.equal(offsetOf(clock, 0), 960);
  assert.equal(clock.rtt, null);
  const now = exchange(clock, 10, { offset: 1000, there: 30, back: 30 });
  assert.equal(offsetOf(clock, now), 1000);
  assert.equal(clock.rtt, 60);
});

test('each round trip is told once, the last one that came', () => {
  const clock = started();
  assert.equal(clock.takeTrip(), 0);
  exchange(clock, 10, { there: 30, back: 30 });
  exchange(clock, 100, { there: 10, back: 25 });
  assert.equal(clock.takeTrip(), 35);
  assert.equal(clock.takeTrip(), 0);
  exchange(clock, 200, { there: 1, back: 1, generation: 2 }); // astride a jump, so no round trip
  assert.equal(clock.takeTrip(), 0);
});

test('the sample with the shortest round trip wins', () => {
  const clock = started();
  exchange(clock, 0, { offset: 500, there: 5, back: 5 });
  const now = exchange(clock, 100, { offset: 500, there: 80, back: 0 }); // says 540
  assert.equal(offsetOf(clock, now), 500);
});

test('a sample ages by 50 ppm until a worse one beats it', () => {
  const clock = started();
  exchange(clock, 0, { offset: 500, there: 5, back: 5 }); // bound 5 ms
  let now = exchange(clock, 20_000, { offset: 503, there: 7, back: 7 }); // 7 ms against 5 + 1
  assert.equal(offsetOf(clock, now + 1000), 500);
  now = exchange(clock, 60_000, { offset: 503, there: 7, back: 7 }); // 7 ms against 5 + 3
  assert.equal(offsetOf(clock, now + 1000), 503);
});

test('small corrections are slewed and large ones are stepped', () => {
  const clock = started();
  exchange(clock, 0, { offset: 0, there: 10, back: 10 });
  let now = exchange(clock, 1000, { offset: 6, there: 1, back: 1 });
  assert.equal(offsetOf(clock, now), 0);
  assert.equal(offsetOf(clock, now + 100), 2);
  assert.equal(offsetOf(clock, now + 300), 6);
  assert.equal(offsetOf(clock, now + 9000), 6);
  now = exchange(clock, 2000, { offset: 206, there: 0.5, back: 0.5 });
  assert.equal(offsetOf(clock, now), 206);
});

test('a slew never runs the clock backward', () => {
  const reading = { at: 0, from: 50, to: 0 };
  for (let now = 1; now < 5000; now++) {
    assert.ok(now + offsetAt(reading, now) > now - 1 + offsetAt(reading, now - 1));
  }
});

test('a round trip below the step of the clock counts as the step', () => {
  const clock = started({ step: 1 });
  exchange(clock, 0, { offset: 500, there: 0, back: 0 });
  assert.equal(clock.rtt, 1);
});

test('eight probes follow each other at a join, then they spread out', () => {
  const clock = started();
  /** @type {number[]} */
  const sent = [];
  for (let now = 0; now < 20_000; now++) {
    if (clock.due(now) > 0) continue;
    clock.sent(now);
    sent.push(now);
  }
  assert.deepEqual(sent.slice(0, 8), [0, 75, 150, 225, 300, 375, 450, 525]);
  assert.deepEqual(sent.slice(8).map((at, i) => at - sent[7 + i]), [250, 500, 1000, 2000, 4000, 5500, 5500]);
});

test('a tab that has settled probes along with the stream, every five seconds, and the burst waits for nobody', () => {
  const clock = started();
  /** @type {number[]} */
  const sent = [];
  for (let now = 0; now < 40_000; now++) {
    const along = now % 1000 === 400 && clock.near(now);
    if (clock.due(now) > 0 && !along) continue;
    clock.sent(now);
    sent.push(now);
  }
  assert.deepEqual(sent.slice(0, 8), [0, 75, 150, 225, 300, 375, 450, 525]);
  const settled = sent.slice(13); // after the spreading
  assert.ok(settled.length >= 5 && settled.every((at) => at % 1000 === 400), `${sent}`);
  assert.ok(settled.slice(1).every((at, i) => at - settled[i] === 5000), `${sent}`);
});

test('a jump of the local clock drops what was measured, and eight probes follow', () => {
  const clock = started();
  clock.check(0, 0);
  const now = exchange(clock, 0, { offset: 500, there: 1, back: 1 });
  clock.check(now, now + 99);
  assert.ok(clock.due(now) > 0);
  clock.check(now, now + 100);
  assert.equal(clock.due(now), 0);
  exchange(clock, now + 10, { offset: 4000, there: 300, back: 300 }); // far worse, but the only one
  assert.equal(offsetOf(clock, now + 700), 4000);
});

test('what was sent before a restart is no sample', () => {
  const clock = started();
  clock.sent(10);
  clock.restart(20);
  clock.reply({ sent: 10, received: 900, replied: 900, generation: 1 }, 21);
  assert.equal(clock.rtt, null);
});

test('a new generation of the server\'s clock drops what was measured, and the reply that brings it is no sample', () => {
  const clock = started();
  exchange(clock, 0, { offset: 500, there: 1, back: 1 });
  const now = exchange(clock, 100, { offset: 9000, there: 1, back: 1, generation: 2 });
  assert.equal(offsetOf(clock, now), 500);
  assert.equal(clock.due(now), 0);
  assert.equal(offsetOf(clock, exchange(clock, now, { offset: 9000, there: 1, back: 1, generation: 2 })), 9000);
});

test('a reconnect keeps an offset that the new welcome does not contradict', () => {
  const clock = started();
  let now = exchange(clock, 0, { offset: 500, there: 1, back: 1 });
  clock.restart(now);
  clock.guess(now + 470, 1, now);
  assert.equal(offsetOf(clock, now), 500);
  clock.guess(now - 9000, 1, now);
  assert.equal(offsetOf(clock, now), -9000);
});

test('a reply that cannot be is ignored', () => {
  const clock = started();
  clock.sent(100);
  clock.reply({ sent: 300, received: 0, replied: 0, generation: 1 }, 200); // from the future
  clock.reply({ sent: 100, received: 10, replied: 5, generation: 1 }, 200); // answered before it came
  clock.reply({ sent: 100, received: 0, replied: 900, generation: 1 }, 200); // took longer there than in all
  assert.equal(clock.rtt, null);
});

test('the step of a clock is the least advance that it shows', () => {
  let time = 0;
  assert.equal(clockStep(() => Math.floor((time += 0.05))), 1);
  assert.equal(clockStep(() => 7), 0);
});
