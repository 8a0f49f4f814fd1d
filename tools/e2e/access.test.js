/** The page is one that everybody can use: by the rules of axe-core for WCAG 2.2 AA, and with the keyboard alone. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { until } from './bounds.js';
import { OUTDATED, startLoneServer } from './lone-server.js';
import { inEach } from './scene.js';
import { startServer } from './server.js';
import { donut, playing, says } from './tab.js';

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

/** Demands that each explanation is on screen as a whole when its term has the focus. @param {import('./tab.js').Tab} tab */
async function wholeTips({ page }) {
  const terms = await page.$$('.term');
  for (const term of terms) {
    if (!(await term.isVisible())) continue;
    await term.focus();
    const outside = () =>
      term.evaluate((term) => {
        const { top, bottom, height } = /** @type {Element} */ (term.nextElementSibling).getBoundingClientRect();
        return height === 0 ? 'is not shown' : top < 0 || bottom > innerHeight ? `is at ${top} to ${bottom} of ${innerHeight}` : '';
      });
    await until(outside, (how) => how === '', 2_000);
  }
  assert.ok(terms.length > 15);
}

/**
 * @param {import('./scene.js').Scene<import('./server.js').Server>} scene @param {'dark' | 'light'} scheme
 * @param {number} width @param {number} height
 */
function inScheme(scene, scheme, width, height) {
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
    await wholeTips(tab);
    await tab.page.focus('.term');
    assert.deepEqual(await faults(tab), [], 'with an explanation');
    await tab.page.keyboard.press('?');
    assert.deepEqual(await faults(tab), [], 'with the keys');
  });
}

inEach(startServer, (scene) => {
  inScheme(scene, 'light', 390, 844);

  test('the page that is outdated', async (t) => {
    const lone = await startLoneServer(OUTDATED);
    t.after(() => lone.stop());
    const tab = await scene.visit(t, { url: lone.url });
    await says(tab, 'outdated');
    await tab.page.waitForSelector('#reload', { visible: true, timeout: 10_000 });
    assert.deepEqual(await faults(tab), []);
  });
}, { together: true, setting: { scheme: 'light' } });

inEach(startServer, (scene) => {
  inScheme(scene, 'dark', 1366, 768);

  test('every key does what the sheet says', async (t) => {
    const tab = await scene.watch(t);
    const { keyboard } = tab.page;
    const sheet = () => tab.page.$eval('#keys', (sheet) => /** @type {HTMLDialogElement} */ (sheet).open);
    const becomes = (/** @type {'threads' | 'paused'} */ name, /** @type {number | boolean} */ want) =>
      until(() => donut(tab), (donut) => donut[name] === want);
    await becomes('threads', 1);
    await keyboard.press('?');
    await until(sheet, (open) => open);
    await keyboard.press('r'); // the sheet is in front
    await keyboard.press('Escape');
    await until(sheet, (open) => !open);
    // A browser takes the focus off what is gone when it next paints, and a space until then is the close button's.
    await until(() => tab.page.evaluate(() => document.activeElement === document.body), Boolean);
    assert.equal((await donut(tab)).threads, 1);
    await keyboard.press(' ');
    await becomes('paused', true);
    await keyboard.press(' ');
    await becomes('paused', false);
    await keyboard.press('r');
    await becomes('threads', 0);
    await keyboard.press('r');
    await becomes('threads', 1);
    await keyboard.press('-');
    await becomes('threads', 0);
    await keyboard.press('+');
    await becomes('threads', 1);
    await keyboard.press('h');
    const unseen = () => tab.page.$eval('#unseen', (box) => /** @type {HTMLInputElement} */ (box).checked);
    await until(unseen, (checked) => checked);
  });

  test('all that can be used is reached with the keyboard, and shows that it is', async (t) => {
    const tab = await scene.watch(t);
    const visible = (/** @type {string} */ selector) =>
      tab.page.$$eval(selector, (all) => all.filter((each) => each.checkVisibility()).length);
    const usable = await visible('button, input, a[href]');
    const seen = new Set();
    for (let i = 0; i < usable; i++) {
      await tab.page.keyboard.press('Tab');
      const at = await tab.page.evaluate(() => {
        const element = /** @type {HTMLElement} */ (document.activeElement);
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        const next = element.nextElementSibling;
        return {
          name: element.id || element.getAttribute('aria-describedby'),
          ring: outlineStyle !== 'none' && parseFloat(outlineWidth) > 0,
          tip: !next?.matches('.tip') || next.checkVisibility(),
        };
      });
      assert.ok(at.ring, `${at.name} does not show that it has the focus`);
      assert.ok(at.tip, `${at.name} has the focus and explains nothing`);
      seen.add(at.name);
    }
    assert.equal(seen.size, usable, `reached ${[...seen]}`);
    await tab.page.keyboard.press('Escape');
    await until(() => visible('.tip'), (tips) => tips === 0);
  });
}, { together: true, setting: { scheme: 'dark' } });
