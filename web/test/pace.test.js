/** How much a tab sends, against what servers take unless they are told otherwise: see README.md. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { live } from './tab.js';

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const perSecond = Number(/`-messages-per-connection` `(\d+)`/.exec(readme)?.[1]);
const atOnce = 10 * perSecond;

/** What counts: all but the hello, and the results that leases pay for. @param {any} t */
const counted = (t) => t.socket.sent.filter((/** @type {any} */ { kind }) => kind === 'probe' || kind === 'offer').length;

test('a tab that plays for a minute sends a small part of what it may send at once', async () => {
  const t = await live();
  for (let i = 0; i < 60; i++) {
    t.world.pass(1000);
    t.socket.say({ kind: 'reply', sent: 0, received: 0, replied: 0, generation: 1, verified: 0 });
  }
  assert.ok(counted(t) > 15 && counted(t) < atOnce / 5, `${counted(t)} messages`);
});

test('one that measures its clock anew all the time, while its visitor plays with the slider, stays below the rate', async () => {
  const t = await live();
  const seconds = 60;
  for (let i = 0; i < 10 * seconds; i++) {
    t.stream.work({ threads: i % 2, duty: 100 });
    if (i % 6 === 0) t.stream.resume(); // its burst of eight probes is over
    if (i % 10 === 0) t.socket.say({ kind: 'reply', sent: 0, received: 0, replied: 0, generation: 1, verified: 0 });
    t.world.pass(100);
  }
  assert.ok(counted(t) > 10 * seconds && counted(t) < perSecond * seconds, `${counted(t)} messages in ${seconds} s`);
});
