import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exit, wasi } from '../static/js/wasi.js';

function host() {
  const memory = new WebAssembly.Memory({ initial: 4 });
  /** @type {string[]} */
  const said = [];
  const calls = /** @type {Record<string, (...args: any[]) => any>} */ (wasi(() => memory, (line) => said.push(line)));
  return { memory, said, calls, view: () => new DataView(memory.buffer) };
}

test('there are no arguments and no variables', () => {
  const { calls, view } = host();
  view().setUint32(0, 9, true);
  for (const name of ['args_sizes_get', 'environ_sizes_get']) {
    assert.equal(calls[name](0, 4), 0);
    assert.equal(view().getUint32(0, true), 0);
  }
});

test('the clocks run: the wall\'s from 1970 on, the other one from the start', () => {
  const { calls, view } = host();
  calls.clock_time_get(0, 0n, 0);
  calls.clock_time_get(1, 0n, 8);
  assert.ok(Math.abs(Number(view().getBigUint64(0, true)) / 1e6 - Date.now()) < 1000);
  assert.ok(Math.abs(Number(view().getBigUint64(8, true)) / 1e6 - performance.now()) < 1000);
});

test('randomness is real, and more of it than one call gives', () => {
  const { calls, memory } = host();
  assert.equal(calls.random_get(1000, 150_000), 0);
  const bytes = new Uint8Array(memory.buffer);
  assert.ok(bytes.subarray(0, 1000).every((b) => b === 0));
  assert.ok(bytes.subarray(151_000).every((b) => b === 0));
  for (const start of [1000, 70_000, 150_936]) assert.ok(bytes.subarray(start, start + 64).some((b) => b !== 0));
});

test('what is written to the standard error is passed on, and nothing can be written elsewhere', () => {
  const { calls, memory, view, said } = host();
  new TextEncoder().encodeInto('oh dear', new Uint8Array(memory.buffer, 100));
  for (const [i, n] of [100, 3, 103, 4].entries()) view().setUint32(4 * i, n, true);
  assert.equal(calls.fd_write(2, 0, 2, 50), 0);
  assert.deepEqual(said, ['oh dear']);
  assert.equal(view().getUint32(50, true), 7);
  assert.notEqual(calls.fd_write(3, 0, 2, 50), 0);
});

test('an exit ends the call', () => {
  assert.throws(() => host().calls.proc_exit(2), Exit);
});
