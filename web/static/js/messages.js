/**
 * What the page, the stream worker and the render workers say to each other, and what the module makes of the server's
 * messages. Types alone.
 *
 * Instants are absolute: milliseconds since 1970 as performance.timeOrigin + performance.now(), which page and workers
 * share. What the server calls an instant is microseconds since its epoch.
 *
 *     page                        stream worker                  render worker
 *     start ───────────────────────────▶  lease, revoke, stop, check, ping,
 *     resume, watching, work, died ────▶  duty ────────────────────────────▶
 *           ◀──────────────── offered         ◀─────── result, checked, pong
 *           ◀────── status, welcome, clock    ◀─────────────── spoilt, unfit
 *           ◀────── frames, rendered, failed, credited
 *           ◀─ verified, unfit, hire, dismiss
 *     equip ──────────────────────────────────────────────────────────────▶
 *
 * @typedef {object} Booted  what boot.js leaves behind
 * @property {Worker} worker  the stream worker
 * @property {MessageEvent<ToPage>[]} said  by it so far; take them out, and listen
 * @property {Start} start  what it was told
 *
 * @typedef {Start | Resume | Watching | Work | Died} ToStream
 * @typedef {StatusChange | Welcomed | Offered | ClockChange | Frames | Rendered | Failed | Credited | Verified | UnfitThreads
 *   | Hire | Dismiss} ToPage
 * @typedef {DoLease | DropLease | Stop | Duty | DoCheck | Ping} ToRenderer
 * @typedef {Answer | Checked | Spoilt | Unfit | Pong} FromRenderer
 *
 * @typedef {{ type: 'start', base: string, module: string, effort: Effort }} Start  base is the page's URL,
 *   and module the WebAssembly module's; once it has started, the effort is all that it takes
 * @typedef {{ threads: number, duty: number }} Effort  what the visitor lets this tab render with; duty is the share of the
 *   time that each thread renders, in percent. The module and the server may allow fewer threads
 * @typedef {{ type: 'resume' }} Resume  the network is back
 * @typedef {{ type: 'watching', watching: boolean }} Watching  whether the page is visible and plays
 * @typedef {{ type: 'work', effort: Effort }} Work  from now on
 *
 * @typedef {{ type: 'status', status: import('./status.js').Status }} StatusChange
 * @typedef {{ type: 'welcome', welcome: Welcome, constants: import('./module.js').Constants }} Welcomed
 * @typedef {{ type: 'offered', threads: number }} Offered  to the server, from now on
 * @typedef {{ type: 'clock', reading: import('./clock.js').Reading, rtt: number | null }} ClockChange
 * @typedef {{ type: 'frames', broadcast: Broadcast, text: ArrayBuffer }} Frames
 * @typedef {{ type: 'rendered', frames: number, spent: number }} Rendered  so many more frames, which were sent to the server, in
 *   so many milliseconds
 * @typedef {{ type: 'failed' }} Failed  a render worker or its instance, once more
 * @typedef {{ type: 'credited', frames: number }} Credited  so many that this connection rendered were audited by the
 *   server and found right
 * @typedef {{ type: 'verified', mismatch: Mismatch | null }} Verified  one more frame, and how it was not equal, if so
 * @typedef {{ type: 'unfit', threads: number, verifier: boolean }} UnfitThreads  how many render threads failed their
 *   self-test, in all, and whether the one that verifies did
 *
 * @typedef {{ type: 'hire', hand: number, name: 'render' | 'verify', module: WebAssembly.Module, port: MessagePort }} Hire
 *   a render worker, which the stream worker numbers, and hears and talks to through the other end of port
 * @typedef {{ type: 'dismiss', hand: number }} Dismiss
 * @typedef {{ type: 'died', hand: number }} Died
 * @typedef {{ module: WebAssembly.Module, port: MessagePort }} Equip  all that the page says to a render worker, at once
 *
 * @typedef {{ type: 'lease', job: number, message: ArrayBuffer }} DoLease  job numbers are the crew's and never used twice
 * @typedef {{ type: 'revoke', job: number }} DropLease
 * @typedef {{ type: 'duty', duty: number }} Duty  how much of the time to render, in percent
 * @typedef {{ type: 'stop' }} Stop  every lease is void: the connection that they belong to is gone
 * @typedef {{ type: 'check', job: number, sample: Sample }} DoCheck
 * @typedef {{ type: 'result', job: number, message: ArrayBuffer, spent: number }} Answer  spent is milliseconds
 * @typedef {{ type: 'spoilt', job: number, why: string }} Spoilt  the job stays unanswered
 * @typedef {{ type: 'checked', job: number, took: number, mismatch: Mismatch | null }} Checked  in so many milliseconds
 * @typedef {{ type: 'unfit', why: string }} Unfit  it failed its self-test, and does nothing any more
 * @typedef {{ type: 'ping' }} Ping
 * @typedef {{ type: 'pong' }} Pong  answers a ping as soon as the worker looks up from its lease
 *
 * @typedef {{ detail: number, frame: number, text: ArrayBuffer }} Sample  a frame as it aired
 * @typedef {{ frame: number, cells: number, aired: string, rendered: string }} Mismatch  how many cells differ, and the
 *   SHA-256 of the text that aired and of the one that was rendered here
 *
 * @typedef {Welcome | Reply | Lease | Revoke | Broadcast | Goodbye} FromServer
 *
 * @typedef {object} Welcome
 * @property {'welcome'} kind
 * @property {number} detail
 * @property {number} threads     that will be leased to
 * @property {number} you         this connection's number, the owner of its runs in the ring
 * @property {string} handle      what others see this connection called, made from its number
 * @property {number} generation  of the server's clock
 * @property {number} now
 * @property {number} epoch       microseconds since 1970
 * @property {number} lead        milliseconds
 * @property {string} digest      SHA-256 of the module, in hexadecimal
 *
 * @typedef {{ kind: 'reply', sent: number, received: number, replied: number, generation: number,
 *             verified: number }} Reply
 * @typedef {{ kind: 'lease', lease: number, thread: number, detail: number, first: number, count: number,
 *             within: number }} Lease
 * @typedef {{ kind: 'revoke', lease: number }} Revoke
 * @typedef {{ kind: 'goodbye', reason: Reason, retry: number }} Goodbye
 * @typedef {'draining' | 'outdated' | 'evicted' | 'malformed' | 'slow' | 'full' | 'silent' | 'crowded' | 'flooding'} Reason
 *
 * @typedef {object} Broadcast
 * @property {'broadcast'} kind
 * @property {number} generation
 * @property {number} number  of the message
 * @property {number} first   frame number
 * @property {number} count   frames covered
 * @property {number} size    bytes of the message
 * @property {Stats} stats
 * @property {{ first: number, runs: [state: number, owner: number, count: number][] }} ring
 * @property {Contributor[]} board  the one with the most verified frames first
 *
 * A connection that renders, and how many of its frames the server audited and found right.
 * @typedef {{ owner: number, handle: string, verified: number }} Contributor
 *
 * Totals are since the server started.
 * @typedef {object} Stats
 * @property {number} viewers
 * @property {number} workers
 * @property {number} threads
 * @property {number} leadMillis
 * @property {number} aired
 * @property {number} unaudited
 * @property {number} fleet
 * @property {number} server
 * @property {number} stalled
 * @property {number} audited
 * @property {number} forged
 * @property {number} evictions
 * @property {number} hedged
 * @property {number} wasted
 * @property {number} streamSize
 * @property {number} foreign     of the aired: rendered by other servers
 * @property {number} servers     that render together; the next three are of all of them
 * @property {number} allViewers
 * @property {number} allWorkers
 * @property {number} allThreads
 */

export {};
