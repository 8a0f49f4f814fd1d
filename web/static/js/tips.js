/**
 * Explanations. The style sheet shows each beside what is pointed at or has the focus. Here they are put where there is room
 * on the screen, and sent away by a key.
 */

/** Whether one goes above its row: where it would end below the screen, and above there is room. All in pixels. */
export function goesAbove(/** @type {{ top: number, bottom: number }} */ row, /** @type {number} */ size, /** @type {number} */ screen) {
  return row.bottom + size > screen && row.top >= size;
}

/** Looks after all explanations of the page. */
export function attend() {
  document.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') document.body.dataset.tips = 'off';
  });
  for (const event of ['pointerover', 'focusin']) document.addEventListener(event, bring);
}

/** @param {Event} event */
function bring(event) {
  const within = /** @type {Element} */ (event.target).closest?.('.term, .tip');
  // What was sent away comes back when something else is pointed at.
  if (!within || event.type === 'focusin') delete document.body.dataset.tips;
  if (within?.matches('.term')) requestAnimationFrame(() => place(within));
}

/** @param {Element} term */
function place(term) {
  const tip = /** @type {HTMLElement} */ (term.nextElementSibling);
  const row = /** @type {HTMLElement} */ (tip.offsetParent ?? term);
  tip.toggleAttribute('data-above', goesAbove(row.getBoundingClientRect(), tip.offsetHeight, innerHeight));
}
