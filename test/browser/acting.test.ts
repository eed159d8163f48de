/**
 * Operator actions on the monitor page: they keep what others wrote, announce their result, and never lose the focus.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { openPage } from '../support/browser-page.ts';
import { eventually } from '../support/eventually.ts';
import { READING_TOKEN, startMonitorServer, TOKEN } from '../support/monitor-server.ts';
import { DemoFleet } from '../support/monitor-source.ts';

const SECOND = 'sim02.example.org:3000';
const HOUR = 3600;

async function openPanel(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: /Details of sim02/ }).press('Enter');
  const panel = page.getByRole('dialog', { name: /sim02/ });
  await panel.getByLabel(/^Sign in with a token/).fill(TOKEN);
  await panel.getByRole('button', { name: 'Sign in' }).press('Enter');
  await panel.getByRole('button', { name: /Drain|Change/ }).waitFor();
  return panel;
}

async function assertFocus(page: Page, wanted: Locator, after: string): Promise<void> {
  await wanted.waitFor();
  await page
    .waitForFunction((element) => document.activeElement === element, await wanted.elementHandle())
    .catch(async () => {
      const focus = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 120));
      assert.fail(`after ${after} the keyboard is at ${focus ?? 'nothing'}`);
    });
}

test('changing a drain keeps its reason and its end unless they are changed', async (t) => {
  const fleet = new DemoFleet({ servers: 3, now: Math.floor(Date.now() / 1000) });
  const until = fleet.now + 2 * HOUR;
  fleet.drain(SECOND, { since: fleet.now - HOUR, by: 'bob', reason: 'new disk, back at four', until });
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  const panel = await openPanel(page);
  const reason = panel.getByLabel('Draining');
  const deadline = panel.getByRole('combobox', { name: 'How long' });
  assert.equal(await reason.inputValue(), 'new disk, back at four');
  assert.match(await deadline.locator('option:checked').innerText(), /^unchanged, until /);
  await reason.fill('new disk, back at five');
  await panel.getByRole('button', { name: 'Change' }).click();
  await page.locator('tr.row-draining', { hasText: 'back at five' }).waitFor();
  assert.equal(fleet.server(SECOND)?.drain?.until, until);
  await deadline.selectOption('until resumed');
  await panel.getByRole('button', { name: 'Change' }).click();
  await page.locator('tr.row-draining .drain-end').waitFor({ state: 'detached' });
  const drain = fleet.server(SECOND)?.drain;
  assert.deepEqual([drain?.reason, drain?.until], ['new disk, back at five', null]);
  assert.equal(await deadline.locator('option:checked').innerText(), 'until resumed');
});

test('what another operator writes into a drain appears in the form', async (t) => {
  const fleet = new DemoFleet({ servers: 3, now: Math.floor(Date.now() / 1000) });
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  const panel = await openPanel(page);
  fleet.drain(SECOND, { since: fleet.now, by: 'bob', reason: 'fan is loud', until: null });
  await panel.getByRole('button', { name: 'Change' }).waitFor();
  const reason = panel.getByLabel('Draining');
  await eventually('his words in the form', async () => (await reason.inputValue()) === 'fan is loud');
});

test('the focus is never lost after an operator action, and its result is announced', async (t) => {
  const fleet = new DemoFleet({ servers: 3, now: Math.floor(Date.now() / 1000) });
  fleet.set(SECOND, { removable: true });
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url, { expected: /dialog/ });
  page.removeAllListeners('dialog');
  page.on('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: /Details of sim02/ }).press('Enter');
  const panel = page.getByRole('dialog', { name: /sim02/ });
  const said = panel.locator('.operator-actions').getByRole('status');
  const region = await said.elementHandle();
  await panel.getByLabel(/^Sign in with a token/).fill(TOKEN);
  await page.keyboard.press('Enter');
  const reason = panel.getByRole('textbox');
  await assertFocus(page, panel.getByLabel(/Drain: running sessions continue/), 'the token');
  assert.equal(await said.innerText(), 'Signed in.');
  assert.ok(await said.evaluate((element, before) => element === before, region), 'a region that was there is read out');

  await reason.fill('new disk');
  await panel.getByRole('button', { name: 'Drain', exact: true }).press('Enter');
  await said.getByText('no new sessions will start here').waitFor();
  await assertFocus(page, panel.getByRole('button', { name: 'Change' }), 'a drain');
  await panel.getByRole('button', { name: 'Resume' }).press('Enter');
  await said.getByText('Resumed:').waitFor();
  await panel.getByRole('button', { name: 'Resume' }).waitFor({ state: 'detached' });
  await assertFocus(page, reason, 'a resume');
  assert.equal(await said.innerText(), 'Resumed: new sessions can start here as soon as the server answers.');

  await panel.getByRole('button', { name: 'Remove' }).press('Enter');
  await panel.waitFor({ state: 'detached' });
  await assertFocus(page, page.locator('#servers'), 'a removal');
  await page.getByRole('status').getByText('sim02.example.org/3000 is no longer in the fleet.').waitFor();
  await page.getByRole('button', { name: 'Close' }).press('Enter');
  await assertFocus(page, page.locator('#servers'), 'closing the notice');

  await page.getByRole('button', { name: 'ada' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Operator actions' });
  await dialog.getByRole('button', { name: 'Sign out' }).press('Enter');
  await assertFocus(page, dialog.getByLabel(/^Sign in with a token/), 'signing out');
  assert.equal(await dialog.getByRole('status').innerText(), 'Signed out.');
  await dialog.getByLabel(/^Sign in with a token/).fill(TOKEN);
  await page.keyboard.press('Enter');
  await assertFocus(page, dialog.getByLabel('Add a simulation server'), 'the token in the dialog');
  assert.equal(await dialog.getByRole('status').innerText(), 'Signed in.');
});

test('a read-only token is reported at the field, signs in, and can be signed out', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const page = await openPage(t, server.url);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const dialog = page.getByRole('dialog', { name: 'Operator actions' });
  const field = dialog.getByLabel(/^Sign in with a token/);
  await assertFocus(page, field, 'opening the dialog');
  await field.fill(READING_TOKEN);
  await page.keyboard.press('Enter');
  await dialog
    .getByRole('alert')
    .filter({ hasText: 'The token of eve is read-only. Use another one for operator actions.' })
    .waitFor();
  await assertFocus(page, field, 'a token that may only read');
  assert.equal(await field.inputValue(), '');
  await page.getByRole('button', { name: 'eve' }).waitFor();
  await dialog.getByRole('button', { name: 'Sign out' }).click();
  await dialog.getByText('with a read-only token').waitFor({ state: 'detached' });
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
});

test('an operator who has configured the first token signs in without reloading the page', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const openBeforeTokens = async (): Promise<Page> => {
    const page = await openPage(t, 'about:blank', { still: true, expected: /request to/ });
    await page.route('**/monitor/viewer', (route) => route.fulfill({ json: { name: null, actions: 'none', csrf: null } }));
    await page.goto(server.url);
    await page.getByRole('button', { name: 'Get access' }).waitFor();
    return page;
  };
  const read = await openBeforeTokens();
  await read.getByRole('button', { name: 'Get access' }).click();
  await read.getByRole('dialog').getByText('session-server token NAME').waitFor();
  await read.unroute('**/monitor/viewer');
  // As after a look at the terminal.
  await read.evaluate(() => window.dispatchEvent(new Event('focus')));
  await read
    .getByRole('dialog')
    .getByLabel(/^Sign in with a token/)
    .waitFor();

  const unread = await openBeforeTokens();
  await unread.unroute('**/monitor/viewer');
  await unread.getByRole('button', { name: 'Get access' }).click();
  await unread
    .getByRole('dialog')
    .getByLabel(/^Sign in with a token/)
    .waitFor();

  const other = await openBeforeTokens();
  await other.unroute('**/monitor/viewer');
  await other.getByRole('button', { name: /Details of sim02/ }).click();
  await other
    .getByRole('dialog')
    .getByLabel(/^Sign in with a token/)
    .waitFor();
});

test('an operator who is signed out by an action is at the field for the token', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const page = await openPage(t, server.url, { expected: /401/ });
  const panel = await openPanel(page);
  await page.context().clearCookies();
  await panel.getByRole('button', { name: 'Drain', exact: true }).press('Enter');
  await panel.getByRole('alert').getByText('You were signed out').waitFor();
  await assertFocus(page, panel.getByLabel(/^Sign in with a token/), 'a refused action');
});

test('an operator whose token became read-only sees no more actions after a refused one', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const page = await openPage(t, server.url, { expected: /403/ });
  const panel = await openPanel(page);
  await page.route('**/drain', (route) =>
    route.fulfill({ status: 403, json: { code: 'token-read-only', reason: 'The token of ada may only read.' } }),
  );
  await page.route('**/monitor/viewer', (route) => route.fulfill({ json: { name: 'ada', actions: 'locked', csrf: 'x' } }));
  await panel.getByRole('button', { name: 'Drain', exact: true }).press('Enter');
  await panel.getByText('The token of ada may only read.').waitFor();
  await panel.getByLabel(/^Sign in with a token/).waitFor();
});

test('the result of an action disappears when another operator undoes it', async (t) => {
  const fleet = new DemoFleet({ servers: 3, now: Math.floor(Date.now() / 1000) });
  const server = await startMonitorServer(t, { fleet });
  const page = await openPage(t, server.url);
  const panel = await openPanel(page);
  await panel.getByRole('button', { name: 'Drain', exact: true }).click();
  const said = panel.locator('.operator-actions').getByRole('status');
  await panel.getByRole('button', { name: 'Resume' }).waitFor();
  await said.getByText('Draining: no new sessions will start here.').waitFor();
  fleet.resume(SECOND);
  await panel.getByRole('button', { name: 'Drain', exact: true }).waitFor();
  await eventually('nothing said', async () => (await said.innerText()) === '');
});

test('an address of a server that is not in the fleet says so', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 3 }) });
  const page = await openPage(t, `${server.url}#server=${encodeURIComponent('<b>gone</b>.example.org:2000')}`);
  await page.getByRole('status').getByText('There is no simulation server <b>gone</b>.example.org:2000.').waitFor();
  await page.waitForURL(server.url);
  await page.getByRole('button', { name: /Details of sim01/ }).click();
  await page.getByRole('dialog', { name: /sim01/ }).waitFor();
  await page.getByText('There is no simulation server').waitFor({ state: 'detached' });
});

test('a test notification reports its outcome on each channel', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 1 }) });
  const page = await openPage(t, server.url);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel(/^Sign in with a token/).fill(TOKEN);
  await page.keyboard.press('Enter');
  let answer = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route('**/api/v1/notifications/test', async (route) => {
    await asked;
    await route.continue();
  });
  const dialog = page.getByRole('dialog', { name: 'Operator actions' });
  const said = dialog.getByRole('status');
  await dialog.getByRole('button', { name: 'Send a test notification' }).click();
  await said.getByText('Sending a test on every channel…').waitFor();
  answer();
  await said.getByText('test failed').waitFor();
  assert.deepEqual((await said.innerText()).split('\n'), [
    'admin@example.org: test sent.',
    'webhook: test failed: it does not know the address (404); check the URL',
  ]);
});
