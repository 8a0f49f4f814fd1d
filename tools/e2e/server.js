/** The real server as a child process. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const START_WITHIN = 30_000; // a cold start compiles the module

/** Where a command of the project lies: in bin, or in the folder that DONUT_BIN names. @param {string} name */
export function command(name) {
  const path = `${process.env.DONUT_BIN || `${root}bin`}/${name}`;
  if (!existsSync(path)) throw new Error(`${path} is missing: run make build`);
  return path;
}

/**
 * @typedef {object} Server
 * @property {string} url
 * @property {string} addr
 * @property {() => Promise<any>} stats
 * @property {() => Promise<void>} stop  asks it to end, and waits until it has
 */

/**
 * Starts a server and waits until it listens.
 * @param {{ addr?: string, flags?: string[] }} [options]
 * @returns {Promise<Server>}
 */
export async function startServer({ addr = '127.0.0.1:0', flags = [] } = {}) {
  const args = ['-addr', addr, '-admin-addr', '', '-log-format', 'json', ...flags];
  const child = spawn(command('donut-server'), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  /** @type {string[]} */
  const log = [];
  const listening = new Promise((resolve, reject) => {
    createInterface(child.stderr).on('line', (line) => {
      log.push(line);
      if (line.includes('"listening"')) resolve(JSON.parse(line).addr);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`donut-server exited with ${code}:\n${log.join('\n')}`)));
    setTimeout(() => reject(new Error(`donut-server did not listen:\n${log.join('\n')}`)), START_WITHIN).unref();
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  try {
    const bound = await listening;
    const url = `http://${bound}/`;
    return { url, addr: bound, stop, stats: async () => (await fetch(`${url}api/stats`)).json() };
  } catch (error) {
    await stop();
    throw error;
  }
}
