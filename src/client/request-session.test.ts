/** The client in Node.js, over its three transports, against a server whose answers a test writes. In a browser: `test/browser/client.test.ts`. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { WebSocket as NodeWebSocket, WebSocketServer, type WebSocket as ServerSocket } from 'ws';
import { eventually, inTime } from '../../test/support/eventually.ts';
import { requestSession, SessionError, waitForSession, type SessionEvent, type SessionOptions } from './index.ts';

const URL_OF_SERVER = 'wss://sim1.example.org/2000';
const WAITING = { type: 'waiting', position: 2, estimateSeconds: { from: 5, to: 20 }, reason: 'All are busy.' };
const ALLOCATED = {
  type: 'allocated',
  url: URL_OF_SERVER,
  server: 'sim1.example.org:2000',
  expiresAt: '2026-11-22T15:19:24.000Z',
  until: '2026-11-22T16:49:00.000Z',
};

interface Script {
  /** Absent: the server has no WebSocket. `number`: 1 is the first connection. */
  readonly socket?: (socket: ServerSocket, request: IncomingMessage, number: number) => void;
  readonly http?: (request: IncomingMessage, response: ServerResponse, body: string) => void;
}

/** `webSocket`: this Node.js has one, as since version 22. */
async function serve(t: TestContext, { socket, http }: Script, webSocket = true) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push(`${request.method} ${request.url}`);
      if (http === undefined) response.writeHead(404).end();
      else http(request, response, body);
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  const closeCodes: number[] = [];
  let connections = 0;
  server.on('upgrade', (request, stream, head) => {
    requests.push(`socket ${request.url}`);
    if (socket === undefined) stream.end('HTTP/1.1 404 Not Found\r\n\r\n');
    else
      sockets.handleUpgrade(request, stream, head, (opened) => {
        connections += 1;
        opened.on('close', (code) => closeCodes.push(code));
        socket(opened, request, connections);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const before = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
  if (webSocket) Object.defineProperty(globalThis, 'WebSocket', { value: BrowserLikeWebSocket, configurable: true });
  else Reflect.deleteProperty(globalThis, 'WebSocket');
  t.after(() => {
    Reflect.deleteProperty(globalThis, 'WebSocket');
    if (before !== undefined) Object.defineProperty(globalThis, 'WebSocket', before);
    for (const one of sockets.clients) one.terminate();
    server.closeAllConnections();
    server.close();
  });
  return { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, closeCodes };
}

async function eventsOf(options: SessionOptions): Promise<SessionEvent[]> {
  const events: SessionEvent[] = [];
  for await (const event of requestSession(options)) events.push(event);
  return events;
}

const sends = (socket: ServerSocket, message: object) => socket.send(JSON.stringify(message));
const answers = (response: ServerResponse, status: number, body: object, headers = {}) =>
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
/** Pauses of the client last a hundredth. Timers of Node.js itself have arguments. */
function hurry(t: TestContext): void {
  const { setTimeout: real } = globalThis;
  t.mock.method(globalThis, 'setTimeout', (work: () => void, milliseconds = 0, ...more: unknown[]) =>
    real(work, more.length > 0 ? milliseconds : milliseconds / 100, ...more),
  );
}

/** As that of browsers, which throws no errors. */
class BrowserLikeWebSocket extends NodeWebSocket {
  constructor(...values: ConstructorParameters<typeof NodeWebSocket>) {
    super(...values);
    this.on('error', () => undefined);
  }
}

test('over a WebSocket it reports position, estimate and reason, and continues with its token after a lost connection', async (t) => {
  hurry(t);
  const { server, requests, closeCodes } = await serve(t, {
    socket: (socket, { headers }, number) => {
      assert.equal(headers['sec-websocket-protocol'], 'session-server.v1');
      sends(socket, { ...WAITING, resumeToken: 'secret token' });
      if (number === 1) setImmediate(() => socket.terminate());
      else sends(socket, ALLOCATED);
    },
  });
  const events = await eventsOf({ server, project: 'https://github.com/o/r', code: 'ROBO-101' });
  const waiting = { type: 'waiting', position: 2, estimate: { from: 5, to: 20 }, reason: 'All are busy.' };
  const { expiresAt, until, ...allocated } = ALLOCATED;
  assert.deepEqual(events, [
    waiting,
    { type: 'reconnecting', attempt: 1 },
    waiting,
    { ...allocated, expiresAt: new Date(expiresAt), until: new Date(until) },
  ]);
  const path = 'socket /c/ROBO-101/session?url=https';
  assert.deepEqual(requests, [`${path}://github.com/o/r`, `${path}%3A%2F%2Fgithub.com%2Fo%2Fr&resume=secret+token`]);
  await eventually('the second connection to be closed normally', () => closeCodes[1] === 1000);
});

for (const way of ['leaving the loop', 'aborting'] as const)
  test(`${way} gives the place up at once`, async (t) => {
    const { server, closeCodes } = await serve(t, { socket: (socket) => sends(socket, { ...WAITING, resumeToken: 't' }) });
    const abort = new AbortController();
    const reason = new Error('enough');
    const run = async () => {
      for await (const { type } of requestSession({ server, signal: abort.signal })) {
        assert.equal(type, 'waiting');
        if (way === 'leaving the loop') break;
        abort.abort(reason);
      }
    };
    if (way === 'aborting') await assert.rejects(run, reason);
    else await run();
    await eventually('the place to be given up', () => closeCodes[0] === 4000);
  });

test('a refusal is thrown with its code', async (t) => {
  const { server } = await serve(t, {
    socket: (socket) => sends(socket, { type: 'refused', code: 'project-scheme', reason: 'It does not begin with https://.' }),
  });
  await assert.rejects(waitForSession({ server }), (error) => {
    assert.ok(error instanceof SessionError);
    assert.deepEqual([error.code, error.message], ['project-scheme', 'It does not begin with https://.']);
    return true;
  });
});

test('what is neither a message nor the address of a WebSocket is an error of the protocol', async (t) => {
  for (const text of ['queue: 3', '7', JSON.stringify({ ...ALLOCATED, url: 'https://example.org/' })]) {
    const { server } = await serve(t, { socket: (socket) => socket.send(text) });
    await assert.rejects(waitForSession({ server }), { name: 'SessionError', code: 'protocol' });
  }
});

test('without WebSockets it polls; a lost place is asked for again, and labels are sent', async (t) => {
  hurry(t);
  const bodies: Record<string, unknown>[] = [];
  const ticketAnswers = [
    [200, WAITING],
    [404, { code: 'unknown-ticket', reason: 'It has expired.' }],
    [200, ALLOCATED],
  ] as const;
  let polls = 0;
  const { server, requests } = await serve(
    t,
    {
      http: ({ method }, response, body) => {
        if (method === 'POST') {
          bodies.push(JSON.parse(body) as Record<string, unknown>);
          answers(response, 202, { ...WAITING, ticket: `t${bodies.length}`, askAgainSeconds: 2 });
          return;
        }
        const [status, message] = ticketAnswers[polls] ?? [500, {}];
        polls += 1;
        answers(response, status, { ...message, ticket: `t${bodies.length}`, askAgainSeconds: 2 });
      },
    },
    false,
  );
  const events = await eventsOf({ server: `${server}/prefix`, labels: { room: 'B12' } });
  assert.deepEqual(
    events.map(({ type }) => type),
    ['waiting', 'waiting', 'waiting', 'allocated'],
  );
  const path = '/prefix/api/v1/sessions';
  assert.deepEqual(requests, [`POST ${path}`, `GET ${path}/t1`, `GET ${path}/t1`, `POST ${path}`, `GET ${path}/t2`]);
  const [first, second] = bodies;
  assert.deepEqual([first?.['labels'], first?.['wait']], [{ room: 'B12' }, true]);
  assert.match(String(first?.['clientId']), /^\d+(-\d+){3}$/);
  assert.equal(first?.['clientId'], second?.['clientId']);
});

test('a place that was asked for by polling is given up with its ticket, also when the answer comes later', async (t) => {
  const abort = new AbortController();
  const { server, requests } = await serve(
    t,
    {
      http: ({ method }, response) => {
        if (method === 'DELETE') response.writeHead(204).end();
        else {
          abort.abort();
          answers(response, 201, { ...ALLOCATED, ticket: 'late' });
        }
      },
    },
    false,
  );
  await assert.rejects(waitForSession({ server, signal: abort.signal }), { name: 'AbortError' });
  await eventually('the place to be given up', () => requests.includes('DELETE /api/v1/sessions/late'));
});

test('a refusal by the API is thrown with its code, and when to ask again', async (t) => {
  const refusal = { code: 'too-many-requests', reason: 'Slowly.' };
  const { server } = await serve(t, { http: (_, response) => answers(response, 429, refusal, { 'Retry-After': '7' }) });
  await assert.rejects(waitForSession({ server }), { name: 'SessionError', code: 'too-many-requests', retryAfter: 7 });
});

for (const webSocket of [true, false])
  test(`with the original it waits until /session has an address (${webSocket ? 'with' : 'without'} WebSockets)`, async (t) => {
    if (!webSocket) hurry(t);
    let asked = 0;
    let begin: (() => void) | undefined;
    const { server, requests } = await serve(
      t,
      {
        socket: (socket, { url }) => {
          // The original has this one only.
          if (url !== '/') socket.close();
          socket.send('0');
          begin = () => socket.send('1');
        },
        http: ({ url }, response) => {
          if (url?.startsWith('/session') !== true) response.writeHead(404).end('404');
          else if ((asked += 1) === 1) {
            response.end('Error: no simulation server available at the moment.');
            setTimeout(() => begin?.(), 20);
          } else response.end(URL_OF_SERVER);
        },
      },
      webSocket,
    );
    // As a server without this path does.
    const options = { server, project: 'https://github.com/o/r/blob/main/worlds/w.wbt', ...(webSocket && { labels: {} }) };
    const events = await inTime('a session', eventsOf(options));
    assert.deepEqual(events, [
      { type: 'waiting', reason: 'no simulation server available at the moment.' },
      { type: 'allocated', url: URL_OF_SERVER },
    ]);
    const ask = 'GET /session?url=https://github.com/o/r/blob/main/worlds/w.wbt';
    assert.deepEqual(
      requests.filter((request) => request.startsWith('GET')),
      [ask, ask],
    );
  });

test('an error of the original that waiting does not change is thrown', async (t) => {
  const { server } = await serve(
    t,
    { http: ({ url }, response) => response.writeHead(url === '/session' ? 200 : 404).end('Error: bad project.') },
    false,
  );
  await assert.rejects(waitForSession({ server }), { code: 'refused', message: 'bad project.' });
});

test('a server that cannot be reached is tried seven times', async (t) => {
  hurry(t);
  const { server } = await serve(t, { http: ({ socket }) => socket.destroy() }, false);
  const events: SessionEvent[] = [];
  await assert.rejects(waitForSession({ server, onChange: (event) => events.push(event) }), { code: 'network' });
  assert.deepEqual(
    events.map((event) => event.type === 'reconnecting' && event.attempt),
    [1, 2, 3, 4, 5, 6],
  );
});

test('a storage keeps the place until the request has its outcome, and one that fails is passed over', async (t) => {
  const kept = new Map<string, string>();
  const resume = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  const script: Script = {
    socket: (socket, { url }) => {
      sends(socket, { ...WAITING, resumeToken: 'token' });
      if (url?.includes('resume=token') === true) sends(socket, ALLOCATED);
    },
  };
  const { server } = await serve(t, script);
  const first = requestSession({ server, resume });
  await first.next();
  assert.deepEqual([...kept.values()], ['token']);
  // The page is loaded again.
  assert.equal((await eventsOf({ server, resume })).at(-1)?.type, 'allocated');
  assert.equal(kept.size, 0);
  await first.return();

  const fails = (): never => {
    throw new Error('forbidden');
  };
  const broken = { getItem: fails, setItem: fails, removeItem: fails };
  const events = requestSession({ server, resume: broken });
  assert.equal((await events.next()).value?.type, 'waiting');
  await events.return();
});
