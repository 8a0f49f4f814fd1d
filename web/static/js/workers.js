/**
 * The workers of an awake page: the stream worker, and the render workers that it asks for.
 *
 * The stream worker could start those itself; but Firefox blocks a worker that starts another until the page's thread
 * has heard of that one, and a notice that comes while the new worker already waits for work may wake the wrong one of
 * the two: the first then waits for ever.
 *
 * When the page falls asleep, all of them end, so that the connection closes and what was lent to the tab is free for
 * others. They could not say goodbye themselves: a browser stops them before they hear of it.
 */

/**
 * @typedef {Pick<Worker, 'onmessage' | 'onerror' | 'postMessage' | 'terminate'>} PageWorker
 *
 * @typedef {object} Places
 * @property {(script: 'stream' | 'render', name: string) => PageWorker} start
 * @property {(message: import('./messages.js').ToPage) => void} hear  all but what is for this place
 */

export class Workers {
  #places;
  /** @type {PageWorker | null} */
  #stream = null;
  /** The render workers, by the stream worker's numbers. @type {Map<number, PageWorker>} */
  #hands = new Map();

  /** @param {Places} places */
  constructor(places) {
    this.#places = places;
  }

  /** Starts the stream worker with its first message, unless there is one. @param {import('./messages.js').ToStream} start */
  wake(start) {
    if (this.#stream) return;
    this.#stream = this.#places.start('stream', 'stream');
    this.#stream.onmessage = ({ data }) => this.#hear(data);
    this.tell(start);
  }

  /** Ends every worker. */
  sleep() {
    if (this.#stream) this.#end(this.#stream);
    this.#stream = null;
    for (const worker of this.#hands.values()) this.#end(worker);
    this.#hands.clear();
  }

  /** Tells the stream worker, if there is one. @param {import('./messages.js').ToStream} message */
  tell(message) {
    this.#stream?.postMessage(message);
  }

  /** @param {import('./messages.js').ToPage} message */
  #hear(message) {
    switch (message.type) {
      case 'hire':
        return this.#hire(message);
      case 'dismiss':
        return this.#dismiss(message.hand);
      default:
        return this.#places.hear(message);
    }
  }

  /** @param {import('./messages.js').Hire} hire */
  #hire({ hand, name, module, port }) {
    const worker = this.#places.start('render', name);
    worker.onerror = () => this.tell({ type: 'died', hand });
    this.#hands.set(hand, worker);
    /** @type {import('./messages.js').Equip} */
    const equip = { module, port };
    worker.postMessage(equip, [port]);
  }

  /** @param {number} hand */
  #dismiss(hand) {
    const worker = this.#hands.get(hand);
    if (worker) this.#end(worker);
    this.#hands.delete(hand);
  }

  /** What it said before, and is still to be heard, is void. @param {PageWorker} worker */
  #end(worker) {
    worker.onmessage = worker.onerror = null;
    worker.terminate();
  }
}
