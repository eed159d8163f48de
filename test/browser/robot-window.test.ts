/**
 * An attack on a signed-in operator: a robot window, which is a page of a project's author below `/PORT/`, tries to drain a
 * server through the operator's browser.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { openPage } from '../support/browser-page.ts';
import { startMonitorServer, TOKEN } from '../support/monitor-server.ts';
import { DemoFleet } from '../support/monitor-source.ts';

const SERVER = 'sim02.example.org:3000';

async function signIn(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign in' }).click();
  const dialog = page.getByRole('dialog', { name: 'Operator actions' });
  await dialog.getByLabel(/^Sign in with a token/).fill(TOKEN);
  await page.keyboard.press('Enter');
  await dialog.getByLabel('Add a simulation server').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).click();
}

interface Attack {
  /** What the operator's page knows and others must not. */
  readonly secret: string | null;
  /** Statuses of the forged actions; 0: the browser did not let it through. */
  readonly statuses: readonly number[];
  /** What of the monitor page can be reached from a frame and from a window that the page opened. */
  readonly reached: readonly string[];
}

/** Runs in the robot window. `monitor`: URL of the operators' monitor page. */
async function attack({ monitor, id }: { readonly monitor: string; readonly id: string }): Promise<Attack> {
  const asked = async (url: string, init: RequestInit = {}) => {
    try {
      return await fetch(url, { credentials: 'include', ...init });
    } catch {
      return undefined;
    }
  };
  const viewer = await asked(`${monitor}/viewer`);
  const secret = viewer === undefined ? null : ((await viewer.json()) as { csrf: string | null }).csrf;
  const statuses: number[] = [];
  for (const base of [`${monitor}/api/v1`, monitor.replace('/monitor', '/api/v1')]) {
    for (const headers of [{ 'X-Session-Server-CSRF': secret ?? 'x', 'Content-Type': 'application/json' }, undefined]) {
      const init = { method: 'POST', body: '{}', ...(headers !== undefined && { headers }) };
      statuses.push((await asked(`${base}/servers/${encodeURIComponent(id)}/drain`, init))?.status ?? 0);
    }
  }
  const frame = document.createElement('iframe');
  frame.src = monitor;
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
  document.body.append(frame);
  await loaded;
  const reached: string[] = [];
  try {
    const inside = frame.contentDocument?.querySelector('#monitor')?.textContent;
    if (typeof inside === 'string') reached.push('frame');
  } catch {
    // It is of another origin.
  }
  return { secret, statuses, reached };
}

for (const site of ['shared', 'own'] as const) {
  const where = site === 'shared' ? 'on the same origin' : 'while operators have an origin of their own';
  test(`a robot window ${where} cannot act for a signed-in operator`, async (t) => {
    const fleet = new DemoFleet({ servers: 3 });
    const server = await startMonitorServer(t, { fleet, site });
    const monitor = site === 'own' ? server.url.replace('127.0.0.1', 'localhost') : server.url;
    const page = await openPage(t, monitor);
    await signIn(page);
    const robotWindow = await page.context().newPage();
    await robotWindow.goto(server.url.replace('/monitor', '/2000/window'));
    // The loader of these tests adds calls of it to functions that have a name.
    await robotWindow.evaluate('globalThis.__name = (named) => named');
    const { secret, statuses, reached } = await robotWindow.evaluate(attack, { monitor, id: SERVER });
    assert.equal(secret === null, site === 'own', 'only where the origin is shared can the page be read');
    assert.deepEqual(
      statuses.filter((status) => ![0, 401, 403].includes(status)),
      [],
    );
    assert.deepEqual(reached, []);
    assert.equal(fleet.server(SERVER)?.drain, null);
    const popup = await robotWindow.evaluate((url) => {
      const opened = window.open(url);
      return new Promise<boolean>((resolve) => {
        // To a page that the browser has parted from it, the window looks closed.
        const look = (): void => {
          let text: string | undefined;
          try {
            text = opened?.document.readyState === 'complete' ? opened.location.href : undefined;
          } catch {
            text = undefined;
          }
          if (text === url) resolve(true);
          else if (opened === null || opened.closed) resolve(false);
          else setTimeout(look, 20);
        };
        look();
      });
    }, monitor);
    assert.equal(popup, false, 'the opened monitor page is not in reach');
  });
}

test('where the origin is shared, an operator confirms each action with the token, and can still decide against it', async (t) => {
  const fleet = new DemoFleet({ servers: 3 });
  const server = await startMonitorServer(t, { fleet, site: 'shared' });
  const page = await openPage(t, server.url, { expected: /401/ });
  await signIn(page);
  await page.getByRole('button', { name: /Details of sim02/ }).click();
  const panel = page.getByRole('dialog', { name: /sim02/ });
  const drain = panel.getByRole('button', { name: 'Drain', exact: true });
  const said = panel.locator('.operator-actions').getByRole('status');
  const confirm = page.getByRole('dialog', { name: 'Enter your token to confirm this action' });
  await drain.click();
  await confirm.getByRole('button', { name: 'Cancel' }).click();
  await said.getByText('Cancelled: nothing was changed.').waitFor();
  await drain.click();
  await confirm.getByLabel('Enter your token').fill('wrong');
  await page.keyboard.press('Enter');
  await said.getByText('This token is not in "admin.tokens".').waitFor();
  assert.equal(fleet.server(SERVER)?.drain, null);
  await drain.click();
  await confirm.getByLabel('Enter your token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await said.getByText('no new sessions will start here').waitFor();
  assert.equal(fleet.server(SERVER)?.drain?.by, 'ada');
});
