/** A tab's render worker fails, and it is the only one there is. The picture goes on, and so does the tab. */

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { until } from './bounds.js';
import { carried, smooth } from './fleet.js';
import { record } from './recorder.js';
import { inOne } from './scene.js';
import { startServer } from './server.js';
import { donut, openTab, playing, workerNamed } from './tab.js';

/** Runs in the worker: overwrites the memory of its instance, once, in the middle of a lease. */
function corrupt() {
  const { prototype } = WebAssembly.Memory;
  const { get } = /** @type {any} */ (Object.getOwnPropertyDescriptor(prototype, 'buffer'));
  const now = performance.now.bind(performance);
  /** @type {WebAssembly.Memory | undefined} */
  let memory;
  Object.defineProperty(prototype, 'buffer', {
    get() {
      memory ??= this;
      return get.call(this);
    },
  });
  performance.now = () => {
    if (memory) {
      new Uint8Array(get.call(memory)).fill(0xff);
      performance.now = now;
    }
    return now();
  };
}

/** Runs in the worker: its next slice has no end. */
function hang() {
  performance.now = () => {
    for (;;);
  };
}

inOne('chrome', "Firefox gives no access to a page's workers", startServer, (scene) => {
  /** @type {import('./tab.js').Tab} */
  let tab;
  before(async () => {
    tab = await openTab(scene.browser, scene.server.url);
    await playing(tab);
  });

  const failures = async () => (await donut(tab)).failures;
  /** Waits until the fleet has filled the ring, and what the server rendered meanwhile has aired. */
  async function ahead() {
    const { stats } = scene.server;
    const { aired_frames } = await until(stats, (stats) => stats.lead_seconds > 7, 40_000);
    await until(stats, (stats) => stats.aired_frames >= aired_frames + 120, 10_000);
  }

  for (const [what, sabotage, warning] of /** @type {[string, () => void, RegExp][]} */ ([
    ['whose instance traps', corrupt, /thread 0: Trap: \w+: /],
    ['that hangs', hang, /thread 0: its worker hung/],
  ])) {
    test(`a render worker ${what} is replaced, and nobody sees it`, async (t) => {
      const failed = await failures();
      const { length } = tab.complaints;
      await ahead();
      await record(tab.page);
      const before = await scene.server.stats();
      await (await workerNamed(tab, 'render')).evaluate(sabotage);
      await until(failures, (n) => n === failed + 1, 30_000);
      await ahead();
      await carried(t, scene.server, 'replaced', 4_000, 0.01);
      await smooth(t, tab);
      const later = await scene.server.stats();
      for (const name of ['stalled_frames', 'evictions', 'forged_frames']) assert.equal(later[name], before[name], name);
      assert.equal(later.workers, 1);
      assert.equal(await failures(), failed + 1);
      assert.equal(tab.complaints.length, length + 1, `${tab.complaints}`);
      assert.match(tab.complaints[length], warning);
    });
  }
});
