/** A render worker: one thread around an instance of its own, which renders leases or verifies what aired. */

import { Donut } from './module.js';
import { Thread } from './thread.js';

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** @param {MessageEvent<import('./messages.js').Equip>} event */
scope.onmessage = ({ data: { module, port } }) => {
  const thread = new Thread({
    instantiate: () => Donut.instantiate(module),
    now: () => performance.now(),
    pause,
    rest: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    post: (message, transfer) => port.postMessage(message, transfer),
  });
  port.onmessage = ({ data }) => hear(thread, port, data);
  thread.prepare();
};

/** @param {Thread} thread @param {MessagePort} port @param {import('./messages.js').ToRenderer} message */
function hear(thread, port, message) {
  switch (message.type) {
    case 'lease':
      return thread.lease(message.job, message.message);
    case 'check':
      return thread.check(message.job, message.sample);
    case 'revoke':
      return thread.revoke(message.job);
    case 'stop':
      return thread.stop();
    case 'duty':
      thread.duty = message.duty;
      return;
    case 'ping':
      return port.postMessage({ type: 'pong' });
  }
}

// A message to oneself comes after those that are waiting, and is not held back as nested timers are.
const channel = new MessageChannel();
/** @type {(() => void)[]} */
const paused = [];
channel.port1.onmessage = () => paused.shift()?.();

/** @returns {Promise<void>} */
function pause() {
  return new Promise((resolve) => {
    paused.push(resolve);
    channel.port2.postMessage(null);
  });
}
