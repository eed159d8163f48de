/** The client package in a real browser: the pages of `examples`, served from another origin than that of the session server, and without a build where they promise that. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { WebSocketServer } from 'ws';
import { openPage } from '../support/browser-page.ts';
import { eventually } from '../support/eventually.ts';
import { startProgram } from '../support/start-program.ts';

const root = join(import.meta.dirname, '..', '..');
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript' };
const PATIENCE = 60_000;

/**
 * What the example uses of the viewer of Webots (`resources/web/wwi/WebotsView.js` of R2025a), which is not published as a package and needs files of
 * cyberbotics.com: `connect` first ends what was shown before, and calls `ondisconnect` for it; `onready` is called when the world is loaded.
 */
const WEBOTS_VIEW = `customElements.define('webots-view', class extends HTMLElement {
  connect(stream, mode, broadcast) {
    if (this.textContent !== '') this.ondisconnect?.();
    this.textContent = [stream, mode, broadcast].join(' ');
    this.onready?.();
  }
});`;

test('the examples wait in line on pages of another origin, keep or give up their places, and hand the simulation to the viewer', async (t) => {
  const fleet = await startFullFleet(t);
  const examples = await serveExamples(t, fleet.url);
  const expected = new RegExp(
    `request to (127\\.0\\.0\\.1:${new URL(fleet.url).port}|cyberbotics\\.com)$|React DevTools|status of 404`,
  );
  const open = (path: string) => openPage(t, `${examples}/${path}`, { still: true, expected });

  const plain = await open('plain/index.html');
  await plain.keyboard.press('Tab');
  await plain.keyboard.press('Enter');
  await says(plain, 'You are next.');
  await accessible(plain);
  const react = await open('react/index.html');
  await says(react, 'You are number 2 in the queue.');
  await fleet.lineHas(2);

  await plain.reload();
  await says(plain, 'You are next.');
  await says(react, 'You are number 2 in the queue.');
  await fleet.lineHas(2);

  // As when it goes to the memory of the browser, and comes back.
  const turn = (type: string) =>
    react.evaluate((name) => dispatchEvent(new PageTransitionEvent(name, { persisted: true })), type);
  await turn('pagehide');
  await fleet.lineHas(1);
  await turn('pageshow');
  await fleet.lineHas(2);
  await react.goto('about:blank');
  await fleet.lineHas(1);

  await plain.getByRole('button', { name: 'Leave the queue' }).click();
  await says(plain, 'You have left the queue.');
  await fleet.lineHas(0);
  await plain.evaluate(() => Object.assign(document.querySelector('session-button') ?? {}, { texts: { start: 'Los geht es' } }));
  await plain.getByRole('button', { name: 'Los geht es' }).click();
  await says(plain, 'You are next.');
  await fleet.giveUp();
  await says(plain, 'Your simulation is ready.');
  assert.equal(await plain.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.textContent), 'Open the simulation');

  await plain.route('https://cyberbotics.com/**', (route) =>
    route.fulfill({ body: WEBOTS_VIEW, contentType: 'text/javascript', headers: { 'Access-Control-Allow-Origin': '*' } }),
  );
  await plain.keyboard.press('Enter');
  await plain.locator('webots-view', { hasText: `${fleet.simulation}/stream w3d false` }).waitFor({ timeout: PATIENCE });
  assert.equal(fleet.started.length, 1);
  await plain.evaluate(
    (url) => document.dispatchEvent(new CustomEvent('session-allocated', { detail: { url } })),
    fleet.simulation,
  );
  await eventually('the second simulation alone', () => fleet.started.length === 2 && fleet.open() === 1);

  // The reference of the API, by the same program.
  await plain.goto(`${fleet.url}/api`);
  await accessible(plain);
  await plain.emulateMedia({ colorScheme: 'dark' });
  await accessible(plain);
  await plain.setViewportSize({ width: 390, height: 760 });
  const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
  assert.equal(await plain.evaluate(overflow), 0);
  await plain.getByRole('link', { name: 'requestSession' }).press('Enter');
  assert.equal(await plain.evaluate(() => document.querySelector(':target')?.id), 'requestSession');
  assert.match(fleet.started[0] ?? '', /^\{"start":\{"url":"https:\/\/github\.com\/.+\.wbt","mode":"w3d"\}\}$/);
});

async function says(page: Page, text: string): Promise<void> {
  await page.getByRole('status').filter({ hasText: text }).waitFor({ timeout: PATIENCE });
}

/** One simulation server with one place, which is taken. No place in line is lost by waiting. */
async function startFullFleet(t: TestContext) {
  const started: string[] = [];
  const server = createServer((_, response) => response.end('10'));
  const simulation = `ws://${await listen(t, server)}`;
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) =>
    socket.on('message', (message: Buffer) => {
      started.push(message.toString());
      socket.send(`webots:${simulation}/stream`);
    }),
  );
  t.after(() => sockets.clients.forEach((socket) => socket.terminate()));
  const program = await startProgram(t, {
    simulationServers: [{ address: new URL(simulation).host, maxSessions: 1 }],
    waiting: { resume: 600 },
  });
  const ticket = await eventually('the only place', async () => {
    const response = await fetch(`${program.url}/api/v1/sessions`, { method: 'POST' });
    assert.equal(response.status, 201);
    return ((await response.json()) as { ticket: string }).ticket;
  });
  return {
    ...{ simulation, started, url: program.url },
    open: () => sockets.clients.size,
    giveUp: () => fetch(`${program.url}/api/v1/sessions/${ticket}`, { method: 'DELETE' }),
    lineHas: (length: number) =>
      eventually(`${length} in line`, async () =>
        (await program.get('/metrics')).includes(`\nsession_server_waiting_tickets ${length}\n`),
      ),
  };
}

/** As they are, with the address of this session server. */
async function serveExamples(t: TestContext, url: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'examples/react/main.jsx')],
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    write: false,
    outdir: 'react',
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  const here = (text: string) => text.replaceAll('https://session.example.org', url).replace('./main.jsx', './main.js');
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost');
    const answer = async () => {
      if (pathname === '/favicon.ico') return '';
      return pathname === '/react/main.js' ? (outputFiles[0]?.text ?? '') : readFile(join(root, 'examples', pathname), 'utf8');
    };
    answer().then(
      (text) => response.writeHead(200, { 'Content-Type': TYPES[extname(pathname)] ?? 'text/plain' }).end(here(text)),
      () => response.writeHead(404).end(),
    );
  });
  return `http://${await listen(t, server)}`;
}

async function listen(t: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function accessible(page: Page): Promise<void> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  const violations = await page.evaluate(async () => {
    interface Violation {
      readonly id: string;
      readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
    }
    const { axe } = globalThis as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
  });
  assert.deepEqual(violations, []);
}
