/** The waiting line, sessions, several servers at once, planned maintenance, uptime, and the page for a wall. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible } from '../support/accessible.ts';
import { openPage } from '../support/browser-page.ts';
import { eventually } from '../support/eventually.ts';
import { startMonitorServer, TOKEN } from '../support/monitor-server.ts';
import { livelyFleet } from '../support/monitor-source.ts';

test('operators see the queue and the sessions, and act on them and on several servers', async (t) => {
  const fleet = livelyFleet({ now: Math.floor(Date.now() / 1000) });
  const [first = '', second = '', third = ''] = fleet.ids;
  const drained = 'sim09.example.org:4000';
  fleet.waiting = 500;
  fleet.startSession(first);
  fleet.startSession(second, { basis: 'reported', closable: false, state: 'handed-out' });
  fleet.startSession(drained);
  for (const id of [second, third]) fleet.set(id, { labels: { room: 'A1' } });
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url, { expected: /dialog|status of 400/ });
  const questions: string[] = [];
  page.removeAllListeners('dialog');
  page.on('dialog', (dialog) => {
    questions.push(dialog.message());
    void dialog.accept();
  });

  const waiting = page.getByRole('region', { name: 'Queue', exact: true });
  await waiting.getByText('number 1', { exact: true }).waitFor();
  assert.equal(await waiting.getByRole('listitem').count(), 8, 'of 500, the first ones');
  await waiting.getByText('and 492 more').waitFor();
  assert.match(
    await waiting.getByRole('listitem').first().innerText(),
    /waits for 50 min[^]*github\.com[^]*12 servers: 11 are at/,
  );
  assert.equal(await waiting.getByRole('button', { name: 'Remove' }).count(), 0, 'only operators act');
  await waiting.getByRole('button', { name: 'Show 100' }).click();
  await waiting.getByText('number 100', { exact: true }).waitFor();
  await waiting.getByText('and 400 more').waitFor();

  const row = page.locator('tr', { hasText: 'sim09' });
  assert.match(await row.innerText(), /1 session left\./);
  await page.locator('tr', { hasText: 'sim01' }).getByText('up 100%').waitFor();

  await page.getByRole('button', { name: 'Sign in' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^Sign in/).fill(TOKEN);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByText('Signed in as').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).click();

  await waiting.getByRole('button', { name: 'Remove number 2', exact: true }).click();
  await waiting.getByText('Removed from the queue.').waitFor();
  assert.equal(fleet.waitingList(1).total, 499);

  const sessions = page.getByRole('region', { name: 'Sessions', exact: true });
  assert.match(await sessions.innerText(), /\d, counted by the gateway/);
  await sessions.getByRole('button', { name: /^Release a place on sim02/ }).click();
  await sessions.getByText('Its place is free.', { exact: false }).waitFor();
  await sessions.getByRole('button', { name: /^Move a session on sim01/ }).click();
  await sessions.getByText('Its client was disconnected.', { exact: false }).waitFor();
  await sessions.getByRole('button', { name: /^End a session on sim09/ }).click();
  await sessions.getByText('The session was ended.').waitFor();
  await page.locator('tr', { hasText: '0 sessions left, safe to switch off' }).waitFor();
  assert.equal(questions.length, 4);
  assert.match(questions[2] ?? '', /starts from the beginning on another server/);

  await page.getByRole('button', { name: 'Select several' }).click();
  const several = page.getByRole('group', { name: 'Act on several servers' });
  await several.getByRole('button', { name: 'Drain selected' }).click();
  await several.getByText('Select servers first.').waitFor();
  await several.getByLabel('Select by label').selectOption('room=A1');
  await several.getByText('2 selected').waitFor();
  await page.getByRole('checkbox', { name: /^Select sim01/ }).check();
  await page.getByRole('checkbox', { name: /^Select sim03/ }).uncheck();
  await several.getByLabel('Reason, visible to everyone').fill('new cables');
  await several.getByLabel('How long to drain').selectOption('for 5 minutes');
  await several.getByText('With five minutes or less, users are not warned', { exact: false }).waitFor();
  await several.getByRole('button', { name: 'Drain selected' }).click();
  await several.getByText('Draining 2 servers.').waitFor();
  assert.deepEqual(
    [first, second, third].map((id) => fleet.server(id)?.drain?.reason),
    ['new cables', 'new cables', undefined],
  );
  await several.getByRole('button', { name: 'Resume selected' }).click();
  await several.getByText('Resumed 2 servers.').waitFor();
  await several.getByLabel('Maintenance from').fill('2099-03-01T08:00');
  await several.getByLabel('until', { exact: true }).fill('2099-03-01T09:30');
  await several.getByRole('button', { name: 'Plan' }).click();
  await several.getByText('"until" must be at most a year ahead.').waitFor();
  const soon = (hours: number) =>
    new Date((fleet.now + 3600 * hours) * 1000 - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  await several.getByLabel('Maintenance from').fill(soon(24));
  await several.getByLabel('until', { exact: true }).fill(soon(26));
  await several.getByRole('button', { name: 'Plan' }).click();
  await several.getByText('Planned for 2 servers.').waitFor();
  const planned = page.getByRole('list', { name: 'Planned maintenance' });
  assert.match(await planned.innerText(), /^Maintenance of 2 servers from .* until .*, planned by ada: new cables/);
  await assertAccessible(page, 'with several servers selected');
  await planned.getByRole('button', { name: /^Cancel/ }).click();
  await eventually('a cancelled plan', () => Promise.resolve(fleet.maintenance.length === 0));

  await page.getByRole('button', { name: 'Select several' }).click();
  await page.locator('tr', { hasText: 'sim06' }).locator('.open-button').click();
  const panel = page.getByRole('dialog', { name: /sim06/ });
  assert.match(await panel.innerText(), /uptime, 24 hours\s+\d\d(\.\d+)?% of 2 h 59 min observed/);
  await panel.locator('.legend').getByText('no answer').waitFor();
  await assertAccessible(page, 'with a panel');
});

test('the page for a wall shows problems first, turns its icon red, and has nothing to click', async (t) => {
  const fleet = livelyFleet({ now: Math.floor(Date.now() / 1000) });
  const server = await startMonitorServer(t, { fleet });
  const html = await (await fetch(`${server.url}?board`)).text();
  assert.match(html, /class="board degraded"[^]*sim06\.example\.org\/4000: down for/, 'before any script has run');
  const page = await openPage(t, `${server.url}?board`, { still: true, viewport: { width: 1920, height: 1080 } });
  const icon = () => page.locator('link[rel=icon]').getAttribute('href');
  await eventually('the red icon', async () => (await icon())?.includes(encodeURIComponent('#b6212b')) === true);
  assert.equal(await page.locator('a, button, input, select').count(), 0);
  await page.getByText('sim06.example.org/4000: down for', { exact: false }).waitFor();
  await page.getByText('sim09.example.org/4000: draining, 0 sessions left, safe to switch off').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await assertAccessible(page, 'the board');
  for (const id of fleet.ids)
    if (fleet.server(id)?.state === 'down' || fleet.server(id)?.suspectSince !== null)
      fleet.set(id, { state: 'available', suspectSince: null, load: 5, places: 4 });
  await eventually('the icon of a working fleet', async () => (await icon())?.includes(encodeURIComponent('#0b6bcb')) === true);
  await server.stop();
  await page.getByText('No contact with the session server since', { exact: false }).waitFor();
  await eventually('the red icon again', async () => (await icon())?.includes(encodeURIComponent('#b6212b')) === true);
});
