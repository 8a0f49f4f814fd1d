/** What the page shows around the picture: takes what the stream worker says, and writes it into its places. */

import { brought, shares } from './arcs.js';
import { Board } from './board.js';
import { offsetAt } from './clock.js';
import { Growth, alarm, figures, trends } from './figures.js';
import { Panel } from './panel.js';
import { mayReload } from './status.js';
import { Tally } from './tally.js';

const now = () => performance.timeOrigin + performance.now();

export class Page {
  #screen;
  #dial;
  #board = new Board();
  #panel = new Panel();
  #growth = new Growth();
  #tally = new Tally();
  /** @type {import('./status.js').Status} */
  #status = { state: 'connecting' };
  /** @type {import('./messages.js').Welcome | null} */
  #welcome = null;
  /** @type {import('./module.js').Constants | null} */
  #constants = null;
  /** @type {import('./clock.js').Reading | null} */
  #reading = null;
  /** @type {number | null} */
  #rtt = null;
  #offered = 0;
  /** The last one. @type {import('./messages.js').Broadcast | null} */
  #broadcast = null;

  /** @param {import('./screen.js').Screen} screen @param {import('./dial.js').Dial} dial */
  constructor(screen, dial) {
    this.#screen = screen;
    this.#dial = dial;
  }

  /** What it knows of window.donut. @returns {Partial<import('./facade.js').Readers>} */
  get readers() {
    return {
      offsetMs: () => this.#offset,
      rttMs: () => this.#rtt,
      threads: () => this.#threads,
      failures: () => this.#tally.failures,
      unfit: () => this.#tally.unfit.threads,
      verified: () => this.#tally.verified,
    };
  }

  get #threads() {
    return this.#status.state === 'live' ? this.#offered : 0;
  }

  get #offset() {
    return this.#reading && this.#welcome && offsetAt(this.#reading, now()) + this.#welcome.epoch / 1000;
  }

  /** @param {import('./messages.js').ToPage} message */
  hear(message) {
    this.#tally.hear(message);
    switch (message.type) {
      case 'status':
        if (message.status.state === 'outdated' && mayReload(sessionStorage, Date.now())) location.reload();
        return this.stands(message.status);
      case 'welcome':
        this.#welcome = message.welcome;
        this.#constants = message.constants;
        this.#offered = message.welcome.threads;
        return this.#panel.module(message.welcome.digest);
      case 'offered':
        this.#offered = message.threads;
        return;
      case 'clock':
        this.#reading = message.reading;
        this.#rtt = message.rtt;
        return;
      case 'frames':
        return this.#take(message.broadcast);
      case 'verified':
        return this.#panel.alarm(alarm(this.#tally.verified, this.#tally.mismatch));
    }
  }

  /** Says how things stand. @param {import('./status.js').Status} status */
  stands(status) {
    this.#status = status;
    this.#panel.status(status, now());
  }

  /** Its workers have ended, and others will take their place. */
  sleep() {
    this.#status = { state: 'connecting' }; // is what comes next
    this.#tally.dismiss();
  }

  /** Shows what changes by itself. To be called a few times a second. */
  show() {
    if (document.hidden) return;
    this.#showRing();
    this.#panel.status(this.#status, now());
    const you = this.#welcome?.you ?? 0;
    const { rendered, recent, credited, unfit, verified } = this.#tally;
    this.#panel.show(figures(this.#growth, {
      rendered, recent, credited, unfit, verified,
      fps: this.#screen.perSecond(now()),
      late: this.#screen.late,
      threads: this.#threads,
      rtt: this.#rtt,
      offset: this.#offset,
      digest: this.#welcome?.digest ?? '',
      handle: this.#status.state === 'live' ? (this.#welcome?.handle ?? '') : '',
      ring: this.#broadcast && this.#constants && shares(this.#broadcast.ring, this.#constants, you),
    }));
  }

  /** @param {import('./messages.js').Broadcast} broadcast */
  #take(broadcast) {
    if (!this.#welcome || !this.#constants) return;
    const { you } = this.#welcome;
    const { fps } = this.#constants;
    this.#broadcast = broadcast;
    this.#growth.add(broadcast.stats, broadcast.count / fps, brought(broadcast, this.#constants, you));
    if (document.hidden) return;
    this.#showRing();
    this.#board.show(broadcast.board, you);
    this.#panel.trends(trends(this.#growth));
    this.#panel.servers(broadcast.stats.servers);
  }

  #showRing() {
    if (!this.#broadcast || !this.#welcome || !this.#constants || !this.#reading) return;
    const instant = now() + offsetAt(this.#reading, now());
    this.#dial.show(this.#broadcast.ring, this.#welcome, this.#constants, (instant * this.#constants.fps) / 1000);
  }
}
