/**
 * The web clients that people have, by what docs/design/protocol.md, "URLs in gateway mode" says of them, in a real browser and through TLS: they ask for
 * a session, open `/client` at the address they receive, and open the stream. None of them knows about waiting.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { WebSocketServer } from 'ws';
import { useBrowser } from '../support/shared-browser.ts';
import { makeCertificate } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { ScriptedSimulationServer } from '../support/scripted-simulation-server.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startAppInside } from '../support/start-app.ts';
import { temporary } from '../support/start-program.ts';

const WORLD = 'https://github.com/school/robots/blob/main/worlds/arm.wbt';

interface Generation {
  readonly name: string;
  /** Of the lines it shows in its progress bar; none: it has no such lines. */
  readonly progress: string | undefined;
}

const generations: readonly Generation[] = [
  { name: 'before R2022', progress: undefined },
  { name: 'R2022', progress: 'docker:' },
  { name: 'since R2023a', progress: 'loading:' },
];

/** What the three have in common, and the one line in which they differ. */
const CLIENT = `
  const parameters = new URLSearchParams(location.search);
  const show = (id, text) => { document.getElementById(id).textContent = text; };
  const quit = (text) => show('alert', text);
  fetch(parameters.get('server') + '/session?url=${WORLD}').then((answer) => answer.text()).then((reply) => {
    if (reply.startsWith('Error:')) return quit(reply);
    const client = new WebSocket(reply + '/client');
    client.onopen = () => client.send(JSON.stringify({ start: { url: '${WORLD}' } }));
    client.onclose = () => show('client', 'closed');
    client.onmessage = ({ data }) => {
      const progress = parameters.get('progress');
      if (data.startsWith('webots:')) {
        const stream = data.substring(7);
        const port = stream.substring(stream.lastIndexOf('/') + 1);
        const socket = new WebSocket(stream + '/');
        socket.onopen = () => socket.send('x3d');
        socket.onmessage = (event) => show('stream', event.data);
        fetch(stream.replace('ws', 'http') + '/textures/floor.png').then((answer) => answer.text()).then((text) => show('texture', text));
        fetch(stream.replace('ws', 'http').replace(port, Number(port) + 500) + '/').then((answer) => answer.text()).then((text) => show('editor', text));
      } else if (data.startsWith('error:')) quit(data);
      else if (progress && data.startsWith(progress)) show('progress', data.substring(progress.length).trim());
    };
  }, (error) => quit(String(error)));
`;
const PAGE = `<!doctype html><html lang="en"><title>Simulation</title><link rel="icon" href="data:,">
<p id="progress">Connecting…</p><p id="stream"></p><p id="texture"></p><p id="editor"></p><p id="alert"></p><p id="client"></p><script>${CLIENT}</script></html>`;

test('each of the deployed clients waits, sees its place move as far as it can show it, and gets its stream on the same connection', async (t) => {
  const stream = await simulation(t);
  const server = await ScriptedSimulationServer.start(t, { load: 99 });
  const running = await startGateway(t, [server.port, stream.port, stream.editorPort]);
  server.script = ({ socket }) => {
    socket.send(`webots:wss://localhost:${running.port}/${stream.port}`);
  };
  const ahead = await waiting(t, running.port);
  assert.equal(await ahead.message(1), 'loading: Position 1 in line');
  const pageUrl = await servePage(t);
  const pages: Page[] = [];
  // One after the other, so that each has its place.
  for (const [index, generation] of generations.entries()) {
    const page = await open(t, pageUrl, running.port, generation);
    pages.push(page);
    await eventually(`a client ${generation.name} to wait`, async () => metricOf(running.localUrl, 'waiting', index + 2));
    await shows(page, 'progress', generation.progress === undefined ? 'Connecting…' : `Position ${index + 2} in line`);
  }
  ahead.socket.close();
  for (const [index, { progress }] of generations.entries())
    if (progress !== undefined)
      await shows(page(pages, index), 'progress', new RegExp(`^Position ${index + 1}(?: in line|, about .+)$`));
  assert.equal(server.clients.length, 0, 'no client is sent to a full server');
  server.load = 5;
  for (const page of pages) {
    await shows(page, 'stream', 'frame 1 in x3d');
    await shows(page, 'texture', 'texture /textures/floor.png');
    await shows(page, 'editor', 'editor');
    assert.equal(await page.locator('#alert').textContent(), '');
    assert.equal(await page.locator('#client').textContent(), '', 'the connection stays open');
  }
  assert.deepEqual(
    server.clients.map(({ messages }) => messages),
    generations.map(() => [JSON.stringify({ start: { url: WORLD } })]),
  );
  await page(pages, 0).close();
  await eventually('the end of the session at the server', () => server.openClients === generations.length - 1);
});

function page(pages: readonly Page[], index: number): Page {
  const found = pages[index];
  assert.ok(found !== undefined);
  return found;
}

/** A simulation that runs: its stream, a texture, and the editor on the port 500 above. */
async function simulation(t: TestContext): Promise<{ readonly port: number; readonly editorPort: number }> {
  const web = createServer((request, response) => {
    response.writeHead(200, { 'Access-Control-Allow-Origin': '*' }).end(`texture ${request.url}`);
  });
  const sockets = new WebSocketServer({ server: web });
  sockets.on('connection', (socket) => {
    socket.on('message', (mode: Buffer) => socket.send(`frame 1 in ${mode.toString('utf8')}`));
  });
  const editor = createServer((_, response) => {
    response.writeHead(200, { 'Access-Control-Allow-Origin': '*' }).end('editor');
  });
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    for (const one of [web, editor]) {
      one.closeAllConnections();
      one.close();
    }
  });
  for (;;) {
    await listens(web, 0);
    const { port } = web.address() as AddressInfo;
    if (port + 500 <= 65_535 && (await listens(editor, port + 500))) return { port, editorPort: port + 500 };
    await new Promise((resolve) => web.close(resolve));
  }
}

/** `false`: another program listens there. */
function listens(server: ReturnType<typeof createServer>, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
}

async function startGateway(t: TestContext, ports: readonly number[]) {
  const folder = temporary(t);
  const { cert, key } = makeCertificate({ names: ['localhost'] });
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(tls.cert, cert);
  writeFileSync(tls.key, key);
  const running = await startAppInside(t, {
    ssl: true,
    simulationServers: [`localhost/${ports[0] ?? 0}`],
    allocation: { recent: 0.1 },
    waiting: { relay: true },
    gateway: { enabled: true, port: 0, tls, routes: Object.fromEntries(ports.map((port) => [String(port), '127.0.0.1'])) },
  });
  const localUrl = `http://127.0.0.1:${running.app.port}`;
  await eventually('the load of the fleet', async () => (await (await fetch(`${localUrl}/load`)).text()) !== '-1');
  return { port: running.port, localUrl };
}

/** From another origin, as the pages that embed simulations are. */
async function servePage(t: TestContext): Promise<string> {
  const server = createServer((_, response) => response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(PAGE));
  await listens(server, 0);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function open(t: TestContext, url: string, port: number, { progress }: Generation): Promise<Page> {
  const context = await (await useBrowser(t)).newContext({ ignoreHTTPSErrors: true });
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${url}?${new URLSearchParams({ server: `https://localhost:${port}`, ...(progress && { progress }) })}`);
  return page;
}

async function shows(page: Page, id: string, text: string | RegExp): Promise<void> {
  await eventually(`${id} to show ${text}`, async () => {
    const shown = (await page.locator(`#${id}`).textContent()) ?? '';
    if (typeof text === 'string') assert.equal(shown, text);
    else assert.match(shown, text);
    return true;
  });
}

async function waiting(t: TestContext, port: number): Promise<SocketClient> {
  const client = await new SocketClient(t, `wss://localhost:${port}/relay/client`, { insecure: true }).open();
  client.socket.send(JSON.stringify({ start: { url: WORLD } }));
  return client;
}

async function metricOf(localUrl: string, kind: string, wanted: number): Promise<boolean> {
  const metrics = await (await fetch(`${localUrl}/metrics`)).text();
  return metrics.includes(`session_server_gateway_relays{kind="${kind}"} ${wanted}\n`);
}
