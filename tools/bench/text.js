/**
 * The donut in JavaScript by way of text, as a page that was written for its looks would do it: a frame is an array of
 * characters, newlines included, joined to a string; the strings are then encoded character by character, two to a byte,
 * into plain arrays that end up in one Uint8Array. It draws the same pictures as the module, and is what a fleet of
 * tabs without one renders with.
 */

const COLUMNS = 80; // the newline included
const ROWS = 22;
const SHADES = '.,-~:;=!*#$@';
const NEWLINE = SHADES.length + 1;

/** Each character's nibble: 0 for the blank, 1 to 12 for the shades. @type {Record<string, number>} */
const NIBBLES = { ' ': 0, '\n': NEWLINE };
for (const [i, shade] of [...SHADES].entries()) NIBBLES[shade] = i + 1;

/**
 * Draws frames and encodes them, two characters a byte, the earlier one in the low nibble.
 *
 * @param {number} detail
 * @param {number} first
 * @param {number} count
 * @returns {Uint8Array}  880 bytes a frame
 */
export function render(detail, first, count) {
  const frames = [];
  for (let n = first; n < first + count; n++) frames.push(text(detail, n));
  return new Uint8Array(frames.flatMap(encode));
}

/** @param {string} frame */
function encode(frame) {
  const bytes = [];
  for (let i = 0; i < frame.length; i += 2) {
    const low = NIBBLES[frame[i]];
    const high = NIBBLES[frame[i + 1]];
    if (low === undefined || high === undefined) throw new Error(`frame with ${frame[i]} or ${frame[i + 1]} in it`);
    bytes.push(low | (high << 4));
  }
  return bytes;
}

/** Packs encoded frames as the module does, which leaves out the newlines. @param {Uint8Array} encoded */
export function packed(encoded) {
  const cells = [...encoded].flatMap((byte) => [byte & 15, byte >> 4]).filter((nibble) => nibble !== NEWLINE);
  return Uint8Array.from({ length: cells.length / 2 }, (_, i) => cells[2 * i] | (cells[2 * i + 1] << 4));
}

/** Frame n as text. @param {number} detail @param {number} n */
function text(detail, n) {
  const characters = [];
  const nearest = [];
  for (let i = 0; i < COLUMNS * ROWS; i++) {
    characters[i] = i % COLUMNS === COLUMNS - 1 ? '\n' : ' ';
    nearest[i] = 0;
  }
  const a = 1 + 0.07 * n;
  const b = 1 + 0.03 * n;
  const sinA = Math.sin(a);
  const cosA = Math.cos(a);
  const sinB = Math.sin(b);
  const cosB = Math.cos(b);
  const thetaStep = 0.07 / detail;
  const phiStep = 0.02 / detail;
  const sinThetaStep = Math.sin(thetaStep);
  const cosThetaStep = Math.cos(thetaStep);
  const sinPhiStep = Math.sin(phiStep);
  const cosPhiStep = Math.cos(phiStep);

  let cosTheta = 1;
  let sinTheta = 0;
  for (let theta = 0; theta < 6.28; theta += thetaStep) {
    const h = cosTheta + 2;
    let cosPhi = 1;
    let sinPhi = 0;
    for (let phi = 0; phi < 6.28; phi += phiStep) {
      const d = 1 / (sinPhi * h * sinA + sinTheta * cosA + 5);
      const t = sinPhi * h * cosA - sinTheta * sinA;
      const x = (40 + 30 * d * (cosPhi * h * cosB - t * sinB)) | 0;
      const y = (12 + 15 * d * (cosPhi * h * sinB + t * cosB)) | 0;
      const luminance =
        (8 *
          ((sinTheta * sinA - sinPhi * cosTheta * cosA) * cosB -
            sinPhi * cosTheta * sinA -
            sinTheta * cosA -
            cosPhi * cosTheta * sinB)) |
        0;
      const cell = COLUMNS * y + x;
      if (x >= 0 && x < COLUMNS - 1 && y >= 0 && y < ROWS && d > nearest[cell]) {
        nearest[cell] = d;
        characters[cell] = SHADES[luminance > 0 ? luminance : 0];
      }
      const turned = cosPhi * cosPhiStep - sinPhi * sinPhiStep;
      sinPhi = sinPhi * cosPhiStep + cosPhi * sinPhiStep;
      cosPhi = turned;
    }
    const turned = cosTheta * cosThetaStep - sinTheta * sinThetaStep;
    sinTheta = sinTheta * cosThetaStep + cosTheta * sinThetaStep;
    cosTheta = turned;
  }
  return characters.join('');
}
