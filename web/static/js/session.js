/**
 * One connection, from its socket to its end: says hello, probes the clock, and sorts what the server sends. It has an
 * instance of the module to itself, since the stream that it decodes is this connection's.
 */

const SILENCE = 10_000; // milliseconds; a broadcast comes every second
const TICK = 1_000;
const AHEAD = 1_500; // milliseconds: at least so much later than a message comes its frames are due
const STOPPED = 2_000; // milliseconds that a tick is late, or the wall clock jumps, where this tab was stopped
const CONNECTING = 0; // WebSocket's states
const OPEN = 1;
/**
 * Servers end who changes its mind too often. So there are that many offers in a row, each of which is had back after so
 * many milliseconds: who pauses right after having chosen is heard at once.
 */
const [OFFERS_AT_ONCE, OFFER_PACE] = [8, 250];

/**
 * Why a session ended: the server's reason, or one of ours. lost: the connection closed. silent: nothing came for
 * long. garbled: something came that the module does not take. unfit: a thread that was offered must not render.
 * @typedef {import('./messages.js').Reason | 'lost' | 'silent' | 'garbled' | 'unfit'} End
 *
 * @typedef {object} Events
 * @property {(welcome: import('./messages.js').Welcome) => void} welcome
 * @property {(broadcast: import('./messages.js').Broadcast, text: ArrayBuffer) => void} broadcast
 * @property {(lease: import('./messages.js').Lease, message: ArrayBuffer) => void} lease
 * @property {(lease: number) => void} revoke
 * @property {(verified: number) => void} credit           how many frames of this connection's the server found right
 * @property {() => void} clock                            there is news of the clock
 * @property {(threads: number) => void} offered           so many threads are the server's to lend to, from now on
 * @property {(end: End, retry: number, woke: boolean) => void} end  once, and nothing after it; retry is in milliseconds,
 *   and who woke had been stopped, as by a machine that slept, so that the end is no sign of how the server is
 *
 * @typedef {object} Env
 * @property {() => number} now                                      absolute, see messages.js
 * @property {() => number} wall                                     Date.now()
 * @property {(milliseconds: number, run: () => void) => () => void} after  answers how to call it off
 *
 * @typedef {Pick<WebSocket, 'readyState' | 'binaryType' | 'onopen' | 'onmessage' | 'onclose' | 'send' | 'close'>} Socket
 * @typedef {Pick<import('./module.js').Donut, 'hello' | 'offer' | 'probe' | 'receive' | 'frames'>} Codec
 */

export class Session {
  #socket;
  #codec;
  #clock;
  #env;
  #events;
  #welcomed = false;
  #offered;
  #said;
  #rationed = -Infinity; // when all offers that were made are had back
  #sayLater = () => {};
  #ended = false;
  #heard;
  #callOff = () => {};
  #due = Infinity; // when the next tick is
  #woke = -Infinity; // when this tab was last found to have been stopped

  /**
   * @param {Socket} socket  new; it may have opened, or failed, but nothing was said
   * @param {Codec} codec    new, and it has the module's name
   * @param {import('./clock.js').Clock} clock
   * @param {number} threads  to offer
   * @param {Env} env
   * @param {Events} events
   */
  constructor(socket, codec, clock, threads, env, events) {
    this.#socket = socket;
    this.#codec = codec;
    this.#clock = clock;
    this.#env = env;
    this.#events = events;
    this.#offered = this.#said = threads;
    this.#heard = env.now();
    clock.restart(this.#heard);
    socket.binaryType = 'arraybuffer';
    const hello = () => this.#guard(() => this.#socket.send(codec.hello(threads)));
    socket.onopen = hello;
    socket.onmessage = ({ data }) =>
      this.#guard(() => {
        this.#take(data);
        if (clock.due(env.now()) === 0) this.#tick(); // it may have told of a jump
      });
    socket.onclose = () => {
      this.#look(env.now());
      this.end('lost');
    };
    this.#tick();
    if (socket.readyState === OPEN) hello();
    else if (socket.readyState !== CONNECTING) env.after(0, () => this.end('lost')); // nobody knows this session yet
  }

  /** Sends a result. @param {ArrayBuffer} message */
  send(message) {
    if (this.#welcomed && !this.#ended) this.#socket.send(message);
  }

  /** Offers so many threads from now on, which voids the leases of those after them. @param {number} threads */
  offer(threads) {
    this.#offered = threads;
    this.#guard(() => this.#offer());
  }

  #offer() {
    this.#sayLater();
    if (!this.#welcomed || this.#said === this.#offered) return;
    const now = this.#env.now();
    const wait = this.#rationed - (OFFERS_AT_ONCE - 1) * OFFER_PACE - now;
    if (wait > 0) {
      this.#sayLater = this.#env.after(wait, () => this.#guard(() => this.#offer()));
      return;
    }
    this.#rationed = Math.max(this.#rationed, now) + OFFER_PACE;
    this.#said = this.#offered;
    this.#socket.send(this.#codec.offer(this.#said));
    this.#events.offered(this.#said);
  }

  /** Measures the clock anew. */
  remeasure() {
    this.#clock.restart(this.#env.now());
    this.#tick();
  }

  /**
   * Looks whether this tab was stopped. After long the server, which heard nothing, has given it up, so that what is still to
   * be read from the connection is old; after less that may hold the frame which is due, and comes before any other.
   * @param {number} now
   */
  #look(now) {
    const slept = Math.max(0, this.#clock.check(now, this.#env.wall()));
    if (Math.max(slept, now - this.#due) < STOPPED) return;
    this.#woke = now;
    if (now - this.#heard + slept >= SILENCE + AHEAD) return this.end('silent');
    this.#heard = now; // what could not be heard is no silence
  }

  /** @param {End} end @param {number} [retry] */
  end(end, retry = 0) {
    if (this.#ended) return;
    this.#ended = true;
    this.#callOff();
    this.#sayLater();
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#events.end(end, retry, this.#env.now() - this.#woke < SILENCE);
  }

  /** @param {unknown} data */
  #take(data) {
    const now = this.#env.now();
    this.#look(now);
    if (this.#ended) return;
    this.#heard = now;
    if (!(data instanceof ArrayBuffer)) throw new TypeError('got a text message, want a binary one');
    const message = this.#codec.receive(new Uint8Array(data));
    if (message.kind === 'goodbye') return this.end(message.reason, message.retry);
    if ((message.kind === 'welcome') === this.#welcomed) throw new TypeError(`got ${message.kind} out of turn`);
    switch (message.kind) {
      case 'welcome':
        this.#welcomed = true;
        this.#clock.guess(message.now / 1000, message.generation, now);
        this.#events.welcome(message);
        this.#offer(); // which may have changed meanwhile
        return this.#events.clock();
      case 'reply':
        this.#clock.reply(
          {
            sent: message.sent / 1000,
            received: message.received / 1000,
            replied: message.replied / 1000,
            generation: message.generation,
          },
          now,
        );
        this.#events.credit(message.verified);
        return this.#events.clock();
      case 'broadcast':
        this.#clock.generation(message.generation, now);
        this.#events.broadcast(message, this.#codec.frames(message.count));
        if (this.#clock.near(now)) this.#probe(now);
        return;
      case 'lease':
        if (message.thread < this.#offered) this.#events.lease(message, data); // else it was sent before it heard
        return;
      case 'revoke':
        return this.#events.revoke(message.lease);
    }
  }

  /** @param {number} now */
  #probe(now) {
    this.#clock.sent(now);
    this.#socket.send(this.#codec.probe(Math.floor(now * 1000), Math.round(this.#clock.takeTrip() * 1000)));
  }

  /** Sends the probe that is due, and comes back for the next. */
  #tick() {
    this.#guard(() => {
      this.#callOff();
      const now = this.#env.now();
      this.#look(now);
      if (this.#ended) return;
      if (now - this.#heard >= SILENCE) return this.end('silent');
      if (this.#welcomed && this.#clock.due(now) === 0) this.#probe(now);
      const wait = this.#welcomed ? Math.min(TICK, this.#clock.due(now)) : TICK;
      this.#due = now + wait;
      this.#callOff = this.#env.after(wait, () => this.#tick());
    });
  }

  /** Whatever goes wrong with what the server sent, or with the instance, is the end of this connection alone. */
  #guard(/** @type {() => void} */ run) {
    if (this.#ended) return;
    try {
      run();
    } catch (error) {
      console.warn(`donut: the connection is given up: ${error instanceof Error ? error.message : error}`);
      this.end('garbled');
    }
  }
}
