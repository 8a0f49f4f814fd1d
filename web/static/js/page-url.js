/** What the page's address asks for. */

import { MOST_THREADS } from './settings.js';

/** The threads to offer: ?threads=N, where 0 only watches; null where the address does not say. @param {string} search */
export function threadsAsked(search) {
  const asked = new URLSearchParams(search).get('threads') ?? '';
  return /^\d{1,3}$/.test(asked) ? Math.min(Number(asked), MOST_THREADS) : null;
}
