/** What a group of tests shares, a server and a browser, and the same group in each browser that visitors have. */

import { after, before, describe } from 'node:test';
import { browsers, launch, unavailable } from './browser.js';
import { openTab, playing } from './tab.js';

/** @typedef {{ url: string, stop: () => unknown }} Site */
/** @typedef {import('./browser.js').Make} Make */

/**
 * What to open: url in place of the server's, and the rest as openTab says.
 * @typedef {{ url?: string, search?: string, before?: () => void, javascript?: boolean }} Visit
 */

const VISITORS = /** @type {Make[]} */ (Object.keys(browsers));

/**
 * A server and a browser, which are there while the tests of a group run.
 * @template {Site} S
 */
export class Scene {
  #serve;
  #setting;

  /** May be replaced: the last one is stopped. @type {S} */
  server = /** @type {any} */ (undefined);
  /** @type {import('puppeteer-core').Browser} */
  browser = /** @type {any} */ (undefined);
  /** @type {Make} */
  make;

  /** @param {Make} make @param {() => Promise<S>} serve @param {import('./browser.js').Setting} [setting] */
  constructor(make, serve, setting) {
    this.make = make;
    this.#serve = serve;
    this.#setting = setting;
  }

  async start() {
    this.server = await this.#serve();
    this.browser = await launch(this.make, this.#setting);
  }

  async stop() {
    await this.browser?.close();
    await this.server?.stop();
  }

  /**
   * A tab that is closed when its test ends, whichever way.
   * @param {import('node:test').TestContext} t @param {Visit} [visit]
   */
  async visit(t, { url = this.server.url, search = '', ...options } = {}) {
    const tab = await openTab(this.browser, url + search, options);
    t.after(() => tab.close());
    return tab;
  }

  /** The same, once it plays. @param {import('node:test').TestContext} t @param {Visit} [visit] */
  async watch(t, visit) {
    const tab = await this.visit(t, visit);
    await playing(tab);
    return tab;
  }

  /**
   * Tests of this group that one browser alone can run.
   * @param {Make} make @param {string} why  @param {() => void} define
   */
  only(make, why, define) {
    if (make === this.make) describe(`alone, since ${why}`, define);
  }
}

/**
 * Defines tests that one browser alone can run, or that would learn nothing from another.
 * @template {Site} S
 * @param {Make} make @param {string} why
 * @param {() => Promise<S>} serve
 * @param {(scene: Scene<S>) => void} define
 */
export function inOne(make, why, serve, define) {
  group(`${browsers[make].name} alone, since ${why}`, new Scene(make, serve), define);
}

/**
 * Defines the same tests in each browser, with a server for each.
 * @template {Site} S
 * @param {() => Promise<S>} serve
 * @param {(scene: Scene<S>) => void} define
 * @param {{ together?: boolean, setting?: import('./browser.js').Setting }} [options]  together: at the same time, for
 *   tests that measure nothing
 */
export function inEach(serve, define, { together = false, setting } = {}) {
  describe('in each browser', { concurrency: together ? VISITORS.length : 1 }, () => {
    for (const make of VISITORS) group(browsers[make].name, new Scene(make, serve, setting), define);
  });
}

/** @template {Site} S @param {string} name @param {Scene<S>} scene @param {(scene: Scene<S>) => void} define */
function group(name, scene, define) {
  describe(name, { skip: unavailable(scene.make), concurrency: 1 }, () => {
    before(() => scene.start());
    after(() => scene.stop());
    define(scene);
  });
}
