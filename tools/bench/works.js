/** What the bench has V8 do beyond rendering by the module. */

import { readFileSync } from 'node:fs';

import { Donut } from '../../web/static/js/module.js';
import { timed } from '../jsengine/engine.js';
import * as baseline from './baseline.js';
import * as text from './text.js';

/** Frames by plain JavaScript. @param {import('../jsengine/engine.js').Range} range */
export const javascript = (range) =>
  timed(range, (first, count) => {
    const packed = new Uint8Array(count * baseline.PACKED_SIZE);
    for (let i = 0; i < count; i++) {
      const frame = packed.subarray(i * baseline.PACKED_SIZE, (i + 1) * baseline.PACKED_SIZE);
      baseline.render(range.detail, Number(first) + i, frame);
    }
    return packed;
  });

/** Frames by JavaScript that goes by way of text. @param {import('../jsengine/engine.js').Range} range */
export const javascriptText = (range) =>
  timed(range, (first, count) => {
    const encoded = text.render(range.detail, Number(first), count);
    return range.keep ? text.packed(encoded) : encoded;
  });

/**
 * Decodes the broadcasts in the file beside this one, each after its length in four bytes.
 * @param {unknown} _request
 * @param {import('../jsengine/engine.js').Host} host
 * @returns {Promise<import('../jsengine/engine.js').Rendered>}
 */
export async function decode(_request, { module }) {
  const bytes = readFileSync(new URL('./stream', import.meta.url));
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
}
