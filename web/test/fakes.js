/** A world in which time passes when a test says so, and a socket whose other end is the test. */

import { Refusal } from '../static/js/module.js';

/** Time, timers and randomness. */
export class World {
  time = 1_000_000; // what performance says, as an absolute instant
  wallAhead = 0; // of Date.now() before it
  /** @type {{ at: number, run: () => void }[]} */
  timers = [];

  now = () => this.time;
  wall = () => this.time + this.wallAhead;

  /** @param {number} milliseconds @param {() => void} run */
  after = (milliseconds, run) => {
    const timer = { at: this.time + milliseconds, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((each) => each !== timer);
    };
  };

  /** Lets time pass, with each timer at its instant. @param {number} milliseconds */
  pass(milliseconds) {
    const end = this.time + milliseconds;
    for (;;) {
      const next = this.timers.reduce((a, b) => (b.at < a.at ? b : a), { at: Infinity, run() {} });
      if (next.at > end) break;
      this.timers = this.timers.filter((each) => each !== next);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = end;
  }
}

/** As much of a WebSocket as a session uses. */
export class FakeSocket {
  /** @type {BinaryType} */
  binaryType = 'blob';
  /** @type {any} */
  onopen = null;
  /** @type {any} */
  onmessage = null;
  /** @type {any} */
  onclose = null;
  readyState = 0;
  closed = false;
  /** @type {any[]} */
  sent = [];

  /** @param {any} message */
  send(message) {
    if (this.closed) throw new Error('sent on a closed socket');
    this.sent.push(message);
  }

  close() {
    this.closed = true;
    this.readyState = 3;
  }

  open() {
    this.readyState = 1;
    this.onopen?.({});
  }

  /** The server says this. @param {unknown} message  an object is encoded as FakeDonut decodes it */
  say(message) {
    const data = typeof message === 'object' ? new TextEncoder().encode(JSON.stringify(message)).buffer : message;
    this.onmessage?.({ data });
  }

  /** The connection breaks. */
  drop() {
    this.close();
    this.onclose?.({});
  }
}

/** Stands in for the module where only the flow of messages counts: on its wire, messages are JSON. */
export class FakeDonut {
  inputSize = 1 << 18;
  constants = {
    fps: 60, columns: 80, rows: 22, textSize: 4, packedSize: 2, maxThreads: 8, maxDetail: 32, wireVersion: 1,
    codecVersion: 1,
  };
  hashed = 0;
  fit = true;
  trapped = false;

  /** @param {Uint8Array} file */
  hash(file) {
    this.hashed += file.length;
  }

  /** @type {ArrayBuffer | null} */
  named = null;

  /** @param {ArrayBuffer} digest */
  name(digest) {
    this.named = digest;
  }

  tests = 0;

  selfTest() {
    this.tests++;
    if (!this.fit) throw new Refusal('self-test: got ab, want cd');
  }

  /** @param {number} threads @returns {any} */
  hello(threads) {
    return { kind: 'hello', threads };
  }

  /** @param {number} threads @returns {any} */
  offer(threads) {
    return { kind: 'offer', threads };
  }

  /** @param {number} sent @param {number} took @returns {any} */
  probe(sent, took) {
    return { kind: 'probe', sent, took };
  }

  /** @param {Uint8Array} message */
  receive(message) {
    return JSON.parse(new TextDecoder().decode(message));
  }

  /** @param {number} count */
  frames(count) {
    return new Uint8Array(count * this.constants.textSize).fill(0x20).buffer;
  }
}

/** A worker that the test plays. */
export class FakeWorker {
  /** @type {any[]} */
  posted = [];
  ended = false;

  /** @param {(message: any) => void} hear @param {() => void} die */
  constructor(hear, die) {
    this.hear = hear;
    this.die = die;
  }

  /** @param {any} message */
  post(message) {
    this.posted.push(message);
  }

  end() {
    this.ended = true;
  }
}

/** @param {object} [change] @returns {any} */
export const welcome = (change) => ({
  kind: 'welcome', detail: 1, threads: 2, you: 7, handle: 'amber otter', generation: 1, now: 5_000_000, epoch: 0,
  lead: 10_000, digest: 'ab',
  ...change,
});

/** A lease, of which tests mind its number and thread. */
export const lease = (/** @type {number} */ number, thread = 0) => ({
  kind: 'lease', lease: number, thread, detail: 1, first: 100, count: 4, within: 100,
});

/** Lets promises that are settled run on. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));
