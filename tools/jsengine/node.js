/** Requests come in on node's standard input, answers go out on its standard output. */

import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { open } from './engine.js';

// Before version 20 node has it, but not where browsers do.
if (!globalThis.crypto) Object.assign(globalThis, { crypto: webcrypto });

const answer = await open(readFileSync(new URL('../../web/dist/donut.wasm', import.meta.url)));
for await (const line of createInterface({ input: process.stdin })) process.stdout.write(`${await answer(line)}\n`);
