/**
 * The ten WASI functions that Go's runtime asks for. The module opens no file and starts no timer: what it needs of the
 * host is the time, randomness, and a place to say its last words.
 */

const OK = 0;
const BAD_FILE = 8;
const REALTIME = 0;
const MOST_RANDOM_BYTES = 65536; // what crypto.getRandomValues fills in one call
const NO_TEXT = new Uint8Array();

/** Thrown through a call of the module when Go's runtime ends the process: the instance is dead. */
export class Exit extends Error {
  /** @param {number} code */
  constructor(code) {
    super(`the module exited with status ${code}`);
    this.name = 'Exit';
  }
}

/**
 * @param {() => WebAssembly.Memory} memory  of the instance; asked for again in every call, since growing replaces it
 * @param {(line: string) => void} say       takes what the module writes to its standard output or error
 * @returns {WebAssembly.ModuleImports}
 */
export function wasi(memory, say) {
  const view = () => new DataView(memory().buffer);
  const utf8 = new TextDecoder();

  /** Answers that a list (of arguments, of variables) is empty. @type {(count: number, size: number) => number} */
  const sizesOfNone = (count, size) => {
    view().setUint32(count, 0, true);
    view().setUint32(size, 0, true);
    return OK;
  };

  return {
    args_sizes_get: sizesOfNone,
    environ_sizes_get: sizesOfNone,
    args_get: () => OK,
    environ_get: () => OK,
    sched_yield: () => OK,

    /** @type {(clock: number, precision: bigint, time: number) => number} */
    clock_time_get(clock, _precision, time) {
      const milliseconds = clock === REALTIME ? Date.now() : performance.now();
      view().setBigUint64(time, BigInt(Math.round(milliseconds * 1e6)), true);
      return OK;
    },

    /** @type {(start: number, size: number) => number} */
    random_get(start, size) {
      for (let done = 0; done < size; done += MOST_RANDOM_BYTES) {
        const length = Math.min(size - done, MOST_RANDOM_BYTES);
        crypto.getRandomValues(new Uint8Array(memory().buffer, start + done, length));
      }
      return OK;
    },

    /** @type {(file: number, vectors: number, count: number, written: number) => number} */
    fd_write(file, vectors, count, written) {
      if (file !== 1 && file !== 2) return BAD_FILE;
      const data = view();
      let [size, text] = [0, ''];
      for (let i = 0; i < count; i++) {
        const start = data.getUint32(vectors + 8 * i, true);
        const length = data.getUint32(vectors + 8 * i + 4, true);
        text += utf8.decode(new Uint8Array(data.buffer, start, length), { stream: true });
        size += length;
      }
      say(text + utf8.decode(NO_TEXT));
      data.setUint32(written, size, true);
      return OK;
    },

    /** Every wait is over at once: nothing in the module has a reason to sleep. @type {(...args: number[]) => number} */
    poll_oneoff(_subscriptions, _events, _count, happened) {
      view().setUint32(happened, 0, true);
      return OK;
    },

    /** @type {(code: number) => never} */
    proc_exit(code) {
      throw new Exit(code);
    },
  };
}
