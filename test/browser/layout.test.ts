/** Everything on the monitor page stays in its place and can be read, on screens of every width. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { openPage } from '../support/browser-page.ts';
import { startMonitorServer, TOKEN } from '../support/monitor-server.ts';
import { DemoFleet, livelyFleet } from '../support/monitor-source.ts';
import { systemClock } from '../../src/system/system-clock.ts';

const WIDTHS = [320, 360, 390, 700, 720, 768, 800, 981, 1024, 1100, 1181, 1280, 1366, 1440];
const HOUR = 3600;
const LONG = 'its name is not known to the name server; is it written correctly in the configuration?';

/** Long names and reasons, times of other days, and a server that is both drained and down. */
function difficult(fleet: DemoFleet): DemoFleet {
  const [first = '', second = '', third = '', fourth = '', fifth = ''] = fleet.ids;
  const drain = { since: fleet.now - 90_000, by: 'ada', reason: 'new disk', until: fleet.now + 48 * HOUR };
  const gone = { load: null, predicted: null, places: 0, lastAnswerAt: fleet.now - 48 * HOUR };
  fleet.set(first, {
    ...gone,
    drain,
    state: 'down',
    reason: `ada: new disk. ${LONG}`,
    address: 'simulation-machine-28-letters/20000',
  });
  fleet.set(second, { drain, state: 'draining', reason: 'ada: new disk.', costUncertainty: null });
  fleet.set(third, {
    suspectSince: fleet.now,
    reason: 'Suspected: given sessions, it still looks idle; tried rarely.',
    load: 100.25,
  });
  fleet.set(fourth, {
    ...gone,
    state: 'unknown',
    reason: `Not offered: ${LONG}`,
    labels: { room: 'B12', gpu: 'RTX 4070 with much memory' },
  });
  fleet.set(fifth, { booked: 14.5, predicted: 114.75, handOuts: 123_456, handOutsLastHour: 1234, latency: 1.234 });
  return fleet;
}

/** What reaches beyond the cell it is in, and whether the table can be scrolled sideways. */
function misplaced(page: Page): Promise<string[]> {
  return page.locator('.servers .scroll').evaluate((scroller) => {
    const found: string[] = [];
    if (scroller.scrollWidth > scroller.clientWidth)
      found.push(`the table is ${scroller.scrollWidth - scroller.clientWidth} pixels wider than its place`);
    for (const cell of scroller.querySelectorAll('tr:not(.spacer) > *')) {
      const beyond = cell.scrollWidth - cell.clientWidth;
      if (beyond > 1) found.push(`${cell.className} “${(cell as HTMLElement).innerText}”: ${beyond} pixels`);
    }
    return found;
  });
}

for (const [name, locale, fleetOf] of [
  ['few', 'en-US', () => difficult(livelyFleet())],
  ['many', 'en-GB', () => difficult(new DemoFleet({ servers: 300, now: Math.floor(Date.now() / 1000) }))],
] as const) {
  test(`nothing in the table reaches beyond its cell, with ${name} servers (${locale})`, async (t) => {
    const server = await startMonitorServer(t, { fleet: fleetOf() });
    const page = await openPage(t, server.url, { locale });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      assert.deepEqual(await misplaced(page), [], `${width} pixels`);
      const details = await page.getByRole('button', { name: /^Details of sim03/ }).boundingBox();
      assert.ok(details !== null && details.x + details.width <= width, `the button for details at ${width} pixels`);
    }
  });
}

test('where only rows in sight are drawn each is as high as those that are not are thought to be, on every screen', async (t) => {
  const server = await startMonitorServer(t, { fleet: difficult(new DemoFleet({ servers: 300 })) });
  const page = await openPage(t, server.url);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    const odd = await page
      .locator('.servers tbody')
      .evaluate((body) =>
        [...body.querySelectorAll<HTMLElement>('tr:not(.spacer)')]
          .filter((row) => Math.round(row.getBoundingClientRect().height) !== 60)
          .map((row) => row.innerText),
      );
    assert.deepEqual(odd, [], `${width} pixels`);
  }
});

test('nothing of the rows that scroll below it shows through the row of the average', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 30 }) });
  const pages = [await openPage(t, server.url), await openPage(t, server.url, { javaScriptEnabled: false })];
  for (const page of pages) {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      const footer = page.locator('.servers tfoot');
      await footer.scrollIntoViewIfNeeded();
      const foreign = await footer.evaluate((row) => {
        const { left, right, top, height } = row.getBoundingClientRect();
        const places = Array.from({ length: 40 }, (_, index) => left + 1 + ((right - left - 2) * index) / 39);
        return places.filter((x) => !row.contains(document.elementFromPoint(x, top + height / 2)));
      });
      assert.deepEqual(foreign, [], `${width} pixels`);
    }
  }
});

test('where rows may grow the whole reason can be read', async (t) => {
  const server = await startMonitorServer(t, { fleet: difficult(livelyFleet()) });
  const page = await openPage(t, server.url);
  for (const width of [390, 768, 1280, 1440]) {
    await page.setViewportSize({ width, height: 800 });
    const hidden = await page
      .locator('.servers tbody .state-cell .second')
      .evaluateAll((reasons) => reasons.map((reason) => reason.scrollHeight - reason.clientHeight));
    assert.ok(
      hidden.every((pixels) => pixels <= 1),
      `${width}: ${hidden.join()}`,
    );
  }
});

test('the panel shows a reason of a thousand letters to its end', async (t) => {
  const fleet = new DemoFleet({ servers: 2, now: Math.floor(Date.now() / 1000) });
  const reason = `${'moved to the cellar, '.repeat(45)}the end`;
  fleet.drain('sim02.example.org:3000', { since: fleet.now, by: 'ada', reason, until: null });
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  await page.getByRole('button', { name: /Details of sim02/ }).click();
  const panel = page.getByRole('dialog', { name: /sim02/ });
  for (const place of ['.panel-head p.text', '.facts dd']) {
    const text = panel.locator(place, { hasText: 'the end' });
    const cut = await text.evaluate((element) => element.scrollHeight - element.clientHeight);
    assert.ok(cut <= 1, `${cut} pixels of ${place} are not seen`);
  }
});

test("a server's facts keep within their card on every screen", async (t) => {
  const server = await startMonitorServer(t, { fleet: difficult(livelyFleet()) });
  const page = await openPage(t, server.url);
  await page.getByRole('button', { name: /Details of sim05/ }).click();
  const facts = page.getByRole('dialog', { name: /sim05/ }).locator('.facts');
  await facts.waitFor();
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    const beyond = await facts.evaluate((list) => list.scrollWidth - list.clientWidth);
    assert.ok(beyond <= 0, `${beyond} pixels at ${width}`);
  }
});

test('the parts of a load, and the limit, are also written in words', async (t) => {
  const fleet = new DemoFleet({ servers: 2 });
  fleet.set(fleet.ids[0] ?? '', { load: 20.5, booked: 8, predicted: 28.5 });
  fleet.set(fleet.ids[1] ?? '', { load: null, predicted: null });
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url, { viewport: { width: 390, height: 844 } });
  const bars = page.locator('.servers tbody').getByRole('img');
  const words = '20.5% reported + 8.0 booked = 28.5% predicted, limit 90%';
  assert.equal(await bars.first().getAttribute('aria-label'), words);
  assert.equal(await page.locator('.load-parts').first().getAttribute('title'), words);
  assert.equal(await bars.nth(1).getAttribute('aria-label'), 'no load reported, limit 90%');
  await page.getByRole('button', { name: /Details of sim01/ }).click();
  assert.equal(await page.locator('dialog .load-legend').textContent(), 'reported booked limit 90%');
});

test('each row has its server as its header, and a filter says how much it shows', async (t) => {
  const fleet = livelyFleet();
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  assert.equal(await page.getByRole('rowheader', { name: /^sim/ }).count(), 12);
  const said = page.locator('.servers').getByRole('status');
  await page.getByRole('button', { name: /^available/ }).click();
  await page.getByRole('heading', { name: 'Showing 8 of 12 simulation servers:' }).waitFor();
  // It is said after the page was drawn.
  await said.filter({ hasText: /^8 of 12 servers shown$/ }).waitFor();
  await page.getByRole('rowheader', { name: 'average of all:' }).waitFor();
  fleet.set(fleet.ids[0] ?? '', { state: 'full' });
  fleet.advance(5);
  await page.getByRole('heading', { name: 'Showing 7 of 12' }).waitFor();
  assert.equal(await said.innerText(), '8 of 12 servers shown', 'what changes by itself is not read out');
  await page.getByRole('button', { name: /^available/ }).click();
  await page.getByRole('heading', { name: 'Managing 12 simulation servers:' }).waitFor();
  assert.equal(await page.getByRole('rowheader', { name: 'average:' }).count(), 1);
});

test('servers without room are not called available alone, and a cost learned from others is described as such', async (t) => {
  const fleet = new DemoFleet({ servers: 3 });
  for (const id of fleet.ids) fleet.set(id, { places: 0 });
  fleet.set(fleet.ids[1] ?? '', { costUncertainty: null });
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  await page.locator('.summary').getByText('3 simulation servers: 3 available; none of those available has room').waitFor();
  assert.deepEqual(await page.locator('.servers tbody .cost .second').allInnerTexts(), ['± 1.6', 'from other servers', '± 1.6']);
  await page.getByRole('button', { name: /Details of sim02/ }).click();
  await page.locator('.facts').getByText('8.0 points, from other servers').waitFor();
});

test('a closed monitor says apart that a token is wrong and that there were too many', async (t) => {
  // Time gives tries back. Here it stands still, so that a slow machine gets no more of them.
  const server = await startMonitorServer(t, { reading: 'token', clock: { ...systemClock, now: () => 0 } });
  const page = await openPage(t, server.url, { still: true, expected: /401/ });
  const enter = async (token: string): Promise<void> => {
    await page.getByLabel('Sign in with a token to read this monitor').fill(token);
    const shown = page.waitForEvent('load');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await shown;
  };
  const refusal = async (): Promise<string> => page.getByRole('alert').innerText();
  await enter('wrong');
  assert.equal(await refusal(), 'This token is not in "admin.tokens".');
  for (let tries = 1; tries <= 10; tries++) await enter('wrong');
  assert.match(await refusal(), /^This token is not in "admin.tokens". Too many wrong tokens came from your address/);
  await enter(TOKEN);
  await page.getByRole('heading', { name: /^Managing/ }).waitFor();
});
