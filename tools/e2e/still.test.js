/** Where the donut cannot spin, the page says why over a still picture. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { launch, openTab } from './browser.js';
import { OUTDATED, startLoneServer } from './lone-server.js';

/** @type {Awaited<ReturnType<typeof startLoneServer>>} */
let server;
/** @type {import('puppeteer-core').Browser} */
let browser;
/** @type {string} */
let still;

before(async () => {
  server = await startLoneServer(OUTDATED);
  browser = await launch();
  still = await readFile(new URL('../../wasm/donut/testdata/frame-0000.txt', import.meta.url), 'utf8');
});

after(async () => {
  await browser?.close();
  server?.stop();
});

/** What a visitor reads over the picture, after making sure that the picture is there. @param {import('./browser.js').Tab} tab */
async function notice({ page }) {
  assert.equal(await page.$eval('#donut', (picture) => picture.textContent), still);
  const notices = await page.$$eval('.notice', (all) =>
    all
      .filter((each) => each.checkVisibility())
      .map((each) => {
        const { top, bottom } = each.getBoundingClientRect();
        const stage = /** @type {Element} */ (each.closest('.stage')).getBoundingClientRect();
        return { text: /** @type {HTMLElement} */ (each).innerText, over: top >= stage.top && bottom <= stage.bottom };
      }),
  );
  assert.equal(notices.length, 1);
  assert.ok(notices[0].over, 'the notice lies outside the picture');
  return notices[0].text;
}

/** @type {[string, () => void][]} */
const lacks = [
  ['WebAssembly', () => void delete (/** @type {any} */ (window).WebAssembly)],
  ['Worker', () => void delete (/** @type {any} */ (window).Worker)],
  ['WebSocket', () => void delete (/** @type {any} */ (window).WebSocket)],
];
for (const [name, before] of lacks) {
  test(`a browser without ${name}`, async () => {
    const tab = await openTab(browser, server.url, { before });
    assert.match(await notice(tab), new RegExp(`no ${name}`));
    assert.equal(await tab.page.$eval('#status', (place) => place.textContent), 'not supported');
    assert.deepEqual(tab.complaints, []);
    await tab.close();
  });
}

test('a browser without JavaScript', async () => {
  const tab = await openTab(browser, server.url, { javascript: false });
  assert.match(await notice(tab), /JavaScript is off/);
  await tab.close();
});

test('an outdated page reloads by itself once, and then asks', async () => {
  const visits = server.visits();
  const tab = await openTab(browser, server.url);
  await tab.page.waitForFunction(() => document.getElementById('status')?.textContent === 'outdated', { timeout: 10_000 });
  await tab.page.waitForSelector('#reload', { visible: true, timeout: 10_000 });
  assert.match(await notice(tab), /Reload/);
  assert.equal(server.visits() - visits, 2);
  await Promise.all([tab.page.waitForNavigation({ timeout: 5_000 }), tab.page.click('#reload')]);
  assert.equal(server.visits() - visits, 3);
  await tab.close();
});
