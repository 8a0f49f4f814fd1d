/** Where the donut cannot spin, the page says why over a still picture. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { OUTDATED, startLoneServer } from './lone-server.js';
import { inEach } from './scene.js';
import { says, text } from './tab.js';

const still = readFileSync(new URL('../../wasm/donut/testdata/frame-0000.txt', import.meta.url), 'utf8');

/** What a visitor reads over the picture, after making sure that the picture is there. @param {import('./tab.js').Tab} tab */
async function notice(tab) {
  assert.equal(await text(tab, '#donut'), still);
  const notices = await tab.page.$$eval('.notice', (all) =>
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

inEach(() => startLoneServer(OUTDATED), (scene) => {
  for (const [name, before] of lacks) {
    test(`a browser without ${name}`, async (t) => {
      const tab = await scene.visit(t, { before });
      await says(tab, 'not supported');
      assert.match(await notice(tab), new RegExp(`no ${name}`));
      assert.deepEqual(tab.complaints, []);
    });
  }

  test('an outdated page reloads by itself once, and then asks', async (t) => {
    const visits = scene.server.visits();
    const tab = await scene.visit(t);
    await says(tab, 'outdated');
    await tab.page.waitForSelector('#reload', { visible: true, timeout: 10_000 });
    assert.match(await notice(tab), /Reload/);
    assert.equal(scene.server.visits() - visits, 2);
    await Promise.all([tab.page.waitForNavigation({ timeout: 5_000 }), tab.page.click('#reload')]);
    assert.equal(scene.server.visits() - visits, 3);
  });

  scene.only('chrome', 'Firefox cannot be told to leave out scripts', () => {
    test('a browser without JavaScript', async (t) => {
      const tab = await scene.visit(t, { javascript: false });
      assert.match(await notice(tab), /JavaScript is off/);
    });
  });
}, { together: true });
