import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Playback } from '../static/js/playback.js';

/** A generator of numbers in [-1, 1) that is the same in every run. */
function noise(seed = 1) {
  return () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 1073741824 - 1;
  };
}

/** What a screen of so many hertz shows of 60 frames a second. */
function watch({ hertz = 60, phase = 0, jitter = 0, seconds = 20, from = 1e9 } = {}) {
  const playback = new Playback();
  const random = noise();
  const shown = [];
  for (let i = 0; i < seconds * hertz; i++) {
    const position = from + phase + (i * 60) / hertz + jitter * random();
    shown.push({ position, frame: playback.frame(position) });
  }
  return shown;
}

/** How many frames were shown at no refresh or, on a screen of the frames' own pace, at two. */
function faults(/** @type {{ frame: number }[]} */ shown) {
  return shown.slice(1).filter(({ frame }, i) => frame !== shown[i].frame + 1).length;
}

test('at 60 Hz nothing is skipped or doubled, at whatever phase the screen refreshes', () => {
  for (let phase = 0; phase < 1; phase += 0.01) {
    assert.equal(faults(watch({ phase, jitter: 0.1 })), 0, `phase ${phase.toFixed(2)}`);
  }
});

test('at frame 2^40 it is no different', () => {
  const [near, far] = [watch({ phase: 0.3, jitter: 0.1 }), watch({ phase: 0.3, jitter: 0.1, from: 2 ** 40 })];
  assert.equal(faults(far), 0);
  assert.deepEqual(far.map(({ frame }) => frame - 2 ** 40), near.map(({ frame }) => frame - 1e9));
});

test('floor() alone would not do', () => {
  const shown = watch({ phase: 0, jitter: 0.1 }).map(({ position }) => ({ frame: Math.floor(position) }));
  assert.ok(faults(shown) > 100);
});

test('a screen a little off 60 Hz costs one frame per lap of the phases, and no burst of them', () => {
  for (const hertz of [59.94, 60.06]) {
    const shown = watch({ hertz, jitter: 0.05, seconds: 100 }); // six laps
    assert.ok(faults(shown) <= 7, `${hertz} Hz: ${faults(shown)}`);
  }
});

test('at 120 and 240 Hz every frame is shown for as long as every other', () => {
  for (const hertz of [120, 240]) {
    for (let phase = 0; phase < 1; phase += 0.05) {
      const shown = watch({ hertz, phase, jitter: 0.03 });
      /** @type {Map<number, number>} */
      const times = new Map();
      for (const { frame } of shown.slice(hertz / 4)) times.set(frame, (times.get(frame) ?? 0) + 1);
      const inner = [...times.values()].slice(1, -1);
      assert.ok(inner.every((n) => n === hertz / 60), `${hertz} Hz, phase ${phase.toFixed(2)}: ${[...new Set(inner)]}`);
    }
  }
});

test('at any pace, what is shown is within a quarter frame of right, and never goes back', () => {
  for (const hertz of [24, 30, 50, 60, 75, 90, 120, 144, 165, 240]) {
    let last = -Infinity;
    for (const { position, frame } of watch({ hertz, phase: 0.7, jitter: 0.2 })) {
      assert.ok(frame - 0.25 <= position && position < frame + 1.25, `${hertz} Hz at ${position}: ${frame}`);
      assert.ok(frame >= last, `${hertz} Hz at ${position}: ${frame} after ${last}`);
      last = frame;
    }
  }
});

test('tabs that joined at different phases agree after a second', () => {
  const [old, young] = [new Playback(), new Playback()];
  let position = 0.8;
  for (let i = 0; i < 60; i++) old.frame((position += 1.005)); // to 1.1: the old tab still keeps its beat
  assert.equal(old.frame((position += 1)), Math.floor(position) - 1);
  for (let i = 0; i < 60; i++) {
    position += 1;
    old.frame(position);
    young.frame(position);
  }
  for (let i = 0; i < 60; i++) {
    position += 1;
    assert.equal(old.frame(position), young.frame(position));
  }
});

test('a refresh left out by the browser leaves out its frame and no other', () => {
  const playback = new Playback();
  assert.deepEqual([0.5, 1.5, 3.5, 4.5, 5.5].map((p) => playback.frame(p)), [0, 1, 3, 4, 5]);
});

test('a late refresh and the punctual one after it show two frames', () => {
  const playback = new Playback();
  assert.deepEqual([0.5, 1.5, 2.9, 3.5, 4.5].map((p) => playback.frame(p)), [0, 1, 2, 3, 4]);
});

test('a step of the clock is followed at once, both ways', () => {
  const playback = new Playback();
  assert.deepEqual([100.5, 101.5, 7000.7, 50.9].map((p) => playback.frame(p)), [100, 101, 7000, 50]);
});
