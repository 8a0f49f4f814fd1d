import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUND, Watchdog } from '../static/js/watchdog.js';

/** A watchdog whose rounds come when the test says so. */
function watch() {
  /** @type {Watchdog<{ name: string }>} */
  const dog = new Watchdog();
  /** @type {{ name: string }[]} */
  const workers = [];
  const named = (/** @type {string} */ name) =>
    workers.find((worker) => worker.name === name) ?? workers[workers.push({ name }) - 1];
  let now = 5_000;
  dog.round(now, workers);
  return {
    named,
    heard: (/** @type {string} */ name) => dog.heard(named(name)),
    /** One round after that many milliseconds. */
    round: (after = ROUND) => dog.round((now += after), workers).map(({ name }) => name),
    /** How many rounds until somebody hangs, at most so many. @param {number} most @param {() => string[]} round */
    until(most, round) {
      for (let i = 1; i <= most; i++) if (round().length > 0) return i;
      return Infinity;
    },
  };
}

test('who gives no sign for ten seconds hangs, and nobody else', () => {
  const { heard, round, until } = watch();
  heard('silent');
  const rounds = until(100, () => {
    heard('lively');
    return round();
  });
  assert.equal(rounds, 11); // the first asks, and ten go by
  assert.deepEqual(round(), ['silent']);
});

test('a sign at the last moment is enough', () => {
  const { heard, round } = watch();
  heard('slow');
  for (let i = 0; i < 100; i++) {
    assert.deepEqual(round(), []);
    if (i % 10 === 9) heard('slow');
  }
});

test('who never gave a sign is not watched', () => {
  const { named, round, until } = watch();
  named('still loading');
  assert.equal(until(100, round), Infinity);
});

for (const [what, gap] of /** @type {[string, number][]} */ ([
  ['a machine that slept for eight hours', 8 * 3_600_000],
  ['a browser that was stopped for twelve seconds', 12_000],
  ['a hidden tab whose timers run once a minute', 60_000],
])) {
  test(`${what} hangs nobody, however often`, () => {
    const { heard, round, until } = watch();
    heard('healthy');
    assert.equal(until(50, () => round(gap)), Infinity);
    assert.equal(until(10, round), Infinity); // it has all its time after the wake
    heard('healthy');
    assert.equal(until(50, round), 11);
  });
}

test('a machine that sleeps for moments adds up what was awake alone', () => {
  const { heard, round, until } = watch();
  heard('silent');
  let n = 0;
  assert.equal(until(100, () => round(n++ % 2 === 0 ? ROUND : 5000)), 21);
});

test('timers may be a little late', () => {
  const { heard, round, until } = watch();
  heard('silent');
  assert.equal(until(100, () => round(ROUND + 400)), 11);
});
