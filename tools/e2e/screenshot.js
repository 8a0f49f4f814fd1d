/** npm run screenshot -- URL out.png [width height [light|dark]]: what the page looks like once it plays. */

import { launch, openTab } from './browser.js';

const [url, path, width = '1280', height = '800', scheme = 'dark'] = process.argv.slice(2);
if (!url || !path?.endsWith('.png')) {
  console.error('usage: npm run screenshot -- URL out.png [width height [light|dark]]');
  process.exit(2);
}

const browser = await launch();
try {
  const { page } = await openTab(browser, 'about:blank');
  await page.setViewport({ width: Number(width), height: Number(height), deviceScaleFactor: 2 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.goto(url);
  await new Promise((resolve) => setTimeout(resolve, 4_000)); // long enough for figures to settle
  await page.screenshot({ path: /** @type {`${string}.png`} */ (path) });
} finally {
  await browser.close();
}
