/**
 * The monitor page of the real program, with simulation servers on real sockets. Its screenshots are in the
 * documentation.
 */
import assert from 'node:assert/strict';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { hashOf } from '../../src/config/token.ts';
import { History } from '../../src/core/history/history.ts';
import { encodeHistory } from '../../src/core/history/history-snapshot.ts';
import type { HistoryView, ServerView } from '../../src/core/views/monitor-view.ts';
import { openPage } from '../support/browser-page.ts';
import { eventually } from '../support/eventually.ts';
import type { FakeSimulationServer } from '../support/fake-simulation-server.ts';
import { loadsOf } from '../support/monitor-source.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { temporary, type RunningProgram } from '../support/start-program.ts';
import { startProgramInside } from '../support/start-program-inside.ts';
import { startSimulationServer, startSimulationServers } from '../support/start-simulation-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { WebhookSink } from '../support/webhook-sink.ts';

const TOKEN = 'sst_of-a-real-run';
const admin = { tokens: [{ name: 'ada', hash: hashOf(TOKEN) }] };
const polling = { pollInterval: 0.5, pollTimeout: 0.4 };

async function serversOf(program: RunningProgram): Promise<readonly ServerView[]> {
  return (JSON.parse(await program.get('/api/v1/servers')) as { servers: ServerView[] }).servers;
}

test('the page shows what the API says, and what a simulation server reports later', async (t) => {
  const simulations = await startSimulationServers(t, [20.5, 47.25, 97, 5]);
  const program = await startProgramInside(t, { simulationServers: simulations.map(({ address }) => address), ...polling });
  await simulations[3]?.stop();
  await eventually('one server to be full and one to be down', async () => {
    const states = (await serversOf(program)).map(({ state }) => state);
    return states[2] === 'full' && states[3] === 'down';
  });
  const page = await openPage(t, `${program.url}/monitor`);
  const cells = (name: string) =>
    page.locator(`.servers tbody td.${name}`).evaluateAll((found) => found.map((cell) => cell.firstChild?.textContent));
  assert.deepEqual(await cells('load'), ['20.5%', '47.3%', '97.0%', 'N/A']);
  const costs = await page.locator('.servers tbody .cost .second').allTextContents();
  assert.deepEqual(new Set(costs), new Set(['not learned yet']), 'no lesson has been given yet');
  const servers = await serversOf(program);
  assert.deepEqual(
    await page.locator('.servers tbody .state-cell .second').evaluateAll((found) => found.map((cell) => cell.textContent)),
    servers.map(({ reason }) => reason),
  );
  assert.equal(servers[2]?.reason, 'At 97%; full from 95% on.');
  assert.match(
    await page.locator('.summary').innerText(),
    /A session can start now\.\s+4 simulation servers: 2 available, 1 full, 1 down/,
  );
  simulations[0]?.report(33.3);
  await page.locator('.load', { hasText: '33.3%' }).waitFor();
  await program.get('/session');
  await page.locator('.decisions .entry', { hasText: 'handed out' }).waitFor();
});

test('a new operator finds on the page why a student was refused, and what would have to change', async (t) => {
  const simulations = await startSimulationServers(t, [20, 30]);
  const program = await startProgramInside(t, {
    simulationServers: simulations.map(({ address }) => ({ address, allowedRepositories: ['github.com/our-school'] })),
    ...polling,
  });
  const world = 'https://github.com/another-school/robots/blob/main/worlds/maze.wbt';
  assert.match(await program.get(`/session?url=${encodeURIComponent(world)}`), /^Error:/);
  const page = await openPage(t, `${program.url}/monitor`);
  await page.getByRole('button', { name: 'Only refused (1)' }).click();
  const refused = page.locator('.decisions .entry');
  assert.match(await refused.innerText(), /another-school/);
  assert.match(await refused.innerText(), /allow|repositor/i);
  await page.getByRole('button', { name: 'Check again' }).click();
  const answers = page.locator('.why-not .answers li');
  await answers.first().waitFor();
  assert.deepEqual((await answers.locator('b').allInnerTexts()).sort(), simulations.map(({ address }) => address).sort());
  assert.equal(await answers.locator('.hidden').first().innerText(), 'cannot take it:');
});

test('for a refused project URL that cannot be read the page shows what was sent, as text, and the address in the log', async (t) => {
  const [simulation] = await startSimulationServers(t, [20]);
  assert.ok(simulation);
  const program = await startProgramInside(t, { simulationServers: [simulation.address], ...polling });
  const sent = 'https://webots.cloud/<b>robots</b>';
  assert.match(await program.get(`/session?url=${encodeURIComponent(sent)}`), /^Error: Only projects on github\.com/);
  const long = `https://github.com/school/${'x'.repeat(3000)}`;
  await program.get(`/session?url=${long}`);
  const page = await openPage(t, `${program.url}/monitor`);
  const entry = (text: string) => page.locator('.decisions .entry', { hasText: text });
  const refused = entry('webots.cloud/');
  assert.equal(await refused.locator('.project').textContent(), sent);
  assert.equal(await refused.locator('b').count(), 0, 'markup became elements');
  assert.equal(await refused.locator('details').count(), 0, 'servers are said to have room for it');
  assert.equal(await entry('more than 1000 characters').locator('.project').textContent(), `${long.slice(0, 999)}…`);
  await refused.getByRole('button', { name: 'Check again' }).click();
  await page.locator('.why-not').getByText('Only projects on github.com').waitFor();
  await eventually('a line in the log that names the client and the project', () =>
    /127\.0\.0\.1 is refused a session: .*code=project-host project=\S*webots\.cloud\/<b>robots<\/b>/.test(program.log),
  );
});

test('after the reply to drain no session is handed out there, not even after a restart, until an operator resumes it', async (t) => {
  const [idle, busy] = await startSimulationServers(t, [5, 60]);
  assert.ok(idle && busy);
  const folder = temporary(t);
  const configuration = { simulationServers: [idle.address, busy.address], admin, ...polling };
  const first = await startProgramInside(t, configuration, { folder });
  await eventually('the idle server to be chosen', async () => (await first.get('/session')) === `ws://${idle.address}`);
  const page = await openPage(t, `${first.url}/monitor`);
  await page.getByRole('button', { name: `Details of ${idle.address}` }).click();
  await enterToken(page);
  await page.getByLabel(/Drain: running sessions continue/).fill('new disk');
  await page.getByRole('button', { name: 'Drain', exact: true }).click();
  await page.getByText('no new sessions will start here').waitFor();
  for (let count = 0; count < 20; count++) assert.notEqual(await first.get('/session'), `ws://${idle.address}`);
  await eventually('a line in the log', () => /drained by ada/.test(first.log));
  await page.goto('about:blank');
  await first.stop();

  const second = await startProgramInside(t, configuration, { folder });
  const again = await openPage(t, `${second.url}/monitor`);
  await again.locator('tr.row-draining', { hasText: 'new disk' }).waitFor();
  for (let count = 0; count < 5; count++) assert.notEqual(await second.get('/session'), `ws://${idle.address}`);
  await again.getByRole('button', { name: `Details of ${idle.address}` }).click();
  await enterToken(again);
  await again.getByRole('button', { name: 'Resume' }).click();
  await eventually('the resumed server to be chosen', async () => (await second.get('/session')) === `ws://${idle.address}`);
});

test('every operator action works from the page, and the log says who did it and when', async (t) => {
  const [first, late] = await startSimulationServers(t, [20, 30]);
  assert.ok(first && late);
  const { address } = late;
  const sink = await WebhookSink.start();
  t.after(() => sink.close());
  const program = await startProgramInside(t, {
    simulationServers: [first.address],
    webhooks: [{ url: sink.url }],
    admin,
    ...polling,
  });
  const page = await openPage(t, `${program.url}/monitor`, { expected: /dialog/ });
  page.removeAllListeners('dialog');
  page.on('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await enterToken(page);
  const actions = page.getByRole('dialog', { name: 'Operator actions' });
  await actions.getByLabel('Add a simulation server').fill(address);
  await actions.getByRole('button', { name: 'Add' }).click();
  await actions.getByText(`${address} was added`).waitFor();
  await actions.getByRole('button', { name: 'Send a test notification' }).click();
  await actions.getByText(/: test sent\.$/).waitFor();
  await sink.received(1);
  await actions.getByRole('button', { name: 'Close' }).click();

  const row = page.locator('.servers tbody tr', { hasText: address });
  await row.locator('.load', { hasText: '30.0%' }).waitFor();
  await row.getByRole('button', { name: /^Details of/ }).click();
  const panel = page.getByRole('dialog', { name: address });
  await panel.getByLabel(/Drain: running sessions continue/).fill('new disk');
  await panel.getByRole('combobox').selectOption('for 15 minutes');
  await panel.getByRole('button', { name: 'Drain', exact: true }).click();
  await row.locator('.state-cell', { hasText: /^draining until .*ada: new disk\.$/ }).waitFor();
  await late.stop();
  await row.locator('.state-cell', { hasText: /^down drained until .*ada: new disk\. [A-Z].*\.$/ }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Ask' }).click();
  const answer = page.locator('.why-not .answers li', { hasText: address });
  await answer.getByText(/also, ada drained it for another 1[45] minutes.*: new disk$/).waitFor();

  await row.getByRole('button', { name: /^Details of/ }).click();
  await panel.getByRole('button', { name: 'Resume' }).click();
  await row.locator('.drain-end').waitFor({ state: 'detached' });
  await panel.getByRole('button', { name: 'Remove' }).click();
  await row.waitFor({ state: 'detached' });
  const said = ['added', 'drained', 'resumed', 'removed'].map(
    (action) => new RegExp(`${address.replace('/', '.')}.* ${action} by ada`),
  );
  for (const action of [...said, /test notification sent by ada/])
    await eventually(`the line ${action.source} in the log, with its time`, () =>
      program.log.split('\n').some((line) => action.test(line) && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} /.test(line)),
    );
});

async function enterToken(page: Page): Promise<void> {
  const panel = page.locator('dialog[open]');
  await panel.getByLabel(/^Sign in with a token/).fill(TOKEN);
  await panel.getByRole('button', { name: 'Sign in', exact: true }).click();
}

test('the charts continue after a restart', async (t) => {
  const simulation = await startSimulationServer(t, 42);
  const folder = temporary(t);
  const configuration = { simulationServers: [simulation.address], ...polling };
  const first = await startProgramInside(t, configuration, { folder });
  const count = async (program: RunningProgram) => {
    const view = JSON.parse(await program.get('/api/v1/history?step=3600')) as HistoryView;
    return view.count.reduce((sum, count) => sum + count, 0);
  };
  await eventually('some samples', async () => (await count(first)) >= 3);
  await first.stop();
  const recorded = 3;
  await simulation.stop();
  const second = await startProgramInside(t, configuration, { folder });
  await eventually('the samples of the first run', async () => (await count(second)) >= recorded);
});

test('the screenshots of the documentation are made', async (t) => {
  const folder = process.env['SCREENSHOTS'] ?? (await temporaryFolder(t));
  await mkdir(folder, { recursive: true });
  const { program, simulations } = await livelyProgram(t);
  const take = async (name: string, page: Page): Promise<void> => {
    await page.mouse.move(0, 0);
    const path = join(folder, `${name}.png`);
    await page.screenshot({ path, animations: 'disabled' });
    assert.ok((await stat(path)).size > 10_000);
  };
  const url = `${program.url}/monitor`;
  const light = await openPage(t, url, { viewport: { width: 1360, height: 1060 } });
  for (let count = 0; count < 14; count++) await program.get('/session');
  await program.get(`/session?url=${encodeURIComponent('https://github.com/another-school/robots/blob/main/worlds/maze.wbt')}`);
  await light.getByRole('button', { name: '24 h', exact: true }).click();
  await light.locator('tr.row-down').waitFor();
  await light.locator('.decisions .entry', { hasText: 'refused' }).waitFor();
  await take('monitor', light);
  await light.getByRole('button', { name: 'Check again' }).click();
  await light.locator('.why-not .answers').waitFor();
  await light.locator('.why-not').scrollIntoViewIfNeeded();
  await light.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await take('monitor-why-not', light);
  const dark = await openPage(t, url, { viewport: { width: 1360, height: 1060 }, colorScheme: 'dark' });
  await dark.getByRole('button', { name: `Details of ${simulations[4]?.address ?? ''}` }).click();
  await enterToken(dark);
  await dark.getByRole('button', { name: 'Drain', exact: true }).waitFor();
  await dark.locator('dialog').getByRole('button', { name: '24 h', exact: true }).click();
  await dark.waitForFunction(() => Number(document.querySelector('dialog .plot')?.getAttribute('aria-valuemax')) > 300);
  await take('monitor-server', dark);
  const narrow = await openPage(t, url, { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 });
  await take('monitor-narrow', narrow);
  await narrow.emulateMedia({ colorScheme: 'dark' });
  await narrow.locator('#servers').evaluate((table) => table.scrollIntoView());
  await take('monitor-narrow-dark', narrow);
});

/**
 * The real program with ten simulation servers, of which one drains, one is full and one is down, and with a past of
 * two days.
 */
async function livelyProgram(
  t: Parameters<typeof startProgramInside>[0],
): Promise<{ program: RunningProgram; simulations: FakeSimulationServer[] }> {
  const loads = [34.2, 51.7, 22.4, 97.3, 45.1, 63.8, 28.9, 12.5, 57.6, 40.3];
  const simulations = await Promise.all(
    loads.map((load, index) => startSimulationServer(t, load, { host: `127.0.0.${11 + index}` })),
  );
  const addresses = simulations.map(({ port }, index) => `127.0.0.${11 + index}:${port}`);
  for (const [index, simulation] of simulations.entries())
    Object.defineProperty(simulation, 'address', { value: addresses[index] });
  const sink = await WebhookSink.start();
  t.after(() => sink.close());
  const folder = temporary(t);
  await mkdir(join(folder, 'state'), { recursive: true });
  const now = Date.now() / 1000;
  await writeFile(join(folder, 'state', 'history.bin'), Buffer.concat([...encodeHistory(pastOf(addresses, loads, now), now)]));
  const program = await startProgramInside(
    t,
    {
      simulationServers: addresses.map((address, index) => ({
        address,
        labels: { room: `B${10 + (index % 3)}` },
        allowedRepositories: ['github.com/our-school'],
      })),
      administrator: 'admin@example.org',
      webhooks: [{ url: sink.url }],
      admin,
      ...polling,
    },
    { folder },
  );
  const drain = await program.get(`/api/v1/servers/${encodeURIComponent(addresses[6] ?? '')}/drain`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ reason: 'new graphics card', lasts: 7200 }),
  });
  assert.deepEqual(JSON.parse(drain), { done: true });
  await simulations[8]?.stop();
  return { program, simulations };
}

/** What a day with two classes looks like, until `now`. */
function pastOf(ids: readonly string[], loads: readonly number[], now: number): History {
  const history = new History();
  history.fleetIs(ids);
  const random = seededRandom(7);
  for (let at = now - 2 * 86_400; at < now - 10; at += 10) {
    history.advance(at);
    const hour = (at / 3600) % 24;
    const classes = Math.exp(-((hour - 9) ** 2) / 2) + Math.exp(-((hour - 14) ** 2) / 3);
    const servers = ids.map((id, index) => {
      const noise = 6 * Math.sin(at / 900 + index * 2) + 4 * (random() - 0.5);
      const load = Math.min(99, Math.max(2, (loads[index] ?? 0) * (0.45 + 0.6 * classes) + noise));
      const booked = random() < 0.3 * classes ? 8 : 0;
      history.sampled(id, at, load, booked);
      if (random() < 0.003 * classes) history.handedOut(id, at);
      return { load, booked };
    });
    history.loadsAre(at, loadsOf(servers));
    history.waitingIs(at, Math.max(0, Math.round(6 * (classes - 0.85) * (1 + random()))));
  }
  history.advance(now);
  return history;
}
