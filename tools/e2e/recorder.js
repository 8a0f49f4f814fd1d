/** Records in a page when it painted which frame, as a viewer would see it. */

/**
 * @typedef {object} Painting
 * @property {number} frame
 * @property {number} at         the refresh's instant, absolute, in milliseconds
 * @property {number} refreshes  since the painting before; more than a few mean that there was nothing to paint
 * @property {string} text
 */

/** Starts recording. @param {import('puppeteer-core').Page} page */
export function record(page) {
  return page.evaluate(() => {
    const scope = /** @type {any} */ (window);
    const picture = /** @type {HTMLElement} */ (document.getElementById('donut'));
    /** @type {Painting[]} */
    const paintings = (scope.paintings = []);
    let last = picture.textContent;
    let refreshes = 0;
    const count = () => {
      requestAnimationFrame(count);
      refreshes++;
    };
    requestAnimationFrame(count);
    new MutationObserver(() => {
      const text = picture.textContent ?? '';
      if (text === last) return; // nothing that anybody could see
      last = text;
      const refresh = Number(document.timeline.currentTime); // the same for all callbacks of a refresh
      paintings.push({ frame: scope.donut.frame, at: performance.timeOrigin + refresh, refreshes, text });
      refreshes = 0;
    }).observe(picture, { childList: true, characterData: true, subtree: true });
  });
}

/** Ends recording. @param {import('puppeteer-core').Page} page @returns {Promise<Painting[]>} */
export function recorded(page) {
  return page.evaluate(() => {
    const scope = /** @type {any} */ (window);
    return scope.paintings.splice(0);
  });
}

/** @param {number[]} values @param {number} share */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/**
 * How evenly a tab painted.
 * @param {Painting[]} paintings
 */
export function evenness(paintings) {
  const seconds = (paintings[paintings.length - 1].at - paintings[0].at) / 1000;
  const gaps = paintings.slice(1).map(({ at }, i) => at - paintings[i].at);
  const steps = paintings.slice(1).map(({ frame }, i) => frame - paintings[i].frame);
  return {
    perSecond: (paintings.length - 1) / seconds,
    longestGap: Math.max(...gaps),
    longestWait: Math.max(...paintings.slice(1).map(({ refreshes }) => refreshes)),
    skipped: steps.reduce((sum, step) => sum + Math.max(0, step - 1), 0),
    backward: steps.filter((step) => step <= 0).length,
  };
}

/**
 * For each frame that all of them painted: how long after the first tab the last one did, in milliseconds.
 * @param {Painting[][]} tabs
 */
export function spread(tabs) {
  const [first, ...others] = tabs.map((paintings) => new Map(paintings.map(({ frame, at }) => [frame, at])));
  const spreads = [];
  for (const [frame, at] of first) {
    const instants = [at];
    for (const other of others) instants.push(other.get(frame) ?? NaN);
    if (instants.every(Number.isFinite)) spreads.push(Math.max(...instants) - Math.min(...instants));
  }
  return spreads;
}
