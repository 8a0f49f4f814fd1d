/** All can be done with the keyboard alone. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from './bounds.js';
import { inEach } from './scene.js';
import { startServer } from './server.js';
import { donut } from './tab.js';

inEach(startServer, (scene) => {
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
}, { together: true });
