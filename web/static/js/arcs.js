/**
 * The ring buffer as arcs of a circle, which the playhead goes around once in a turn: a little more than the ring holds, so
 * that what was just on screen can fade behind it before it would run into what is far ahead.
 */

const GAP = 1.1; // turns' length in rings

/**
 * @typedef {'you' | 'tab' | 'server' | 'peer' | 'nobody'} Who  peer is another server, or its tabs
 *
 * @typedef {Pick<import('./module.js').Constants, 'ringStates' | 'firstMember'>} Constants
 *
 * @typedef {object} Arc
 * @property {number} from   in radians, clockwise from the top; where the playhead's turn begins
 * @property {number} to     more than from
 * @property {string} state  free, leased, filled, ready, aired or stalled; see RingState in the package wire
 * @property {Who} who
 * @property {number} owner  the number of the connection or of the other server, or 0
 */

/** Frames in a turn. @param {number} lead  milliseconds that the ring holds @param {number} fps */
export function turnOf(lead, fps) {
  return Math.round((lead / 1000) * fps * GAP);
}

/**
 * @param {import('./messages.js').Broadcast['ring']} ring
 * @param {Constants} constants
 * @param {number} you   this connection's number
 * @param {number} turn  frames
 * @returns {Arc[]} free stretches are left out
 */
export function arcs(ring, { ringStates, firstMember }, you, turn) {
  const drawn = [];
  let frame = ring.first % turn;
  for (const [number, owner, count] of ring.runs) {
    const state = ringStates[number];
    const from = (frame / turn) * 2 * Math.PI;
    frame += count;
    if (state === 'free') continue;
    /** @type {Who} */
    const who = state === 'stalled' ? 'nobody' : rendererOf(owner, you, firstMember);
    drawn.push({ from, to: (frame / turn) * 2 * Math.PI, state, who, owner });
  }
  return drawn;
}

/** @param {number} owner @param {number} you @param {number} firstMember */
function rendererOf(owner, you, firstMember) {
  if (owner === 0) return 'server';
  if (owner >= firstMember) return 'peer';
  return owner === you ? 'you' : 'tab';
}

/**
 * Whose the frames of the ring are: those that are rendered, and those that are lent out to be.
 * @param {import('./messages.js').Broadcast['ring']} ring @param {Constants} constants @param {number} you
 */
export function shares(ring, { ringStates, firstMember }, you) {
  const sum = { you: 0, tab: 0, server: 0, peer: 0, leased: 0, all: 0 };
  for (const [number, owner, count] of ring.runs) {
    const state = ringStates[number];
    sum.all += count;
    if (state === 'leased') sum.leased += count;
    else if (state !== 'free' && state !== 'stalled') sum[rendererOf(owner, you, firstMember)] += count;
  }
  return sum;
}

/**
 * How many frames a broadcast brings, and how many of them this tab rendered.
 * @param {Pick<import('./messages.js').Broadcast, 'first' | 'count' | 'ring'>} broadcast @param {Constants} constants @param {number} you
 */
export function brought({ first, count, ring }, { ringStates }, you) {
  const sum = { own: 0, all: 0 };
  let frame = ring.first;
  for (const [number, owner, length] of ring.runs) {
    const frames = Math.min(frame + length, first + count) - Math.max(frame, first);
    frame += length;
    if (frames <= 0 || ringStates[number] === 'stalled') continue;
    sum.all += frames;
    if (owner === you) sum.own += frames;
  }
  return sum;
}
