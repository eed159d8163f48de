/** The list of decisions on the monitor page stays where its reader is, and can be searched. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { openPage } from '../support/browser-page.ts';
import { startMonitorServer } from '../support/monitor-server.ts';
import { DemoFleet } from '../support/monitor-source.ts';

function worldOf(school: string): string {
  return `https://github.com/${school}/robots/blob/main/worlds/maze.wbt`;
}

/** A page with twelve refusals of a class. */
async function classOfTwelve(t: TestContext): Promise<{ fleet: DemoFleet; page: Page; entries: Locator; newer: Locator }> {
  const fleet = new DemoFleet({ servers: 3 });
  for (let student = 1; student <= 12; student++)
    fleet.refuse(worldOf(`student-${student}`), 'no-room', `No room for ${student}.`);
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  const list = page.locator('.decisions');
  return { fleet, page, entries: list.locator('.entry'), newer: list.getByRole('button', { name: /newer$/ }) };
}

/** Nine more are refused, and the page shows it. */
async function refuseNine({ fleet, page }: { readonly fleet: DemoFleet; readonly page: Page }, refused: number): Promise<void> {
  for (let count = 0; count < 9; count++) fleet.refuse(worldOf('late'), 'no-room', 'Came late.');
  await page.getByRole('button', { name: `Only refused (${refused})` }).waitFor();
}

/** Chromium reports no distance for the first move of a pointer, so it moves on in a later frame: moves of the same frame become one. */
async function pointAt(page: Page, target: Locator): Promise<void> {
  const { width = 0, height = 0 } = (await target.boundingBox()) ?? {};
  await target.hover({ position: { x: width / 3, y: height / 2 } });
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await target.hover({ position: { x: width / 2, y: height / 2 } });
}

test('an unfolded entry stays in its place while newer refusals come, which are offered', async (t) => {
  const { fleet, page, entries, newer } = await classOfTwelve(t);
  const read = entries.nth(2);
  await read.locator('summary').click();
  await page.mouse.move(0, 0);
  await refuseNine({ fleet, page }, 21);
  assert.match(await read.innerText(), /student-10/);
  assert.equal(await read.locator('details').getAttribute('open'), '');
  assert.equal(await newer.innerText(), '9 newer');
  await newer.press('Enter');
  await entries.first().getByText('Came late.').waitFor();
  assert.equal(await newer.count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement?.className), 'entries', 'the keyboard is at the list');
});

test('an entry that has the keyboard or the pointer stays in its place, and the list continues when the reader has gone', async (t) => {
  const { fleet, page, entries, newer } = await classOfTwelve(t);
  await page.locator('.decisions').getByRole('searchbox').focus();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'SUMMARY');
  await refuseNine({ fleet, page }, 21);
  assert.match(await entries.first().innerText(), /student-12/);
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'SUMMARY');
  await page.keyboard.press('Shift+Tab');
  await entries.first().getByText('Came late.').waitFor();

  await pointAt(page, entries.first());
  await refuseNine({ fleet, page }, 30);
  assert.equal(await newer.innerText(), '9 newer');
  await page.mouse.move(0, 0);
  await newer.waitFor({ state: 'detached' });
});

test('a pointer that was left over the list does not stop it indefinitely', async (t) => {
  const fleet = new DemoFleet({ servers: 3 });
  fleet.refuse(worldOf('student'), 'no-room', 'No room.');
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, 'about:blank', { still: true, expected: /request to/ });
  await page.clock.install();
  await page.goto(server.url);
  await page.clock.runFor(100);
  await page.waitForSelector('.live:not(.lost)');
  await pointAt(page, page.locator('.decisions .entry'));
  fleet.refuse(worldOf('late'), 'no-room', 'Came late.');
  await page.getByRole('button', { name: '1 newer' }).waitFor();
  await page.clock.runFor(10_000);
  await page.getByRole('button', { name: '1 newer' }).waitFor({ state: 'detached' });
  assert.equal(await page.locator('.decisions .entry').count(), 2);
});

test('decisions are searched by project, server and reason', async (t) => {
  const { fleet, page, entries } = await classOfTwelve(t);
  const { server } = fleet.allocate(worldOf('lucky'));
  await page.locator('.decisions .entry', { hasText: 'lucky' }).waitFor();
  const search = page.getByRole('searchbox', { name: /^Search decisions/ });
  for (const [words, found] of [
    ['STUDENT-1/', 1],
    ['student-1', 4],
    ['refused room for 7', 1],
    [server ?? '', 1],
  ] as const) {
    await search.fill(words);
    assert.equal(await entries.count(), found, words);
  }
  await search.fill('no such word');
  await page.locator('.decisions').getByText('No matches.').waitFor();
});
