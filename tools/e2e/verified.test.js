/** A viewer verifies what it is shown, by itself. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep, until } from './bounds.js';
import { inEach } from './scene.js';
import { startServer } from './server.js';
import { figure, workerNamed } from './tab.js';

/** @param {import('./tab.js').Tab} tab @returns {Promise<{ checked: number, equal: number }>} */
const verified = ({ page }) => page.evaluate(() => ({ .../** @type {any} */ (window).donut.verified }));
const alarm = (/** @type {import('./tab.js').Tab} */ { page }) =>
  page.$eval('#alarm', (place) => (place.checkVisibility() ? place.textContent : ''));
const checked = (/** @type {import('./tab.js').Tab} */ tab, /** @type {number} */ n) =>
  until(() => verified(tab), ({ checked }) => checked >= n, 20_000);

/** Runs in the stream worker: one cell of every frame is another from now on, in what is shown as in what is verified. */
async function forge() {
  const url = new URL('module.js', location.href).href;
  const { prototype } = (await import(url)).Donut;
  const { frames } = prototype;
  prototype.frames = function (/** @type {number} */ count) {
    const text = frames.call(this, count);
    const { textSize } = this.constants;
    for (let start = 0; start < text.byteLength; start += textSize) new Uint8Array(text)[start + 900] ^= 1;
    return text;
  };
}

/** Runs in the verifying worker: its memory or engine has gone wrong since it started. */
async function decay() {
  const url = new URL('module.js', location.href).href;
  const { Donut, Refusal } = await import(url);
  Donut.prototype.verify = () => ({ cells: 5, aired: 'ab', rendered: 'cd' });
  Donut.prototype.selfTest = () => {
    throw new Refusal('self-test: got ab, want cd');
  };
}

inEach(startServer, (scene) => {
  for (const threads of [0, 1]) {
    test(`a tab with ${threads} threads verifies frames, and all of them are equal`, async (t) => {
      const tab = await scene.watch(t, { search: `?threads=${threads}` });
      const { checked: n, equal } = await checked(tab, 4);
      assert.equal(equal, n);
      await until(() => figure(tab, 'verified'), (text) => /^(\d+) of \1$/.test(text));
      assert.equal(await alarm(tab), '');
      const changed = await tab.page.evaluate(() => {
        const { donut } = /** @type {any} */ (window);
        donut.verified.equal = donut.verified = 1e6;
        return donut.verified.equal;
      });
      assert.ok(changed < 1e6);
      assert.deepEqual(tab.complaints, []);
    });
  }

  test('a tab that is paused or hidden verifies nothing, and goes on later', async (t) => {
    const tab = await scene.watch(t, { search: '?threads=0' });
    await checked(tab, 1);
    const still = async (/** @type {string} */ how) => {
      await sleep(300); // for what is under way
      const before = await verified(tab);
      await sleep(3500);
      assert.deepEqual(await verified(tab), before, how);
      return before.checked;
    };
    await tab.page.click('#pause');
    const paused = await still('paused');
    await tab.page.click('#pause');
    await checked(tab, paused + 1);
    await tab.hide();
    const hidden = await still('hidden');
    await tab.page.bringToFront();
    await checked(tab, hidden + 1);
  });

  scene.only('chrome', "Firefox gives no access to a page's workers", () => {
    test('a frame that is not what the module renders is cried out, and logged once', async (t) => {
      const tab = await scene.watch(t);
      const right = await checked(tab, 1);
      assert.equal(right.equal, right.checked);
      await (await workerNamed(tab, 'stream')).evaluate(forge);
      await until(() => verified(tab), ({ checked, equal }) => checked >= equal + 2, 20_000);
      assert.match((await alarm(tab)) ?? '', /^NOT THE DONUT: frame \d+ .* 1 cell differs/);
      assert.equal(tab.complaints.length, 1, `${tab.complaints}`);
      assert.match(tab.complaints[0], /frame \d+ is not what the module renders, cells that differ: 1, got [0-9a-f]{64}, want [0-9a-f]{64}/);
      await until(() => scene.server.stats(), ({ evictions, workers }) => evictions === 0 && workers === 1);
    });

    test('where it is the browser that has gone wrong meanwhile, nobody is blamed', async (t) => {
      const tab = await scene.watch(t, { search: '?threads=0' });
      await checked(tab, 1);
      await (await workerNamed(tab, 'verify')).evaluate(decay);
      await until(() => figure(tab, 'verified'), (text) => text === 'not here: unfit', 10_000);
      const { checked: n, equal } = await verified(tab);
      assert.equal(equal, n);
      assert.equal(await alarm(tab), '');
    });
  });
}, { together: true });
