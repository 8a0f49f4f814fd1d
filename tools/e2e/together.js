/** npm run together: how far apart Chromium and Firefox paint the same frame, launch by launch and over all of them. */

import { severalLaunches } from './bounds.js';
import { launchAll, percentiles } from './launches.js';
import { startServer } from './server.js';

/** @param {(string | number)[]} cells  texts, and milliseconds */
function row(...cells) {
  const texts = cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(1) : cell));
  console.log(`| ${texts.join(' | ')} |`);
}

const server = await startServer();
try {
  row('launch', 'frames', 'p50, ms', 'p95', 'p99', 'Chromium after, ms', 'moves by', 'Firefox after, ms', 'moves by');
  row(...Array(9).fill('---'));
  const all = await launchAll(server, severalLaunches, ({ apart, phases }, i) => {
    const stands = phases.flatMap(({ median, drift }) => [median, drift]);
    row(`${i + 1}`, `${apart.length}`, ...percentiles(apart), ...stands);
  });
  const pooled = all.flatMap(({ apart }) => apart);
  row('all', `${pooled.length}`, ...percentiles(pooled), '', '', '', '');
} finally {
  await server.stop();
}
