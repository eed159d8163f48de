/** The monitor page in a real browser, over a fleet that a test moves by hand. */
import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import type { HistoryView } from '../../src/core/views/monitor-view.ts';
import { openPage } from '../support/browser-page.ts';
import { eventually } from '../support/eventually.ts';
import { startExactPathsProxy } from '../support/exact-paths-proxy.ts';
import { startMonitorServer, TOKEN } from '../support/monitor-server.ts';
import { DemoFleet, livelyFleet } from '../support/monitor-source.ts';

/** Text of the cells of one column, in the order shown. */
function column(page: Page, name: string): Promise<string[]> {
  return page
    .locator(`.servers tbody tr:not(.spacer) td.${name}`)
    .evaluateAll((cells) => cells.map((cell) => cell.childNodes[0]?.textContent ?? ''));
}

async function figure(page: Page, name: string): Promise<string> {
  return page
    .locator('.figures div', { has: page.locator(`dt:text-is("${name}")`) })
    .locator('.value')
    .innerText();
}

/** The page asks for everything by its own path. */
function meantUrl(url: string): URL {
  return new URL(url.replace('/monitor?/', '/'));
}

/** Answers of `/api/v1/history` that the page asks for from now on. */
function watchHistory(page: Page): { readonly asked: URL[]; next: () => Promise<HistoryView> } {
  const asked: URL[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/api/v1/history')) asked.push(meantUrl(request.url()));
  });
  return {
    asked,
    next: async () => {
      // The answer to what is asked from now on, not to what was asked before.
      const request = await page.waitForRequest((request) => request.url().includes('/api/v1/history'));
      const response = await request.response();
      assert.ok(response !== null, 'the history is answered');
      return (await response.json()) as HistoryView;
    },
  };
}

/** One digit, as everywhere on the page. */
const PERCENT = new Intl.NumberFormat('en-US', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });

test('the page shows what the session server knows', async (t) => {
  const fleet = livelyFleet();
  fleet.waiting = 3;
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  const { servers, fleet: whole } = fleet.snapshot();
  const said = (load: number | null) => (load === null ? 'N/A' : PERCENT.format(load / 100));
  assert.deepEqual(
    await column(page, 'load'),
    servers.map(({ load }) => said(load)),
  );
  assert.deepEqual(
    await column(page, 'predicted'),
    servers.map(({ predicted }) => said(predicted)),
  );
  assert.deepEqual(await page.locator('.servers tbody .state').evaluateAll((marks) => marks.map((mark) => mark.textContent)), [
    ...servers.map(({ state, suspectSince, places }) => {
      const word = state === 'available' && places === 0 ? 'no room' : state;
      return suspectSince === null ? word : `${word}suspect`;
    }),
  ]);
  assert.deepEqual(
    await column(page, 'hand-outs-cell'),
    servers.map(({ handOutsLastHour }) => String(handOutsLastHour)),
  );
  assert.deepEqual(
    await page.locator('.servers tbody .own-page').evaluateAll((links) => links.map((link) => link.getAttribute('href'))),
    servers.map(({ monitorUrl }) => monitorUrl),
  );
  assert.equal(await figure(page, 'places left'), String(whole.places));
  assert.equal(await figure(page, 'handed out'), String(whole.handedOutLastHour));
  assert.equal(await figure(page, 'mean load'), PERCENT.format((whole.meanLoad ?? 0) / 100));
  assert.equal(await page.locator('.summary .sentence').innerText(), whole.availability);
  assert.equal(await figure(page, 'waiting'), '3');
  assert.match(await page.locator('.figures').innerText(), /longest 58 s, expected wait 1 min to 2 min 15 s/);
  assert.match(await page.locator('.top').innerText(), /Webots session server\s+session\.example\.org · Started on/);
  assert.equal(await page.title(), 'session.example.org · Webots session server');
  assert.equal(await page.locator('.servers tfoot .load').innerText(), said(whole.meanLoad));
});

test('a fleet with a problem is degraded, and its problems are in sight and one click away', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  const page = await openPage(t, server.url, { viewport: { width: 1440, height: 700 } });
  await page.locator('.summary.degraded').waitFor();
  const problems = page.getByRole('list', { name: 'Servers with a problem' });
  const [suspect, down] = (await problems.getByRole('listitem').allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' '));
  assert.match(suspect ?? '', /^sim10\S+ suspect since \d/);
  assert.match(down ?? '', /^sim06\S+ down since \d/);
  const box = await problems.boundingBox();
  assert.ok(box !== null && box.y + box.height < 700, 'visible without scrolling');
  await problems.getByRole('link', { name: /^sim06/ }).click();
  await page.getByRole('dialog', { name: /^sim06/ }).waitFor();
  await page.keyboard.press('Escape');
  for (const id of server.fleet.ids) server.fleet.set(id, { state: 'available', suspectSince: null });
  await page.locator('.summary.working').waitFor();
  assert.equal(await problems.count(), 0);
});

test('the name of a server opens its panel, and a small icon opens its own page in a new tab', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 2 }) });
  const page = await openPage(t, server.url);
  await page
    .getByRole('rowheader')
    .getByRole('link', { name: /^sim02/ })
    .click();
  await page.getByRole('dialog', { name: /^sim02/ }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/monitor');
  assert.equal(await page.locator('.own-page').first().getAttribute('target'), '_blank');
});

test('an empty fleet says how to add the first server, in place of an empty chart and table', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 0 }) });
  const page = await openPage(t, server.url);
  await page.getByRole('heading', { name: 'Add your first simulation server' }).waitFor();
  assert.equal(await page.locator('.chart, .servers').count(), 0);
  server.fleet.add('first.example.org/2000');
  await page.getByRole('heading', { name: 'Managing 1 simulation server:' }).waitFor();
});

function iconOf(page: Page): Promise<string | null> {
  return page.locator('link[rel=icon]').getAttribute('href');
}

test('a change comes to the page by itself', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 40 }) });
  const page = await openPage(t, server.url);
  const table = await page.getByRole('region', { name: 'Simulation servers', exact: true }).boundingBox();
  assert.ok(table !== null && table.height <= 900, 'a long table scrolls by itself, and what is below it stays near');
  const [first = '', second = ''] = server.fleet.ids;
  server.fleet.set(first, { load: 77.7 });
  server.fleet.set(second, { state: 'down', load: null, reason: 'Connection refused.' });
  await page.locator('.load', { hasText: '77.7%' }).waitFor();
  await page.locator('tr.row-down', { hasText: 'Connection refused.' }).waitFor();
});

test('servers that come and go come and go on the page', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const page = await openPage(t, server.url);
  server.fleet.add('new.example.org/2000');
  await page.getByRole('heading', { name: 'Managing 4 simulation servers:' }).waitFor();
  await page.getByRole('link', { name: 'new.example.org/2000' }).waitFor();
  server.fleet.remove('new.example.org:2000');
  await page.getByRole('heading', { name: 'Managing 3 simulation servers:' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'new.example.org/2000' }).count(), 0);
  server.fleet.remove(server.fleet.ids[0] ?? '');
  server.fleet.add('instead.example.org/2000');
  await page.getByRole('link', { name: 'instead.example.org/2000' }).waitFor();
  await page.getByRole('link', { name: /^sim01/ }).waitFor({ state: 'detached' });
});

test('the chart shows five ranges and what is under the pointer', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  const page = await openPage(t, server.url);
  const history = watchHistory(page);
  for (const [name, seconds] of [
    ['15 min', 900],
    ['24 h', 86_400],
    ['7 d', 7 * 86_400],
    ['30 d', 30 * 86_400],
    ['1 h', 3600],
  ] as const) {
    const answer = history.next();
    await page.getByRole('button', { name, exact: true }).click();
    await answer;
    const asked = history.asked.at(-1);
    const length = Number(asked?.searchParams.get('to')) - Number(asked?.searchParams.get('from'));
    assert.ok(Math.abs(length - seconds) <= 2, `${name}: ${length}`);
    assert.equal(await page.getByRole('button', { name, exact: true, pressed: true }).count(), 1);
  }
  const plot = page.getByRole('slider');
  const box = await plot.boundingBox();
  assert.ok(box, 'the chart is seen');
  const view = (await (await fetch(history.asked.at(-1)?.href ?? '')).json()) as HistoryView;
  await page.mouse.move(box.x + box.width / 2, box.y + 100);
  const index = Number(await plot.getAttribute('aria-valuenow'));
  assert.ok(Math.abs(index - view.time.length / 2) < view.time.length / 10, `${index} of ${view.time.length}`);
  assert.match(
    await page.locator('.legend').innerText(),
    new RegExp(`mean load ${PERCENT.format((view.mean[index] ?? 0) / 100)}`.replace('.', '\\.')),
  );
  assert.ok((await inkOf(page)) > 1000, 'something is drawn');
  const busiest = view.waiting.findIndex((waiting) => waiting === 3);
  const over = await page.locator('.plot .u-over').last().boundingBox();
  assert.ok(over && busiest > 0, 'a client waited');
  const place = ((view.time[busiest] ?? 0) - view.from) / (view.to - view.from);
  await page.mouse.move(over.x + over.width * place, over.y + 20);
  const there = Number(await plot.getAttribute('aria-valuenow'));
  assert.ok(Math.abs(there - busiest) <= 2, `${there} near ${busiest}`);
  const legend = (await page.locator('.legend').innerText()).replaceAll(/\s+/g, ' ');
  assert.ok(legend.includes(`handed out ${view.handOuts[there]} waiting ${view.waiting[there]} limit 90%`), legend);
});

/** Whether the line of the mean load is drawn, in each hundredth of a chart's width between its axis and its end. */
function lineOf(canvas: Locator): Promise<boolean[]> {
  return canvas.evaluate((element: HTMLCanvasElement) => {
    const { width, height } = element;
    // Before it has its size.
    if (width === 0 || height === 0) return Array.from({ length: 100 }, () => false);
    const { data } = element.getContext('2d')?.getImageData(0, 0, width, height) ?? { data: [] };
    const hex = getComputedStyle(element).getPropertyValue('--mean').trim();
    const wanted = [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));
    const [begin, end] = [52 * devicePixelRatio, width - 16 * devicePixelRatio];
    const drawn = Array.from({ length: 100 }, () => false);
    for (let x = begin; x < end; x += 1)
      for (let y = 0; y < height; y += 1) {
        const at = (y * width + x) * 4;
        if (wanted.every((value, index) => Math.abs((data[at + index] ?? 0) - value) < 12) && (data[at + 3] ?? 0) > 200)
          drawn[Math.floor((100 * (x - begin)) / (end - begin))] = true;
      }
    return drawn;
  });
}

/** Pixels of the charts that are not empty. */
function inkOf(page: Page): Promise<number> {
  return page.locator('.plot canvas').evaluateAll((canvases) => {
    let count = 0;
    for (const canvas of canvases as HTMLCanvasElement[]) {
      if (canvas.width === 0 || canvas.height === 0) continue;
      const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      for (let index = 3; index < data.length; index += 4) if (data[index] !== 0) count += 1;
    }
    return count;
  });
}

test('dragging over the chart zooms into that time, with finer figures, and back', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  const page = await openPage(t, server.url);
  const history = watchHistory(page);
  const day = history.next();
  await page.getByRole('button', { name: '24 h', exact: true }).click();
  const { step } = await day;
  const box = await page.locator('.plot .u-over').first().boundingBox();
  assert.ok(box, 'the chart is seen');
  const whole = history.asked.at(-1)?.searchParams;
  const zoomed = history.next();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + 80, { steps: 5 });
  await page.mouse.up();
  const view = await zoomed;
  const asked = history.asked.at(-1)?.searchParams;
  const [from, to] = [Number(whole?.get('from')), Number(whole?.get('to'))];
  assert.ok(Math.abs(Number(asked?.get('from')) - (from + (to - from) * 0.5)) < 900, `from ${asked?.get('from')}`);
  assert.ok(Math.abs(Number(asked?.get('to')) - (from + (to - from) * 0.75)) < 900, `to ${asked?.get('to')}`);
  assert.ok(view.step < step, `${view.step} is finer than ${step}`);
  await page.getByRole('button', { name: 'Back to the last 24 hours' }).click();
  await page.getByRole('button', { name: '24 h', exact: true, pressed: true }).waitFor();
});

test('a finger that moves sideways over the chart zooms, and one that moves up scrolls the page', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  const page = await openPage(t, server.url, { viewport: { width: 390, height: 844 }, hasTouch: true });
  await page.waitForFunction(() => Number(document.querySelector('.plot')?.getAttribute('aria-valuemax')) > 100);
  const plot = page.locator('.plot .u-over').first();
  await plot.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  const box = await plot.boundingBox();
  assert.ok(box, 'the chart is seen');
  const devtools = await page.context().newCDPSession(page);
  const stroke = async (toX: number, toY: number): Promise<void> => {
    const [x, y] = [box.x + box.width * 0.3, box.y + 60];
    await devtools.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x, y }] });
    for (const part of [0.25, 0.5, 0.75, 1])
      await devtools.send('Input.dispatchTouchEvent', {
        type: 'touchMove',
        touchPoints: [{ x: x + (toX - x) * part, y: y + (toY - y) * part }],
      });
    await devtools.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  };
  const zoomed = page.waitForRequest((request) => {
    const { pathname, searchParams } = meantUrl(request.url());
    const length = Number(searchParams.get('to')) - Number(searchParams.get('from'));
    return pathname === '/api/v1/history' && Math.abs(length - 0.4 * 3600) < 120;
  });
  await stroke(box.x + box.width * 0.7, box.y + 65);
  await zoomed;
  const back = page.getByRole('button', { name: 'Back to the last hour' });
  await back.click();
  await plot.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  const before = await page.evaluate(() => scrollY);
  await stroke(box.x + box.width * 0.3, box.y - 100);
  await page.waitForFunction((before) => scrollY > before, before);
  assert.equal(await back.count(), 0);
});

test('the chart is used by keyboard, and says where it is', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  const page = await openPage(t, server.url);
  const history = watchHistory(page);
  const plot = page.getByRole('slider');
  await page.waitForFunction(() => Number(document.querySelector('.plot')?.getAttribute('aria-valuemax')) > 100);
  await plot.focus();
  // The plot takes what came a moment after the words do, and its cursor with it.
  await eventually('the first bucket', async () => {
    await plot.press('Home');
    return (await plot.getAttribute('aria-valuenow')) === '0';
  });
  await plot.press('ArrowRight');
  await plot.press('PageDown');
  assert.equal(await plot.getAttribute('aria-valuenow'), '11');
  assert.match(
    (await plot.getAttribute('aria-valuetext')) ?? '',
    /mean load [\d.]+%, from [\d.]+% to [\d.]+%, predicted [\d.]+%, \d+ handed out/,
  );
  await plot.press('End');
  await plot.press('PageUp');
  const zoomed = history.next();
  await plot.press('+');
  await zoomed;
  await page.getByRole('button', { name: 'Back to the last hour' }).waitFor();
  await plot.press('Escape');
  await page.getByRole('button', { name: '1 h', exact: true, pressed: true }).waitFor();
});

test('zooming out ends at the time for which there is a history', async (t) => {
  const fleet = livelyFleet();
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  const history = watchHistory(page);
  const month = history.next();
  await page.getByRole('button', { name: '30 d', exact: true }).click();
  await month;
  await page.waitForFunction(() => (document.querySelector('.plot')?.getAttribute('aria-valuetext') ?? '').length > 20);
  const zoomed = history.next();
  await page.getByRole('slider').press('-');
  await zoomed;
  const from = Number(history.asked.at(-1)?.searchParams.get('from'));
  assert.ok(from >= Math.floor(fleet.now) - 30 * 86_400, `${(fleet.now - from) / 86_400} days are shown`);
});

test('the figures of the chart can be read as a table and taken away as CSV', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  const page = await openPage(t, server.url);
  await page.getByText('Show as table').click();
  const rows = page.locator('.figures-table tbody tr');
  await rows.first().waitFor();
  assert.ok((await rows.count()) > 40, `${await rows.count()} rows`);
  const csv = await page.getByRole('link', { name: 'CSV' }).evaluate((link: HTMLAnchorElement) => link.href);
  assert.match(await (await fetch(csv)).text(), /^time,min,mean,max/);
});

test('the table sorts by any column, keeping what is unknown last', async (t) => {
  const fleet = livelyFleet();
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  const sort = page.getByRole('columnheader', { name: 'load', exact: true });
  const loads = async () => (await column(page, 'load')).map((text) => (text === 'N/A' ? null : Number.parseFloat(text)));
  await sort.getByRole('button').click();
  assert.equal(await sort.getAttribute('aria-sort'), 'descending');
  const descending = await loads();
  const known = fleet
    .snapshot()
    .servers.map(({ load }) => load)
    .filter((load) => load !== null);
  assert.deepEqual(descending, [...known.sort((a, b) => b - a), null, null]);
  await sort.getByRole('button').press('Enter');
  assert.equal(await sort.getAttribute('aria-sort'), 'ascending');
  assert.deepEqual(await loads(), [...known.sort((a, b) => a - b), null, null]);
  await page.getByRole('button', { name: 'state', exact: true }).click();
  const states = await page.locator('.servers tbody .state').evaluateAll((marks) => marks.map((mark) => mark.textContent));
  assert.deepEqual([states[0], states.at(-1)], ['down', 'available'], 'problems first');
  const { servers } = fleet.snapshot();
  for (const [name, value, ascends] of [
    ['#', ({ number }) => number, true],
    ['simulation server', ({ number }) => number, true],
    ['predicted', ({ predicted }) => predicted, false],
    ['session cost', ({ cost }) => cost, false],
    ['handed out', ({ handOutsLastHour }) => handOutsLastHour, false],
    ['last answer', ({ lastAnswerAt }) => lastAnswerAt, true],
  ] satisfies [string, (server: (typeof servers)[number]) => number | null, boolean][]) {
    await page.locator('.servers').getByRole('button', { name, exact: true }).click();
    const sorted = (await column(page, 'number')).map((number) => value(servers[Number(number) - 1]!));
    const values = sorted.filter((value) => value !== null);
    assert.deepEqual(
      values,
      [...values].sort((a, b) => (ascends ? a - b : b - a)),
      name,
    );
    assert.ok(
      sorted.slice(values.length).every((value) => value === null),
      name,
    );
  }
});

test('the table is filtered by words and by state', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  const page = await openPage(t, server.url);
  const numbers = () => column(page, 'number');
  await page.getByRole('searchbox', { name: /^Filter/ }).fill('b12');
  assert.deepEqual(await numbers(), ['1'], 'a label');
  await page.getByRole('searchbox', { name: /^Filter/ }).fill('connection refused');
  assert.deepEqual(await numbers(), ['6'], 'a reason');
  await page.getByRole('searchbox', { name: /^Filter/ }).fill('nothing like it');
  await page.getByRole('button', { name: 'Show all', exact: true }).click();
  assert.equal((await numbers()).length, 12);
  await page.getByRole('button', { name: 'draining 1' }).click();
  assert.deepEqual(await numbers(), ['9']);
  await page.getByRole('button', { name: 'draining 1', pressed: true }).click();
  assert.equal((await numbers()).length, 12);
});

test('of a thousand servers only the rows in sight are drawn, and scrolling shows the others', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 1000 }) });
  const long = 'A reason that is much longer than two lines. '.repeat(9);
  server.fleet.set(server.fleet.ids[1] ?? '', { reason: long, state: 'down' });
  const page = await openPage(t, server.url);
  const rows = page.locator('.servers tbody tr:not(.spacer)');
  const heights = await rows.evaluateAll((found) => found.map((row) => Math.round(row.getBoundingClientRect().height)));
  assert.deepEqual([...new Set(heights)], [60], 'rows are as high as those that are not drawn are thought to be');
  const reason = rows.nth(1).locator('.state-cell .second');
  assert.equal(await reason.getAttribute('title'), long);
  assert.ok(((await reason.boundingBox())?.height ?? 0) > 24, 'two lines of it are seen');
  assert.ok((await rows.count()) < 80, `${await rows.count()} rows`);
  assert.equal(await page.getByRole('table').first().getAttribute('aria-rowcount'), '1002');
  const scroller = page.getByRole('region', { name: 'Simulation servers', exact: true });
  await scroller.evaluate((element) => element.scrollTo(0, 480 * 60));
  await page.getByRole('link', { name: /^sim490\./ }).waitFor();
  const visible = await page.getByRole('link', { name: /^sim485\./ }).boundingBox();
  assert.ok(visible, 'a row before it is there');
  await scroller.evaluate((element) => element.scrollTo(0, 10_000_000));
  await page.getByRole('link', { name: /^sim1000\./ }).waitFor();
  assert.equal(await page.locator('.servers tfoot .average').isVisible(), true);
  assert.equal(
    await page.locator('tr', { has: page.getByRole('link', { name: /^sim1000\./ }) }).getAttribute('aria-rowindex'),
    '1001',
  );
  await page.getByRole('searchbox', { name: /^Filter/ }).fill('sim77');
  await page.getByRole('link', { name: /^sim77\./ }).waitFor();
  assert.equal(await rows.count(), 11);
});

test("a server's panel shows its own history, incidents and decisions, and has an address", async (t) => {
  const fleet = livelyFleet();
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  const history = watchHistory(page);
  const down = fleet.snapshot().servers[5];
  assert.ok(down, 'one server is down');
  const answer = history.next();
  await page.getByRole('button', { name: `Details of ${down.address}` }).click();
  assert.equal((await answer).server, down.id);
  const panel = page.getByRole('dialog', { name: down.address });
  await panel.waitFor();
  assert.match(await panel.innerText(), /N\/A, last [\d.]+%/);
  // It answered until 25 minutes ago: the last part of the hour is a gap, not a line at zero or on to the end.
  await page.waitForFunction(() => Number(document.querySelector('dialog .plot')?.getAttribute('aria-valuemax')) > 100);
  await eventually('the line and its gap', async () => {
    const line = await lineOf(panel.locator('.plot canvas').first());
    assert.ok(line.slice(10, 50).every(Boolean), line.join());
    assert.ok(!line.slice(62, 98).some(Boolean), line.join());
    return true;
  });
  assert.match(
    (await panel.getByRole('slider').getAttribute('aria-valuetext')) ?? '',
    /no data, down: sim06\.example\.org\/4000$/,
  );
  assert.deepEqual(await panel.locator('.entry.incident-down b').first().innerText(), down.address);
  const decisions = fleet.snapshot().decisions.filter(({ serverId }) => serverId === down.id);
  assert.equal(await panel.locator('.entry.decision-allocated').count(), Math.min(8, decisions.length));
  assert.match(page.url(), /#server=sim06/);
  await page.reload();
  await panel.waitFor();
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });
  await page.waitForURL(server.url);
  await page.locator('.servers tbody tr').nth(2).locator('.cost').click();
  await page.getByRole('dialog', { name: /^sim03/ }).waitFor();
  await page.goBack();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

test('decisions say in words why, and why not the others; refusals can be picked out', async (t) => {
  const fleet = livelyFleet();
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  const [newest] = fleet.snapshot().decisions;
  assert.ok(newest, 'something was decided');
  const first = page.locator('.decisions .entry').first();
  assert.match(await first.innerText(), new RegExp(`handed out\\s+${newest.server ?? ''}`));
  await first.getByText('Why not 11 other servers').click();
  assert.match(await first.locator('.answers').innerText(), /sim06[^]*Connection refused; 5 probes failed in a row\./);
  await page.getByRole('button', { name: 'Only refused (1)' }).click();
  const refused = page.locator('.decisions .entry');
  assert.equal(await refused.count(), 1);
  assert.match(await refused.innerText(), /No simulation server may run projects of github\.com\/another-school/);
});

test('refusals are found from the head of the page, after hundreds of hand-outs too, and clients that gave up are not among them', async (t) => {
  const fleet = new DemoFleet({ servers: 40 });
  fleet.refuse('https://github.com/a/b/blob/main/worlds/c.wbt', 'too-many-requests', 'Too many session requests.');
  for (let count = 0; count < 250; count++) fleet.allocate();
  fleet.abandon('https://github.com/a/b/blob/main/worlds/d.wbt', 42);
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  await page.getByRole('link', { name: '1 refused' }).click();
  await page.waitForFunction(() => (document.querySelector('#decisions')?.getBoundingClientRect().top ?? 9999) < innerHeight);
  const shown = page.locator('.decisions .entry');
  assert.deepEqual(
    (await shown.allInnerTexts()).map((text) => /too many session requests/i.test(text)),
    [true],
  );
  fleet.refuse('https://github.com/a/b/blob/main/worlds/e.wbt', 'no-room', '1 server: one is at 97%');
  await shown.nth(1).waitFor();
  fleet.abandon('https://github.com/a/b/blob/main/worlds/f.wbt', 7);
  for (let count = 0; count < 3; count++) fleet.allocate();
  fleet.refuse('https://github.com/a/b/blob/main/worlds/g.wbt', 'no-room', 'held without success');
  await shown.nth(2).waitFor();
  const verdicts = (await shown.locator('.verdict').allInnerTexts()).map((text) => text.trim());
  assert.deepEqual(verdicts, ['refused', 'refused', 'refused']);
  await page.getByRole('button', { name: 'Only refused (3)', pressed: true }).click();
  await page.locator('.decisions .entry', { hasText: 'gave up' }).getByText('after 7 s in line').waitFor();
});

test('a decision of this moment appears at the head of the list', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const page = await openPage(t, server.url);
  await page.getByText('No session requests yet.').waitFor();
  server.fleet.refuse('https://github.com/a/b/blob/main/worlds/c.wbt', 'no-server-available', 'All servers are full.');
  await page.locator('.decisions .entry', { hasText: 'All servers are full.' }).waitFor();
});

test('the answer of each server to a project is explained', async (t) => {
  const fleet = livelyFleet();
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url, { expected: /502/ });
  const field = page.getByRole('textbox', { name: /^Project URL/ });
  await field.fill('https://github.com/a/b/blob/main/worlds/c.wbt');
  await field.press('Enter');
  const answers = page.locator('.why-not .answers li');
  await answers.first().waitFor();
  assert.equal(await answers.count(), 12);
  assert.match(await page.locator('.why-not').innerText(), /sim11[^]*No answer within 4 s\./);
  const said = page.locator('.why-not').getByRole('status');
  assert.equal(await said.locator('li').count(), 0, 'the sentence is read out, and not the answers of all servers');
  await field.fill(`https://github.com/${'x'.repeat(10_000)}`);
  await field.press('Enter');
  await said.getByText('A project URL has at most 1000 characters; this one has 10019.').waitFor();
  await page.route('**/api/v1/explain?*', (route) => route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad' }));
  await field.fill('https://github.com/a/b');
  await field.press('Enter');
  await said.getByText('The server answered with HTTP status 502 and no reason.').waitFor();
  await page.unroute('**/api/v1/explain?*');
  await page.getByRole('button', { name: 'Only refused (1)' }).click();
  await page.getByRole('button', { name: 'Check again' }).click();
  await page.waitForFunction(() => document.querySelector<HTMLInputElement>('.why-not input')?.value.includes('private-robots'));
});

test('incidents say when they began and ended, how long they took and who was notified', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  const page = await openPage(t, server.url);
  const text = await page.locator('.incidents').innerText();
  assert.match(text, /sim04[^]*reached maximum load[^]*lasted 4 min · admin@example\.org notified/);
  assert.match(text, /sim06[^]*stopped answering[^]*ongoing for 24 min/);
  assert.match(text, /sim10[^]*admin@example\.org notified, webhook not notified yet, retrying/);
  server.fleet.channels = [];
  const [first = ''] = server.fleet.ids;
  server.fleet.incident({ kind: 'full', serverId: first, server: 'a server', reason: null, notices: [] });
  await page.locator('.incidents .entry', { hasText: 'a server' }).getByText('no channel configured').waitFor();
});

test('a server is drained and resumed by an operator who signs in on the page, and every viewer sees who and why', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const page = await openPage(t, server.url, { expected: /401/ });
  const other = await openPage(t, server.url);
  await page.getByRole('button', { name: /Details of sim02/ }).click();
  const panel = page.getByRole('dialog', { name: /sim02/ });
  await panel.getByLabel(/^Sign in with a token/).fill('a wrong one');
  await panel.getByRole('button', { name: 'Sign in' }).click();
  await panel.getByRole('alert').waitFor();
  await panel.getByLabel(/^Sign in with a token/).fill(TOKEN);
  await panel.getByRole('button', { name: 'Sign in' }).click();
  await panel.getByLabel(/Drain: running sessions continue/).fill('new <b>disk</b>');
  await panel.getByRole('combobox').selectOption('for 1 hour');
  await panel.getByRole('button', { name: 'Drain' }).click();
  await panel.getByText('no new sessions will start here').waitFor();
  assert.equal(server.fleet.server('sim02.example.org:3000')?.drain?.reason, 'new <b>disk</b>');
  await panel.locator('.facts', { hasText: /drained.*by ada/s }).waitFor();
  const row = other.locator('tr.row-draining', { hasText: 'ada asked for it: new <b>disk</b>' });
  await row.waitFor();
  assert.match(await row.locator('.state-cell').innerText(), /^draining\s+until (\w+ \d+, )?\d\d:\d\d/);
  await panel.getByRole('button', { name: 'Resume' }).click();
  await other.locator('tr.row-draining').waitFor({ state: 'detached' });
  assert.equal((await page.context().cookies())[0]?.httpOnly, true);
  assert.equal(await other.getByRole('button', { name: 'Operator actions' }).count(), 0, 'the other viewer is not signed in');
});

test('everything works where the reverse proxy forwards only the paths that the original had', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const site = await startExactPathsProxy(t, server.url, ['/monitor', '/session', '/load']);
  // At the end, the page must have complained of nothing: no style, script or request was missing.
  const page = await openPage(t, `${site}/monitor`);
  const drawn = page.waitForRequest((request) => request.url().includes('/api/v1/history'));
  await page.reload();
  assert.equal((await (await drawn).response())?.status(), 200);
  await page.getByRole('button', { name: /Details of sim02/ }).click();
  const panel = page.getByRole('dialog', { name: /sim02/ });
  await panel.getByLabel(/^Sign in with a token/).fill(TOKEN);
  await panel.getByRole('button', { name: 'Sign in' }).click();
  await panel.getByRole('button', { name: 'Drain' }).click();
  await panel.getByText('no new sessions will start here').waitFor();
  assert.equal(server.fleet.server('sim02.example.org:3000')?.drain?.by, 'ada');
});

test('an operator who was signed out by time or by a restart is asked for the token again', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const page = await openPage(t, server.url, { expected: /401/ });
  await page.getByRole('button', { name: /Details of sim02/ }).click();
  const panel = page.getByRole('dialog', { name: /sim02/ });
  const enter = async (): Promise<void> => {
    await panel.getByLabel(/^Sign in with a token/).fill(TOKEN);
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await panel.getByRole('button', { name: 'Drain' }).waitFor();
  };
  await enter();
  // As after twelve hours: the browser forgets the cookie.
  await page.context().clearCookies();
  await panel.getByRole('button', { name: 'Drain' }).click();
  await panel.getByRole('alert').getByText('You were signed out').waitFor();
  assert.equal(server.fleet.server('sim02.example.org:3000')?.drain, null);
  await enter();
  await server.stop();
  await server.start();
  await panel.getByRole('alert').getByText('You were signed out').waitFor();
  await enter();
  await panel.getByRole('button', { name: 'Drain' }).click();
  await panel.getByText('no new sessions will start here').waitFor();
});

test('servers are added and removed by holders of a token', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 1 }) });
  const page = await openPage(t, server.url, { expected: /404|409|dialog/ });
  page.removeAllListeners('dialog');
  page.on('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel(/^Sign in with a token/).fill(TOKEN);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Operator actions' });
  await dialog.getByLabel('Add a simulation server').fill('no such thing');
  await dialog.getByRole('button', { name: 'Add' }).click();
  await dialog.getByText('is not an address').waitFor();
  await dialog.getByLabel('Add a simulation server').fill('late.example.org/2000');
  await dialog.getByRole('button', { name: 'Add' }).click();
  await dialog.getByText('late.example.org/2000 was added').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: /Details of late/ }).click();
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('heading', { name: 'Managing 1 simulation server:' }).waitFor();
  await page.getByRole('button', { name: 'ada' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await dialog.getByRole('button', { name: 'Sign in' }).waitFor();
});

test('without configured tokens the page says how to get access', async (t) => {
  const server = await startMonitorServer(t, { tokens: false });
  const page = await openPage(t, server.url);
  await page.getByRole('button', { name: 'Get access' }).click();
  await page.getByRole('dialog').getByText('session-server token NAME').waitFor();
});

test('a closed monitor shows a form, and the page after signing in', async (t) => {
  const server = await startMonitorServer(t, { reading: 'token' });
  const page = await openPage(t, server.url, { still: true, expected: /401/ });
  await page.getByLabel('Sign in with a token to read this monitor').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Sign in with a token to read this monitor').fill(TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForSelector('.live:not(.lost)');
  await page.getByRole('link', { name: /^sim01/ }).waitFor();
  await server.stop();
  await server.start();
  // The restart forgot the session; the page stops trying.
  await page.getByLabel('Sign in with a token to read this monitor').fill(TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForSelector('.live:not(.lost)');
});

test('the page says when it is stale and since when, and is live again by itself', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const page = await openPage(t, server.url);
  const live = await iconOf(page);
  // A connection that breaks is taken up where it ended.
  const again = page.waitForRequest((request) => request.url().includes('/monitor/events'));
  server.cut();
  assert.match((await (await again).allHeaders())['last-event-id'] ?? '', /^[-0-9a-f]{36}:\d+$/);
  await page.locator('.live:not(.lost)').waitFor();
  await server.stop();
  await page.getByText(/Connection lost at .*\. Reconnecting…/).waitFor();
  assert.equal(await page.getByRole('link', { name: /^sim01/ }).isVisible(), true, 'what was known stays');
  await page.locator('.summary.lost .sentence', { hasText: /^No contact with the session server since .*\.$/ }).waitFor();
  assert.match(await page.title(), /^No contact · /);
  assert.notEqual(await iconOf(page), live, 'the icon has another colour');
  server.fleet.set(server.fleet.ids[0] ?? '', { load: 66.6 });
  await server.start();
  await page.locator('.load', { hasText: '66.6%' }).waitFor();
  await page.locator('.live:not(.lost)').waitFor();
  assert.equal(await page.title(), 'session.example.org · Webots session server');
  assert.equal(await iconOf(page), live);
});

test('the page says that it is not live when nothing ever comes: refused, or silent', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const page = await openPage(t, 'about:blank', { still: true, expected: /request to|ERR_FAILED/ });
  await page.clock.install();
  await page.route('**/monitor/events*', (route) => route.abort());
  await page.goto(server.url);
  await page.getByText(/Connection lost at/).waitFor();
  assert.equal(await page.getByRole('link', { name: /^sim01/ }).isVisible(), true, 'what was served stays');
  await page.unroute('**/monitor/events*');
  await page.route('**/monitor/events*', () => undefined);
  const asked = page.waitForRequest('**/monitor/events*');
  await page.goto(server.url);
  await page.clock.runFor(100);
  await asked;
  assert.equal(await page.getByText(/Connection lost at/).count(), 0);
  await page.clock.runFor(8000);
  await page.getByText(/Connection lost at/).waitFor();
});

test('a request that is never answered is given up, and the chart continues', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  const page = await openPage(t, 'about:blank', { still: true, expected: /request to/ });
  await page.clock.install();
  await page.route('**/api/v1/history*', () => undefined);
  const asked = page.waitForRequest('**/api/v1/history*');
  await page.goto(server.url);
  await page.clock.runFor(100);
  await asked;
  await page.clock.runFor(30_000);
  await page.locator('.chart').getByText('The session server does not answer.').waitFor();
  await page.unroute('**/api/v1/history*');
  await page.clock.runFor(5000);
  await page.locator('.chart').getByText('The session server does not answer.').waitFor({ state: 'detached' });
  await page.waitForFunction(() => Number(document.querySelector('.plot')?.getAttribute('aria-valuemax')) > 100);
});

test('a page that was left open is loaded again, once, when another version of the program answers', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const page = await openPage(t, `${server.url}#server=sim02.example.org%3A3000`);
  let loads = 0;
  page.on('load', () => (loads += 1));
  await server.stop();
  server.fleet.version = '0.2.0';
  await server.start();
  await page.getByRole('contentinfo').getByText('session-server 0.2.0').waitFor({ state: 'attached' });
  await page.getByRole('dialog', { name: /sim02/ }).waitFor();
  server.fleet.set(server.fleet.ids[0] ?? '', { load: 66.6 });
  await page.locator('.load', { hasText: '66.6%' }).waitFor();
  assert.equal(loads, 1);
});

test('a page that is loaded again is waited for, however long its answer takes, and however many events come meanwhile', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const page = await openPage(t, server.url);
  let asked = 0;
  let answer: () => void = () => undefined;
  const slow = new Promise<void>((resolve) => (answer = resolve));
  await page.route('**/monitor', async (route) => {
    asked += 1;
    await slow;
    await route.continue();
  });
  await server.stop();
  server.fleet.version = '0.2.0';
  await server.start();
  await eventually('the page to be loaded again', () => asked > 0);
  // An event received meanwhile would restart the loading.
  await eventually('no more events for the old page', () => server.viewers() === 0);
  answer();
  await page.getByRole('contentinfo').getByText('session-server 0.2.0').waitFor({ state: 'attached' });
  assert.equal(asked, 1);
});

test('a connection that falls silent without breaking is given up for a new one', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const through = new Set<Socket>();
  const falls: (() => void)[] = [];
  const proxy = createServer((client) => {
    const onward = connect(Number(new URL(server.url).port), '127.0.0.1');
    for (const socket of [client, onward]) through.add(socket.on('error', () => socket.destroy()));
    client.pipe(onward).pipe(client);
    client.on('data', (chunk: Buffer) => {
      if (chunk.includes('GET /monitor?/monitor/events')) falls.push(() => onward.unpipe());
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of through) socket.destroy();
    proxy.close();
  });
  const page = await openPage(t, 'about:blank', { still: true, expected: /request to/ });
  await page.clock.install();
  await page.goto(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}/monitor`);
  await page.clock.runFor(100);
  await page.locator('.live:not(.lost)').waitFor();
  for (const fallSilent of falls) fallSilent();
  await page.clock.runFor(8000);
  await page.getByText(/Connection lost at .*\. Reconnecting…/).waitFor();
  server.fleet.set(server.fleet.ids[0] ?? '', { load: 66.6 });
  const again = page.waitForRequest('**/monitor/events*');
  await page.clock.runFor(22_000);
  assert.match((await again).url(), /lastEventId=/);
  await page.locator('.load', { hasText: '66.6%' }).waitFor();
  await page.locator('.live:not(.lost)').waitFor();
});

test('a hidden tab has no connection and asks for nothing, and is up to date when it is seen again', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const page = await openPage(t, server.url);
  assert.equal(server.viewers(), 1);
  const show = (hidden: boolean) =>
    page.evaluate(
      `Object.defineProperty(document, 'hidden', { configurable: true, value: ${hidden} }); document.dispatchEvent(new Event('visibilitychange'));`,
    );
  await show(true);
  await eventually('no connection', () => server.viewers() === 0);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  server.fleet.set(server.fleet.ids[0] ?? '', { load: 55.5 });
  // Longer than the chart's own interval: time is what this is about.
  await page.waitForTimeout(5500);
  assert.deepEqual(asked, []);
  await show(false);
  await page.locator('.load', { hasText: '55.5%' }).waitFor();
});

test('text from outside is shown as text, whatever it is and however long', async (t) => {
  const fleet = new DemoFleet({ servers: 4 });
  const [first = '', second = '', third = '', fourth = ''] = fleet.ids;
  const script = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
  fleet.set(first, { address: script, reason: script, labels: { [script]: script }, monitorUrl: 'javascript:alert(3)' });
  fleet.set(second, { address: 'x'.repeat(10_000), reason: 'long '.repeat(2000) });
  fleet.set(third, { address: 'evil\u202egpj.exe/2000', reason: '\u2066\u202eright to left' });
  fleet.drain(fourth, { since: fleet.now, by: script, reason: `"'><svg onload=alert(4)>`, until: null });
  fleet.refuse(`https://github.com/${script}`, 'not-allowed', script);
  fleet.refuse('y'.repeat(10_000), 'not-allowed', 'z'.repeat(10_000));
  fleet.incident({ kind: 'down', serverId: first, server: script, reason: 'w'.repeat(10_000) });
  fleet.title = 'A <i>title</i> & more';
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  assert.equal(await page.title(), 'session.example.org · A <i>title</i> & more');
  assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'A <i>title</i> & more');
  assert.equal(await page.locator('.address a').first().innerText(), script);
  assert.equal(await page.locator('.own-page').first().getAttribute('href'), null);
  assert.equal(await page.locator('#monitor img, #monitor script, #monitor i').count(), 0);
  for (const viewport of [
    { width: 1440, height: 900 },
    { width: 390, height: 844 },
  ]) {
    await page.setViewportSize(viewport);
    await assertNoSidewaysScrolling(page);
  }
  for (const name of [/img src/, /xxxx/, /evil/]) {
    await page.getByRole('button', { name }).first().click();
    const panel = page.getByRole('dialog');
    await panel.waitFor();
    await assertNoSidewaysScrolling(page);
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
  }
});

async function assertNoSidewaysScrolling(page: Page): Promise<void> {
  const { content, window: width } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: innerWidth,
  }));
  assert.ok(content <= width, `the page is ${content} wide in a window of ${width}`);
}

test('the page fits a narrow screen', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  for (const width of [320, 390, 768, 1024]) {
    const page = await openPage(t, server.url, { viewport: { width, height: 800 } });
    await assertNoSidewaysScrolling(page);
    for (const name of ['address', 'load', 'state-cell']) {
      const box = await page.locator(`.servers tbody .${name}`).first().boundingBox();
      assert.ok(box !== null && box.x >= 0 && box.x + box.width <= width + 1, `${name} at ${width}`);
    }
  }
});

test('the page follows the light and the dark of the system, charts included', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  const page = await openPage(t, server.url, { colorScheme: 'dark' });
  const brightness = () =>
    page.evaluate(() => {
      const [red = 0, green = 0, blue = 0] = getComputedStyle(document.body).backgroundColor.match(/\d+/g)?.map(Number) ?? [];
      return (red + green + blue) / 3;
    });
  assert.ok((await brightness()) < 40, 'dark');
  const lineColour = () => page.locator('.plot').evaluate((plot) => getComputedStyle(plot).getPropertyValue('--mean'));
  const dark = await lineColour();
  await page.emulateMedia({ colorScheme: 'light' });
  assert.ok((await brightness()) > 220, 'light');
  assert.notEqual(await lineColour(), dark);
  await page.waitForFunction(() => document.querySelectorAll('.plot canvas').length === 2);
});

test('viewers who prefer reduced motion see none', async (t) => {
  const server = await startMonitorServer(t);
  const page = await openPage(t, server.url, { reducedMotion: 'reduce' });
  const moving = await page.evaluate(
    () =>
      [...document.querySelectorAll('*')].filter((element) => {
        const { transitionDuration, animationName } = getComputedStyle(element);
        return transitionDuration !== '0s' || animationName !== 'none';
      }).length,
  );
  assert.equal(moving, 0);
});

test('times are in the zone of the viewer, and numbers in the language of the page', async (t) => {
  const fleet = new DemoFleet({ servers: 1, now: Date.parse('2026-11-22T15:18:24Z') / 1000 });
  fleet.set(fleet.ids[0] ?? '', { load: 20.5 });
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url, { locale: 'de-DE', timezoneId: 'Asia/Tokyo' });
  assert.match(await page.locator('.top').innerText(), /Started on Monday, November 23, 2026 at 00:18:24/);
  assert.deepEqual(await column(page, 'load'), ['20.5%']);
  assert.deepEqual(await column(page, 'answer'), ['00:18:24']);
});

test('screen readers announce what matters once, and nothing that changes every second', async (t) => {
  const fleet = new DemoFleet({ servers: 3 });
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  await page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const region = (target instanceof Element ? target : target.parentElement)?.closest(
          '[role=status], [role=alert], [aria-live]',
        );
        if (region instanceof HTMLElement) heard.push(region.innerText);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  for (let tick = 0; tick < 3; tick++) {
    fleet.advance(5);
    const load = 30 + tick;
    fleet.set(fleet.ids[0] ?? '', { load });
    await page.locator('.load', { hasText: `${load}.0%` }).waitFor();
  }
  assert.deepEqual(await page.evaluate('heard'), []);
  for (const id of fleet.ids) fleet.set(id, { state: 'full', places: 0 });
  await page.waitForFunction(() => (window as unknown as { heard: string[] }).heard.length > 0);
  assert.deepEqual(await page.evaluate('heard'), ['No session can start now.']);
});

test('everything can be reached and used by keyboard', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 2 }) });
  const page = await openPage(t, server.url);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to servers');
  const reached = new Set<string>();
  for (let index = 0; index < 40; index++) {
    await page.keyboard.press('Tab');
    reached.add(
      await page.evaluate(() => {
        const { activeElement: element } = document;
        return element?.getAttribute('aria-label') ?? element?.textContent.trim() ?? '';
      }),
    );
  }
  for (const name of [
    'Sign in',
    '1 h',
    'Fleet: point in time',
    'load',
    'sim01.example.org/2000',
    'Details of sim01.example.org/2000',
    'Ask',
  ]) {
    assert.ok(reached.has(name), `${name} in ${[...reached].join(', ')}`);
  }
  await page.getByRole('button', { name: /Details of sim02/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: /sim02/ }).waitFor();
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.activeElement?.textContent.includes('Details of sim02') === true);
});

test('without scripts the page still states the facts', async (t) => {
  const fleet = livelyFleet();
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url, { javaScriptEnabled: false });
  const text = await page.locator('body').innerText();
  assert.match(text, /^Webots session server$/m);
  assert.match(text, /Started on \w+day, \w+ \d\d, \d{4} at \d\d:\d\d:\d\d/);
  assert.match(text, /Managing 12 simulation servers:/);
  assert.equal(await page.locator('.servers tbody tr').count(), 12);
  assert.match(text, /session\.example\.org/);
  assert.match(text, /draining\s+until (\w+ \d+, )?\d\d:\d\d/);
  assert.equal(await page.getByRole('link', { name: /refused/ }).count(), 0, 'no link without a target');
  for (const card of await page.locator('.card').all())
    if (await card.isVisible()) assert.notEqual((await card.innerText()).trim(), '', 'no place is kept for what never comes');
});

test('behind a reverse proxy that puts the port into the path everything still works', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  const proxyUrl = await startReverseProxy(t, new URL(server.url).origin);
  const page = await openPage(t, `${proxyUrl}/1999/monitor`);
  const history = watchHistory(page);
  const answer = history.next();
  await page.getByRole('button', { name: '24 h', exact: true }).click();
  assert.ok((await answer).time.length > 100, 'a history');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel(/^Sign in with a token/).fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByText('Signed in as').waitFor();
});

/** Apache's rewrite rule `^/(\d*)/(.*)$`, as deployed in front of the original. */
async function startReverseProxy(t: TestContext, origin: string): Promise<string> {
  const { createServer: createHttpServer, request } = await import('node:http');
  const proxy = createHttpServer((incoming, outgoing) => {
    const path = /^\/1999(\/.*)$/.exec(incoming.url ?? '')?.[1];
    if (path === undefined) {
      outgoing.writeHead(404).end();
      return;
    }
    const forwarded = request(origin + path, { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    outgoing.on('close', () => forwarded.destroy());
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    const closed = new Promise((resolve) => proxy.close(resolve));
    proxy.closeAllConnections();
    await closed;
  });
  const address = proxy.address();
  assert.ok(typeof address === 'object' && address !== null, 'it listens');
  return `http://127.0.0.1:${address.port}`;
}

test('the first snapshot does not push the page about', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  const page = await openPage(t, 'about:blank', { still: true, expected: /request to/ });
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shifts.push((entry as PerformanceEntry & { value: number }).value);
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(server.url);
  await page.waitForSelector('.live');
  await page.waitForFunction(() => Number(document.querySelector('.plot')?.getAttribute('aria-valuemax')) > 100);
  const shifted = await page.evaluate<number>('shifts.reduce((sum, shift) => sum + shift, 0)');
  assert.ok(shifted < 0.1, `layout shift ${shifted}`);
});
