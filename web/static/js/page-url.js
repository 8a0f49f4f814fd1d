/** What the page's address asks for. */

const DEFAULT_THREADS = 1;

/** The threads to offer: ?threads=N, where 0 only watches. @param {string} search */
export function threadsAsked(search) {
  const asked = new URLSearchParams(search).get('threads') ?? '';
  return /^\d{1,3}$/.test(asked) ? Number(asked) : DEFAULT_THREADS;
}
