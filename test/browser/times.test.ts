/** Times and days on the monitor page, in the viewer's clock and language. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { openPage } from '../support/browser-page.ts';
import { eventually } from '../support/eventually.ts';
import { startMonitorServer } from '../support/monitor-server.ts';
import { DemoFleet, livelyFleet } from '../support/monitor-source.ts';

const NOON = Date.parse('2026-11-28T12:00:00Z') / 1000;
const DAY = 86_400;

/** A fleet with samples of two days until `NOON`, and none between 02:00 and 04:00 of the last night. */
function fleetOfTwoDays(): DemoFleet {
  const fleet = new DemoFleet({ servers: 3, now: NOON - 2 * DAY });
  fleet.refuse('https://github.com/a/b/blob/main/worlds/c.wbt', 'no-room', 'Two days ago there was no room.');
  const night = NOON - 10 * 3600;
  fleet.advance(night - fleet.now);
  fleet.now = night + 2 * 3600;
  fleet.advance(NOON - fleet.now);
  return fleet;
}

async function show(page: Page, range: string): Promise<void> {
  const answered = page.waitForResponse((response) => response.url().includes('/api/v1/history'));
  await page.getByRole('button', { name: range, exact: true }).click();
  await answered;
  await page.getByRole('button', { name: range, exact: true, pressed: true }).waitFor();
}

/** What the axes of time say, as drawn. */
async function watchTicks(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const drawn: string[] = [];
    Object.assign(window, { drawn });
    const context = CanvasRenderingContext2D.prototype as unknown as Record<'fillText', (...drawn: unknown[]) => void>;
    const draw = context.fillText;
    context.fillText = function (text, ...place) {
      drawn.push(String(text));
      draw.call(this, text, ...place);
    };
  });
}

test('a decision, a last answer and a bucket of another day are shown with their day', async (t) => {
  const fleet = fleetOfTwoDays();
  const [first = ''] = fleet.ids;
  fleet.set(first, { lastAnswerAt: NOON - DAY, state: 'down', load: null });
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url, { timezoneId: 'UTC' });
  assert.match(await page.locator('.servers tbody .answer').first().innerText(), /^Nov 27, 12:00\sPM/);
  assert.match(await page.locator('.servers tbody .answer').nth(1).innerText(), /^12:00:00\sPM/);
  assert.match(await page.locator('.decisions .entry time').first().innerText(), /^\d\d:\d\d:\d\d\s[AP]M$/);
  await page.getByRole('button', { name: 'Only refused (1)' }).click();
  assert.match(await page.locator('.decisions .entry time').innerText(), /^Nov 26, 12:00\sPM$/);
  await show(page, '7 d');
  // One more when the clock of the page has advanced by a second, because NOON is where a bucket begins.
  await page.waitForFunction(() => /^33[56]$/.test(document.querySelector('.plot')?.getAttribute('aria-valuemax') ?? ''));
  const plot = page.getByRole('slider');
  await eventually('a bucket of yesterday', async () => {
    await plot.press('End');
    for (let count = 0; count < 6; count++) await plot.press('PageUp');
    return /^Nov 27, \d\d:\d0\s[AP]M: mean load/.test((await plot.getAttribute('aria-valuetext')) ?? '');
  });
  assert.match(await page.locator('.legend .when').innerText(), /^Nov 27, \d\d:\d0\s[AP]M$/);
});

test('the axis of a chart keeps its minutes and says where days begin, with 24 hours too', async (t) => {
  const server = await startMonitorServer(t, { fleet: fleetOfTwoDays() });
  const page = await openPage(t, 'about:blank', {
    still: true,
    locale: 'de-DE',
    timezoneId: 'UTC',
    expected: /request to/,
  });
  await watchTicks(page);
  await page.goto(server.url);
  await page.waitForSelector('.live');
  await show(page, '24 h');
  await page.waitForFunction(() => (window as unknown as { drawn: string[] }).drawn.includes('Nov 27'));
  const drawn = await page.evaluate(() => (window as unknown as { drawn: string[] }).drawn);
  assert.ok(!drawn.includes('Jan 1'), 'no other time before there is a history');
  for (const tick of ['22:00', '00:00', 'Nov 27', 'Nov 28']) assert.ok(drawn.includes(tick), `${tick} in ${drawn.join()}`);
  assert.match(await page.locator('.top').innerText(), /Started on Thursday, November 26, 2026 at 12:00:00/);
});

test('a page that went stale says since which day', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 1 }) });
  const page = await openPage(t, server.url);
  await server.stop();
  await page.getByText(/Connection lost at [A-Z][a-z]{2} \d+, \d\d:\d\d:\d\d\s[AP]M\. Reconnecting…/).waitFor();
});

test('without a pointer the legend says the last bucket that is over', async (t) => {
  // In the middle of a bucket, so that a few seconds later it is still the same one.
  const fleet = livelyFleet({ now: NOON + 100 });
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  await show(page, '24 h');
  const [from, to] = [fleet.now - DAY, fleet.now];
  const { time, step } = fleet.history.query({ from, to }) ?? { time: [], step: 0 };
  assert.ok((time.at(-1) ?? 0) + step > to, 'the last bucket is not over');
  await page.waitForFunction(
    (most) => document.querySelector('.plot')?.getAttribute('aria-valuemax') === most,
    String(time.length - 1),
  );
  assert.equal(await page.getByRole('slider').getAttribute('aria-valuenow'), String(time.length - 2));
});

test('where there is no data the chart does not claim that there were no hand-outs', async (t) => {
  const server = await startMonitorServer(t, { fleet: fleetOfTwoDays() });
  const page = await openPage(t, server.url, { timezoneId: 'UTC' });
  await show(page, '24 h');
  await page.getByText('Show as table').click();
  const gap = page.locator('.figures-table tbody tr', { hasText: /^03:\d\d\sAM/ }).first();
  await gap.waitFor();
  // Which seats are reserved is known without data.
  assert.deepEqual(await gap.locator('td').allInnerTexts(), [...Array<string>(6).fill('N/A'), '0']);
  const known = page.locator('.figures-table tbody tr', { hasText: /^11:\d\d\sAM/ }).first();
  assert.ok(!(await known.innerText()).includes('N/A'), await known.innerText());
  const plot = page.getByRole('slider');
  const when = page.locator('.legend .when');
  await eventually('a bucket without data', async () => {
    await plot.press('Home');
    for (let count = 0; count < 40 && !/^03:\d\d/.test(await when.innerText()); count++) await plot.press('PageDown');
    return /^03:\d\d/.test(await when.innerText());
  });
  const legend = (await page.locator('.legend').innerText()).replaceAll(/\s+/g, ' ');
  assert.match(legend, /handed out N\/A waiting N\/A limit 90%$/);
});
