/** The viewer in a real browser, over the whole path: `session-server demo`, its simulation server, and the robot. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { openPage, type OpenOptions } from '../support/browser-page.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { freeRange } from '../support/simulation-server.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startChild, type Child } from '../support/start-program.ts';

/** Pictures in software are slow, and the console says so. */
const SLOW_GRAPHICS = /GPU stall|WebGL|swiftshader/i;
const PLACES = 4;
/** Seconds: a page in 3D, drawn without a graphics card on a busy machine, takes long. */
const PATIENCE = 120;

const endings: (() => Promise<void>)[] = [];
let demo: Child;
let ports: { readonly session: number; readonly simulation: number };
before(async () => {
  ports = { session: await freePort(), simulation: await freeRange(PLACES + 1) };
  demo = startChild({ after: (end) => endings.push(end) }, [
    'demo',
    '--port',
    String(ports.session),
    '--simulation-port',
    String(ports.simulation),
  ]);
  await eventually('the viewer', () => demo.stdout.includes(`Open http://localhost:${ports.session}/view\n`), PATIENCE);
});
after(async () => {
  for (const end of endings) await end();
});

const open = (t: TestContext, options: OpenOptions = {}) =>
  openPage(t, `http://localhost:${ports.session}/view`, { still: true, expected: SLOW_GRAPHICS, ...options });
const status = (page: Page, text: string | RegExp) =>
  page.locator('#status', { hasText: text }).waitFor({ timeout: PATIENCE * 1000 });
const xOf = async (page: Page) => Number(/x (-?[\d.]+) m/.exec(await page.locator('#place').innerText())?.[1]);

test('a click shows a robot that moves, and arrow keys drive it', async (t) => {
  const page = await open(t);
  await page.getByRole('button', { name: 'Start' }).click();
  await status(page, 'The simulation is running.');
  const picture = () => page.locator('#picture').screenshot({ mask: [page.locator('#figures')] });
  const first = await picture();
  await eventually('another picture', async () => !first.equals(await picture()), PATIENCE);

  await page.getByRole('button', { name: 'Reset' }).click();
  await page.keyboard.down('ArrowDown');
  await eventually('the rover to be behind its first place', async () => (await xOf(page)) < -0.4, PATIENCE);
  await page.keyboard.up('ArrowDown');
  await page.getByRole('button', { name: 'Pause' }).click();
  await status(page, 'The simulation is paused.');
  const before = await page.locator('#figures').innerText();
  await page.getByRole('button', { name: 'One step' }).click();
  await page.getByRole('button', { name: 'Play' }).click();
  await status(page, 'The simulation is running.');
  await eventually('the clock to go on', async () => (await page.locator('#figures').innerText()) !== before, PATIENCE);
  const follow = page.getByRole('button', { name: 'Follow the robot' });
  await follow.click();
  assert.equal(await follow.getAttribute('aria-pressed'), 'true');
  await accessible(page);
  await page.getByRole('button', { name: 'End' }).click();
  await status(page, 'You have left the simulation.');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Start again');
});

test('when all places are taken, the next visitor sees a place in line, and then the robot', async (t) => {
  const start = async () => {
    const client = await new SocketClient(t, `ws://localhost:${ports.simulation}/client`).open();
    client.socket.send(JSON.stringify({ start: { url: 'demo:rover' } }));
    await eventually('a session', () => client.messages.some((line) => line.startsWith('webots:')), PATIENCE);
    return client;
  };
  const taken = async () => (await fetch(`http://localhost:${ports.simulation}/load`)).text();
  await eventually('the earlier sessions to end', async () => (await taken()) === '0', PATIENCE);
  const others = await Promise.all(Array.from({ length: PLACES }, start));
  const load = async () => (await fetch(`http://localhost:${ports.session}/`)).text();
  await eventually('the session server to know', async () => (await load()) === '0', PATIENCE);
  const page = await open(t);
  await page.getByRole('button', { name: 'Start' }).click();
  await status(page, 'You are next in line.');
  const second = await open(t, { locale: 'de-DE' });
  await second.getByRole('button', { name: 'Starten' }).click();
  await status(second, 'Sie sind Nummer 2 in der Warteschlange.');
  await second.close({ runBeforeUnload: true });
  others[0]?.socket.close();
  await status(page, 'The simulation is running.');
});

test('a browser without WebGL gets a plan, and one without scripts a sentence, in its own language', async (t) => {
  const page = await open(t, { expected: /WebGL/ });
  await page.evaluate(() => {
    const { getContext } = HTMLCanvasElement.prototype as unknown as { getContext: (this: unknown, kind: string) => unknown };
    Object.assign(HTMLCanvasElement.prototype, {
      getContext(this: unknown, kind: string) {
        return kind === '2d' ? getContext.call(this, kind) : null;
      },
    });
  });
  await page.getByRole('button', { name: 'Start' }).click();
  await status(page, 'The simulation is running.');
  await page.getByText('You see the simulation from above.').waitFor();
  assert.equal(await page.locator('#picture').getAttribute('data-view'), 'plan');
  const first = await page.locator('#picture').screenshot();
  await eventually('another picture', async () => !first.equals(await page.locator('#picture').screenshot()), PATIENCE);

  const plain = await open(t, { locale: 'fr-FR', javaScriptEnabled: false });
  assert.match(await plain.locator('main').innerText(), /La vue a besoin de JavaScript\./);
});

test('it fits a phone, in the dark, and the buttons drive', async (t) => {
  const page = await open(t, { viewport: { width: 390, height: 760 }, colorScheme: 'dark', hasTouch: true });
  await page.getByRole('button', { name: 'Start' }).click();
  await status(page, 'The simulation is running.');
  await accessible(page);
  const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
  assert.equal(await page.evaluate(overflow), 0);
  await page.getByRole('button', { name: 'Reset' }).click();
  const back = page.getByRole('button', { name: 'Drive back' });
  await back.dispatchEvent('pointerdown', { pointerId: 1 });
  await eventually('the rover to be behind its first place', async () => (await xOf(page)) < -0.4, PATIENCE);
});

test('a port that is taken is named, and nothing is left behind', async (t) => {
  const { session } = ports;
  const second = startChild(t, ['demo', '--port', String(session), '--simulation-port', String(await freeRange(PLACES + 1))]);
  const { status, stderr, stdout } = await second.ended;
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, new RegExp(`^error: port: ${session} — another program uses it; `));
});

async function accessible(page: Page): Promise<void> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(source);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: () => Promise<{ violations: { id: string }[] }> } };
    return (await axe.run()).violations;
  });
  assert.deepEqual(violations, []);
}
