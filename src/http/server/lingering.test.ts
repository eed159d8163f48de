import assert from 'node:assert/strict';
import { Hono } from 'hono';
import { test, type TestContext } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { RawConnection, requestText } from '../../../test/support/raw-http.ts';
import { bodyLimit } from './body-limit.ts';
import { unsharedPlaces } from './connection-places.ts';
import { toListener, type Env } from './routes.ts';
import { startHttpServer } from './server.ts';

/** A server with one route that takes few bytes, and answers with what it got. */
async function start(t: TestContext) {
  const routes = new Hono<Env>();
  const limit = bodyLimit({ maxSize: 100_000, onError: (c) => c.text('too large', 413) });
  routes.post('/', limit, async (c) => c.text(`got ${(await c.req.text()).length}`));
  routes.get('/', (c) => c.text('read'));
  const server = await startHttpServer({
    ...{ host: '127.0.0.1', port: 0, limits: { headerBytes: 16_384, headerTimeout: 10 }, maxClients: () => 100 },
    addressOf: () => ({ address: '127.0.0.1', limitKey: undefined }),
    ...{ places: unsharedPlaces(), handle: toListener(routes), upgrade: () => undefined, turnedAway: () => undefined },
  });
  t.after(() => server.close(0));
  return new RawConnection(t, server.port);
}

for (const [title, framing, body] of [
  ['with a length', 'Content-Length: 12000000', 'x'.repeat(12_000_000)],
  ['in chunks', 'Transfer-Encoding: chunked', `ffff\r\n${'x'.repeat(0xffff)}\r\n`.repeat(180) + '0\r\n\r\n'],
] as const)
  test(`a client that sends too large a body ${title} and reads afterwards gets the refusal, though the connection then ends`, async (t) => {
    const client = await start(t);
    let sent = false;
    let isReset = false;
    client.socket.pause();
    client.socket.once('error', () => (isReset = true));
    client.socket.write(requestText('POST /', 'Connection: close', framing));
    client.socket.write(body, () => (sent = true));
    await eventually('all to be sent', () => sent);
    client.socket.resume();
    await client.closed;
    assert.match(client.received, /^HTTP\/1\.1 413 [^]*too large$/);
    assert.equal(isReset, false);
  });

test('a client that sends without end is refused and disconnected', async (t) => {
  const client = await start(t);
  client.send(requestText('POST /', 'Content-Length: 1000000000'));
  const block = Buffer.alloc(1_000_000, 'x');
  const send = () => {
    while (!client.socket.destroyed && client.socket.write(block));
  };
  client.socket.on('drain', send);
  send();
  await client.closed;
});

test('a body in far too many chunks ends its connection', async (t) => {
  const client = await start(t);
  client.send(`${requestText('POST /', 'Transfer-Encoding: chunked')}${'1\r\nx\r\n'.repeat(50_000)}`);
  await client.closed;
  assert.equal(client.received, '');
});

test('a body in one-byte chunks is read as any other, and the next request is served on the same connection', async (t) => {
  const client = await start(t);
  client.send(`${requestText('POST /', 'Transfer-Encoding: chunked')}${'1\r\nx\r\n'.repeat(5000)}0\r\n\r\n`);
  assert.equal((await client.response()).body, 'got 5000');
  assert.equal((await client.send(`${requestText('GET /', 'Content-Length: 4')}body`).response()).body, 'read');
  assert.equal((await client.send(`${requestText('POST /', 'Content-Length: 4')}body`).response()).body, 'got 4');
});
