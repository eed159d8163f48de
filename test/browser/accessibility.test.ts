/** Axe finds nothing to complain about, whatever is open. */
import { test } from 'node:test';
import { assertAccessible } from '../support/accessible.ts';
import { openPage } from '../support/browser-page.ts';
import { startMonitorServer, TOKEN } from '../support/monitor-server.ts';
import { DemoFleet, livelyFleet } from '../support/monitor-source.ts';

for (const [name, options] of [
  ['light', { colorScheme: 'light' }],
  ['dark and narrow', { colorScheme: 'dark', viewport: { width: 390, height: 844 } }],
] as const) {
  test(`axe finds nothing on the page, its panel and its dialogs (${name})`, async (t) => {
    const server = await startMonitorServer(t, { fleet: livelyFleet() });
    const page = await openPage(t, server.url, options);
    await page.waitForFunction(() => Number(document.querySelector('.plot')?.getAttribute('aria-valuemax')) > 100);
    await assertAccessible(page, 'the page');

    for (const summary of await page.locator('summary').all()) await summary.click();
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.locator('.why-not .answers').waitFor();
    await page.getByRole('button', { name: 'down 1' }).click();
    await assertAccessible(page, 'with everything unfolded');

    await page.getByRole('button', { name: /Details of sim06/ }).click();
    await page.getByRole('dialog').waitFor();
    await assertAccessible(page, 'with a panel and a token asked for');
    await page
      .locator('dialog[open]')
      .getByLabel(/^Sign in with a token/)
      .fill(TOKEN);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Drain', exact: true }).waitFor();
    await assertAccessible(page, 'with operator actions');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'ada' }).click();
    await assertAccessible(page, 'with the dialog of operator actions');
  });
}

test('axe finds nothing on the page of a large fleet, of no fleet, of a closed monitor, or without scripts', async (t) => {
  const large = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 300 }) });
  await assertAccessible(await openPage(t, large.url), 'a large fleet');
  const empty = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 0 }) });
  await assertAccessible(await openPage(t, empty.url), 'no fleet');
  const closed = await startMonitorServer(t, { reading: 'token' });
  await assertAccessible(await openPage(t, closed.url, { still: true, expected: /401/ }), 'a closed monitor');
});

test('axe finds nothing on a stale page', async (t) => {
  const server = await startMonitorServer(t, { fleet: livelyFleet() });
  const page = await openPage(t, server.url);
  await server.stop();
  await page.getByText(/Connection lost at/).waitFor();
  await assertAccessible(page, 'a stale page');
});
