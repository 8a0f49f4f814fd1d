/** Requests come in over a socket and answers go out over it: for a browser, where a worker renders as in a tab. */

import { open } from './engine.js';

const file = await fetch('../../web/dist/donut.wasm');
const answer = await open(await file.arrayBuffer());
const socket = new WebSocket(new URL('../../socket', location.href));
socket.onmessage = async (/** @type {MessageEvent<string>} */ { data }) => socket.send(await answer(data));
socket.onclose = () => postMessage('closed');
