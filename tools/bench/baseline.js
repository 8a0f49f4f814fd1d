/**
 * The donut as one would write it in JavaScript without the module: every sample in turn, and nothing kept from one
 * sample or frame to the next. See the package documentation of wasm/donut for the formulas. It is what the module has
 * to compete with, and draws the same pictures.
 */

const WIDTH = 79;
const ROWS = 22;
const CELLS = WIDTH * ROWS;
export const PACKED_SIZE = CELLS / 2;

const nearest = new Float64Array(CELLS);
const levels = new Uint8Array(CELLS);

/**
 * Draws frame n and packs it, two cells a byte, the earlier one in the low nibble.
 *
 * @param {number} detail
 * @param {number} n
 * @param {Uint8Array} packed  takes PACKED_SIZE bytes
 */
export function render(detail, n, packed) {
  draw(detail, n);
  for (let i = 0; i < PACKED_SIZE; i++) packed[i] = levels[2 * i] | (levels[2 * i + 1] << 4);
}

/** @param {number} detail @param {number} n */
function draw(detail, n) {
  nearest.fill(0);
  levels.fill(0);
  const a = 1 + 0.07 * n;
  const b = 1 + 0.03 * n;
  const [sinA, cosA, sinB, cosB] = [Math.sin(a), Math.cos(a), Math.sin(b), Math.cos(b)];
  const thetaStep = 0.07 / detail;
  const phiStep = 0.02 / detail;
  const [sinThetaStep, cosThetaStep] = [Math.sin(thetaStep), Math.cos(thetaStep)];
  const [sinPhiStep, cosPhiStep] = [Math.sin(phiStep), Math.cos(phiStep)];

  let cosTheta = 1;
  let sinTheta = 0;
  for (let theta = 0; theta < 6.28; theta += thetaStep) {
    let cosPhi = 1;
    let sinPhi = 0;
    for (let phi = 0; phi < 6.28; phi += phiStep) {
      const h = cosTheta + 2;
      const d = 1 / (sinPhi * h * sinA + sinTheta * cosA + 5);
      const t = sinPhi * h * cosA - sinTheta * sinA;
      const x = Math.trunc(40 + 30 * d * (cosPhi * h * cosB - t * sinB));
      const y = Math.trunc(12 + 15 * d * (cosPhi * h * sinB + t * cosB));
      const luminance = Math.trunc(
        8 *
          ((sinTheta * sinA - sinPhi * cosTheta * cosA) * cosB -
            sinPhi * cosTheta * sinA -
            sinTheta * cosA -
            cosPhi * cosTheta * sinB),
      );
      const cell = y * WIDTH + x;
      if (x >= 0 && x < WIDTH && y >= 0 && y < ROWS && d > nearest[cell]) {
        nearest[cell] = d;
        levels[cell] = Math.max(luminance, 0) + 1;
      }
      [cosPhi, sinPhi] = [cosPhi * cosPhiStep - sinPhi * sinPhiStep, sinPhi * cosPhiStep + cosPhi * sinPhiStep];
    }
    const turned = cosTheta * cosThetaStep - sinTheta * sinThetaStep;
    sinTheta = sinTheta * cosThetaStep + cosTheta * sinThetaStep;
    cosTheta = turned;
  }
}
