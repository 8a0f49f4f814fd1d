/** Small pictures of how a figure went. */

/** How many values fill a picture's width. */
export const FULL = 60;

const [WIDTH, HEIGHT, EDGE] = [60, 16, 1];

/**
 * The path of a line through some values, the newest at the right edge, in a box of 60 by 16. From bottom to top it goes
 * from 0, or the least value if that is less, to the greatest; it is level halfway up where all are 0.
 * @param {readonly number[]} values  at most FULL
 */
export function path(values) {
  const least = Math.min(0, ...values);
  const most = Math.max(0, ...values);
  const start = FULL - values.length;
  return values
    .map((value, i) => {
      const x = ((start + i) * WIDTH) / (FULL - 1);
      const up = most > least ? (value - least) / (most - least) : 0.5;
      return `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${(HEIGHT - EDGE - up * (HEIGHT - 2 * EDGE)).toFixed(1)}`;
    })
    .join('');
}
