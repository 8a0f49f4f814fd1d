import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayReload, missing, words } from '../static/js/status.js';

test('each state has its words', () => {
  assert.equal(words({ state: 'connecting' }, 0, true).label, 'connecting');
  assert.deepEqual(words({ state: 'live', shutOut: false, unfit: false }, 0, true), {
    tone: 'good', label: 'live', detail: '', grave: false, reload: false,
  });
  assert.match(words({ state: 'live', shutOut: true, unfit: true }, 0, true).detail, /frame rendered here.*only watch/);
  assert.match(words({ state: 'live', shutOut: false, unfit: true }, 0, true).detail, /does not compute.*only watch/);
  assert.match(words({ state: 'waiting', why: 'unfit', until: 0 }, 0, true).detail, /self-test/);
  assert.match(words({ state: 'waiting', why: 'draining', until: 0 }, 0, true).detail, /going down.*now/);
  assert.equal(words({ state: 'waiting', why: 'full', until: 0 }, 0, true).label, 'full');
  assert.match(words({ state: 'waiting', why: 'crowded', until: 0 }, 0, true).detail, /this address.*now/);
  assert.equal(words({ state: 'waiting', why: 'crowded', until: 0 }, 0, true).label, 'crowded');
  assert.equal(words({ state: 'waiting', why: 'lost', until: 0 }, 0, true).label, 'reconnecting');
  assert.equal(words({ state: 'waiting', why: 'lost', until: 0 }, 0, false).label, 'offline');
  assert.equal(words({ state: 'outdated' }, 0, true).reload, true);
  assert.match(words({ state: 'unsupported', missing: 'Worker' }, 0, true).detail, /no Worker/);
});

test('a wait counts its seconds down, and a long one its minutes', () => {
  const detail = (/** @type {number} */ now) => words({ state: 'waiting', why: 'lost', until: 3000 }, now, true).detail;
  assert.match(detail(3000 - 3_600_001), /in 61 min\.$/);
  assert.match(detail(3000 - 120_000), /in 2 min\.$/);
  assert.match(detail(3000 - 119_000), /in 119 s\.$/);
  assert.match(detail(0), /in 3 s\.$/);
  assert.match(detail(2001), /in 1 s\.$/);
  assert.match(detail(3001), /now\.$/);
});

test('the first thing that a browser lacks is named', () => {
  assert.equal(missing({ WebAssembly: {}, Worker: {}, WebSocket: {} }), null);
  assert.equal(missing({ WebAssembly: {}, WebSocket: {} }), 'Worker');
});

test('an outdated page reloads by itself, but not again and again', () => {
  /** @type {Map<string, string>} */
  const kept = new Map();
  const storage = {
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value),
  };
  assert.equal(mayReload(storage, 5), true);
  assert.equal(mayReload(storage, 1000), false);
  assert.equal(mayReload(storage, 100_000), true);
});

test('without storage to remember by, it does not reload by itself', () => {
  const forbidden = () => {
    throw new Error('forbidden');
  };
  assert.equal(mayReload({ getItem: () => null, setItem: forbidden }, 5), false);
});
