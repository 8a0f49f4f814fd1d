/**
 * What need not wait for the rest of the page: the stream worker is started as soon as this file is here, and watches. What
 * it says until the page listens is kept for it, and what the page lets it render with follows.
 */

import { missing } from './status.js';

/** Where the module is: the server writes the version of its own into the page. */
const named = document.querySelector('meta[name=module]');
const module = new URL(named?.getAttribute('content') ?? 'donut.wasm', document.baseURI).href;

/** How to start the stream worker. @param {import('./messages.js').Effort} effort @returns {import('./messages.js').Start} */
export const startWith = (effort) => ({ type: 'start', base: document.baseURI, module, effort });

/** @param {'stream' | 'render'} script @param {string} name */
const begin = (script, name) => new Worker(new URL(`${script}.worker.js`, import.meta.url), { type: 'module', name });

/** @type {Worker | null} */
let early = missing(window) ? null : begin('stream', 'stream');
/** @type {MessageEvent[]} */
const said = [];
if (early) {
  early.onmessage = (event) => said.push(event);
  early.postMessage(startWith({ threads: 0, duty: 100 }));
}

/** Starts a worker. The first stream worker is the one that is there. @type {typeof begin} */
export function start(script, name) {
  if (script !== 'stream' || !early) return begin(script, name);
  const worker = early;
  early = null;
  queueMicrotask(() => said.splice(0).forEach((event) => worker.onmessage?.(event)));
  return worker;
}
