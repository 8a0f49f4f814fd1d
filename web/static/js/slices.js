/**
 * How many frames to render before looking up: what takes about as long as TARGET, so that a revoke is heard at once
 * and yet next to no time goes into looking.
 */

const TARGET = 6; // milliseconds
const GROWTH = 2; // at most, from one slice to the next: a coarse clock may say that a slice took no time at all

/**
 * @param {number} count  frames in the last slice, at least 1
 * @param {number} took   milliseconds that it took
 * @param {number} [most]
 * @returns {number} frames in the next one, at least 1
 */
export function nextSlice(count, took, most = 120) {
  const fitting = took > 0 ? (count * TARGET) / took : Infinity;
  return Math.max(1, Math.min(Math.floor(fitting), count * GROWTH, most));
}
