/**
 * Renders and decodes in V8 for the bench. It is started as `node driver.mjs module.wasm` beside the page's own js/, reads
 * a request a line from standard input, and answers each with a line on standard output. Both are JSON objects; see
 * node.go for their members.
 */

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import * as baseline from './baseline.mjs';
import { Donut } from './js/module.js';

const SLICE = 60; // frames in one call of the module, whose answer has to fit into its output

const module = await WebAssembly.compile(readFileSync(process.argv[2]));
const donut = await Donut.instantiate(module);

/**
 * @typedef {{ detail: number, first: number, count: number, keep: boolean }} Range
 * @typedef {{ us: number, packed?: string }} Answer
 */

/**
 * @param {Range} range
 * @param {(first: number, count: number) => Uint8Array} render
 * @returns {Answer}
 */
function timed({ first, count, keep }, render) {
  /** @type {Uint8Array[]} */
  const kept = [];
  const start = performance.now();
  for (let done = 0; done < count; done += SLICE) {
    const packed = render(first + done, Math.min(SLICE, count - done));
    if (keep) kept.push(packed);
  }
  const us = (performance.now() - start) * 1000;
  return keep ? { us, packed: Buffer.concat(kept).toString('base64') } : { us };
}

const works = {
  /** @param {Range} range */
  v8: (range) => timed(range, (first, count) => new Uint8Array(donut.render(range.detail, first, count))),

  /** @param {Range} range */
  javascript: (range) =>
    timed(range, (first, count) => {
      const packed = new Uint8Array(count * baseline.PACKED_SIZE);
      for (let i = 0; i < count; i++) {
        baseline.render(range.detail, first + i, packed.subarray(i * baseline.PACKED_SIZE, (i + 1) * baseline.PACKED_SIZE));
      }
      return packed;
    }),

  /** Decodes the broadcasts in a file, each after its length in four bytes. @param {{ file: string }} request */
  async decode({ file }) {
    const bytes = readFileSync(file);
    const messages = [];
    for (let at = 0; at < bytes.length; ) {
      const size = bytes.readUInt32LE(at);
      messages.push(bytes.subarray(at + 4, at + 4 + size));
      at += 4 + size;
    }
    const viewer = await Donut.instantiate(module);
    const start = performance.now();
    for (const message of messages) viewer.receive(message);
    return { us: (performance.now() - start) * 1000 };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  /** @type {object} */
  let answer;
  try {
    const request = JSON.parse(line);
    answer = await works[/** @type {keyof typeof works} */ (request.work)](request);
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
