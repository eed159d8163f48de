/** A teacher's day and a student's morning in a real browser, over the whole session server. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { hashOf } from '../../src/config/token.ts';
import { openPage } from '../support/browser-page.ts';
import { eventually } from '../support/eventually.ts';
import { startAppInside } from '../support/start-app.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const TOKEN = 'sst_of-noether';
const MINUTE = 60_000;

test('a teacher reserves seats and looks after the class, and a student finds the way in', async (t) => {
  const server = await startSimulationServer(t, 2);
  const { url } = await startAppInside(t, {
    simulationServers: [server.address],
    admin: { tokens: [{ name: 'noether', hash: hashOf(TOKEN), role: 'teacher' }] },
  });
  await eventually('the load', async () => (await (await fetch(`${url}/load`)).text()) === '2');

  const teacher = await openPage(t, `${url}/classes`, { still: true, timezoneId: noonZone(), expected: /40[19]/ });
  await accessible(teacher);
  await signIn(teacher);
  const start = new Date(Date.now() + 5 * MINUTE);
  await fillForm(teacher, start);
  await teacher.getByLabel('Seats', { exact: true }).fill('39');
  await teacher.getByText(/^39 seats are \d+ too many at /).waitFor();
  await teacher.getByText('With one more machine like the strongest one').waitFor();
  await teacher.getByLabel('Seats', { exact: true }).fill('4');
  await teacher.getByLabel('Every week until').fill(dayIn(15));
  await teacher.getByText('4 seats fit on all 3 days.').waitFor();
  await teacher.getByLabel('Every week until').fill('');
  await teacher.getByText(/^4 seats fit\. \d+ are free at that time\.$/).waitFor();
  await accessible(teacher);
  await teacher.getByRole('button', { name: 'Reserve', exact: true }).click();
  const row = teacher.getByRole('article', { name: 'Robots' });
  await row.getByText('doors are open').waitFor();
  const code = await row.locator('.code').innerText();

  // The address as people write it, on a phone in the dark and in French.
  const phone = { viewport: { width: 390, height: 760 }, colorScheme: 'dark', locale: 'fr-FR' } as const;
  const student = await openPage(t, `${url}/c/${code.toLowerCase()}`, { still: true, ...phone });
  assert.equal(new URL(student.url()).pathname, `/c/${code.toLowerCase()}/`);
  await student.getByText('Les portes sont ouvertes.').waitFor();
  await accessible(student);
  assert.equal(await student.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
  await student.setViewportSize({ width: 1200, height: 900 });
  await student.getByRole('img', { name: 'Scannez pour ouvrir cette page' }).locator('svg').waitFor();
  await student.getByRole('link', { name: 'Démarrer' }).click();
  await student.locator('#status', { hasText: 'Connexion…' }).waitFor();

  await reload(teacher);
  await row.getByText('1 of 4 came').waitFor();
  const before = await heading(row);
  await row.getByRole('button', { name: '15 min longer' }).click();
  await eventually('a later end', async () => (await heading(row)) !== before);
  await row.getByRole('button', { name: 'Give back free seats' }).click();
  await row.getByText('free seats were given back').waitFor();
  await row.getByRole('button', { name: 'Cancel the class' }).click();
  await row.getByRole('button', { name: 'Yes, cancel it' }).click();
  await teacher.getByText('No seats are reserved.').waitFor();

  const lost = await openPage(t, `${url}/c/${code}/`, {
    still: true,
    javaScriptEnabled: false,
    locale: 'de-DE',
    expected: /404/,
  });
  assert.match(await lost.locator('main').innerText(), /Es gibt keine Klasse mit diesem Code\./);
});

/** A zone in which it is about noon, so that no class of the test passes midnight. */
function noonZone(): string {
  const ahead = 12 - new Date().getUTCHours();
  return ahead === 0 ? 'Etc/GMT' : `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

/** The day so many days from now. */
function dayIn(days: number): string {
  const zone = { timeZone: noonZone(), dateStyle: 'short' } as const;
  return new Intl.DateTimeFormat('sv-SE', zone).format(Date.now() + days * 1440 * MINUTE);
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('Access token').fill('sst_wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This token is not right').waitFor();
  await page.getByLabel('Access token').fill(TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('No seats are reserved.').waitFor();
}

async function fillForm(page: Page, start: Date): Promise<void> {
  const written = new Intl.DateTimeFormat('sv-SE', { timeZone: noonZone(), dateStyle: 'short', timeStyle: 'short' });
  const [day = '', from = ''] = written.format(start).split(' ');
  const [, to = ''] = written.format(start.getTime() + 60 * MINUTE).split(' ');
  await page.getByLabel('Name of the class').fill('Robots');
  await page.getByLabel('Day', { exact: true }).fill(day);
  await page.getByLabel('From', { exact: true }).fill(from);
  await page.getByLabel('To', { exact: true }).fill(to);
}

/** The page asks every ten seconds, and at once after an action. */
async function reload(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Access token').fill(TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

function heading(row: Locator): Promise<string> {
  return row.getByRole('heading').innerText();
}

async function accessible(page: Page): Promise<void> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(source);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: () => Promise<{ violations: { id: string }[] }> } };
    return (await axe.run()).violations.map((violation) => JSON.stringify(violation));
  });
  assert.deepEqual(violations, []);
}
