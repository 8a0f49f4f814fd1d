/** The page is one that everybody can use, by the rules of axe-core for WCAG 2.2 AA. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch, openTab, playing } from './browser.js';
import { OUTDATED, startLoneServer } from './lone-server.js';
import { startServer } from './server.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** @type {import('./server.js').Server} */
let server;
/** @type {import('puppeteer-core').Browser} */
let browser;

before(async () => {
  server = await startServer();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** What axe finds wrong. @param {import('puppeteer-core').Page} page */
async function faults(page) {
  const { client } = /** @type {any} */ (page).mainFrame();
  await client.send('Runtime.evaluate', { expression: axe }); // past the page's policy
  return page.evaluate(async (/** @type {string[]} */ rules) => {
    const { violations, passes } = await /** @type {any} */ (window).axe.run({ runOnly: { type: 'tag', values: rules } });
    if (passes.length < 20) throw new Error(`only ${passes.length} rules were checked`);
    return violations.map((/** @type {any} */ { id, nodes }) => `${id}: ${nodes.map((/** @type {any} */ node) => node.html.slice(0, 80))}`);
  }, RULES);
}

for (const [scheme, width, height] of /** @type {const} */ ([['dark', 1366, 768], ['light', 390, 844]])) {
  test(`the page in ${scheme}, ${width} wide`, async (t) => {
    const tab = await openTab(browser, 'about:blank');
    t.after(() => tab.close());
    await tab.page.setViewport({ width, height });
    await tab.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await tab.page.goto(server.url);
    await playing(tab);
    assert.deepEqual(await faults(tab.page), []);
    const wide = await tab.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `the page is ${wide} wide`);
    await tab.page.focus('.term');
    assert.deepEqual(await faults(tab.page), [], 'with an explanation');
    await tab.page.keyboard.press('?');
    assert.deepEqual(await faults(tab.page), [], 'with the keys');
  });
}

test('the page that is outdated', async (t) => {
  const lone = await startLoneServer(OUTDATED);
  t.after(() => lone.stop());
  const tab = await openTab(browser, lone.url);
  t.after(() => tab.close());
  await tab.page.waitForFunction(() => document.getElementById('status')?.textContent === 'outdated', { timeout: 10_000 });
  await tab.page.waitForSelector('#reload', { visible: true, timeout: 10_000 });
  assert.deepEqual(await faults(tab.page), []);
});
