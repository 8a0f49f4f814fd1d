/** A render worker: one thread around an instance of its own, which renders leases or verifies what aired. */

import { Donut } from './module.js';
import { Thread } from './thread.js';

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** @type {(module: WebAssembly.Module) => void} */
let provide;
/** @type {Promise<WebAssembly.Module>} */
const module = new Promise((resolve) => (provide = resolve));

// A message to oneself comes after those that are waiting, and is not held back as nested timers are.
const channel = new MessageChannel();
/** @type {(() => void)[]} */
const paused = [];
channel.port1.onmessage = () => paused.shift()?.();

const thread = new Thread({
  instantiate: async () => Donut.instantiate(await module),
  now: () => performance.now(),
  pause: () =>
    new Promise((resolve) => {
      paused.push(resolve);
      channel.port2.postMessage(null);
    }),
  post: (message, transfer) => scope.postMessage(message, transfer),
});

/** @param {MessageEvent<import('./messages.js').ToRenderer>} event */
scope.onmessage = ({ data }) => {
  switch (data.type) {
    case 'module':
      provide(data.module);
      return thread.prepare();
    case 'lease':
      return thread.lease(data.job, data.message);
    case 'check':
      return thread.check(data.job, data.sample);
    case 'revoke':
      return thread.revoke(data.job);
    case 'stop':
      return thread.stop();
    case 'ping':
      return scope.postMessage({ type: 'pong' });
  }
};
