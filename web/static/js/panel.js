/** Writes words and figures into their places in the page: the elements with a data-figure. */

import { words } from './status.js';

export class Panel {
  #places = new Map(
    [...document.querySelectorAll('[data-figure]')].map((place) => [place.getAttribute('data-figure'), place]),
  );
  #sparks = new Map(
    [...document.querySelectorAll('[data-spark]')].map((spark) => [spark.getAttribute('data-spark'), spark]),
  );
  #status = /** @type {HTMLElement} */ (document.getElementById('status'));
  #detail = /** @type {HTMLElement} */ (document.getElementById('detail'));
  #notice = /** @type {HTMLElement} */ (document.getElementById('notice'));
  #reason = /** @type {HTMLElement} */ (document.getElementById('reason'));
  #alarm = /** @type {HTMLElement} */ (document.getElementById('alarm'));
  #reload = /** @type {HTMLElement} */ (document.getElementById('reload'));

  constructor() {
    this.#reload.addEventListener('click', () => location.reload());
  }

  /** @param {Record<string, string>} figures */
  show(figures) {
    for (const [name, text] of Object.entries(figures)) write(this.#places.get(name), text);
  }

  /** Draws how figures went. @param {Record<string, string>} paths */
  trends(paths) {
    for (const [name, path] of Object.entries(paths)) this.#sparks.get(name)?.setAttribute('d', path);
  }

  /** Says over the picture that it is not to be trusted, or nothing. @param {string} text */
  alarm(text) {
    write(this.#alarm, text);
    this.#alarm.hidden = text === '';
  }

  /** How many servers there are: what is about several of them is shown where there are. @param {number} count */
  servers(count) {
    document.body.dataset.servers = count > 1 ? 'several' : 'one';
  }

  /** @param {string} digest  in full */
  module(digest) {
    this.#places.get('digest')?.setAttribute('title', digest);
  }

  /** @param {import('./status.js').Status} status @param {number} now */
  status(status, now) {
    const { tone, label, detail, grave, reload } = words(status, now, navigator.onLine);
    this.#status.dataset.tone = tone;
    document.body.dataset.state = status.state;
    write(this.#status, label);
    write(this.#detail, grave ? '' : detail);
    write(this.#reason, grave ? detail : '');
    this.#notice.hidden = !grave;
    this.#reload.hidden = !reload;
  }
}

/** @param {Element | undefined} place @param {string} text */
function write(place, text) {
  if (place && place.textContent !== text) place.textContent = text;
}
