/**
 * What a simulation server sends reaches the client at once, and the reverse. One side always waits until the other has
 * what was sent before, so a gateway that holds something back never ends the test.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { bareServer } from '../support/bare-server.ts';
import { eventually } from '../support/eventually.ts';
import { RawConnection, requestText } from '../support/raw-http.ts';
import { startAppInside } from '../support/start-app.ts';

/** A simulation server, and the connection that the gateway opened to it last. */
async function scene(t: TestContext) {
  const inside: { socket?: Socket; received: string } = { received: '' };
  const server = await bareServer(t, (socket) => {
    Object.assign(inside, { socket, received: '' });
    socket.on('data', (bytes: Buffer) => (inside.received += bytes.toString('latin1')));
  });
  const { port } = await startAppInside(t, { gateway: { enabled: true, port: 0, routes: { [String(server)]: '127.0.0.1' } } });
  /** Sends a request and waits until its head is at the server. */
  async function send(request: string): Promise<RawConnection> {
    inside.received = '';
    const client = new RawConnection(t, port).send(request);
    await eventually('the head of the request', () => inside.received.includes('\r\n\r\n'));
    return client;
  }
  return {
    inside,
    ask: (request: string, ...headers: string[]) => send(requestText(request.replace('/', `/${server}/`), ...headers)),
    askOld: () => send(`GET /${server}/x HTTP/1.0\r\n\r\n`),
    say: (text: string) => inside.socket?.write(text),
  };
}

const HINT = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n';

function hears(client: RawConnection, what: RegExp): Promise<unknown> {
  return eventually(`${what} after ${JSON.stringify(client.received)}`, () => what.test(client.received));
}

test('the head of a response arrives before its body is sent', async (t) => {
  const { ask, say } = await scene(t);
  for (const framing of ['Content-Length: 5', 'Transfer-Encoding: chunked', 'Connection: close']) {
    const client = await ask('GET /x');
    say(`HTTP/1.1 200 OK\r\n${framing}\r\nX-Head: 1\r\n\r\n`);
    await hears(client, /X-Head: 1\r\n[^]*\r\n\r\n$/);
    say(framing.startsWith('Transfer') ? '5\r\nhello\r\n' : 'hello');
    await hears(client, /hello/);
  }
});

test('each event of a stream arrives before the next one is sent', async (t) => {
  const { ask, say } = await scene(t);
  const client = await ask('GET /events', 'Accept: text/event-stream');
  say('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
  for (const event of ['data: 1\n\n', ':\n', 'data: 2\n\n']) {
    say(event);
    await hears(client, new RegExp(event));
  }
});

test('informational responses arrive before the response, without headers that reach beyond the port', async (t) => {
  const { ask, say } = await scene(t);
  const client = await ask('GET /page');
  say('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nSet-Cookie: a=1; Path=/\r\n\r\n');
  await hears(client, /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\n$/);
  say('HTTP/1.1 102 Processing\r\n\r\n');
  await hears(client, /HTTP\/1\.1 102 Processing\r\n\r\n$/);
  say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  await hears(client, /HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/);
});

test('a client of HTTP/1.0 gets no informational response', async (t) => {
  const { askOld, say } = await scene(t);
  const client = await askOld();
  say(HINT);
  say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  await hears(client, /^HTTP\/1\.1 200 OK\r\n[^]*ok$/);
});

test('a server that sends informational responses without end is given up', async (t) => {
  const { ask, say } = await scene(t);
  const client = await ask('GET /page');
  say(HINT.repeat(17));
  await hears(client, /HTTP\/1\.1 502 /);
  assert.equal(client.received.split('103 Early Hints').length - 1, 16);
});

test('each part of a request arrives before the next one is sent', async (t) => {
  const { ask, inside } = await scene(t);
  for (const framing of ['Content-Length: 6', 'Transfer-Encoding: chunked']) {
    const client = await ask('POST /x', framing);
    for (const part of ['one', 'two']) {
      client.send(framing.startsWith('Transfer') ? `3\r\n${part}\r\n` : part);
      await eventually(`${part} at the server`, () => inside.received.includes(part));
    }
  }
});

test('a response may come before the end of its request', async (t) => {
  const { ask, say } = await scene(t);
  const client = await ask('POST /x', 'Content-Length: 6');
  say('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n');
  await hears(client, /401 Unauthorized/);
  say('no');
  await hears(client, /no$/);
});

test('the first frame of a WebSocket arrives with its opening, and each part of a frame before the next', async (t) => {
  const { ask, say } = await scene(t);
  const client = await ask(
    'GET /',
    ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='],
  );
  say('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst');
  await hears(client, /^HTTP\/1\.1 101 [^]*\r\n\r\nfirst$/);
  for (const part of ['half', 'whole']) {
    say(part);
    await hears(client, new RegExp(`${part}$`));
  }
});
