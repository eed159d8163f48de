/** One Chromium for all tests of a process, because starting it costs more than most tests. */
import type { TestContext } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchChromium } from './chromium.ts';

/** Milliseconds without a test that uses it, after which it closes. While it runs, the process does not end. */
const IDLE_MS = 2000;

/** Of `scripts/run-tests.mjs`: called after the last test of the process, also when a test failed so that it still counts as a user. */
declare global {
  var sharedByTests: Set<() => Promise<void>> | undefined;
}

let launched: Promise<Browser> | undefined;
let users = 0;

/** The browser, until the test ends. */
export async function useBrowser(t: TestContext): Promise<Browser> {
  users += 1;
  t.after(() => {
    users -= 1;
    closeWhenIdle();
  });
  globalThis.sharedByTests?.add(close);
  return await (launched ??= launchChromium());
}

/** On a busy machine, the pages of the last test take longer to close. */
function closeWhenIdle(): void {
  setTimeout(() => {
    void (async () => {
      if (users > 0) return;
      if (((await launched)?.contexts().length ?? 0) > 0) closeWhenIdle();
      else await close();
    })();
  }, IDLE_MS);
}

async function close(): Promise<void> {
  const idle = launched;
  launched = undefined;
  await (await idle)?.close();
}
