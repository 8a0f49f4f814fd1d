/** The page is one that everybody can use, by the rules of axe-core for WCAG 2.2 AA. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { OUTDATED, startLoneServer } from './lone-server.js';
import { inEach } from './scene.js';
import { startServer } from './server.js';
import { playing, says } from './tab.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds wrong. @param {import('./tab.js').Tab} tab */
async function faults({ page }) {
  await page.evaluate(`${axe}; 0`); // as text, which the page's policy does not apply to
  return page.evaluate(async (/** @type {string[]} */ rules) => {
    const { violations, passes } = await /** @type {any} */ (window).axe.run({ runOnly: { type: 'tag', values: rules } });
    if (passes.length < 20) throw new Error(`only ${passes.length} rules were checked`);
    return violations.map((/** @type {any} */ { id, nodes }) => `${id}: ${nodes.map((/** @type {any} */ node) => node.html.slice(0, 80))}`);
  }, RULES);
}

for (const [scheme, width, height] of /** @type {const} */ ([['dark', 1366, 768], ['light', 390, 844]])) {
  inEach(startServer, (scene) => {
    test(`the page in ${scheme}, ${width} wide`, async (t) => {
      const tab = await scene.visit(t, { url: 'about:blank' });
      await tab.page.setViewport({ width, height });
      await tab.page.goto(scene.server.url);
      await playing(tab);
      const chosen = await tab.page.evaluate(() => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'));
      assert.equal(chosen, scheme);
      assert.deepEqual(await faults(tab), []);
      const wide = await tab.page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `the page is ${wide} wide`);
      await tab.page.focus('.term');
      assert.deepEqual(await faults(tab), [], 'with an explanation');
      await tab.page.keyboard.press('?');
      assert.deepEqual(await faults(tab), [], 'with the keys');
    });

    test(`the page that is outdated, in ${scheme}`, async (t) => {
      const lone = await startLoneServer(OUTDATED);
      t.after(() => lone.stop());
      const tab = await scene.visit(t, { url: lone.url });
      await says(tab, 'outdated');
      await tab.page.waitForSelector('#reload', { visible: true, timeout: 10_000 });
      assert.deepEqual(await faults(tab), []);
    });
  }, { together: true, setting: { scheme } });
}
