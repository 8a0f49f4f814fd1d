/**
 * What every engine does alike: it answers requests, a line of JSON each, by lines of JSON. jsengine.go has their members.
 * It runs the page's own code, which lies where it does in the repository.
 */

import { Donut } from '../../web/static/js/module.js';

const SLICE = 60; // frames in one call of the module, whose answer has to fit into its output

/**
 * @typedef {{ detail: number, first: string, count: number, keep: boolean }} Range  first is a decimal number
 * @typedef {{ us: number, packed?: string[] }} Rendered  packed frames in Base64, piece by piece
 * @typedef {{ donut: Donut, module: WebAssembly.Module }} Host
 */

/**
 * Renders slice by slice.
 * @param {Range} range
 * @param {(first: bigint, count: number) => Uint8Array} render
 * @returns {Rendered}
 */
export function timed({ first, count, keep }, render) {
  /** @type {Uint8Array[]} */
  const kept = [];
  const start = performance.now();
  for (let done = 0; done < count; done += SLICE) {
    const packed = render(BigInt(first) + BigInt(done), Math.min(SLICE, count - done));
    if (keep) kept.push(packed);
  }
  const us = (performance.now() - start) * 1000;
  return keep ? { us, packed: kept.map(base64) } : { us };
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  let text = '';
  for (let start = 0; start < bytes.length; start += 4096) text += String.fromCharCode(...bytes.subarray(start, start + 4096));
  return btoa(text);
}

/** Frames by the module. @param {Range} range @param {Host} host */
export const render = (range, { donut }) =>
  timed(range, (first, count) => new Uint8Array(donut.render(range.detail, first, count)));

/**
 * Starts the module.
 * @param {BufferSource} file
 * @returns {Promise<(line: string) => Promise<string>>} answers a request
 */
export async function open(file) {
  const module = await WebAssembly.compile(file);
  const host = { donut: await Donut.instantiate(module), module };
  return async (line) => {
    try {
      const { script, work, ...request } = JSON.parse(line);
      const { [work]: run } = await import(script);
      return JSON.stringify(await run(request, host));
    } catch (error) {
      return JSON.stringify({ error: String(error) });
    }
  };
}
