/** Serves the page's files, and a socket that says one thing and closes: for what the real server cannot be made to say. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = fileURLToPath(new URL('../../web/', import.meta.url));
/** @type {Record<string, string>} */
const types = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml', '.ttf': 'font/ttf', '.wasm': 'application/wasm' };
const HANDSHAKE = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455

/** A goodbye of package wire, for good: outdated. */
export const OUTDATED = Uint8Array.of(0x86, 2, 0, 0, 0, 0);

/**
 * @param {Uint8Array} lastWord  what each socket gets when it has said hello, under 126 bytes
 * @returns {Promise<{ url: string, visits: () => number, stop: () => void }>} visits counts how often the page was asked for
 */
export async function startLoneServer(lastWord) {
  let visits = 0;
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    if (path === '/') visits++;
    const file = path === '/' ? 'static/index.html' : path === '/donut.wasm' ? 'dist/donut.wasm' : `static${path}`;
    try {
      const body = await readFile(web + file);
      response.writeHead(200, { 'Content-Type': types[extname(file)] }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + HANDSHAKE).digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    // Firefox may miss what comes before the page knows that the socket is open, if the connection ends with it.
    socket.once('data', () => {
      socket.write(Uint8Array.of(0x82, lastWord.length, ...lastWord));
      socket.end(Uint8Array.of(0x88, 2, 3, 0xe8));
    });
    socket.on('error', () => {});
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}/`,
    visits: () => visits,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
