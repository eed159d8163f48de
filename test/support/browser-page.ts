/**
 * A page of a test in a real browser. At the end of every test, the page must have written nothing to the console,
 * thrown nothing, and sent no request to another host.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { useBrowser } from './shared-browser.ts';

export interface OpenOptions extends BrowserContextOptions {
  /** Console messages that this test provokes, such as that a connection failed. */
  readonly expected?: RegExp;
  /** Do not wait until the page is live. */
  readonly still?: boolean;
}

/** At the end of a test, the server may stop before the page is closed. */
const SERVER_GONE =
  /ERR_(INCOMPLETE_CHUNKED_ENCODING|CONNECTION_(REFUSED|RESET|CLOSED|ABORTED)|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)/;

export async function openPage(t: TestContext, url: string, options: OpenOptions = {}): Promise<Page> {
  const { expected, still = options.javaScriptEnabled === false, ...settings } = options;
  const browser = await useBrowser(t);
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1440, height: 1000 }, ...settings });
  const page = await context.newPage();
  const complaints: string[] = [];
  const complain = (text: string): void => {
    if (expected?.test(text) !== true && !SERVER_GONE.test(text)) complaints.push(text);
  };
  page.on('console', (message) => complain(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complain(`thrown: ${error.message}`));
  page.on('dialog', (dialog) => {
    complain(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const { host } = new URL(url);
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (asked.protocol !== 'data:' && asked.host !== host) complain(`request to ${asked.host}`);
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(complaints, []);
  });
  await page.goto(url);
  if (!still) await page.waitForSelector('.live:not(.lost)');
  return page;
}
