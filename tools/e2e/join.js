/** npm run join: how long a tab that joins another waits for its first picture, from when its page is asked for. */

import { firstPictures } from './first-picture.js';
import { percentile } from './recorder.js';
import { startServer } from './server.js';

const server = await startServer();
try {
  const took = await firstPictures(server.url, 11);
  const [half, most] = [percentile(took, 0.5), Math.max(...took)];
  console.log(`first pictures after ${took.map((each) => each.toFixed(0)).join(', ')} ms: median ${half.toFixed(0)}, at most ${most.toFixed(0)}`);
} finally {
  await server.stop();
}
