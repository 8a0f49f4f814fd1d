/** Instances of the real module that fail in every way there is. None is called again, and nothing but its lease is lost. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { Donut, Trap } from '../static/js/module.js';
import { Thread } from '../static/js/thread.js';
import { Exit } from '../static/js/wasi.js';
import { settle } from './fakes.js';
import { bare, leaseOf, readModule, root } from './real.js';

const PAGE = 1 << 16;
const MOST_PAGES = 256; // of an instance, in the tab and on the server

/** @type {WebAssembly.Module} */
let module;
/** The same, whose memory the engine limits. @type {WebAssembly.Module} */
let limited;

before(async () => {
  const file = readModule();
  module = await WebAssembly.compile(file);
  limited = await WebAssembly.compile(limit(file, MOST_PAGES));
});

/**
 * The module with a limit declared for its memory, which Go's linker leaves out.
 * @param {Uint8Array} file @param {number} pages
 */
function limit(file, pages) {
  const MEMORY = 5;
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = file[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  for (;;) {
    const start = at;
    const section = file[at++];
    const end = number() + at;
    if (section === MEMORY) {
      assert.deepEqual([number(), number()], [1, 0], 'one memory without a limit is what Go declares');
      const limits = [1, 1, ...[number(), pages].flatMap((n) => [(n & 0x7f) | 0x80, n >> 7])];
      return Buffer.concat([file.subarray(0, start), Uint8Array.of(MEMORY, limits.length, ...limits), file.subarray(end)]);
    }
    at = end;
  }
}

/** Makes a call that must fail, and shows that none succeeds after it. @param {Donut} donut @param {() => unknown} call */
function condemns(donut, call) {
  /** @type {unknown} */
  let failure;
  assert.throws(call, (error) => ((failure = error), error instanceof Trap));
  const again = [() => donut.render(1, 0, 1), () => donut.probe(1, 0), () => donut.work(1), () => donut.receive(new Uint8Array())];
  for (const other of again) assert.throws(other, (error) => error instanceof Trap && /earlier call/.test(error.message));
  return /** @type {Trap} */ (failure);
}

test('a panic', async () => {
  const { instance, said } = await bare(module);
  const exports = /** @type {any} */ (instance.exports);
  const donut = new Donut(/** @type {any} */ ({ exports: { ...exports, hello: () => exports.hash(-1) } })); // a size that Go cannot slice
  const { cause } = condemns(donut, () => donut.hello(1));
  assert.ok(cause instanceof WebAssembly.RuntimeError, `${cause}`);
  assert.match(said(), /panic: runtime error: slice bounds out of range/);
});

for (const byte of [0x00, 0x01, 0xff]) {
  test(`memory that is full of ${byte}`, async () => {
    const { instance, memory } = await bare(module);
    const donut = new Donut(instance);
    donut.render(1, 0, 1);
    new Uint8Array(memory.buffer).fill(byte);
    condemns(donut, () => donut.render(1, 1, 1));
  });
}

test('an exit', async () => {
  const { instance } = await bare(module);
  const exports = /** @type {any} */ (instance.exports);
  const donut = new Donut(/** @type {any} */ ({ exports: { ...exports, work: () => { throw new Exit(2); } } })); // as proc_exit does
  assert.match(condemns(donut, () => donut.work(1)).message, /exited with status 2/);
});

test('memory that the engine has no more of', async () => {
  const { instance, memory, said } = await bare(limited);
  const donut = new Donut(instance);
  donut.render(1, 0, 1);
  memory.grow(MOST_PAGES - memory.buffer.byteLength / PAGE);
  assert.throws(() => memory.grow(1), RangeError);
  donut.render(1, 1, 1); // needs none
  condemns(donut, () => donut.render(donut.constants.maxDetail, 0, 1));
  assert.match(said(), /fatal error: .*memory/);
});

test('memory that the engine has more of than the server', async () => {
  const { instance, memory } = await bare(module);
  const donut = new Donut(instance);
  donut.render(1, 0, 1); // which takes what it needs
  memory.grow(MOST_PAGES - memory.buffer.byteLength / PAGE);
  donut.render(1, 0, 1);
  memory.grow(1);
  assert.match(condemns(donut, () => donut.render(1, 0, 1)).message, /memory, want at most 16777216/);
  const server = readFileSync(`${root}server/verify/host.go`, 'utf8');
  assert.equal(Number(/memoryPages = (\d+)/.exec(server)?.[1]), MOST_PAGES, 'the server has another limit');
});

test('every detail in turn stays well below the limit', async () => {
  const { instance, memory } = await bare(module);
  const donut = new Donut(instance);
  for (let n = 0; n < 200; n++) donut.render(1 + (n * 13) % donut.constants.maxDetail, 0, 0);
  assert.ok(memory.buffer.byteLength < 0.75 * MOST_PAGES * PAGE, `${memory.buffer.byteLength / PAGE} pages`);
});

test('a thread gives up the lease in which its instance died, and renders the next one right with a new one', async () => {
  /** @type {WebAssembly.Memory[]} */
  const memories = [];
  /** @type {any[]} */
  const posted = [];
  let sabotage = 3; // pauses until then
  const thread = new Thread({
    now: () => performance.now(),
    pause: async () => {
      if (--sabotage === 0) new Uint8Array(memories[0].buffer).fill(0xff);
    },
    rest: async () => {},
    post: (message) => posted.push(message),
    instantiate: async () => {
      const { instance, memory } = await bare(module);
      memories.push(memory);
      return new Donut(instance);
    },
  });
  thread.lease(1, leaseOf({ lease: 1, detail: 8, first: 600, count: 40 }));
  thread.lease(2, leaseOf({ lease: 2, first: 1_000_000, count: 7 }));
  while (posted.length < 2) await settle();
  assert.deepEqual(posted.map(({ type, job }) => [type, job]), [['spoilt', 1], ['result', 2]]);
  assert.match(posted[0].why, /^Trap: work: /);
  assert.equal(memories.length, 2);
  const want = Buffer.from((await Donut.instantiate(module)).render(1, 1_000_000, 7));
  assert.deepEqual(Buffer.from(posted[1].message).subarray(-want.length), want);
});
