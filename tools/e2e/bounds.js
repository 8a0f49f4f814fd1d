/**
 * What the tests hold the page to. STRICT=1 asks for what a machine with nothing else to do must reach; without it the
 * bounds leave room for a loaded one, but none for a stutter.
 */

const strict = process.env.STRICT === '1';

export const bounds = {
  slowest: strict ? 57 : 50, // distinct frames painted in a second
  fastest: 61,
  longestGap: strict ? 100 : 250, // milliseconds between two frames
  // Milliseconds between the first paints of a frame in two tabs of one browser or of two, for half of the frames and for
  // 99 of 100.
  apart: strict ? { half: 1, all: 17 } : { half: 17, all: 50 },
  browsersApart: strict ? { half: 9, all: 17 } : { half: 17, all: 50 },
  join: strict ? 300 : 3_000, // milliseconds to the first picture where others watch already; half of the tabs
  comeBack: strict ? 1_000 : 3_000, // milliseconds to the first picture
  longestTask: strict ? 50 : 150, // milliseconds of the page's thread at once
  rejoin: strict ? 3_000 : 5_000, // milliseconds from a server that listens to a tab that is live
};

/** @param {number} milliseconds @returns {Promise<void>} */
export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Waits until something is so; what it is instead is in the error.
 * @template T
 * @param {() => Promise<T>} look
 * @param {(value: T) => boolean} good
 */
export async function until(look, good, within = 5_000) {
  const end = performance.now() + within;
  for (;;) {
    const value = await look();
    if (good(value)) return value;
    if (performance.now() > end) throw new Error(`still ${JSON.stringify(value)} after ${within} ms`);
    await sleep(50);
  }
}
