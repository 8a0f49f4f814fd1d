import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUND, Watchdog } from '../static/js/watchdog.js';

/** A watchdog whose rounds come when the test says so. */
function watch() {
  /** @type {Watchdog<string>} */
  const dog = new Watchdog();
  let now = 5_000;
  dog.round(now);
  return {
    dog,
    /** One round after that many milliseconds. */
    round: (after = ROUND) => dog.round((now += after)),
    /** How many rounds until somebody hangs, at most so many. @param {number} most @param {() => string[]} round */
    until(most, round) {
      for (let i = 1; i <= most; i++) if (round().length > 0) return i;
      return Infinity;
    },
  };
}

test('who gives no sign for ten seconds hangs, and nobody else', () => {
  const { dog, round, until } = watch();
  dog.heard('silent');
  const rounds = until(100, () => {
    dog.heard('lively');
    return round();
  });
  assert.equal(rounds, 11); // the first asks, and ten go by
  assert.deepEqual(round(), ['silent']);
});

test('a sign at the last moment is enough', () => {
  const { dog, round } = watch();
  dog.heard('slow');
  for (let i = 0; i < 100; i++) {
    assert.deepEqual(round(), []);
    if (i % 10 === 9) dog.heard('slow');
  }
});

test('who never gave a sign, or was let go, is not watched', () => {
  const { dog, round, until } = watch();
  dog.heard('gone');
  dog.forget('gone');
  assert.equal(until(100, round), Infinity);
});

for (const [what, gap] of /** @type {[string, number][]} */ ([
  ['a machine that slept for eight hours', 8 * 3_600_000],
  ['a browser that was stopped for twelve seconds', 12_000],
  ['a hidden tab whose timers run once a minute', 60_000],
])) {
  test(`${what} hangs nobody, however often`, () => {
    const { dog, round, until } = watch();
    dog.heard('healthy');
    assert.equal(until(50, () => round(gap)), Infinity);
    assert.equal(until(10, round), Infinity); // it has all its time after the wake
    dog.heard('healthy');
    assert.equal(until(50, round), 11);
  });
}

test('a machine that sleeps for moments adds up what was awake alone', () => {
  const { dog, round, until } = watch();
  dog.heard('silent');
  let n = 0;
  assert.equal(until(100, () => round(n++ % 2 === 0 ? ROUND : 5000)), 21);
});

test('timers may be a little late', () => {
  const { dog, round, until } = watch();
  dog.heard('silent');
  assert.equal(until(100, () => round(ROUND + 400)), 11);
});
