/** Tabs come and go, and so does the server. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bounds, sleep, until } from './bounds.js';
import { firstPictures } from './first-picture.js';
import { evenness, percentile, record, recorded } from './recorder.js';
import { inEach } from './scene.js';
import { startServer } from './server.js';
import { donut, figure, firstFrame, playing, says, text } from './tab.js';

/** Runs in the page: notes what its status says, one after the other. */
function noteStatuses() {
  /** @type {string[]} */
  const said = (/** @type {any} */ (window).said = []);
  new MutationObserver(() => {
    const status = document.getElementById('status')?.textContent;
    if (status && status !== said.at(-1)) said.push(status);
  }).observe(document, { childList: true, characterData: true, subtree: true });
}

inEach(startServer, (scene) => {
  const stats = () => scene.server.stats();

  test('a tab that only watches renders nothing, and sees everything', async (t) => {
    await scene.visit(t);
    const viewer = await scene.watch(t, { search: '?threads=0' });
    await until(stats, ({ viewers, workers }) => viewers === 2 && workers === 1);
    await record(viewer.page);
    await sleep(3000);
    const { perSecond, longestWait } = evenness(await recorded(viewer.page));
    assert.deepEqual(await stats().then(({ viewers, workers }) => [viewers, workers]), [2, 1]);
    assert.equal((await donut(viewer)).threads, 0);
    assert.equal(await figure(viewer, 'rendered'), '0');
    t.diagnostic(`painted ${perSecond.toFixed(1)} frames/s, with ${longestWait} refreshes from one to the next at most`);
    assert.ok(longestWait <= bounds.longestWait, `stood still for ${longestWait} refreshes`); // how many there are is the machine's matter
  });

  test('a hidden tab that may renders on, and shows the right frame when it is seen again', async (t) => {
    const tab = await scene.watch(t);
    await tab.page.click('#unseen');
    await tab.hide();
    assert.equal(await tab.page.evaluate(() => document.hidden), true);
    await sleep(4000); // until the lead is rendered and what is left is routine
    const { frame: hidden } = await donut(tab);
    const before = await stats();
    await sleep(5000);
    const later = await stats();
    const share = (later.fleet_frames - before.fleet_frames) / (later.aired_frames - before.aired_frames);
    t.diagnostic(`${(100 * share).toFixed(1)}% of the frames came from the hidden tab`);
    assert.ok(share > 0.95, `${share}`);
    assert.equal(later.stalled_frames, before.stalled_frames);

    await tab.page.bringToFront();
    const { frame, offsetMs } = await until(() => donut(tab), ({ frame }) => frame > hidden + 240);
    const moment = Date.now() + offsetMs - Date.parse('2026-01-01T00:00:00Z');
    assert.ok(Math.abs((moment * 60) / 1000 - frame) < 30, 'not the frame of the moment');
  });

  test('a tab that is left and come back to plays on', async (t) => {
    const tab = await scene.watch(t);
    await tab.page.goto('about:blank');
    await until(stats, ({ viewers }) => viewers === 0, 4000);
    await tab.page.goBack();
    await until(stats, ({ viewers, workers }) => viewers === 1 && workers === 1);
    const { frame } = await donut(tab);
    await until(() => donut(tab), ({ frame: now }) => now > frame + 60);
  });

  test('a tab takes as many threads as its address asks for', async (t) => {
    const tab = await scene.watch(t, { search: '?threads=3' });
    await until(() => donut(tab), ({ threads }) => threads === 3);
    await until(stats, ({ threads }) => threads === 3); // the server's statistics are a little old
  });

  test('a server that is full says so, and when to come back', async (t) => {
    const full = await startServer({ flags: ['-max-clients', '1'] });
    t.after(() => full.stop());
    await scene.watch(t, { url: full.url });
    for (let i = 0; i < 4; i++) {
      const tab = await scene.visit(t, { url: full.url, before: noteStatuses });
      await says(tab, 'full');
      const said = await tab.page.evaluate(() => /** @type {any} */ (window).said);
      assert.deepEqual(said, ['connecting', 'full'], 'told only when it tried again');
      assert.match(await text(tab, '#detail'), /as many visitors as it allows\. Next try in \d+ s/);
      await tab.close();
    }
  });

  scene.only('chrome', 'these are about what the server does', () => {
    test('with nobody there nothing is done, and the first to return is served at once', async (t) => {
      const tabs = await Promise.all([scene.watch(t), scene.watch(t)]);
      await sleep(3000);
      await Promise.all(tabs.map((tab) => tab.close()));
      await sleep(1500);
      const before = await stats();
      assert.equal(before.workers, 0);
      assert.equal(before.viewers, 0);
      await sleep(2500);
      const later = await stats();
      for (const name of ['aired_frames', 'stalled_frames', 'audited_frames', 'fleet_frames', 'server_frames']) {
        assert.equal(later[name], before[name], name);
      }

      const took = await firstFrame(await scene.watch(t));
      t.diagnostic(`first frame ${took.toFixed(0)} ms after the page was asked for`);
      assert.ok(took <= bounds.comeBack, `${took} ms`);
    });

    test('who joins others has its picture at once', async (t) => {
      const took = await firstPictures(scene.server.url, 5);
      const median = percentile(took, 0.5);
      t.diagnostic(`first frames ${took.map((each) => each.toFixed(0)).join(', ')} ms after the page was asked for`);
      assert.ok(median <= bounds.joinAlone, `${median} ms`);
    });

    test('a tab that comes while the last one leaves is served like any other', async (t) => {
      for (let i = 0; i < 3; i++) {
        const first = await scene.watch(t);
        await sleep(2500); // so that frames are aired that are still to be shown
        await first.close();
        const second = await scene.watch(t);
        await sleep(1500);
        assert.deepEqual(second.complaints, []);
        await second.close();
      }
    });
  });

  scene.only('chrome', 'Firefox cannot be told to freeze a tab', () => {
    test('a tab that is frozen gives back its leases at once, and plays on when it is thawed', async (t) => {
      const tab = await scene.watch(t);
      await tab.page.click('#unseen'); // thawed in this way it counts as hidden
      const lifecycle = await tab.page.createCDPSession();
      await lifecycle.send('Page.setWebLifecycleState', { state: 'frozen' });
      await until(stats, ({ viewers }) => viewers === 0, 4000); // before anybody could be found silent
      await sleep(1000);
      await lifecycle.send('Page.setWebLifecycleState', { state: 'active' });
      await until(stats, ({ viewers, workers }) => viewers === 1 && workers === 1, 4000);
      await playing(tab);
      assert.deepEqual(tab.complaints, []);
    });
  });
}, { together: true });
