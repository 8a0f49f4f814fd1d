/**
 * How long tabs that join another wait for their first picture. Nothing is attached to them while they load, since a
 * debugger holds up every worker.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';
import { sleep } from './bounds.js';
import { CHROMIUM_FLAGS, browsers } from './browser.js';

/**
 * Opens tabs one after the other in a browser of their own, beside one that plays, and answers how many milliseconds
 * after its page was asked for each had its first picture.
 * @param {string} url @param {number} tabs
 */
export async function firstPictures(url, tabs) {
  const profile = mkdtempSync(`${tmpdir()}/first-picture-`);
  const flags = [...CHROMIUM_FLAGS, '--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
  const child = spawn(browsers.chrome.path, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
  const gone = once(child, 'exit');
  try {
    /** @type {string} */
    const endpoint = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the browser ended with ${code}`)));
      createInterface(child.stderr).on('line', (line) => {
        const match = /DevTools listening on (\S+)/.exec(line);
        if (match) resolve(match[1]);
      });
    });
    const at = `http://${new URL(endpoint).host}/json/`;
    const open = async () => (await (await fetch(`${at}new?${url}`, { method: 'PUT' })).json()).id;
    await open(); // the one that plays
    await sleep(4_000);
    const took = [];
    for (let i = 0; i < tabs; i++) {
      const id = await open();
      await sleep(2_000); // it should have its picture by then
      const browser = await puppeteer.connect({ browserWSEndpoint: endpoint });
      const target = browser.targets().find((each) => /** @type {any} */ (each)._targetId === id);
      const page = await target?.page();
      if (!page) throw new Error(`tab ${i} is gone`);
      const marked = await page.waitForFunction(() => performance.getEntriesByName('first frame')[0]?.startTime, { timeout: 10_000 });
      took.push(Number(await marked.jsonValue()));
      await browser.disconnect();
      await fetch(`${at}close/${id}`);
    }
    return took;
  } finally {
    child.kill();
    await gone;
    await remove(profile);
  }
}

/**
 * Removes a browser's folder, which its last processes may still write to: so from the start each time that it fails.
 * @param {string} folder
 */
async function remove(folder) {
  for (const deadline = Date.now() + 10_000; ; await sleep(100)) {
    try {
      return rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
