/** Pages of the donut that tell what went wrong in them, and how to ask them how they are. */

/**
 * @typedef {object} Tab
 * @property {import('puppeteer-core').Page} page
 * @property {string[]} complaints  console errors, what the page itself warns of, uncaught errors, failed and foreign
 *   requests, in the order of time
 * @property {() => Promise<void>} hide   behind another tab of its window
 * @property {() => Promise<void>} close  may be called again
 */

/**
 * Opens a page in a context of its own, so that it shares no storage, and in a window of its own: Firefox takes but one
 * tab of a window for visible, and paints the others once a second.
 * @param {import('puppeteer-core').Browser} browser
 * @param {string} url
 * @param {{ before?: () => void, javascript?: boolean }} [options]  before runs in the page ahead of its scripts
 * @returns {Promise<Tab>}
 */
export async function openTab(browser, url, { before, javascript = true } = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage({ type: 'window' });
  /** @type {string[]} */
  const complaints = [];
  page.on('console', (message) => {
    const said = message.text();
    if (message.type() === 'error' || said.startsWith('donut: ')) complaints.push(`console: ${said}`);
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
 * In Chromium a page's events leave out what its workers ask for. In Firefox they do not.
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

/** What window.donut says. @param {Tab} tab @returns {Promise<any>} */
export const donut = ({ page }) => page.evaluate(() => ({ .../** @type {any} */ (window).donut }));

/** What an element says. @param {Tab} tab @param {string} selector @returns {Promise<string>} */
export const text = ({ page }, selector) => page.$eval(selector, (element) => element.textContent ?? '');

/** One of the figures beside the donut. @param {Tab} tab @param {string} name */
export const figure = (tab, name) => text(tab, `[data-figure="${name}"]`);

/** Waits until the tab's status is this. @param {Tab} tab @param {string} status @param {number} [timeout] */
export function says({ page }, status, timeout = 10_000) {
  const is = (/** @type {string} */ want) => document.getElementById('status')?.textContent === want;
  return page.waitForFunction(is, { timeout }, status);
}

/** Waits until it plays, and all of the page is there. What it does instead is in the error. @param {Tab} tab @param {number} [timeout] */
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

/**
 * When the first frame was painted, in milliseconds since the page was asked for.
 * @param {Tab} tab
 */
export async function firstFrame({ page }) {
  const noted = await page.waitForFunction(() => performance.getEntriesByName('first frame')[0]?.startTime);
  return Number(await noted.jsonValue());
}

/** One of a tab's workers, in Chromium. @param {Tab} tab @param {'stream' | 'render' | 'verify'} name */
export async function workerNamed({ page }, name) {
  for (const worker of page.workers()) if ((await worker.evaluate(() => self.name)) === name) return worker;
  throw new Error(`the tab has no worker that is called ${name}`);
}
