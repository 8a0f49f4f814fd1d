/** The board of the current contributors with the most verified frames. */

const whole = new Intl.NumberFormat('en');

export class Board {
  #list = /** @type {HTMLElement} */ (document.getElementById('board'));
  #shown = '';

  /** @param {import('./messages.js').Contributor[]} contributors @param {number} you */
  show(contributors, you) {
    const text = JSON.stringify([contributors, you]);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#list.replaceChildren(
      ...(contributors.length > 0 ? contributors : [null]).map((each) => {
        if (!each) return line('Nobody’s frames have been verified yet.', '');
        const item = line(each.owner === you ? `${each.handle} (you)` : each.handle, whole.format(each.verified));
        if (each.owner === you) item.className = 'mine';
        return item;
      }),
    );
  }
}

/** @param {string} name @param {string} frames */
function line(name, frames) {
  const item = document.createElement('li');
  for (const text of [name, frames]) item.append(Object.assign(document.createElement('span'), { textContent: text }));
  return item;
}
