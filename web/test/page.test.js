import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const read = (/** @type {string} */ path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const html = read('../static/index.html');

test('the still picture is frame 0', () => {
  const still = /<pre id="donut"[^>]*>([^]*?)<\/pre>/.exec(html)?.[1] ?? '';
  const plain = still.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  assert.equal(plain, read('../../wasm/donut/testdata/frame-0000.txt'));
});

test('the page holds no script, style or handler of its own, as its policy demands', () => {
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)/);
  assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|javascript:/);
});

test('what the picture takes is asked for at once, not one import after the other', () => {
  const needed = new Set();
  const visit = (/** @type {string} */ name) => {
    for (const [, other] of read(`../static/js/${name}`).matchAll(/^import .* from '\.\/(.*)';$/gm)) {
      if (!needed.has(other)) visit(needed.add(other) && other);
    }
  };
  visit('early.js');
  const preloaded = [...html.matchAll(/rel="modulepreload" href="js\/(.*?)"/g)].map(([, name]) => name);
  assert.deepEqual(preloaded, [...needed].sort());
  assert.ok(!needed.has('main.js'), 'all the rest would come before the picture');
});

test('nothing points outside', () => {
  for (const name of ['index.html', 'style.css', 'stage.css', 'panel.css', ...readdirSync(new URL('../static/js', import.meta.url)).map((f) => `js/${f}`)]) {
    assert.doesNotMatch(read(`../static/${name}`), /(?:https?:)?\/\/[a-z0-9-]+\.[a-z]/i, name);
  }
});
