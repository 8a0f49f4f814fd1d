/**
 * npm run join: how long a tab that joins others waits for its first picture, from when the page is asked for. Nothing is
 * attached to the tabs while they load, since a debugger holds up every worker.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';
import { sleep } from './bounds.js';
import { CHROMIUM_FLAGS, browsers } from './browser.js';
import { percentile } from './recorder.js';
import { startServer } from './server.js';

const TABS = 11;

const server = await startServer();
const profile = mkdtempSync(`${tmpdir()}/join-`);
const flags = [...CHROMIUM_FLAGS, '--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
const child = spawn(browsers.chrome.path, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
try {
  /** @type {string} */
  const endpoint = await new Promise((resolve) => {
    createInterface(child.stderr).on('line', (line) => {
      const match = /DevTools listening on (\S+)/.exec(line);
      if (match) resolve(match[1]);
    });
  });
  const open = async () => {
    const at = `http://${new URL(endpoint).host}/json/`;
    const { id } = await (await fetch(`${at}new?${server.url}`, { method: 'PUT' })).json();
    return { id, close: () => fetch(`${at}close/${id}`) };
  };
  await open(); // the one that is there
  await sleep(4_000);
  const took = [];
  for (let i = 0; i < TABS; i++) {
    const tab = await open();
    await sleep(2_000);
    const browser = await puppeteer.connect({ browserWSEndpoint: endpoint });
    const target = browser.targets().find((each) => /** @type {any} */ (each)._targetId === tab.id);
    const page = await target?.page();
    took.push(Number(await page?.evaluate(() => performance.getEntriesByName('first frame')[0]?.startTime)));
    await browser.disconnect();
    await tab.close();
  }
  const [half, most] = [percentile(took, 0.5), Math.max(...took)];
  console.log(`first pictures after ${took.map((each) => each.toFixed(0)).join(', ')} ms: median ${half.toFixed(0)}, at most ${most.toFixed(0)}`);
} finally {
  child.kill();
  await server.stop();
  await sleep(500);
  rmSync(profile, { recursive: true, force: true });
}
