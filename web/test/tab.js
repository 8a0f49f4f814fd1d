/** A tab without its page: the stream with everything around it played by the test. */

import { Stream } from '../static/js/stream.js';
import { FakeDonut, FakeSocket, FakeWorker, World, settle, welcome } from './fakes.js';

/** A tab whose server is the test. */
export function tab({ threads = 2, random = 0.5 } = {}) {
  const world = new World();
  const t = {
    world,
    /** @type {FakeSocket[]} */
    sockets: [],
    /** @type {FakeDonut[]} */
    instances: [],
    /** @type {any[]} */
    posted: [],
    /** Those that render. @type {FakeWorker[]} */
    workers: [],
    /** Those that verify. @type {FakeWorker[]} */
    verifiers: [],
    loads: () => true,
    /** Whether a server is there. */
    answers: () => true,
    asked: 0,
    /** What the browser makes of the module's file. @type {ArrayBuffer | null} */
    digest: null,
    /** What the engine makes of an instance. @type {(donut: FakeDonut) => void} */
    engine: () => {},
    get socket() {
      return /** @type {FakeSocket} */ (t.sockets.at(-1));
    },
    of: (/** @type {string} */ type) => t.posted.filter((message) => message.type === type),
    get status() {
      return t.of('status').at(-1).status;
    },
    /** Waits out what is left of a pause, and lets the next session begin. */
    async pass(/** @type {number} */ milliseconds) {
      world.pass(milliseconds);
      await settle();
    },
    stream: /** @type {Stream} */ (/** @type {unknown} */ (null)),
  };
  t.stream = new Stream(
    {
      now: world.now,
      wall: world.wall,
      after: world.after,
      random: () => random,
      step: 0.1,
      post: (message) => t.posted.push(message),
      load: async () => {
        if (!t.loads()) throw new Error('503');
        return { module: /** @type {any} */ ({}), file: new Uint8Array(10), digest: t.digest };
      },
      instantiate: async () => {
        const donut = new FakeDonut();
        t.engine(donut);
        t.instances.push(donut);
        return /** @type {any} */ (donut);
      },
      ask: async () => {
        t.asked++;
        if (!t.answers()) throw new Error('502');
      },
      open: () => {
        const socket = new FakeSocket();
        t.sockets.push(socket);
        return socket;
      },
      draw: () => 0,
      spawn: (_module, name) => (hear, die) => {
        const worker = new FakeWorker(hear, die);
        (name === 'verify' ? t.verifiers : t.workers).push(worker);
        return worker;
      },
    },
    { threads, duty: 100 },
  );
  return t;
}

/** A tab that is live. */
export async function live(options = {}) {
  const t = tab(options);
  await t.stream.connect();
  t.socket.open();
  t.socket.say(welcome());
  return t;
}

export const kinds = (/** @type {FakeSocket} */ socket) => socket.sent.map(({ kind }) => kind);
export const broadcast = (change = {}) => ({
  kind: 'broadcast', generation: 1, number: 1, first: 600, count: 3, size: 9, board: [], ...change,
});
