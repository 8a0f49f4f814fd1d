/**
 * The module's exports as methods. Bytes go in at input() and come out at output(); errors come out as Refusal. No other
 * file knows an address.
 */

import { wasi } from './wasi.js';

/**
 * The most bytes of memory that an instance may have when a call returns, as on the server: details 1 to 32 one after the
 * other take half of it. Go's linker declares no limit in the module, so the browser's own would be 4 GiB.
 */
const MOST_MEMORY = 16 << 20;

/** What the module answers when it says no. The instance is as good as before. */
export class Refusal extends Error {
  /** @param {string} text */
  constructor(text) {
    super(text);
    this.name = 'Refusal';
  }
}

/** Any other way a call can fail. The instance is in an unknown state and takes no more calls: make a new one. */
export class Trap extends Error {
  /** @param {string} call @param {unknown} cause */
  constructor(call, cause) {
    super(`${call}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'Trap';
  }
}

/**
 * The fixed numbers, as the module spells them.
 * @typedef {object} Constants
 * @property {number} fps
 * @property {number} columns
 * @property {number} rows
 * @property {number} textSize    bytes of a frame as text
 * @property {number} packedSize  bytes of a packed frame
 * @property {number} maxThreads  that one connection renders with
 * @property {number} maxDetail
 * @property {number} wireVersion
 * @property {number} codecVersion
 * @property {number} firstMember  the first number of another server as the owner of frames
 * @property {readonly string[]} ringStates  the names of the states in a ring's runs, by number
 */

/** One instance, for one connection or one thread, and one call at a time. */
export class Donut {
  /** @type {Record<string, (...args: (number | bigint)[]) => number>} */
  #exports;
  #memory;
  #input;
  #output;
  #frames;
  #condemned = false;

  /** The most bytes that a message may have. @readonly */
  inputSize;
  /** @type {Readonly<Constants>} @readonly */
  constants;

  /**
   * @param {WebAssembly.Module} module
   * @param {(line: string) => void} [say]  takes what Go's runtime says before it dies
   * @returns {Promise<Donut>}
   */
  static async instantiate(module, say = (line) => console.warn(line)) {
    /** @type {WebAssembly.Instance} */
    const instance = await WebAssembly.instantiate(module, {
      wasi_snapshot_preview1: wasi(() => /** @type {WebAssembly.Memory} */ (instance.exports.memory), say),
    });
    return new Donut(instance);
  }

  /** @param {WebAssembly.Instance} instance */
  constructor(instance) {
    this.#exports = /** @type {any} */ (instance.exports);
    this.#memory = /** @type {WebAssembly.Memory} */ (instance.exports.memory);
    this.#call('_initialize');
    this.#input = this.#call('input');
    this.#output = this.#call('output');
    this.#frames = this.#call('frames');
    this.inputSize = this.#call('inputSize');
    this.constants = Object.freeze(this.#json(this.#call('constants')));
  }

  /** Takes the SHA-256 of the module's own file, so that hello can name it. @param {ArrayBuffer} digest */
  name(digest) {
    this.#put(new Uint8Array(digest));
    this.#call('name', digest.byteLength);
  }

  /** Takes in that file, where the host has no digest of it. @param {Uint8Array} file */
  hash(file) {
    for (let start = 0; start < file.length; start += this.inputSize) {
      const piece = file.subarray(start, start + this.inputSize);
      this.#put(piece);
      this.#call('hash', piece.length);
    }
  }

  /** @param {number} threads  offered, up to maxThreads @returns {ArrayBuffer} the message */
  hello(threads) {
    return this.#bytes(this.#call('hello', threads));
  }

  /** @param {number} threads  to render with from now on, up to maxThreads @returns {ArrayBuffer} the message */
  offer(threads) {
    return this.#bytes(this.#call('offer', threads));
  }

  /**
   * @param {number} now   in microseconds on any clock
   * @param {number} took  a round trip to tell of, in microseconds; 0 for none
   * @returns {ArrayBuffer} the message
   */
  probe(now, took) {
    return this.#bytes(this.#call('probe', now, took));
  }

  /** What a message of the server's says. @param {Uint8Array} message @returns {import('./messages.js').FromServer} */
  receive(message) {
    this.#put(message);
    return this.#json(this.#call('receive', message.length));
  }

  /** The text of the first count frames that the last receive decoded. @param {number} count @returns {ArrayBuffer} */
  frames(count) {
    const { textSize } = this.constants;
    return this.#memory.buffer.slice(this.#frames, this.#frames + count * textSize);
  }

  /** Frames as they are packed on the wire. @param {number} detail @param {number | bigint} first @param {number} count */
  render(detail, first, count) {
    return this.#bytes(this.#call('render', detail, BigInt(first), count));
  }

  /** Throws where this instance does not compute what the module should: it must then not render. */
  selfTest() {
    this.#call('selfTest');
  }

  /**
   * Renders a frame and compares it, cell by cell, with what aired.
   * @param {number} detail @param {number} frame @param {Uint8Array} text
   * @returns {{ cells: number, aired?: string, rendered?: string }} how many cells differ, and if any do, both digests
   */
  verify(detail, frame, text) {
    this.#put(text);
    return this.#json(this.#call('verify', detail, BigInt(frame), text.length));
  }

  /** Takes up a lease. @param {Uint8Array} message @returns {number} frames to render */
  begin(message) {
    this.#put(message);
    return this.#call('begin', message.length);
  }

  /** Renders up to count frames of the lease. @param {number} count @returns {number} frames left */
  work(count) {
    return this.#call('work', count);
  }

  /** @param {number} spent  microseconds in work @returns {ArrayBuffer} the message that answers the lease */
  result(spent) {
    return this.#bytes(this.#call('result', spent));
  }

  /** @param {string} name @param {(number | bigint)[]} args */
  #call(name, ...args) {
    if (this.#condemned) throw new Trap(name, 'an earlier call failed');
    let answer;
    try {
      answer = this.#exports[name](...args);
      const { byteLength } = this.#memory.buffer;
      if (byteLength > MOST_MEMORY) throw new RangeError(`got ${byteLength} bytes of memory, want at most ${MOST_MEMORY}`);
    } catch (error) {
      this.#condemned = true;
      throw new Trap(name, error);
    }
    if (answer < 0) throw new Refusal(this.#text(-answer));
    return answer;
  }

  /** @param {Uint8Array} bytes */
  #put(bytes) {
    if (bytes.length > this.inputSize) throw new Refusal(`got ${bytes.length} bytes, want at most ${this.inputSize}`);
    new Uint8Array(this.#memory.buffer, this.#input, bytes.length).set(bytes);
  }

  /** @param {number} size */
  #bytes(size) {
    return this.#memory.buffer.slice(this.#output, this.#output + size);
  }

  /** @param {number} size */
  #text(size) {
    return new TextDecoder().decode(this.#bytes(size));
  }

  /** @param {number} size */
  #json(size) {
    return JSON.parse(this.#text(size));
  }
}
