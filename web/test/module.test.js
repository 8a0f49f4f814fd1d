import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { Donut, Refusal } from '../static/js/module.js';
import { bare, broken, leaseOf, readModule, root } from './real.js';

/** @type {Uint8Array<ArrayBuffer>} */
let file;
/** @type {WebAssembly.Module} */
let module;

before(async () => {
  file = readModule();
  module = await WebAssembly.compile(file);
});

test('frame 0 is the golden one', async () => {
  const donut = await Donut.instantiate(module);
  const { columns, rows, packedSize, textSize } = donut.constants;
  const packed = new Uint8Array(donut.render(1, 0, 1));
  assert.equal(packed.length, packedSize);
  const golden = readFileSync(`${root}wasm/donut/testdata/frame-0000.txt`);
  assert.equal(golden.length, textSize);
  const level = (/** @type {number} */ i) => (packed[i >> 1] >> (4 * (i & 1))) & 15;
  /** @type {Map<number, number>} */
  const letters = new Map();
  for (let i = 0; i < rows * (columns - 1); i++) {
    const letter = golden[Math.floor(i / (columns - 1)) * columns + (i % (columns - 1))];
    if (!letters.has(level(i))) letters.set(level(i), letter);
    assert.equal(letter, letters.get(level(i)), `cell ${i}`); // one letter a level, and so for every cell
  }
  assert.ok(letters.size > 10);
});

test('hello names the module by the SHA-256 of its file', async () => {
  const donut = await Donut.instantiate(module);
  donut.hash(file);
  const hello = Buffer.from(donut.hello(3));
  assert.ok(hello.includes(createHash('sha256').update(file).digest()));
  assert.ok(file.length > donut.inputSize, 'the file must be hashed in pieces for this to say much');
  const other = await Donut.instantiate(module);
  other.name(await crypto.subtle.digest('SHA-256', file));
  assert.deepEqual(Buffer.from(other.hello(3)), hello);
  assert.throws(() => other.name(new ArrayBuffer(31)), Refusal);
});

test('a lease is rendered in slices into the result that the server wants', async () => {
  const donut = await Donut.instantiate(module);
  assert.equal(donut.begin(new Uint8Array(leaseOf({ first: 150, count: 5 }))), 5);
  assert.throws(() => donut.result(0), Refusal);
  assert.equal(donut.work(2), 3);
  assert.equal(donut.work(100), 0);
  const result = Buffer.from(donut.result(1234.5));
  assert.deepEqual(result.subarray(-5 * donut.constants.packedSize), Buffer.from(donut.render(1, 150, 5)));
});

test('a refusal says why, and costs nothing', async () => {
  const donut = await Donut.instantiate(module);
  assert.throws(() => donut.receive(new Uint8Array([0x84, 1])), (error) => error instanceof Refusal && /revoke/.test(error.message));
  assert.throws(() => donut.receive(new Uint8Array()), Refusal);
  assert.throws(() => donut.receive(new Uint8Array(donut.inputSize + 1)), Refusal);
  const goodbye = new Uint8Array([0x86, 1, 0xe8, 3, 0, 0]);
  assert.deepEqual(donut.receive(goodbye), { kind: 'goodbye', reason: 'draining', retry: 1000 });
});

test('memory stays as it is through many calls', async () => {
  const { instance, memory } = await bare(module);
  const donut = new Donut(instance);
  const message = new Uint8Array([0x86, 1, 0xe8, 3, 0, 0]);
  for (let i = 0; i < 1000; i++) donut.receive(message);
  const { byteLength } = memory.buffer;
  for (let i = 0; i < 50_000; i++) donut.receive(message);
  assert.ok(memory.buffer.byteLength <= 2 * byteLength);
});

test('an instance proves that it computes what it should, time and again', async (t) => {
  const donut = await Donut.instantiate(module);
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    donut.selfTest();
    t.diagnostic(`self-test ${i}: ${(performance.now() - start).toFixed(1)} ms`);
  }
});

test('an engine that is off in the twelfth digit is found out, though its pictures are right', async () => {
  const donut = await Donut.instantiate(await WebAssembly.compile(broken(file, 12)));
  const right = await Donut.instantiate(module);
  assert.deepEqual(donut.render(1, 0, 100), right.render(1, 0, 100));
  assert.throws(() => donut.selfTest(), (error) => error instanceof Refusal && /^self-test: digest: got [0-9a-f]{64}, want/.test(error.message));
});

test('a frame is verified cell by cell', async () => {
  const donut = await Donut.instantiate(module);
  const text = new Uint8Array(readFileSync(`${root}wasm/donut/testdata/frame-0150.txt`));
  assert.deepEqual(donut.verify(1, 150, text), { cells: 0 });
  text[900] ^= 1;
  const { cells, aired, rendered } = donut.verify(1, 150, text);
  assert.equal(cells, 1);
  assert.equal(aired, createHash('sha256').update(text).digest('hex'));
  assert.match(rendered ?? '', /^[0-9a-f]{64}$/);
  assert.throws(() => donut.verify(1, 150, text.subarray(1)), Refusal);
});
