/** The picture as it is on screen: its letters stand where they should, and in their colours. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from './bounds.js';
import { percentile } from './recorder.js';
import { inEach } from './scene.js';
import { startServer } from './server.js';
import { donut, firstFrame, playing, text } from './tab.js';

const LETTERS = '.,-~:;=!*#$@'; // the least luminance first
const [COLUMNS, ROWS] = [80, 22];
const SIZE = 1_600; // pixels: in a picture so large each letter has some that are all its own

/** Runs in the page: how much each cell of the picture stands out from the paper at most, in rows, from 0 to 1. */
async function contrasts(/** @type {string} */ screenshot, /** @type {number} */ columns, /** @type {number} */ rows) {
  const image = new Image();
  image.src = `data:image/png;base64,${screenshot}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const scale = image.width / innerWidth;
  /** The lightness of a pixel. @param {number} x @param {number} y */
  const lightness = (x, y) => {
    const at = 4 * (y * canvas.width + x);
    return (0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2]) / 255;
  };
  const paper = lightness(1, canvas.height - 2);
  const { left, top, width, height } = /** @type {HTMLElement} */ (document.getElementById('donut')).getBoundingClientRect();
  const [wide, high] = [(width * scale) / columns, (height * scale) / rows];
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      let most = 0; // of the pixels that are this cell's alone
      for (let y = Math.ceil(top * scale + row * high); y + 1 <= top * scale + (row + 1) * high; y++) {
        for (let x = Math.ceil(left * scale + column * wide); x + 1 <= left * scale + (column + 1) * wide; x++) {
          most = Math.max(most, Math.abs(lightness(x, y) - paper));
        }
      }
      return most;
    }),
  );
}

/**
 * Whether a cell lies in the circle that the donut never leaves, around column 40 and line 12; beyond it is the ring.
 * @param {number} column @param {number} row
 */
function within(column, row) {
  const across = Math.max(40 - column, column + 1 - 40);
  const down = 2 * Math.max(12 - row, row + 1 - 12);
  return Math.hypot(across, down) < 22.5;
}

/** @param {'dark' | 'light'} scheme */
function inScheme(scheme) {
  inEach(startServer, (scene) => {
    test(`in ${scheme}, each letter is in its cell, and stands out more the brighter it is`, async (t) => {
      const tab = await scene.visit(t, { url: 'about:blank' });
      await tab.page.setViewport({ width: SIZE, height: SIZE });
      await tab.page.goto(scene.server.url);
      await playing(tab);
      await tab.page.click('#pause');
      await until(() => donut(tab), ({ paused }) => paused);
      const loaded = await tab.page.evaluate(() => [...document.fonts].map(({ family, status }) => `${family} ${status}`));
      assert.deepEqual(loaded, ['donut loaded']);
      const came = await tab.page.evaluate(() => {
        const asked = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/donut.ttf'));
        return asked.map((each) => /** @type {PerformanceResourceTiming} */ (each).responseEnd);
      });
      const shown = await firstFrame(tab);
      assert.equal(came.length, 1, 'times that the typeface was asked for');
      assert.ok(came[0] < shown, `the typeface came after ${came[0]} ms, and the first frame after ${shown}`);

      const lines = (await text(tab, '#donut')).split('\n');
      const seen = await tab.page.evaluate(contrasts, await tab.page.screenshot({ encoding: 'base64' }), COLUMNS, ROWS);
      /** @type {Map<string, number[]>} */
      const byLetter = new Map();
      for (let row = 0; row < ROWS; row++) {
        for (let column = 0; column < COLUMNS; column++) {
          if (!within(column, row)) continue;
          const letter = lines[row][column];
          byLetter.set(letter, [...(byLetter.get(letter) ?? []), seen[row][column]]);
        }
      }
      const blank = Math.max(...(byLetter.get(' ') ?? []));
      assert.ok(blank < 0.02, `a blank cell stands out by ${blank}`);
      const there = [...LETTERS].filter((letter) => byLetter.has(letter));
      const strengths = there.map((letter) => percentile(byLetter.get(letter) ?? [], 0.5));
      t.diagnostic(there.map((letter, i) => `${letter} ${strengths[i].toFixed(2)}`).join('  '));
      assert.ok(there.length >= 6, `only ${there} were seen`);
      strengths.reduce((weaker, strength, i) => {
        assert.ok(strength > weaker + 0.01, `${there[i]} stands out by ${strength}, and the one before it by ${weaker}`);
        return strength;
      }, 0.1);
    });
  }, { together: true, setting: { scheme } });
}

inScheme('dark');
inScheme('light');
