/** Screenshots of the documentation: `SCREENSHOTS=docs/images node scripts/run-tests.mjs test/browser/FILE` writes them. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** Without the environment variable it takes the picture, too, and drops it. */
export async function takeScreenshot(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS'];
  await page.mouse.move(0, 0);
  const file = folder === undefined ? {} : { path: join(folder, `${name}.jpg`) };
  await page.screenshot({ type: 'jpeg', quality: 80, animations: 'disabled', ...file });
}
