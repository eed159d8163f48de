import { lookup } from 'node:dns';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { makeCertificate } from '../../test/support/certificate.ts';
import { startConnectProxy } from '../../test/support/connect-proxy.ts';
import type { Affected, Notification } from '../core/incidents/incidents.ts';
import type { OutsideFailure } from '../ports.ts';
import { createWebhookNotifier, webhookBody, type WebhookOptions } from './webhook.ts';

const NOW = 1_795_360_704;
const LINK = 'https://example.org/1999/monitor';
const never = new AbortController().signal;

const down: Notification = {
  id: 'n-1',
  kind: 'down',
  at: NOW,
  servers: [{ id: 's:2000', address: 's/2000', reason: 'it did not answer within 4 s', began: NOW - 9 }],
};

interface Received {
  readonly url: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A real receiver; `answer` is called when the whole request is there. */
async function receiver(t: TestContext, answer: RequestListener = (_request, response) => response.end('ok')) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url = '', method = '', headers } = request;
      received.push({ url, method, headers, body: Buffer.concat(chunks).toString('utf8') });
      answer(request, response);
    });
  });
  return { received, port: await listen(t, server) };
}

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

function notifierFor(t: TestContext, port: number, options: Partial<WebhookOptions> = {}) {
  const url = `http://127.0.0.1:${port}/hook/x?token=t`;
  const notifier = createWebhookNotifier({ name: 'webhook test', url, monitorUrl: LINK, lookup, patience: 5, ...options });
  t.after(() => notifier.close());
  return notifier;
}

async function failureOf(sending: Promise<void>): Promise<OutsideFailure> {
  try {
    await sending;
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && typeof error.code === 'string');
    return error as OutsideFailure;
  }
  assert.fail('the notification was accepted');
}

test('a webhook goes through the proxy, and a refusal of the proxy is reported as such', async (t) => {
  const proxy = await startConnectProxy(t);
  const { received, port } = await receiver(t);
  const notifier = createWebhookNotifier({
    ...{ name: 'webhook', url: `http://hooks.example:${port}/`, monitorUrl: LINK, lookup },
    proxies: { http: proxy.url, except: '' },
  });
  t.after(() => notifier.close());
  await notifier.notify(down, never);
  assert.equal(received.length, 1);
  assert.deepEqual(proxy.tunnels, [`hooks.example:${port}`]);
  proxy.status = 407;
  await assert.rejects(notifier.notify(down, never), { code: 'webhook-proxy' });
});

test('a notification is posted as JSON with the documented fields', async (t) => {
  const { received, port } = await receiver(t);
  await notifierFor(t, port).notify(down, never);
  const [request] = received;
  assert.ok(request);
  assert.equal(request.method, 'POST');
  assert.equal(request.url, '/hook/x?token=t');
  assert.equal(request.headers['content-type'], 'application/json');
  assert.equal(request.headers['x-session-server-signature'], undefined);
  assert.deepEqual(JSON.parse(request.body), {
    version: 1,
    id: 'n-1',
    kind: 'down',
    time: '2026-11-22T15:18:24.000Z',
    subject: 'Simulation server not responding',
    text: 's/2000 simulation server may be down, as it is not responding to the requests of the session server...\n\nIt did not answer within 4 s.',
    servers: [
      {
        id: 's:2000',
        address: 's/2000',
        load: null,
        reason: 'it did not answer within 4 s',
        began: '2026-11-22T15:18:15.000Z',
        lasted: null,
      },
    ],
    omitted: 0,
    monitor: LINK,
  });
});

test('with a secret the exact bytes of the body are signed', async (t) => {
  const { received, port } = await receiver(t);
  const secret = 'a secret \u00e9';
  const address = '\u65e5\u672c/2000';
  await notifierFor(t, port, { secret }).notify({ ...down, servers: [{ id: 'x', address }] }, never);
  const [request] = received;
  assert.ok(request);
  assert.ok(request.body.includes(address));
  const expected = createHmac('sha256', secret).update(request.body, 'utf8').digest('hex');
  assert.equal(request.headers['x-session-server-signature'], `sha256=${expected}`);
});

test('the headers of the operator are sent, but not those that would break the message or forge its signature', async (t) => {
  const { received, port } = await receiver(t);
  const headers = {
    Authorization: 'Bearer abc',
    'Content-Length': '3',
    'Transfer-Encoding': 'chunked',
    'Content-Type': 'text/html',
    'X-Room': 'B12',
  };
  await notifierFor(t, port, { headers }).notify(down, never);
  const [request] = received;
  assert.ok(request);
  assert.equal(request.headers.authorization, 'Bearer abc');
  assert.equal(request.headers['x-room'], 'B12');
  assert.equal(request.headers['content-type'], 'application/json');
  assert.equal(request.body, webhookBody(down, LINK));
});

test('a login in the URL becomes an Authorization header', async (t) => {
  const { received, port } = await receiver(t);
  await notifierFor(t, port, { url: `http://me:p%40ss@127.0.0.1:${port}/` }).notify(down, never);
  assert.equal(received[0]?.headers.authorization, `Basic ${Buffer.from('me:p@ss').toString('base64')}`);
});

for (const [status, code, permanent] of [
  [400, 'webhook-refused', true],
  [401, 'webhook-refused', true],
  [404, 'webhook-refused', true],
  [410, 'webhook-refused', true],
  [408, 'webhook-busy', false],
  [425, 'webhook-busy', false],
  [429, 'webhook-busy', false],
  [500, 'webhook-busy', false],
  [503, 'webhook-busy', false],
] as const) {
  test(`the answer ${status} is a failure that is ${permanent ? 'permanent' : 'tried again soon'}`, async (t) => {
    const { port } = await receiver(t, (_request, response) => response.writeHead(status).end('no such\r\nroom'));
    const failure = await failureOf(notifierFor(t, port).notify(down, never));
    assert.equal(failure.code, code);
    assert.equal(failure.permanent, permanent);
    assert.ok(failure.message.includes(String(status)), failure.message);
    assert.doesNotMatch(failure.message, /[\r\n]/);
  });
}

for (const status of [200, 202, 204]) {
  test(`the answer ${status} is success`, async (t) => {
    const { received, port } = await receiver(t, (_request, response) => response.writeHead(status).end());
    await notifierFor(t, port).notify(down, never);
    assert.equal(received.length, 1);
  });
}

test('a redirect is not followed', async (t) => {
  const elsewhere = await receiver(t);
  const { port } = await receiver(t, (_request, response) =>
    response.writeHead(307, { location: `http://127.0.0.1:${elsewhere.port}/` }).end(),
  );
  const failure = await failureOf(notifierFor(t, port, { secret: 'secret secret' }).notify(down, never));
  assert.equal(failure.code, 'webhook-redirect');
  assert.equal(failure.permanent, true);
  assert.deepEqual(elsewhere.received, []);
});

test('an endless answer is not read to its end: the status alone counts', async (t) => {
  const { port } = await receiver(t, (_request, response) => {
    const more = () => {
      while (response.writable && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  });
  await notifierFor(t, port).notify(down, never);
});

for (const [what, answer] of [
  ['never answers', () => undefined],
  ['sends headers and never a body', (_request, response) => response.writeHead(200, { 'content-length': '10' }).flushHeaders()],
] as const satisfies readonly (readonly [string, RequestListener])[]) {
  test(`a receiver that ${what} is given up after a time limit`, async (t) => {
    const { port } = await receiver(t, answer);
    const failure = await failureOf(notifierFor(t, port, { patience: 0.1 }).notify(down, never));
    assert.equal(failure.code, 'webhook-timeout');
    assert.ok(!failure.permanent);
  });
}

test('an aborted attempt ends at once', async (t) => {
  const aborting = new AbortController();
  const { port } = await receiver(t, () => {
    aborting.abort();
  });
  await assert.rejects(notifierFor(t, port).notify(down, aborting.signal));
});

test('a receiver that drops the connection, or is not there, is tried again later', async (t) => {
  const { port } = await receiver(t, (request) => request.socket.destroy());
  const dropped = await failureOf(notifierFor(t, port).notify(down, never));
  assert.deepEqual([dropped.code, dropped.permanent], ['webhook-closed', false]);

  const gone = createServer();
  gone.listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port: free } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, 'close');
  const refused = await failureOf(notifierFor(t, free).notify(down, never));
  assert.deepEqual([refused.code, refused.permanent], ['webhook-unreachable', false]);
});

test('a certificate that no known authority signed is refused, with the fix', async (t) => {
  const received: string[] = [];
  const server = createTlsServer(makeCertificate({ names: ['127.0.0.1'] }), (request, response) => {
    received.push(request.url ?? '');
    response.end();
  });
  const port = await listen(t, server);
  const failure = await failureOf(notifierFor(t, port, { url: `https://127.0.0.1:${port}/` }).notify(down, never));
  assert.equal(failure.code, 'webhook-certificate');
  assert.equal(failure.permanent, true);
  assert.match(failure.message, /NODE_EXTRA_CA_CERTS/);
  assert.deepEqual(received, []);
});

test('the first of thousands of servers are listed and the rest counted', () => {
  const servers = Array.from({ length: 5000 }, (_, index): Affected => ({ id: `s${index}`, address: `s${index}/2000` }));
  const body = JSON.parse(webhookBody({ ...down, servers }, LINK)) as { servers: unknown[]; omitted: number; text: string };
  assert.equal(body.servers.length, 200);
  assert.equal(body.omitted, 4800);
  assert.match(body.text, /\.\.\. and 4800 more\.$/m);
});

test('each format is the message that its chat service accepts', async (t) => {
  const servers = Array.from({ length: 100 }, (_, i) => ({ id: `s${i}:2000`, address: `<s${i}&@everyone>/2000` }));
  const { received, port } = await receiver(t);
  for (const format of ['json', 'slack', 'discord', 'teams'] as const)
    await notifierFor(t, port, { format }).notify({ ...down, servers }, never);
  const bodies = received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  assert.deepEqual(
    bodies.map((body) => Object.keys(body).slice(0, 2)),
    [['version', 'id'], ['text'], ['content', 'allowed_mentions'], ['type', 'attachments']],
  );
  const [, slack, discord, teams] = bodies;
  assert.match(String(slack?.text), /^Simulation server.*\n.*&lt;s0&amp;@\u2060everyone&gt;\/2000/);
  assert.ok(!/[<>]/.test(String(slack?.text)));
  assert.ok(String(discord?.content).endsWith(`…\n${LINK}`) && String(discord?.content).length <= 2000);
  assert.deepEqual(discord?.allowed_mentions, { parse: [] });
  const [card] = teams?.attachments as {
    contentType: string;
    content: { type: string; body: { type: string; inlines: { type: string; text: string }[] }[] };
  }[];
  assert.equal(card?.contentType, 'application/vnd.microsoft.card.adaptive');
  assert.match(card.content.body[0]?.inlines[0]?.text ?? '', /^Simulation server/);
  assert.deepEqual(card.content.body.at(-1)?.inlines, [{ type: 'TextRun', text: LINK }], 'the link is the last line');
});

test('what a simulation server says is not a link, picture or mention in a chat, and the link of the operator is one', async (t) => {
  const { received, port } = await receiver(t);
  const reason = 'it says "![x](https://evil.example/p.png) [sign in](https://evil.example) @all **now** `x`"';
  for (const format of ['slack', 'discord', 'teams'] as const)
    await notifierFor(t, port, { format, monitorUrl: 'https://example.org/my_monitor_1/monitor' }).notify(
      { ...down, servers: [{ id: 's:2000', address: 's/2000', reason }] },
      never,
    );
  const [slack = '', discord = '', teams = ''] = received.map(({ body }) => body);
  const { text } = JSON.parse(slack) as { readonly text: string };
  assert.doesNotMatch(text, /\]\(|@all/);
  const { content } = JSON.parse(discord) as { readonly content: string };
  assert.doesNotMatch(content, /(?<!\\)[[\]()*`]/);
  for (const chat of [text, content]) assert.match(chat, /\nhttps:\/\/example\.org\/my_monitor_1\/monitor$/);
  assert.doesNotMatch(teams, /"TextBlock"/, 'a TextBlock is Markdown');
  assert.ok(teams.includes('[sign in](https://evil.example)'), 'as it was said');
});
