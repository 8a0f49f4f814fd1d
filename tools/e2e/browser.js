/** The browsers that visitors have: where they are, and how each is told what a test wants of it. */

import { existsSync } from 'node:fs';
import puppeteer from 'puppeteer-core';

/** @typedef {'chrome' | 'firefox'} Make  as puppeteer calls them */

/**
 * What a browser takes its visitor and its network for, as long as it runs: Firefox cannot be told otherwise later.
 * @typedef {object} Setting
 * @property {boolean} [still]             the visitor prefers reduced motion
 * @property {'dark' | 'light'} [scheme]   and this colour scheme
 * @property {string} [host]               a name of this machine, which no browser takes for a secure one
 */

export const CHROMIUM_FLAGS = [
  '--no-sandbox', // needed as root, and what is opened here is our own
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * @typedef {object} Entry
 * @property {string} name
 * @property {string} path
 * @property {(setting: Setting) => import('puppeteer-core').LaunchOptions} options
 */

/** @type {Record<Make, Entry>} */
export const browsers = {
  chrome: {
    name: 'Chromium',
    path: process.env.CHROME || '/usr/bin/chromium',
    options({ still, scheme, host }) {
      const args = [...CHROMIUM_FLAGS];
      if (still) args.push('--force-prefers-reduced-motion');
      if (scheme) args.push(`--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`);
      if (host) args.push(`--host-resolver-rules=MAP ${host} 127.0.0.1`);
      return { args };
    },
  },
  firefox: {
    name: 'Firefox',
    path: process.env.FIREFOX || '/usr/bin/firefox-esr',
    options({ still, scheme, host }) {
      /** @type {Record<string, unknown>} */
      const extraPrefsFirefox = {};
      if (still) extraPrefsFirefox['ui.prefersReducedMotion'] = 1;
      if (scheme) extraPrefsFirefox['layout.css.prefers-color-scheme.content-override'] = scheme === 'dark' ? 0 : 1;
      if (host) extraPrefsFirefox['network.dns.localDomains'] = host;
      return { extraPrefsFirefox };
    },
  },
};

/**
 * Why a browser cannot be tested, or false: for a test's skip. With REQUIRE_BROWSERS=1 nothing is skipped, and what is
 * missing fails.
 * @param {Make} make
 */
export function unavailable(make) {
  const { path } = browsers[make];
  if (process.env.REQUIRE_BROWSERS === '1' || existsSync(path)) return false;
  return `${path} is not installed`;
}

/**
 * Starts a browser with a fresh profile. One that dies while it starts, as Firefox may on a busy machine, is started
 * once more.
 * @param {Make} make @param {Setting} [setting]
 */
export function launch(make, setting = {}) {
  const { path, options } = browsers[make];
  const start = () => puppeteer.launch({ browser: make, headless: true, executablePath: path, ...options(setting) });
  return start().catch(start);
}
