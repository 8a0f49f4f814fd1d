/**
 * npm run screenshots -- FOLDER: what the page looks like, on a phone, a laptop and a wide screen, dark and light, with
 * four tabs in the fleet; and in each state in which nothing moves.
 */

import { mkdirSync } from 'node:fs';
import { sleep } from './bounds.js';
import { launch } from './browser.js';
import { startLoneServer } from './lone-server.js';
import { startServer } from './server.js';
import { openTab } from './tab.js';

const SIZES = /** @type {const} */ ({ phone: [390, 844], laptop: [1366, 768], wide: [2200, 1200] });
const SCHEMES = /** @type {const} */ (['dark', 'light']);
const SETTLE = 20_000; // milliseconds, until the ring is full and trends have a past
/** A goodbye of package wire: its reason, and an hour to wait. */
const goodbye = (/** @type {number} */ reason) => Uint8Array.of(0x86, reason, 0x80, 0xee, 0x36, 0);
/** By state, what the server says last, and what the browser lacks. @type {[string, Uint8Array, (() => void)?][]} */
const STATES = [
  ['draining', goodbye(1)],
  ['outdated', goodbye(2)],
  ['evicted', goodbye(3)],
  ['full', goodbye(6)],
  ['crowded', goodbye(8)],
  ['offline', goodbye(1), () => void Object.defineProperty(navigator, 'onLine', { value: false })],
  ['unsupported', goodbye(1), () => void delete (/** @type {any} */ (window).WebAssembly)],
];

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: npm run screenshots -- FOLDER');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const browser = await launch('chrome');

/** @param {string} name @param {string} url @param {keyof typeof SIZES} size @param {'dark' | 'light'} scheme @param {() => void} [before] */
async function visit(name, url, size, scheme, before) {
  const tab = await openTab(browser, 'about:blank', { before });
  const [width, height] = SIZES[size];
  await tab.page.setViewport({ width, height, deviceScaleFactor: size === 'phone' ? 2 : 1 });
  await tab.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await tab.page.goto(url);
  const shoot = async () => {
    await tab.page.screenshot({ path: `${folder}/${name}.png`, fullPage: size === 'phone' });
    await tab.close();
  };
  return shoot;
}

const server = await startServer();
try {
  const others = await Promise.all([1, 2, 3].map(() => openTab(browser, server.url)));
  for (const size of /** @type {(keyof typeof SIZES)[]} */ (Object.keys(SIZES))) {
    const shots = await Promise.all(SCHEMES.map((scheme) => visit(`${size}-${scheme}`, server.url, size, scheme)));
    await sleep(SETTLE);
    for (const shoot of shots) await shoot();
  }
  await Promise.all(others.map((tab) => tab.close()));
  for (const [state, lastWord, before] of STATES) {
    const lone = await startLoneServer(lastWord);
    const shoot = await visit(state, lone.url, 'laptop', 'dark', before);
    await sleep(2_000);
    await shoot();
    lone.stop();
  }
} finally {
  await browser.close();
  await server.stop();
}
