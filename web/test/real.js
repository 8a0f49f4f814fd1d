/** The real module, built where it is missing. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { wasi } from '../static/js/wasi.js';

export const root = fileURLToPath(new URL('../../', import.meta.url));
const path = `${root}web/dist/donut.wasm`;

export function readModule() {
  if (!existsSync(path)) execFileSync('go', ['run', './tools/wasmbuild'], { cwd: root, stdio: 'inherit' });
  return new Uint8Array(readFileSync(path));
}

/**
 * An instance without its Donut, and what Go's runtime says in it.
 * @param {WebAssembly.Module} module
 */
export async function bare(module) {
  /** @type {string[]} */
  const said = [];
  /** @type {WebAssembly.Instance} */
  const instance = await WebAssembly.instantiate(module, {
    wasi_snapshot_preview1: wasi(() => memory, (line) => said.push(line)),
  });
  const memory = /** @type {WebAssembly.Memory} */ (instance.exports.memory);
  return { instance, memory, said: () => said.join('') };
}

/** The message that leases so many frames. @param {{ lease?: number, detail?: number, first?: number, count: number }} wanted */
export function leaseOf({ lease = 77, detail = 1, first = 150, count }) {
  const message = new DataView(new ArrayBuffer(25));
  message.setUint8(0, 0x83);
  message.setBigUint64(1, BigInt(lease), true);
  message.setUint8(10, detail);
  message.setBigUint64(11, BigInt(first), true);
  message.setUint16(19, count, true);
  return message.buffer;
}

/**
 * The module as an engine makes it whose arithmetic is off: a coefficient of the sine has one bit flipped.
 * @param {Uint8Array<ArrayBuffer>} file @param {number} bit  0 is the last of 52
 */
export function broken(file, bit) {
  const coefficient = new Uint8Array(Float64Array.of(-1.66666666666666307295e-1).buffer);
  const at = Buffer.from(file).indexOf(coefficient);
  if (at < 0) throw new Error('the module has no such coefficient');
  const copy = file.slice();
  copy[at + (bit >> 3)] ^= 1 << (bit & 7);
  return copy;
}
