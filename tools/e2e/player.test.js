/** Asciinema's own player, on a page of another origin, shows the fleet live and plays its recordings. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { sleep, until } from './bounds.js';
import { servePlayer } from './player-page.js';
import { inOne } from './scene.js';
import { command, startServer } from './server.js';

const EPOCH = Date.UTC(2026, 0, 1) / 1000;
const FPS = 60;
const LIVE = 10 * FPS; // frames that a live picture may be old: the player buffers what it is sent
const LOOKS = 20;

/** A text without the blanks at the ends of its lines. @param {string} text */
const trimmed = (text) => text.replaceAll(/ +$/gm, '').trimEnd();

/** The numbers of some frames by their texts. @param {number} first @param {number} count */
function frames(first, count) {
  const args = ['-first', String(first), '-count', String(count), '-print'];
  const text = execFileSync(command('framecheck'), args, { encoding: 'utf8', maxBuffer: 1 << 24 });
  const lines = text.split('\n');
  const rows = Math.floor(lines.length / count);
  /** @type {[string, number][]} */
  const all = Array.from({ length: count }, (_, i) => [trimmed(lines.slice(i * rows, (i + 1) * rows).join('\n')), first + i]);
  return new Map(all);
}

/** What the player's terminal shows. @param {import('./tab.js').Tab} tab @returns {Promise<string>} */
async function shown({ page }) {
  const rows = await page.$$eval('.ap-term .ap-line', (lines) => lines.map((line) => line.textContent ?? ''));
  return trimmed(rows.join('\n'));
}

/** Looks at the player until it has shown some pictures, without the blank ones. @param {import('./tab.js').Tab} tab */
async function look(tab) {
  await until(() => shown(tab), (text) => text !== '', 15_000);
  const looks = [];
  for (let i = 0; i < LOOKS; i++) {
    looks.push(await shown(tab));
    await sleep(100);
  }
  return looks;
}

/** Demands that what was seen are frames, most of them different ones, and in order. @param {string[]} looks @param {Map<string, number>} frames */
function areFrames(looks, frames) {
  const numbers = looks.map((text) => frames.get(text));
  const strange = numbers.indexOf(undefined);
  assert.equal(strange, -1, `this is none of the frames:\n${looks[strange]}`);
  assert.deepEqual(numbers, numbers.toSorted((a, b) => Number(a) - Number(b)));
  assert.ok(new Set(numbers).size > LOOKS / 2, `it stands still: ${numbers}`);
}

inOne('chrome', 'it is the player that is looked at', startServer, (scene) => {
  /** @type {Awaited<ReturnType<typeof servePlayer>>} */
  let player;
  before(async () => {
    player = await servePlayer();
  });
  after(() => player?.stop());

  test('the player shows live.alis', async (t) => {
    const tab = await scene.visit(t, { url: player.showing(`${scene.server.url.replace('http', 'ws')}live.alis`) });
    const looks = await look(tab);
    const { frame, streams } = await scene.server.stats();
    areFrames(looks, frames(frame - LIVE, LIVE));
    assert.equal(streams, 1);
    assert.deepEqual(tab.complaints, []);
    await tab.close();
    await until(scene.server.stats, (stats) => stats.streams === 0, 5_000);
  });

  test('the player plays donut.cast', async (t) => {
    const url = `${scene.server.url}donut.cast?seconds=5`;
    const record = async () => {
      const answer = await fetch(url);
      return answer.ok ? JSON.parse((await answer.text()).split('\n', 1)[0]) : {};
    };
    const { timestamp, duration } = await until(record, (header) => header.duration === 5, 15_000);
    const tab = await scene.visit(t, { url: player.showing(url) });
    const looks = await look(tab);
    // The player asks for itself, a moment later; and what a busy server misses is shown as what was there before.
    areFrames(looks, frames((timestamp - EPOCH - 1) * FPS, (duration + 6) * FPS));
    assert.deepEqual(tab.complaints, [`foreign: ${url}`]);
  });
});
