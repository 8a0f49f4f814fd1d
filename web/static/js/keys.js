/** The page's keys, and the sheet that tells them. */

/** @typedef {Record<string, () => void>} Bindings  by KeyboardEvent.key */

/**
 * Whether a key pressed there is the element's own. A space on a button presses it, and an arrow moves a slider, but a
 * letter is nobody's where nothing is typed.
 * @param {string} key @param {Pick<Element, 'tagName'> | null} target
 */
export function isOwn(key, target) {
  const tag = target?.tagName ?? '';
  if (key === ' ') return ['BUTTON', 'INPUT', 'A', 'SELECT', 'TEXTAREA', 'SUMMARY'].includes(tag);
  return ['TEXTAREA', 'SELECT'].includes(tag);
}

/** @param {Bindings} bindings */
export function listen(bindings) {
  const sheet = /** @type {HTMLDialogElement} */ (document.getElementById('keys'));
  const help = /** @type {HTMLButtonElement} */ (document.getElementById('help'));
  const open = () => sheet.showModal();
  help.addEventListener('click', open);
  help.hidden = false;

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || sheet.open) return;
    const { key } = event;
    if (isOwn(key, /** @type {Element | null} */ (event.target))) return;
    const run = key === '?' ? open : bindings[key.toLowerCase()];
    if (!run) return;
    event.preventDefault();
    run();
  });
}
