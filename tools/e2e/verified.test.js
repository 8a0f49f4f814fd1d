/** A viewer verifies what it is shown, by itself. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sleep, until } from './bounds.js';
import { launch, openTab, playing, workerNamed } from './browser.js';
import { startServer } from './server.js';

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

/** A tab that is closed when its test ends. @param {import('node:test').TestContext} t @param {string} [search] */
async function visit(t, search = '') {
  const tab = await openTab(browser, server.url + search);
  t.after(() => tab.close());
  await playing(tab);
  return tab;
}

/** @param {import('./browser.js').Tab} tab @returns {Promise<{ checked: number, equal: number }>} */
const verified = ({ page }) => page.evaluate(() => ({ .../** @type {any} */ (window).donut.verified }));
const alarm = (/** @type {import('./browser.js').Tab} */ { page }) =>
  page.$eval('#alarm', (place) => (place.checkVisibility() ? place.textContent : ''));
const checked = (/** @type {import('./browser.js').Tab} */ tab, /** @type {number} */ n) =>
  until(() => verified(tab), ({ checked }) => checked >= n, 20_000);

for (const threads of [0, 1]) {
  test(`a tab with ${threads} threads verifies frames, and all of them are equal`, async (t) => {
    const tab = await visit(t, `?threads=${threads}`);
    const { checked: n, equal } = await checked(tab, 4);
    assert.equal(equal, n);
    await until(() => tab.page.$eval('[data-figure="verified"]', (place) => place.textContent), (text) => /^(\d+) of \1$/.test(text ?? ''));
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
  const tab = await visit(t, '?threads=0');
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

test('a frame that is not what the module renders is cried out, and logged once', async (t) => {
  const tab = await visit(t);
  const right = await checked(tab, 1);
  assert.equal(right.equal, right.checked);
  await (await workerNamed(tab, 'stream')).evaluate(forge);
  await until(() => verified(tab), ({ checked, equal }) => checked >= equal + 2, 20_000);
  assert.match((await alarm(tab)) ?? '', /^NOT THE DONUT: frame \d+ .* 1 cell differs/);
  assert.equal(tab.complaints.length, 1, `${tab.complaints}`);
  assert.match(tab.complaints[0], /frame \d+ is not what the module renders, cells that differ: 1, got [0-9a-f]{64}, want [0-9a-f]{64}/);
  const { evictions, workers } = await server.stats();
  assert.deepEqual({ evictions, workers }, { evictions: 0, workers: 1 });
});

/** Runs in the verifying worker: its memory or engine has gone wrong since it started. */
async function decay() {
  const url = new URL('module.js', location.href).href;
  const { Donut, Refusal } = await import(url);
  Donut.prototype.verify = () => ({ cells: 5, aired: 'ab', rendered: 'cd' });
  Donut.prototype.selfTest = () => {
    throw new Refusal('self-test: got ab, want cd');
  };
}

test('where it is the browser that has gone wrong meanwhile, nobody is blamed', async (t) => {
  const tab = await visit(t, '?threads=0');
  await checked(tab, 1);
  await (await workerNamed(tab, 'verify')).evaluate(decay);
  await until(() => tab.page.$eval('[data-figure="verified"]', (place) => place.textContent), (text) => text === 'not here: unfit', 10_000);
  const { checked: n, equal } = await verified(tab);
  assert.equal(equal, n);
  assert.equal(await alarm(tab), '');
});
