import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameBuffer } from '../static/js/buffer.js';

/** Frames of two letters; a space stands for a hole. */
const texts = (/** @type {string} */ letters) =>
  new Uint8Array([...letters].flatMap((c) => (c === ' ' ? [0, 0] : [c.charCodeAt(0), c.charCodeAt(0)]))).buffer;

const shown = (/** @type {FrameBuffer} */ buffer, /** @type {number} */ number) => {
  const frame = buffer.at(number);
  return frame && `${frame.number}${new TextDecoder().decode(frame.text)}`;
};

test('a frame is shown by its number, and a hole shows the one before', () => {
  const buffer = new FrameBuffer(2, 100, 10);
  buffer.add(40, 4, texts('ab d'));
  assert.equal(shown(buffer, 39), null);
  assert.equal(shown(buffer, 40), '40aa');
  assert.equal(shown(buffer, 42), '41bb');
  assert.equal(shown(buffer, 43), '43dd');
});

test('numbers are exact however large they are', () => {
  for (const first of [2 ** 32 - 2, 2 ** 40 - 2, 2 ** 53 - 6]) {
    const buffer = new FrameBuffer(2, 100, 3);
    buffer.add(first, 4, texts('abcd'));
    assert.deepEqual([0, 1, 2, 3, 4].map((i) => buffer.at(first + i)?.number), [0, 1, 2, 3, 3].map((i) => first + i));
    assert.equal(shown(buffer, first + 2), `${first + 2}cc`);
  }
});

test('past the end the last frame stays for a while', () => {
  const buffer = new FrameBuffer(2, 100, 10);
  buffer.add(40, 1, texts('a'));
  assert.equal(shown(buffer, 50), '40aa');
  assert.equal(shown(buffer, 51), null);
});

test('what has passed is dropped, but for what a small step back needs', () => {
  const buffer = new FrameBuffer(2, 100, 2);
  buffer.add(0, 8, texts('abcdefgh'));
  buffer.at(6);
  assert.equal(buffer.size, 4);
  assert.equal(shown(buffer, 5), '5ff');
});

test('a page that paints nothing keeps no more than it may', () => {
  const buffer = new FrameBuffer(2, 6, 2);
  for (let first = 0; first < 1000; first += 4) buffer.add(first, 4, texts('abcd'));
  assert.equal(buffer.size, 6);
  assert.equal(shown(buffer, 999), '999dd');
});

test('frames that come a second time change nothing', () => {
  const buffer = new FrameBuffer(2, 100, 2);
  buffer.add(0, 4, texts('abcd'));
  buffer.add(2, 4, texts('cdef'));
  assert.equal(buffer.size, 6);
  assert.equal(shown(buffer, 5), '5ff');
});
