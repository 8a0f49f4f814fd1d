/** What a visitor decides and what a visitor waits for, and how long it takes: so the browsers take turns. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bounds, sleep, until } from './bounds.js';
import { percentile } from './recorder.js';
import { inEach } from './scene.js';
import { startServer } from './server.js';
import { donut, figure, firstFrame, playing, says, text } from './tab.js';
import { first, startTampering } from './tampering.js';

const [RESULT, OFFER] = [3, 4]; // the first byte of these messages
const VISITS = 3; // of those that join
const AWAY = 10_000; // milliseconds for which a server is gone, and tabs try in vain

/** Runs in the stream worker: tells the page of each message that is sent: its first byte, and when. */
function tellSent() {
  const channel = new BroadcastChannel('sent');
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (/** @type {ArrayBuffer | Uint8Array} */ message) {
    const bytes = message instanceof ArrayBuffer ? new Uint8Array(message) : message;
    channel.postMessage({ kind: bytes[0], at: performance.timeOrigin + performance.now() });
    send.call(this, /** @type {Uint8Array<ArrayBuffer>} */ (message));
  };
}

/** Runs in the page: notes that. */
function noteSent() {
  /** @type {any[]} */
  const sent = (/** @type {any} */ (window).sent = []);
  new BroadcastChannel('sent').onmessage = ({ data }) => sent.push(data);
}

/**
 * Runs in the page: for how long its thread did not come round to a timer at most, and the longest of its tasks, in
 * each of five seconds. What the page itself does comes again every second; what a busy machine does to it does not.
 */
async function longest() {
  const tells = PerformanceObserver.supportedEntryTypes.includes('longtask');
  let task = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) task = Math.max(task, duration);
  });
  if (tells) observer.observe({ type: 'longtask' });
  const seconds = [];
  for (let i = 0; i < 5; i++) {
    let silence = (task = 0);
    const end = performance.now() + 1_000;
    for (let last = performance.now(); last < end; ) {
      await new Promise((resolve) => setTimeout(resolve));
      const now = performance.now();
      silence = Math.max(silence, now - last);
      last = now;
    }
    seconds.push({ silence, task });
  }
  observer.disconnect();
  return { tells, seconds };
}

/** Runs in the page: what a second of the ring costs it at best, in milliseconds. */
async function ringCost() {
  const url = new URL('js/dial.js', document.baseURI).href;
  const { Dial } = await import(url);
  const place = (/** @type {string} */ id) => document.getElementById(id);
  const dial = new Dial(place('ring'), place('hand'));
  const states = ['free', 'leased', 'filled', 'ready', 'aired', 'stalled'];
  const runs = Array.from({ length: 60 }, (_, i) => [1 + (i % 4), i % 7, 10]);
  const ROUND = 20; // of them are timed at once, since a clock may have steps of a millisecond
  const costs = Array.from({ length: 21 }, (_, round) => {
    const start = performance.now();
    for (let i = 0; i < ROUND; i++) {
      const now = 6_000 + round * ROUND + i;
      dial.show({ first: 6_000, runs }, { lead: 10_000, you: 3 }, { fps: 60, ringStates: states, firstMember: 2 ** 31 }, now);
    }
    return (performance.now() - start) / ROUND;
  });
  return 5 * Math.min(...costs); // a broadcast, and four times what the hand has passed
}

inEach(startServer, (scene) => {
  const stats = () => scene.server.stats();
  const threads = async (/** @type {import('./tab.js').Tab} */ tab) => (await donut(tab)).threads;

  test('rendering is paused and taken up again at once', async (t) => {
    const proxy = await startTampering(scene.server, { '/js/stream.worker.js': first(tellSent) });
    const tab = await scene.watch(t, { url: proxy.url, before: noteSent });
    t.after(() => proxy.stop());
    /** @type {(kind: number) => Promise<number[]>} */
    const sent = async (kind) => {
      /** @type {{ kind: number, at: number }[]} */
      const messages = await tab.page.evaluate(() => /** @type {any} */ (window).sent);
      return messages.filter((message) => message.kind === kind).map(({ at }) => at);
    };
    await until(() => sent(RESULT), ({ length }) => length > 2, 10_000);
    const { length: offers } = await sent(OFFER);
    const asked = await tab.page.evaluate(() => {
      /** @type {HTMLElement} */ (document.getElementById('work')).click();
      return performance.timeOrigin + performance.now();
    });
    await until(() => sent(OFFER), ({ length }) => length > offers);
    await until(stats, ({ workers }) => workers === 0);
    assert.match(await text(tab, '#rest'), /you paused/);
    await sleep(1000);
    const late = Math.max(...(await sent(RESULT)), (await sent(OFFER))[offers]) - asked;
    t.diagnostic(`the server was told, and the last result sent, ${late.toFixed(1)} ms after the click`);
    assert.ok(late <= bounds.pause, `still sending ${late} ms after the click`);
    assert.equal(await threads(tab), 0);

    const took = await tab.page.evaluate(async () => {
      const start = performance.now();
      /** @type {HTMLElement} */ (document.getElementById('work')).click();
      while (/** @type {any} */ (window).donut.threads === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      return performance.now() - start;
    });
    t.diagnostic(`offered again after ${took.toFixed(1)} ms`);
    assert.ok(took <= bounds.pause, `${took} ms`);
    const { length: results } = await sent(RESULT);
    await until(() => sent(RESULT), ({ length }) => length > results, 10_000);
    assert.deepEqual(tab.complaints, []);
  });

  test('who joins others sees the picture at once', async (t) => {
    await scene.watch(t);
    await sleep(2000);
    /** @type {number[]} */
    const took = [];
    for (let i = 0; i < VISITS; i++) {
      const tab = await scene.watch(t);
      took.push(await firstFrame(tab));
      await tab.close();
    }
    const median = took.sort((a, b) => a - b)[Math.floor(VISITS / 2)];
    t.diagnostic(`first frames ${took.map((each) => each.toFixed(0)).join(', ')} ms after the page was asked for`);
    assert.ok(median <= bounds.join, `${median} ms`);
  });

  test('a server that goes away is announced, and taken up again when it is back', async (t) => {
    const tab = await scene.watch(t);
    await sleep(1000);
    const { addr } = scene.server;
    await scene.server.stop();
    await says(tab, 'reconnecting', 3000);
    assert.match(await text(tab, '#detail'), /next try/i);
    const { frame: shown } = await donut(tab);
    await tab.page.setOfflineMode(true);
    await says(tab, 'offline', 3000);
    assert.match(await text(tab, '#detail'), /when the network is back/);
    await tab.page.setOfflineMode(false);
    await says(tab, 'reconnecting', 3000);
    await sleep(AWAY); // in which tries fail

    scene.server = await startServer({ addr });
    const start = performance.now();
    await says(tab, 'live', bounds.rejoin);
    t.diagnostic(`live again ${(performance.now() - start).toFixed(0)} ms after the server listened`);
    await until(() => donut(tab), ({ frame }) => frame > shown + 60, bounds.rejoin);
    t.diagnostic(`and plays after ${(performance.now() - start).toFixed(0)} ms`);
    await until(() => donut(tab), ({ fps }) => fps >= bounds.slowest - 5);
  });

  test('while nobody is there a tab asks, and opens no socket that its browser would hold against the next', async (t) => {
    const proxy = await startTampering(scene.server);
    t.after(() => proxy.stop());
    const tab = await scene.watch(t, { url: proxy.url });
    const times = async (/** @type {string} */ path) => proxy.asked.filter((each) => each === path).length;
    assert.deepEqual([await times('/ws'), await times('/readyz')], [1, 0]);
    const { addr } = scene.server;
    await scene.server.stop();
    await until(() => times('/readyz'), (asked) => asked >= 3, 15_000);
    assert.equal(await times('/ws'), 1);
    scene.server = await startServer({ addr });
    await says(tab, 'live', bounds.rejoin);
    assert.equal(await times('/ws'), 2);
  });

  test('a hidden tab rests and says why, and is back at once', async (t) => {
    const tab = await scene.watch(t);
    await until(stats, ({ workers }) => workers === 1);
    await tab.hide();
    await until(stats, ({ workers, viewers }) => workers === 0 && viewers === 1);
    assert.match(await text(tab, '#rest'), /hidden/);
    await tab.page.evaluate(() => {
      const scope = /** @type {any} */ (window);
      const epoch = Date.parse('2026-01-01T00:00:00Z');
      const behind = () => ((Date.now() + scope.donut.offsetMs - epoch) * 60) / 1000 - scope.donut.frame;
      document.addEventListener('visibilitychange', async () => {
        const start = performance.now();
        while (behind() > 6) await new Promise(requestAnimationFrame);
        scope.noted = { took: performance.now() - start };
      });
    });
    await sleep(1500);
    await tab.page.bringToFront();
    const noted = await tab.page.waitForFunction(() => /** @type {any} */ (window).noted);
    const { took } = await noted.jsonValue();
    t.diagnostic(`the live frame is on screen ${took.toFixed(0)} ms after the tab is`);
    assert.ok(took <= bounds.seenAgain, `${took} ms`);
    await until(stats, ({ workers }) => workers === 1);
  });

  test('choices are kept for the next visit, and an address wins over them', async (t) => {
    const tab = await scene.watch(t);
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
    await tab.page.goto(`${scene.server.url}?threads=1`);
    await playing(tab);
    assert.deepEqual(await chosen(), ['1', '75', true]);
    await until(() => threads(tab), (threads) => threads === 1);
  });

  test('a machine that is pressed is left alone for a while', async (t) => {
    const tab = await scene.watch(t, {
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
    assert.match(await text(tab, '#rest'), /enough to do/);
    await tab.page.click('#rests'); // which is the visitor's to decide
    await until(() => threads(tab), (threads) => threads === 1);
  });

  test('the page stays at hand while all threads render', async (t) => {
    const tab = await scene.watch(t, { search: '?threads=8' });
    await sleep(1000); // the modules are compiled
    const { tells, seconds } = await tab.page.evaluate(longest);
    const silences = seconds.map(({ silence }) => silence);
    const tasks = seconds.map(({ task }) => task);
    const told = tells ? `its longest task took ${Math.max(...tasks) || 'under 50'} ms` : 'it tells of no tasks';
    const [half, most] = [percentile(silences, 0.5), Math.max(...silences)];
    t.diagnostic(`the page's thread came round after ${half.toFixed(0)} ms, once after ${most.toFixed(0)}; ${told}`);
    assert.ok(half <= bounds.longestSilence, `${silences} ms`);
    assert.ok(percentile(tasks, 0.5) <= bounds.longestTask, `${tasks} ms`);
  });

  test('the ring costs the page next to nothing', async (t) => {
    const tab = await scene.watch(t);
    const cost = await tab.page.evaluate(ringCost);
    t.diagnostic(`${cost.toFixed(2)} ms of each second`);
    assert.ok(cost < 2, `${cost} ms`);
  });

  scene.only('chrome', 'how a thread rests is arithmetic, and takes long to see', () => {
    test('at a quarter of its effort a thread takes four times as long for a frame', async (t) => {
      const tab = await scene.watch(t);
      const pace = async () => parseFloat(await figure(tab, 'pace'));
      const frames = async () => Number((await figure(tab, 'rendered')).replace(',', ''));
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
  });
});
