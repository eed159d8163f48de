/** The pages for visitors in a real browser, over the whole path: `session-server demo`, its simulation servers, and the robot. */
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { assertAccessible, assertFits } from '../support/accessible.ts';
import { openPage, type OpenOptions } from '../support/browser-page.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { takeScreenshot } from '../support/screenshots.ts';
import { freeRange } from '../support/simulation-server.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startChild, type Child } from '../support/start-program.ts';

/** Pictures in software are slow, and the console says so. */
const SLOW_GRAPHICS = /GPU stall|WebGL|swiftshader/i;
const MACHINES = 2;
/** Of one machine. */
const PLACES = 2;
const ALL_PLACES = MACHINES * PLACES;
/** Seconds: a page in 3D, drawn without a graphics card on a busy machine, takes long. */
const PATIENCE = 120;

const endings: (() => Promise<void>)[] = [];
let demo: Child;
let ports: { readonly session: number; readonly simulation: number };
before(async () => {
  ports = { session: await freePort(), simulation: await freeRange(MACHINES * (PLACES + 1)) };
  demo = startChild({ after: (end) => endings.push(end) }, commandLine(ports.session, ports.simulation));
  await eventually('the demo', () => demo.stdout.includes(`Open http://localhost:${ports.session}/\n`), PATIENCE);
});
after(async () => {
  for (const end of endings) await end();
});

function commandLine(session: number, simulation: number): string[] {
  const options = { port: session, 'simulation-port': simulation, machines: MACHINES };
  return ['demo', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])];
}

const open = (t: TestContext, path: string, options: OpenOptions = {}) =>
  openPage(t, `http://localhost:${ports.session}/${path}`, { still: true, expected: SLOW_GRAPHICS, ...options });
const machine = (index: number) => `localhost:${ports.simulation + index * (PLACES + 1)}`;
const status = (page: Page, text: string | RegExp) =>
  page.locator('#status', { hasText: text }).waitFor({ timeout: PATIENCE * 1000 });
const xOf = async (page: Page) => Number(/x (-?[\d.]+) m/.exec(await page.locator('#place').innerText())?.[1]);

test('a click shows a robot that moves, and arrow keys drive it', async (t) => {
  const page = await open(t, '', { viewport: { width: 1280, height: 860 } });
  await page.getByText('A simulation can start now.').waitFor();
  await assertAccessible(page);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
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
  await takeScreenshot(page, 'robot');
  await assertAccessible(page);
  await page.getByRole('button', { name: 'End' }).click();
  await status(page, 'You have left the simulation.');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Start again');
});

test('the fifth visitor of four places waits, is shown why, moves up, and gets the robot', async (t) => {
  const start = async (address: string) => {
    const client = await new SocketClient(t, `ws://${address}/client`).open();
    client.socket.send(JSON.stringify({ start: { url: 'demo:rover' } }));
    await eventually('a session', () => client.messages.some((line) => line.startsWith('webots:')), PATIENCE);
    return client;
  };
  const read = async (address: string) => (await fetch(`http://${address}`)).text();
  await eventually('the earlier sessions to end', async () => (await read(`${machine(0)}/load`)) === '0', PATIENCE);
  await eventually('the earlier sessions to end', async () => (await read(`${machine(1)}/load`)) === '0', PATIENCE);
  const others = await Promise.all(Array.from({ length: ALL_PLACES }, (_, index) => start(machine(index % MACHINES))));
  await eventually('the session server to know', async () => (await read(`localhost:${ports.session}/`)) === '0', PATIENCE);
  const page = await open(t, '', { viewport: { width: 960, height: 480 } });
  await page.getByText('All places are taken.').waitFor();
  await page.getByRole('button', { name: 'Wait in line' }).click();
  await status(page, 'You are next in line.');
  const second = await open(t, 'session', { locale: 'de-DE', viewport: { width: 320, height: 640 } });
  await status(second, 'Sie sind Nummer 2 in der Warteschlange.');
  await second.getByText('Alle Maschinen sind mit anderen Simulationen beschäftigt.').waitFor();
  await assertAccessible(second);
  await assertFits(second);
  const third = await open(t, 'session', { viewport: { width: 960, height: 480 } });
  await status(third, 'You are number 3 in line.');
  await takeScreenshot(third, 'waiting');
  await second.close({ runBeforeUnload: true });
  await status(third, 'You are number 2 in line.');
  await third.getByRole('button', { name: 'Leave the line' }).click();
  await status(third, 'You have left the line.');
  assert.equal(await third.evaluate(() => document.activeElement?.textContent), 'Start again');
  others[0]?.socket.close();
  await status(page, 'The simulation is running.');
});

test('a browser without WebGL gets a plan; one without WebSockets or scripts, or with an odd address, a sentence that says what to do', async (t) => {
  const page = await open(t, 'view', { expected: /WebGL/ });
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

  const without = await open(t, 'session', { javaScriptEnabled: true });
  await without.addInitScript(() => Reflect.deleteProperty(globalThis, 'WebSocket'));
  await without.reload();
  await status(without, 'Use a current version of Firefox');
  await without.getByRole('button', { name: 'Start again' }).waitFor();

  const markup = 'https://github.com/a/<img src=x onerror=alert(1)>/blob/main/worlds/w.wbt';
  const refused = await open(t, `session?url=${encodeURIComponent(markup)}`, { locale: 'de-DE' });
  await status(refused, 'Die Adresse des Projekts enthält etwas, das nicht erlaubt ist.');
  assert.equal(await refused.locator('.project code').innerText(), markup);
  assert.deepEqual([await refused.locator('img').count(), await refused.locator('#reason').isVisible()], [0, false]);

  const plain = await open(t, 'session', { locale: 'fr-FR', javaScriptEnabled: false });
  assert.match(await plain.locator('main').innerText(), /simulation a besoin de JavaScript\./);
});

test('it fits a phone, in the dark, and the buttons drive', async (t) => {
  const page = await open(t, 'view', { viewport: { width: 390, height: 760 }, colorScheme: 'dark', hasTouch: true });
  await page.getByRole('button', { name: 'Start' }).click();
  await status(page, 'The simulation is running.');
  await assertAccessible(page);
  await assertFits(page);
  await page.getByRole('button', { name: 'Reset' }).click();
  const back = page.getByRole('button', { name: 'Drive back' });
  await back.dispatchEvent('pointerdown', { pointerId: 1 });
  await eventually('the rover to be behind its first place', async () => (await xOf(page)) < -0.4, PATIENCE);
});

test('the page of the demo sends a class and stops machines; a student under whom a machine stops is offered another', async (t) => {
  const robot = await open(t, 'session');
  await status(robot, 'The simulation is running.');
  const page = await open(t, 'demo', { viewport: { width: 320, height: 800 }, colorScheme: 'dark', locale: 'de-DE' });
  await page.getByRole('button', { name: 'Eine Klasse mit 30 Personen schicken' }).click();
  const number = (label: string) => page.locator('dl > div', { hasText: label }).locator('dd');
  await eventually(
    'three students to simulate, and the others to wait',
    async () => (await number('Simulieren').innerText()) === '3' && (await number('Wartende').innerText()) === '27',
    PATIENCE,
  );
  await page.getByRole('button', { name: 'Den Mailserver bremsen' }).click();
  for (const index of [0, 1]) await page.getByRole('button', { name: `Diese Maschine stoppen: ${machine(index)}` }).click();
  await status(robot, 'Start again to get another machine.');
  await assertAccessible(robot);
  await page.getByText('Der Mailserver ist langsam.').waitFor();
  await assertAccessible(page);
  await assertFits(page);
  const [operator = '', teacher = ''] = await page.locator('.tokens code').allInnerTexts();
  const actAs = async (token: string) => {
    const headers = { Authorization: `Bearer ${token}` };
    return (await fetch(`http://localhost:${ports.session}/api/v1/waiting-requests/none`, { method: 'DELETE', headers })).status;
  };
  assert.deepEqual([await actAs(operator), await actAs(teacher), await actAs('sst_other')], [404, 403, 401]);
  const landing = await open(t, '');
  await landing.getByText('No machine answers at the moment.').waitFor({ timeout: PATIENCE * 1000 });
  await page.getByRole('button', { name: 'Die Klasse nach Hause schicken' }).click();
  await page.getByRole('button', { name: 'Den Mailserver wieder schnell machen' }).click();
  await page.locator('.mails', { hasText: /stopped|down|not|maximum/ }).waitFor({ timeout: PATIENCE * 1000 });
  await page.getByRole('button', { name: `Wieder starten: ${machine(1)}` }).click({ timeout: PATIENCE * 1000 });
  await landing.getByText('A simulation can start now.').waitFor({ timeout: PATIENCE * 1000 });
  await robot.getByRole('button', { name: 'Start again' }).click();
  await status(robot, 'The simulation is running.');
});

test('a port that is taken and a folder that is missing are named, and nothing is left behind', async (t) => {
  const { session } = ports;
  const second = startChild(t, commandLine(session, await freeRange(MACHINES * (PLACES + 1))));
  const { status, stderr, stdout } = await second.ended;
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, new RegExp(`^error: port: ${session} — another program uses it; `));
  const third = await startChild(t, commandLine(session, 1), { env: { TMPDIR: '/dev/null/nowhere' } }).ended;
  assert.deepEqual([third.status, third.stdout], [1, '']);
  assert.match(third.stderr, /^error: .*\/dev\/null\/nowhere.* — set TMPDIR to a folder in which this user may write$/m);
});
