/**
 * The stream worker: owns the socket, the clock and the render workers. Nothing but painting is left to the page, so a
 * hidden tab, whose page hardly runs, renders and decodes on.
 */

import { clockStep } from './clock.js';
import { Donut } from './module.js';
import { Stream } from './stream.js';

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** @type {Stream | undefined} */
let stream;

/** @param {MessageEvent<import('./messages.js').ToStream>} event */
scope.onmessage = ({ data }) => {
  if (data.type === 'resume') return stream?.resume();
  stream = new Stream(places(data.base), data.threads);
  stream.connect();
};

/** @param {string} base @returns {import('./stream.js').Env} */
function places(base) {
  const socket = new URL('ws', base);
  socket.protocol = socket.protocol === 'https:' ? 'wss:' : 'ws:';
  return {
    load: once(() => load(new URL('donut.wasm', base))),
    instantiate: (module) => Donut.instantiate(module),
    open: () => new WebSocket(socket),
    spawn: (module) => (hear, died) => spawn(module, hear, died),
    random: Math.random,
    step: clockStep(() => performance.now()),
    post: (message, transfer = []) => scope.postMessage(message, transfer),
    now: () => performance.timeOrigin + performance.now(),
    wall: () => Date.now(),
    after(milliseconds, run) {
      const timer = setTimeout(run, milliseconds);
      return () => clearTimeout(timer);
    },
  };
}

/** @param {URL} url */
async function load(url) {
  const response = await fetch(url, { cache: 'no-cache' });
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status} ${response.statusText}`);
  const file = new Uint8Array(await response.arrayBuffer());
  return { module: await WebAssembly.compile(file), file };
}

/** Remembers the first success. @template T @param {() => Promise<T>} run @returns {() => Promise<T>} */
function once(run) {
  /** @type {T | undefined} */
  let value;
  return async () => (value ??= await run());
}

/** @param {WebAssembly.Module} module @param {Parameters<import('./crew.js').Spawn>[0]} hear @param {() => void} died */
function spawn(module, hear, died) {
  const worker = new Worker(new URL('render.worker.js', import.meta.url), { type: 'module', name: 'render' });
  worker.onmessage = ({ data }) => hear(data);
  worker.onerror = died;
  /** @type {import('./crew.js').Hand} */
  const hand = {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    end: () => worker.terminate(),
  };
  hand.post({ type: 'module', module });
  return hand;
}
