/**
 * What the tests hold the page to. STRICT=1 asks for what a machine with nothing else to do must reach; without it the
 * bounds leave room for a loaded one, which refreshes its screens less often, but none for refreshes with nothing to
 * paint.
 */

const strict = process.env.STRICT === '1';

/**
 * How often two browsers are launched to say how far apart they paint. Chromium's refreshes without a screen move
 * through a frame's time by 0.04 ms a second, so in seven minutes through all of it, whatever is launched when: launches
 * are to be spread over that. With 21 chance alone puts the median of two browsers that keep time past 9 ms in one run
 * of a thousand, with seven in one of 30.
 */
export const severalLaunches = { launches: 21, every: 20_000 }; // milliseconds

export const bounds = {
  slowest: strict ? 57 : 40, // distinct frames painted in a second
  fastest: 61,
  longestGap: strict ? 100 : 1_000, // milliseconds between two frames
  longestWait: 6, // refreshes from one frame to the next, so a tenth of a second of an idle machine
  // Milliseconds between the first paints of a frame in two tabs of one browser or of two, for half of the frames and
  // for 99 of 100.
  apart: strict ? { half: 1, all: 17 } : { half: 17, all: 100 },
  // In one launch of two browsers, each of which refreshes at instants of its own: up to a refresh, and a millisecond of
  // Firefox's clock, in all frames alike. What half of them are apart says something over several launches only.
  launchApart: strict ? { half: 18, all: 20 } : { half: 25, all: 150 },
  browsersApart: strict ? { ...severalLaunches, half: 9, all: 17 } : { launches: 2, every: 0, half: 25, all: 150 },
  join: strict ? 1_000 : 6_000, // milliseconds to the first picture where others watch already, under the tests' eyes
  joinAlone: strict ? 300 : 3_000, // and where nobody looks; half of the tabs
  comeBack: strict ? 1_000 : 6_000, // milliseconds to the first picture
  // Of the page's thread, in half of the seconds: milliseconds in which it does not come round, and at one task.
  longestSilence: strict ? 100 : 400,
  longestTask: strict ? 50 : 300,
  pause: strict ? 100 : 1_000, // milliseconds from a visitor's word until no result is sent, or one may be again
  seenAgain: strict ? 250 : 1_000, // milliseconds from a tab that is seen again to the live frame
  // Milliseconds from a browser that runs on to the live frame, where its tab has to connect first. Firefox lets a socket
  // wait for some 300 ms after one that broke off.
  connectAgain: strict ? { chrome: 250, firefox: 600 } : { chrome: 3_000, firefox: 3_000 },
  rejoin: strict ? 3_000 : 10_000, // milliseconds from a server that listens to a tab that is live
};

/** @param {number} milliseconds @returns {Promise<void>} */
export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Waits until something is so; what it is instead is in the error.
 * @template T
 * @param {() => Promise<T>} look
 * @param {(value: T) => boolean} good
 */
export async function until(look, good, within = 10_000) {
  const end = performance.now() + within;
  for (;;) {
    const value = await look();
    if (good(value)) return value;
    if (performance.now() > end) throw new Error(`still ${JSON.stringify(value)} after ${within} ms`);
    await sleep(50);
  }
}
