/**
 * The first script of the page, and the only one that is no module: the server writes it into the page itself, so that it
 * waits for no request. It starts the stream worker, which watches at once, and keeps what that says until early.js listens.
 */
(() => {
  if (!('WebAssembly' in window && 'Worker' in window && 'WebSocket' in window)) return; // which main.js tells
  /** What the server has written into the page. @param {string} name */
  const url = (name) => new URL(document.querySelector(`meta[name=${name}]`)?.getAttribute('content') ?? '', document.baseURI).href;
  /** @type {import('./messages.js').Booted} */
  const booted = {
    worker: new Worker(url('stream-worker'), { type: 'module', name: 'stream' }),
    said: [],
    start: { type: 'start', base: document.baseURI, module: url('module'), effort: { threads: 0, duty: 100 } },
  };
  booted.worker.onmessage = (event) => booted.said.push(event);
  booted.worker.postMessage(booted.start);
  Object.assign(window, { booted });
})();
