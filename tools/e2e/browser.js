/** Real browsers, each with a fresh profile, and pages that tell what went wrong in them. */

import { existsSync } from 'node:fs';
import puppeteer from 'puppeteer-core';

/** Where the browsers are. */
export const paths = {
  chrome: process.env.CHROME || '/usr/bin/chromium',
  firefox: process.env.FIREFOX || '/usr/bin/firefox-esr',
};

export const CHROMIUM_FLAGS = [
  '--no-sandbox', // needed as root, and what is opened here is our own
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @typedef {'chrome' | 'firefox'} Make */

/**
 * Why a browser cannot be tested, or false: for a test's skip. With REQUIRE_BROWSERS=1 nothing is skipped, and what is
 * missing fails.
 * @param {Make} make
 */
export function unavailable(make) {
  if (process.env.REQUIRE_BROWSERS === '1' || existsSync(paths[make])) return false;
  return `${paths[make]} is not installed`;
}

/**
 * One that dies while it starts, as Firefox may on a busy machine, is started once more.
 * @param {Make} [make] @param {string[]} [more]  flags for Chromium
 */
export function launch(make = 'chrome', more = []) {
  const start = () =>
    puppeteer.launch({
      browser: make,
      headless: true,
      executablePath: paths[make],
      args: make === 'chrome' ? [...CHROMIUM_FLAGS, ...more] : [],
    });
  return start().catch(start);
}

/**
 * A page in a context of its own, since only then do several of them count as visible.
 * @typedef {object} Tab
 * @property {import('puppeteer-core').Page} page
 * @property {string[]} complaints  console errors, what the page itself warns of, uncaught errors, failed and foreign requests, in the order of time
 * @property {() => Promise<void>} hide   behind another tab of its window
 * @property {() => Promise<void>} close  may be called again
 */

/**
 * @param {import('puppeteer-core').Browser} browser
 * @param {string} url
 * @param {{ before?: () => void, javascript?: boolean }} [options]  before runs in the page ahead of its scripts
 * @returns {Promise<Tab>}
 */
export async function openTab(browser, url, { before, javascript = true } = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.text().startsWith('donut: ')) complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error}`));
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  const look = (/** @type {string} */ requested) => {
    const { protocol, host } = new URL(requested);
    if (protocol !== 'data:' && host !== new URL(url).host) complaints.push(`foreign: ${requested}`);
  };
  page.on('request', (request) => look(request.url()));
  page.on('workercreated', (worker) => watchWorker(worker, look, complaints));
  if (!javascript) await page.setJavaScriptEnabled(false);
  // The tests themselves press hard, and a page that gave way to them would show little.
  await page.evaluateOnNewDocument(() => void delete (/** @type {any} */ (window).PressureObserver));
  if (before) await page.evaluateOnNewDocument(before);
  await page.evaluateOnNewDocument(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(url, { waitUntil: 'load' });
  const hide = async () => {
    const other = await context.newPage();
    await other.bringToFront();
  };
  /** @type {Promise<void> | undefined} */
  let closing;
  const close = () => (closing ??= context.close());
  return { page, complaints, hide, close };
}

/**
 * A page's events leave out what its workers ask for, and what the policy forbids them.
 * @param {import('puppeteer-core').WebWorker} worker
 * @param {(url: string) => void} look
 * @param {string[]} complaints
 */
async function watchWorker(worker, look, complaints) {
  try {
    const { client } = worker;
    client.on('Network.requestWillBeSent', ({ request }) => look(request.url));
    client.on('Network.webSocketCreated', ({ url }) => look(url));
    client.on('Log.entryAdded', ({ entry }) => entry.level === 'error' && complaints.push(`worker: ${entry.text}`));
    await Promise.all([client.send('Network.enable'), client.send('Log.enable')]);
  } catch {
    // Firefox has no such protocol, and a worker may be gone already.
  }
}

/** Waits until the tab plays, and all of its page is there. What it does instead is in the error. @param {Tab} tab @param {number} [timeout] */
export async function playing({ page, complaints }, timeout = 10_000) {
  try {
    const whole = () => {
      const { frame, offsetMs } = /** @type {any} */ (window).donut; // until the page's own it is the element of that name
      return typeof frame === 'number' && typeof offsetMs === 'number';
    };
    await page.waitForFunction(whole, { timeout, polling: 20 });
  } catch (error) {
    const instead = await page.evaluate(() => ({
      ...Object.fromEntries(['status', 'detail'].map((id) => [id, document.getElementById(id)?.textContent])),
      visibility: document.visibilityState,
      donut: { .../** @type {any} */ (window).donut },
    }));
    throw new Error(`it does not play: ${JSON.stringify({ ...instead, complaints })}`, { cause: error });
  }
}

/** One of a tab's workers. @param {Tab} tab @param {'stream' | 'render' | 'verify'} name */
export async function workerNamed({ page }, name) {
  for (const worker of page.workers()) if ((await worker.evaluate(() => self.name)) === name) return worker;
  throw new Error(`the tab has no worker that is called ${name}`);
}
