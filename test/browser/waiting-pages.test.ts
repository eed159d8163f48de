/** The pages of people who wait, in a real browser, over the real program: restarts, proxies without WebSockets, long words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { assertAccessible, assertFits } from '../support/accessible.ts';
import { openPage } from '../support/browser-page.ts';
import { eventually } from '../support/eventually.ts';
import { startExactPathsProxy } from '../support/exact-paths-proxy.ts';
import { freePort } from '../support/free-port.ts';
import { startProgram, temporary } from '../support/start-program.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

/** Seconds: ten pages on a busy machine. */
const PATIENCE = 120;
const PEOPLE = 10;
const NO_CONNECTION = /WebSocket|Failed to load resource/;
const LONG = 'Simulationsserverwarteschlangenpositionsanzeige';
const FINNISH = { start: LONG, wait: LONG, runs: LONG, machines: LONG, waiting: `${LONG} {position}`, title: LONG };

const positionOf = async (page: Page) => Number(await page.locator('#rank').innerText());

test('a restart of the session server ends no page, and all who wait keep their order, with and without WebSockets', async (t) => {
  const simulation = await startSimulationServer(t, 99);
  const configuration = {
    simulationServers: [simulation.address],
    ...{ port: await freePort(), pollInterval: 0.5, pollTimeout: 0.4 },
    ...{ waiting: { resume: 600 }, languages: { fi: FINNISH } },
  };
  const folder = temporary(t);
  const program = await startProgram(t, configuration, { folder });
  const proxy = await startExactPathsProxy(t, program.url, ['/', '/session']);

  const options = { still: true, expected: NO_CONNECTION };
  const landing = await openPage(t, `${program.url}/`, options);
  await landing.getByText('All places are taken.').waitFor();
  const polling = await openPage(t, `${proxy}/session`, options);
  await eventually('the first place', async () => (await positionOf(polling)) === 1, PATIENCE);
  const pages = [polling];
  while (pages.length < PEOPLE) {
    const page = await landing.context().newPage();
    await page.goto(`${program.url}/session`);
    pages.push(page);
    await eventually('the next place', async () => (await positionOf(page)) === pages.length, PATIENCE);
  }
  await pages[1]!.reload();
  await polling.reload();
  const turn = (type: string) =>
    pages[2]!.evaluate((name) => dispatchEvent(new PageTransitionEvent(name, { persisted: true })), type);
  await turn('pagehide');
  await turn('pageshow');
  const inOrder = async () => (await Promise.all(pages.map(positionOf))).every((position, index) => position === index + 1);
  await eventually('the same places after the pages were loaded again', inOrder, PATIENCE);

  await program.stop();
  await landing.getByText('This page has no contact with the server.').waitFor({ timeout: PATIENCE * 1000 });
  for (const page of pages) await page.getByText('Your place in line is kept').waitFor({ timeout: PATIENCE * 1000 });
  await assertAccessible(pages[1]!);
  await startProgram(t, configuration, { folder });
  await eventually('all places after the restart', inOrder, PATIENCE);
  await landing.getByText('All places are taken.').waitFor({ timeout: PATIENCE * 1000 });
  assert.equal(await landing.locator('[data-number="waiting"]').innerText(), String(PEOPLE));

  await polling.close({ runBeforeUnload: true });
  await eventually('the second to be the first', async () => (await positionOf(pages[1]!)) === 1, PATIENCE);
  simulation.report(5);
  await pages[1]!.getByText('A machine is free.').waitFor({ timeout: PATIENCE * 1000 });

  const narrow = { ...options, locale: 'fi', viewport: { width: 320, height: 640 } };
  for (const path of ['/', '/session']) {
    const page = await openPage(t, program.url + path, narrow);
    await page.getByText(LONG).first().waitFor();
    await assertFits(page);
    await assertAccessible(page);
  }
});
