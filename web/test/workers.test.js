import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Workers } from '../static/js/workers.js';

const module = /** @type {WebAssembly.Module} */ ({});
/** @type {import('../static/js/messages.js').ToStream} */
const START = { type: 'start', base: 'http://localhost/', module: 'http://localhost/donut.wasm', effort: { threads: 1, duty: 100 } };

class FakeWorker {
  /** @type {unknown[][]} */
  posted = [];
  ended = 0;
  /** @type {any} */
  onmessage = null;
  /** @type {any} */
  onerror = null;
  /** @param {string} script @param {string} name */
  constructor(script, name) {
    this.called = `${script} ${name}`;
  }
  /** @param {unknown[]} message */
  postMessage(...message) {
    this.posted.push(message);
  }
  terminate() {
    this.ended++;
  }
}

function place() {
  /** @type {FakeWorker[]} */
  const started = [];
  /** @type {unknown[]} */
  const heard = [];
  const workers = new Workers({
    start(script, name) {
      const worker = new FakeWorker(script, name);
      started.push(worker);
      return worker;
    },
    hear: (message) => heard.push(message),
  });
  const hire = (/** @type {number} */ hand, /** @type {'render' | 'verify'} */ name = 'render') => {
    const port = { hand };
    started[0].onmessage({ data: { type: 'hire', hand, name, module, port } });
    return port;
  };
  const dismiss = (/** @type {number} */ hand) => started[0].onmessage({ data: { type: 'dismiss', hand } });
  return { workers, started, heard, hire, dismiss };
}

test('an awake page has one stream worker, whose messages the page hears', () => {
  const { workers, started, heard } = place();
  workers.tell({ type: 'resume' }); // to nobody
  workers.wake(START);
  workers.wake(START);
  workers.tell({ type: 'resume' });
  assert.deepEqual(started.map(({ called }) => called), ['stream stream']);
  assert.deepEqual(started[0].posted, [[START], [{ type: 'resume' }]]);
  started[0].onmessage({ data: { type: 'failed' } });
  assert.deepEqual(heard, [{ type: 'failed' }]);
});

test('a render worker is given the module and its port at once', () => {
  const { workers, started, heard, hire } = place();
  workers.wake(START);
  const ports = [hire(1), hire(2, 'verify')];
  assert.deepEqual(started.slice(1).map(({ called }) => called), ['render render', 'render verify']);
  assert.deepEqual(started.slice(1).map(({ posted }) => posted), ports.map((port) => [[{ module, port }, [port]]]));
  assert.deepEqual(heard, []);
});

test('who is dismissed is ended, once, and nobody else', () => {
  const { workers, started, hire, dismiss } = place();
  workers.wake(START);
  hire(1);
  hire(2);
  for (const hand of [2, 2, 3]) dismiss(hand);
  assert.deepEqual(started.map(({ ended }) => ended), [0, 0, 1]);
});

test('the stream worker is told who died, and can still dismiss it', () => {
  const { workers, started, hire, dismiss } = place();
  workers.wake(START);
  hire(1);
  hire(2);
  started[2].onerror();
  assert.deepEqual(started[0].posted.slice(1), [[{ type: 'died', hand: 2 }]]);
  dismiss(2);
  assert.deepEqual(started.map(({ ended }) => ended), [0, 0, 1]);
});

test('a page that falls asleep ends its workers and hears no more of them; one that wakes has others', () => {
  const { workers, started, hire } = place();
  workers.sleep(); // nobody
  workers.wake(START);
  hire(1);
  hire(2);
  workers.sleep();
  workers.sleep();
  assert.deepEqual(started.map(({ ended }) => ended), [1, 1, 1]);
  assert.deepEqual(started.map(({ onmessage, onerror }) => [onmessage, onerror]), Array(3).fill([null, null]));
  workers.tell({ type: 'resume' });
  assert.equal(started[0].posted.length, 1);
  workers.wake(START);
  assert.deepEqual(started.map(({ called }) => called), ['stream stream', 'render render', 'render render', 'stream stream']);
  assert.deepEqual(started[3].posted, [[START]]);
});
