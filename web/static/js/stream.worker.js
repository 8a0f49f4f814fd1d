/**
 * The stream worker: owns the socket and the clock, and commands the render workers. Nothing but painting is left to the
 * page, so a hidden tab, whose page hardly runs, renders and decodes on.
 */

import { clockStep } from './clock.js';
import { Donut } from './module.js';
import { Stream } from './stream.js';

const ANSWER = 5_000; // milliseconds to wait for one

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** @type {Stream | undefined} */
let stream;
/** Render workers asked for, ever. */
let hands = 0;
/** What to do when one dies, by its number. @type {Map<number, () => void>} */
const deaths = new Map();

/** Whether there are frames to show; what else there is to do waits for that. */
let shown = false;
/** What to render with then. @type {import('./messages.js').Effort | null} */
let waiting = null;

/** @param {import('./messages.js').ToPage} message @param {Transferable[]} [transfer] */
function tell(message, transfer = []) {
  scope.postMessage(message, transfer);
  if (message.type !== 'frames' || shown) return;
  shown = true;
  if (waiting) setTimeout(work, 0, waiting);
}

/** @param {import('./messages.js').Effort} effort */
function work(effort) {
  if (shown) stream?.work(effort);
  else waiting = effort;
}

/** @param {MessageEvent<import('./messages.js').ToStream>} event */
scope.onmessage = ({ data }) => {
  switch (data.type) {
    case 'start':
      if (stream) return work(data.effort);
      stream = new Stream(places(data), data.effort);
      return void stream.connect();
    case 'resume':
      return stream?.resume();
    case 'watching':
      return stream?.watch(data.watching);
    case 'work':
      return work(data.effort);
    case 'died':
      return deaths.get(data.hand)?.();
  }
};

/** @param {import('./messages.js').Start} start @returns {import('./stream.js').Env} */
function places({ base, module }) {
  const socket = new URL('ws', base);
  socket.protocol = socket.protocol === 'https:' ? 'wss:' : 'ws:';
  return {
    load: once(() => load(new URL(module))),
    instantiate: (module) => Donut.instantiate(module),
    ask: () => ask(new URL('readyz', base)),
    open: () => new WebSocket(socket),
    spawn: (module, name) => (hear, died) => spawn(module, name, hear, died),
    random: Math.random,
    draw: (n) => crypto.getRandomValues(new Uint32Array(1))[0] % n, // n is so small that no remainder is favoured
    step: clockStep(() => performance.now()),
    post: tell,
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
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status} ${response.statusText}`);
  const file = new Uint8Array(await response.arrayBuffer());
  // A page that came neither by HTTPS nor from this machine has no crypto.subtle.
  const [module, digest] = await Promise.all([WebAssembly.compile(file), crypto.subtle?.digest('SHA-256', file) ?? null]);
  return { module, file, digest };
}

/**
 * Whatever answers is a server, but one that says it is not ready, or a proxy that has none. Who does not answer at all
 * is given up, as a server that falls silent is.
 * @param {URL} url
 */
async function ask(url) {
  const signal = AbortSignal.timeout?.(ANSWER); // which browsers have had for less long than all else here
  const { status, statusText } = await fetch(url, { method: 'HEAD', cache: 'no-store', signal });
  if (status >= 500) throw new Error(`${url.pathname}: ${status} ${statusText}`);
}

/** Remembers the first success. @template T @param {() => Promise<T>} run @returns {() => Promise<T>} */
function once(run) {
  /** @type {T | undefined} */
  let value;
  return async () => (value ??= await run());
}

/**
 * Has the page start a render worker, see workers.js, and talks to it without the page.
 * @param {WebAssembly.Module} module @param {'render' | 'verify'} name
 * @param {Parameters<import('./crew.js').Spawn>[0]} hear @param {() => void} died
 */
function spawn(module, name, hear, died) {
  const number = ++hands;
  deaths.set(number, died);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => hear(data);
  tell({ type: 'hire', hand: number, name, module, port: port2 }, [port2]);
  /** @type {import('./crew.js').Hand} */
  const hand = {
    post: (message, transfer = []) => port1.postMessage(message, transfer),
    end() {
      deaths.delete(number);
      port1.close();
      tell({ type: 'dismiss', hand: number });
    },
  };
  return hand;
}
