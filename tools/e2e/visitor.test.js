/** What a visitor decides: how much the tab renders, when it rests, and whether anything moves. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bounds, sleep, until } from './bounds.js';
import { launch, openTab, playing, workerNamed } from './browser.js';
import { startServer } from './server.js';

const [RESULT, OFFER] = ['03', '04']; // the first byte of these messages

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

/** @param {import('node:test').TestContext} t @param {{ before?: () => void, query?: string }} [options] */
async function visit(t, { before, query = '' } = {}) {
  const tab = await openTab(browser, server.url + query, { before });
  t.after(() => tab.close());
  await playing(tab);
  return tab;
}

const donut = (/** @type {import('./browser.js').Tab} */ { page }) =>
  page.evaluate(() => ({ .../** @type {any} */ (window).donut }));
const text = (/** @type {import('./browser.js').Tab} */ { page }, /** @type {string} */ place) =>
  page.$eval(place, (element) => element.textContent);
const threads = async (/** @type {import('./browser.js').Tab} */ tab) => (await donut(tab)).threads;

/** Notes each message that the tab sends: its first byte, and when. @param {import('./browser.js').Tab} tab */
async function sent(tab) {
  /** @type {{ kind: string, at: number }[]} */
  const messages = [];
  const { client } = await workerNamed(tab, 'stream');
  client.on('Network.webSocketFrameSent', ({ timestamp, response }) => {
    messages.push({ kind: Buffer.from(response.payloadData, 'base64').toString('hex', 0, 1), at: timestamp * 1000 });
  });
  return messages;
}

test('rendering is paused and taken up again within a tenth of a second', async (t) => {
  const tab = await visit(t);
  const messages = await sent(tab);
  await until(async () => messages.filter(({ kind }) => kind === RESULT).length, (results) => results > 2);
  await tab.page.click('#work');
  await until(async () => messages.some(({ kind }) => kind === OFFER), Boolean);
  await until(server.stats, ({ workers }) => workers === 0);
  assert.match((await text(tab, '#rest')) ?? '', /you paused/);
  await sleep(1000);
  const paused = messages.find(({ kind }) => kind === OFFER);
  const last = messages.filter(({ kind }) => kind === RESULT).at(-1);
  const late = Number(last?.at) - Number(paused?.at);
  t.diagnostic(`the last result was sent ${late.toFixed(1)} ms after the offer of no threads`);
  assert.ok(late <= 100, `a result was sent ${late} ms after the pause`);
  assert.equal(await threads(tab), 0);

  const took = await tab.page.evaluate(async () => {
    const start = performance.now();
    /** @type {HTMLElement} */ (document.getElementById('work')).click();
    while (/** @type {any} */ (window).donut.threads === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    return performance.now() - start;
  });
  t.diagnostic(`offered again after ${took.toFixed(1)} ms`);
  assert.ok(took <= 100, `${took} ms`);
  const results = messages.length;
  await until(async () => messages.slice(results).some(({ kind }) => kind === RESULT), Boolean, 10_000);
  assert.deepEqual(tab.complaints, []);
});

test('a hidden tab rests and says why, and is back at once', async (t) => {
  const tab = await visit(t);
  await until(server.stats, ({ workers }) => workers === 1);
  await tab.hide();
  await until(server.stats, ({ workers, viewers }) => workers === 0 && viewers === 1);
  assert.match((await text(tab, '#rest')) ?? '', /hidden/);
  await tab.page.evaluate(() => {
    const scope = /** @type {any} */ (window);
    const behind = scope.donut.frame;
    document.addEventListener('visibilitychange', async () => {
      const start = performance.now();
      while (scope.donut.frame < behind + 60) await new Promise(requestAnimationFrame);
      scope.took = performance.now() - start;
    });
  });
  await sleep(1500);
  await tab.page.bringToFront();
  const noted = await tab.page.waitForFunction(() => /** @type {any} */ (window).took);
  const took = Number(await noted.jsonValue());
  t.diagnostic(`the live frame is on screen ${took.toFixed(0)} ms after the tab is`);
  assert.ok(took <= 250, `${took} ms`);
  await until(server.stats, ({ workers }) => workers === 1);
});

test('choices are kept for the next visit, and an address wins over them', async (t) => {
  const tab = await visit(t);
  await tab.page.focus('#threads');
  await tab.page.keyboard.press('ArrowLeft');
  await tab.page.focus('#duty');
  await tab.page.keyboard.press('ArrowLeft');
  await tab.page.click('#unseen');
  await until(() => threads(tab), (threads) => threads === 0);
  await tab.page.reload();
  await playing(tab);
  const chosen = () =>
    tab.page.evaluate(() => ['threads', 'duty', 'unseen'].map((id) => {
      const input = /** @type {HTMLInputElement} */ (document.getElementById(id));
      return input.type === 'checkbox' ? input.checked : input.value;
    }));
  assert.deepEqual(await chosen(), ['0', '75', true]);
  assert.equal(await threads(tab), 0);
  await tab.page.goto(`${server.url}?threads=1`);
  await playing(tab);
  assert.deepEqual(await chosen(), ['1', '75', true]);
  await until(() => threads(tab), (threads) => threads === 1);
});

test('at a quarter of its effort a thread takes four times as long for a frame', async (t) => {
  const tab = await visit(t);
  const pace = () => text(tab, '[data-figure="pace"]').then((pace) => parseFloat(pace ?? ''));
  const frames = async () => Number((await text(tab, '[data-figure="rendered"]'))?.replace(',', ''));
  await until(frames, (frames) => frames > 900, 30_000); // the engine has warmed up
  const full = await pace();
  await tab.page.$eval('#duty', (slider) => {
    /** @type {HTMLInputElement} */ (slider).value = '25';
    slider.dispatchEvent(new Event('input'));
  });
  const before = await frames();
  const slow = await until(pace, (pace) => pace > full * 2, 30_000);
  t.diagnostic(`${full} ms a frame, and ${slow} after ${(await frames()) - before} frames at a quarter`);
});

test('a machine that is pressed is left alone for a while', async (t) => {
  const tab = await visit(t, {
    before: () => {
      /** @type {any} */ (window).PressureObserver = class {
        constructor(/** @type {(records: object[]) => void} */ tell) {
          /** @type {any} */ (window).press = (/** @type {string} */ state) => tell([{ state: 'fair' }, { state }]);
        }
        async observe() {}
      };
    },
  });
  await until(() => threads(tab), (threads) => threads === 1);
  await tab.page.evaluate(() => /** @type {any} */ (window).press('serious'));
  await until(() => threads(tab), (threads) => threads === 0);
  assert.match((await text(tab, '#rest')) ?? '', /enough to do/);
  await tab.page.click('#rests'); // which is the visitor's to decide
  await until(() => threads(tab), (threads) => threads === 1);
});

test('who prefers little motion sees a still frame, and may have it play', async (t) => {
  const tab = await openTab(browser, 'about:blank');
  t.after(() => tab.close());
  await tab.page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
  await tab.page.goto(server.url);
  await playing(tab);
  const { frame, paused } = await donut(tab);
  assert.equal(paused, true);
  const turning = () => tab.page.$eval('#hand', (hand) => hand.getAnimations().map(({ playState }) => playState));
  await until(turning, (states) => states.length === 1);
  await sleep(1500);
  assert.equal((await donut(tab)).frame, frame);
  assert.deepEqual(await turning(), ['paused']);
  assert.equal(await text(tab, '#pause'), 'play');
  await tab.page.click('#pause');
  await until(() => donut(tab), ({ frame: now, fps }) => now > Number(frame) + 60 && fps > bounds.slowest / 2);
  assert.deepEqual(await turning(), ['running']);
});

test('every key does what the sheet says', async (t) => {
  const tab = await visit(t);
  const { keyboard } = tab.page;
  await keyboard.press('?');
  assert.equal(await tab.page.$eval('#keys', (sheet) => /** @type {HTMLDialogElement} */ (sheet).open), true);
  await keyboard.press('r'); // the sheet is in front
  await keyboard.press('Escape');
  assert.equal(await tab.page.$eval('#keys', (sheet) => /** @type {HTMLDialogElement} */ (sheet).open), false);
  await until(() => threads(tab), (threads) => threads === 1);
  await keyboard.press('Space');
  assert.equal((await donut(tab)).paused, true);
  await keyboard.press('Space');
  assert.equal((await donut(tab)).paused, false);
  await keyboard.press('r');
  await until(() => threads(tab), (threads) => threads === 0);
  await keyboard.press('r');
  await until(() => threads(tab), (threads) => threads === 1);
  await keyboard.press('-');
  await until(() => threads(tab), (threads) => threads === 0);
  await keyboard.press('+');
  await until(() => threads(tab), (threads) => threads === 1);
  await keyboard.press('h');
  assert.equal(await tab.page.$eval('#unseen', (box) => /** @type {HTMLInputElement} */ (box).checked), true);
});

test('all that can be used is reached with the keyboard, and shows that it is', async (t) => {
  const tab = await visit(t);
  const usable = await tab.page.$$eval('button, input, a[href]', (all) => all.filter((each) => each.checkVisibility()).length);
  const seen = new Set();
  for (let i = 0; i < usable; i++) {
    await tab.page.keyboard.press('Tab');
    const at = await tab.page.evaluate(() => {
      const element = /** @type {HTMLElement} */ (document.activeElement);
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const tip = element.nextElementSibling?.matches('.tip') ? element.nextElementSibling.checkVisibility() : true;
      return { name: element.id || element.getAttribute('aria-describedby'), ring: outlineStyle !== 'none' && parseFloat(outlineWidth) > 0, tip };
    });
    assert.ok(at.ring, `${at.name} does not show that it has the focus`);
    assert.ok(at.tip, `${at.name} has the focus and explains nothing`);
    seen.add(at.name);
  }
  assert.equal(seen.size, usable, `reached ${[...seen]}`);
  await tab.page.keyboard.press('Escape');
  assert.equal(await tab.page.$$eval('.tip', (tips) => tips.filter((tip) => tip.checkVisibility()).length), 0);
});

test('over plain http from another machine all works that the browser still allows', async (t) => {
  const rules = ['--host-resolver-rules=MAP donut.test 127.0.0.1'];
  const elsewhere = await launch('chrome', rules);
  t.after(() => elsewhere.close());
  const tab = await openTab(elsewhere, server.url.replace('127.0.0.1', 'donut.test'));
  await playing(tab);
  assert.equal(await tab.page.evaluate(() => isSecureContext), false);
  await until(() => text(tab, '[data-figure="rendered"]'), (rendered) => Number(rendered) > 0, 10_000);
  await until(() => text(tab, '[data-figure="verified"]'), (verified) => /^(\d+) of \1$/.test(verified ?? ''), 10_000);
  // That a header means nothing here is no fault of the page's.
  assert.deepEqual(tab.complaints.filter((each) => !each.includes('Cross-Origin-Opener-Policy header has been ignored')), []);
});

test('the page stays at hand while all threads render', async (t) => {
  const tab = await visit(t, { query: '?threads=8' });
  await sleep(1000); // the modules are compiled
  const longest = await tab.page.evaluate(async () => {
    let longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
    }).observe({ type: 'longtask' });
    await new Promise((resolve) => setTimeout(resolve, 5000));
    return longest;
  });
  t.diagnostic(`the longest task took ${longest || 'under 50'} ms`);
  assert.ok(longest <= bounds.longestTask, `${longest} ms`);
});

test('a second of the ring costs the page less than two milliseconds', async (t) => {
  const tab = await visit(t);
  const cost = await tab.page.evaluate(async () => {
    const url = new URL('js/dial.js', document.baseURI).href;
    const { Dial } = await import(url);
    const place = (/** @type {string} */ id) => document.getElementById(id);
    const dial = new Dial(place('ring'), place('hand'));
    const states = ['free', 'leased', 'filled', 'ready', 'aired', 'stalled'];
    const runs = Array.from({ length: 60 }, (_, i) => [1 + (i % 4), i % 7, 10]);
    const costs = Array.from({ length: 200 }, (_, i) => {
      const start = performance.now();
      dial.show({ first: 6_000, runs }, { lead: 10_000, you: 3 }, { fps: 60, ringStates: states, firstMember: 2 ** 31 }, 6_000 + i);
      return performance.now() - start;
    });
    return costs.sort((a, b) => a - b)[100];
  });
  const second = 5 * cost; // a broadcast, and four times what the hand has passed
  t.diagnostic(`${second.toFixed(2)} ms a second`);
  assert.ok(second < 2, `${second} ms`);
});
