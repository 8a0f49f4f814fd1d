/** A page of an origin of its own that shows what asciinema's player makes of a URL. */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { resolve } = createRequire(import.meta.url);
/** @type {Record<string, [type: string, file: string]>} */
const files = {
  '/player.js': ['text/javascript', resolve('asciinema-player/dist/bundle/asciinema-player.min.js')],
  '/player.css': ['text/css', resolve('asciinema-player/dist/bundle/asciinema-player.css')],
};
const page = `<!doctype html><meta charset="utf-8"><title>player</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="player.css"><script src="player.js"></script>
<div id="player"></div>
<script>
  const what = new URL(location).searchParams.get('show');
  const source = what.startsWith('ws') ? { driver: 'websocket', url: what } : what;
  player = AsciinemaPlayer.create(source, document.getElementById('player'), { autoPlay: true });
</script>`;

/**
 * @returns {Promise<{ showing: (what: string) => string, stop: () => void }>} showing is the URL of a page that shows another
 */
export async function servePlayer() {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://x');
    const [type, body] = files[pathname]
      ? [files[pathname][0], await readFile(files[pathname][1])]
      : ['text/html', page];
    response.writeHead(200, { 'Content-Type': type }).end(body);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', () => listening(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    showing: (what) => `http://127.0.0.1:${port}/?show=${encodeURIComponent(what)}`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
