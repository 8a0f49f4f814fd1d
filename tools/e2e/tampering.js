/** A server seen through a browser that is broken, or that was given something else: some of its files are changed. */

import { createServer, request as ask } from 'node:http';
import { connect } from 'node:net';

const EDITION = /^\/v\/[0-9a-f]+/; // of the page's files, in the paths that it names them by

/** What becomes of a file, by its path, without an edition. @typedef {Record<string, (body: Buffer) => Uint8Array | string>} Changes */

const REPORTS = '/violations'; // where browsers say what a policy forbade, to a page's workers as well

/**
 * @param {import('./server.js').Server} server
 * @param {Changes} [changes]
 * @param {(policy: string) => string} [loosen]  the content security policy
 * @returns {Promise<{ url: string, violations: string[], asked: string[], stop: () => void }>} violations grows as they
 *   are reported, and asked, the paths, as they are asked for; where there is no server the answer is 502
 */
export async function startTampering({ addr }, changes = {}, loosen = (policy) => policy) {
  const [host, port] = addr.split(':');
  const target = { host, port: Number(port) };
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  /** @type {string[]} */
  const violations = [];
  /** @type {string[]} */
  const asked = [];
  const proxy = createServer(async (request, response) => {
    const { url: path = '/', method } = request;
    if (path === REPORTS) {
      const { 'csp-report': report } = JSON.parse((await read(request)).toString());
      violations.push(`${report['violated-directive']} ${report['blocked-uri']}`);
      response.writeHead(204).end();
      return;
    }
    asked.push(path);
    const headers = { ...request.headers, 'accept-encoding': 'identity' };
    delete headers['if-none-match'];
    ask({ ...target, path, method, headers }, async (answer) => {
      const body = await read(answer);
      const { 'content-length': _size, etag: _tag, ...rest } = answer.headers;
      const policy = rest['content-security-policy'];
      if (policy) rest['content-security-policy'] = `${loosen(String(policy))}; report-uri ${REPORTS}`;
      response.writeHead(answer.statusCode ?? 502, rest).end(changes[path.split('?')[0].replace(EDITION, '')]?.(body) ?? body);
    })
      .on('error', () => response.writeHead(502).end())
      .end();
  });
  proxy.on('upgrade', (request, near) => {
    asked.push(request.url ?? '');
    const far = connect(target, () => {
      const { method, url, httpVersion, headers } = request;
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      far.write(`${method} ${url} HTTP/${httpVersion}\r\n${lines.join('')}\r\n`);
      near.pipe(far).pipe(near);
    });
    for (const [socket, other] of /** @type {[any, any][]} */ ([[near, far], [far, near]])) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => sockets.delete(socket) && other.destroy());
    }
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', () => resolve(null)));
  const bound = /** @type {import('node:net').AddressInfo} */ (proxy.address());
  return {
    url: `http://127.0.0.1:${bound.port}/`,
    violations,
    asked,
    stop() {
      proxy.close();
      proxy.closeAllConnections();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** @param {import('node:http').IncomingMessage} message */
async function read(message) {
  const parts = [];
  for await (const part of message) parts.push(part);
  return Buffer.concat(parts);
}

/** A script that runs something before the rest of it. @param {(...args: any[]) => void} run @param {unknown[]} args */
export const first = (run, ...args) => (/** @type {Buffer} */ script) =>
  `(${run})(${args.map((arg) => JSON.stringify(arg)).join(', ')});\n${script}`;

/**
 * Runs in the stream worker: the module computes wrong in every instance, or in that of one worker alone. A coefficient
 * of the sine has a bit flipped, as by an engine that translates it wrong or by memory that does not keep it.
 * @param {number} [alone]  which worker, in the order in which they start, from 0
 */
export function breakArithmetic(alone) {
  const { compile } = WebAssembly;
  /** @type {any} */
  let right;
  const wrong = () => {
    const copy = new Uint8Array(right);
    const coefficient = new Uint8Array(Float64Array.of(-1.66666666666666307295e-1).buffer);
    const at = copy.findIndex((_, i) => coefficient.every((byte, j) => copy[i + j] === byte));
    copy[at + 6] ^= 4; // -0.167 becomes -0.161 or so
    return copy;
  };
  WebAssembly.compile = (file) => compile.call(WebAssembly, ((right = file), alone === undefined ? wrong() : file));
  let started = 0;
  const scope = /** @type {any} */ (self);
  const { postMessage } = scope;
  scope.postMessage = (/** @type {any} */ message, /** @type {any} */ transfer) => {
    const here = message.type === 'hire' && message.name === 'render' && started++ === alone;
    postMessage.call(scope, here ? { ...message, module: new WebAssembly.Module(wrong()) } : message, transfer);
  };
}

/** The module under another digest: an empty custom section at its end. @param {Buffer} file */
export const otherModule = (file) => Buffer.concat([file, Uint8Array.of(0, 1, 0)]);
