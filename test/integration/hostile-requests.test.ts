/** Requests that no decent client sends, all at one program, which has to answer the decent ones all the while. */
import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { eventually, inTime } from '../support/eventually.ts';
import { RawConnection, rawRequest, requestText } from '../support/raw-http.ts';
import { startProgram } from '../support/start-program.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const scope = { after };
const server = await startSimulationServer(scope, 20);
const program = await startProgram(scope, {
  simulationServers: [server.address],
  // Room for hundreds of sessions.
  allocation: { cost: 0.3, learning: false, target: 200 },
  limits: { headerBytes: 8192, headerTimeout: 1 },
});
const url = `ws://${server.address}`;
await eventually('the load', async () => (await program.get('/load')) === '20');
const MEGABYTE = 1024 * 1024;

afterEach(async () => {
  assert.equal(await program.get('/session'), url, 'decent clients are served');
  assert.equal(program.stderr, '');
});

describe('headers', () => {
  test('that are too long are refused with 431', async (t) => {
    const { status, headers } = await rawRequest(t, program.port, requestText('GET /session', `X-Long: ${'a'.repeat(9000)}`));
    assert.equal(status, 431);
    assert.equal(headers['connection'], 'close');
  });

  test('that are many are refused with 431', async (t) => {
    const many = Array.from({ length: 2000 }, (_, i) => `X-${i}: a`);
    assert.equal((await rawRequest(t, program.port, requestText('GET /session', ...many))).status, 431);
  });

  test('that never end are refused with 431 as soon as they are too long', async (t) => {
    const connection = new RawConnection(t, program.port).send(`GET /session?${'a'.repeat(16_000)}`);
    assert.equal((await connection.response()).status, 431);
    await inTime('the end of the connection', connection.closed);
  });

  test('just within the limit are taken', async (t) => {
    const { body } = await rawRequest(t, program.port, requestText('GET /session', `X-Long: ${'a'.repeat(7900)}`));
    assert.equal(body, url);
  });
});

describe('slow clients', () => {
  for (const [what, beginning] of [
    ['that stop in the middle of the headers', 'GET /session HTTP/1.1\r\nHost: loc'],
    ['that never speak', ''],
    ['that stop after a complete request and half of the next', `${requestText('GET /load')}GET /se`],
  ] as const) {
    test(`${what} are answered with 408 and disconnected`, async (t) => {
      const connection = new RawConnection(t, program.port).send(beginning);
      if (beginning.includes('\r\n\r\n')) assert.equal((await connection.response()).body, '20');
      assert.equal((await connection.response()).status, 408);
      await inTime('the end of the connection', connection.closed);
    });
  }

  test('that send a header a moment, without an end, are disconnected', async (t) => {
    const connection = new RawConnection(t, program.port).send('GET /session HTTP/1.1\r\n');
    const timer = setInterval(() => connection.send('X-A: a\r\n'), 100);
    connection.socket.once('close', () => clearInterval(timer));
    assert.equal((await connection.response()).status, 408);
    await inTime('the end of the connection', connection.closed);
  });
});

describe('bodies', () => {
  test('of 10 MB are rejected', async (t) => {
    const before = program.memory;
    const connection = new RawConnection(t, program.port);
    connection.send(requestText('POST /session', `Content-Length: ${10 * MEGABYTE}`));
    assert.equal((await connection.response()).status, 405);
    for (let sent = 0; sent < 10; sent += 1) connection.send(Buffer.alloc(MEGABYTE, 0x61));
    await eventually(
      '10 MB to be sent, or the end of the connection',
      () => connection.socket.writableLength === 0 || connection.socket.destroyed,
    );
    assert.ok(program.memory - before < 50 * MEGABYTE, `${(program.memory - before) / MEGABYTE} MB more`);
  });

  test('in chunks without end do not fill the memory, and the connection ends', async (t) => {
    const before = program.memory;
    const connection = new RawConnection(t, program.port).send(requestText('POST /session', 'Transfer-Encoding: chunked'));
    assert.equal((await connection.response()).status, 405);
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, 0x61), Buffer.from('\r\n')]);
    let sent = 0;
    const pump = () => {
      while (!connection.socket.destroyed && sent < 64 * MEGABYTE) {
        sent += chunk.length;
        if (!connection.socket.write(chunk)) {
          connection.socket.once('drain', pump);
          return;
        }
      }
    };
    pump();
    await eventually('the end of the connection, or of the 64 MB', () => connection.socket.destroyed || sent >= 64 * MEGABYTE);
    assert.ok(program.memory - before < 50 * MEGABYTE, `${(program.memory - before) / MEGABYTE} MB more`);
  });

  test('of GET requests are ignored', async (t) => {
    const connection = new RawConnection(t, program.port);
    connection.send(`${requestText('GET /load', 'Content-Length: 5')}hello${requestText('GET /')}`);
    assert.equal((await connection.response()).body, '20');
    assert.equal((await connection.response()).body, '1');
  });

  test('with two lengths, or a length and chunks, are refused: nothing is smuggled past a reverse proxy', async (t) => {
    for (const headers of [
      ['Content-Length: 5', 'Content-Length: 6'],
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked, identity'],
      ['Content-Length: -1'],
      ['Content-Length: 5, 5'],
      ['Transfer-Encoding : chunked'],
    ]) {
      const smuggled = `${requestText('GET /load', ...headers)}0\r\n\r\n${requestText('GET /nothing')}`;
      const connection = new RawConnection(t, program.port).send(smuggled);
      const { status } = await connection.response();
      assert.equal(status, 400, headers.join());
      await inTime('the end of the connection', connection.closed);
      assert.equal(connection.received, '', headers.join());
    }
  });
});

describe('lines that are not requests', () => {
  for (const [what, bytes] of [
    ['not HTTP', 'hello\r\n\r\n'],
    ['TLS on the plain port', Buffer.from('16030100c8010000c40303', 'hex')],
    ['a bare carriage return in the target', 'GET /session\rX: 1 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a zero character in the target', 'GET /session\0 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a header without a name', 'GET /session HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n'],
    ['a header with a zero character', 'GET /session HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n'],
    ['a header that is folded', 'GET /session HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n'],
    ['no Host in HTTP/1.1', 'GET /session HTTP/1.1\r\n\r\n'],
    ['a version that does not exist', 'GET /session HTTP/9.9\r\nHost: a\r\n\r\n'],
    ['the beginning of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['characters beyond ASCII in the target', Buffer.from('GET /session?a=\xff HTTP/1.1\r\nHost: a\r\n\r\n', 'latin1')],
  ] as const) {
    test(`${what}: refused with 400, and the connection ends`, async (t) => {
      const connection = new RawConnection(t, program.port).send(bytes);
      assert.equal((await connection.response()).status, 400);
      await inTime('the end of the connection', connection.closed);
    });
  }

  test('CONNECT is refused with 405: the program is not a forward proxy', async (t) => {
    const connection = new RawConnection(t, program.port).send(
      'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n',
    );
    assert.equal((await connection.response()).status, 405);
    await inTime('the end of the connection', connection.closed);
  });

  test('the absolute form for another host is answered by the session server, never forwarded', async (t) => {
    const before = server.connections;
    const { status } = await rawRequest(t, program.port, requestText(`GET http://${server.address}/secret`));
    assert.equal(status, 404);
    assert.equal(server.connections, before);
  });

  for (const target of [
    '*',
    'ftp://a/session',
    'http://',
    'session',
    'http://[::1',
    '//',
    '/?',
    '/session?url=http://[',
    'http:///session',
  ]) {
    test(`the target ${target} does no harm`, async (t) => {
      const { status } = await rawRequest(t, program.port, requestText(`GET ${target}`));
      assert.ok([200, 400, 404].includes(status), String(status));
    });
  }
});

describe('headers with a special meaning to other programs', () => {
  test('line breaks in the query, encoded, reach neither the headers nor the log', async (t) => {
    const forged = 'x%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a2026-01-01 00:00:00,000 [INFO   ]  forged'.replaceAll(' ', '%20');
    const { head, body } = await rawRequest(t, program.port, requestText(`GET /session?url=${forged}`));
    assert.doesNotMatch(head, /set-cookie/i);
    assert.doesNotMatch(body, /[\r\n]/);
    for (const line of program.log.trim().split('\n'))
      assert.match(line, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[[A-Z ]{7}\] {2}(?!forged)/);
  });

  test('a client with a host that is not valid is served', async (t) => {
    for (const host of [
      'a b',
      'x/y',
      '<script>',
      'a@b',
      'http://a',
      '\xff\xfe',
      'a:99999999',
      '[',
      '..',
      '%00',
      'x'.repeat(3000),
    ]) {
      const request = Buffer.from(`GET /session HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 'latin1');
      const { status, body } = await rawRequest(t, program.port, request);
      assert.deepEqual([status, body], [200, url], host.slice(0, 30));
    }
  });

  test('an upgrade to what is not there is refused below /api as everything is there: with a code', async (t) => {
    const upgrade = (path: string, ...headers: string[]) =>
      rawRequest(t, program.port, requestText(path, 'Connection: Upgrade', ...headers));
    for (const path of ['/api/v1/servers', '/api/v1/nothing', 'http://localhost/api/v1/servers']) {
      const { status, headers, body } = await upgrade(`GET ${path}`, 'Upgrade: websocket');
      assert.deepEqual([status, headers['content-type']], [404, 'application/json'], path);
      assert.deepEqual(JSON.parse(body), { code: 'not-found', reason: 'There is no WebSocket at this path.' });
    }
    const { status, body } = await upgrade('POST /api/v1/sessions', 'Upgrade: h2c', 'Content-Length: 2');
    assert.deepEqual([status, (JSON.parse(body) as { code: string }).code], [400, 'bad-request']);
    assert.equal((await upgrade('GET /nothing', 'Upgrade: websocket')).body, 'There is no WebSocket at this path.\n');
  });

  test('Expect: 100-continue is answered', async (t) => {
    const connection = new RawConnection(t, program.port).send(requestText('GET /load', 'Expect: 100-continue'));
    const first = await connection.response();
    assert.equal((first.status === 100 ? await connection.response() : first).body, '20');
  });

  test('an expectation that cannot be met is refused with 417', async (t) => {
    const ask = (path: string) => rawRequest(t, program.port, requestText(`GET ${path}`, 'Expect: a miracle'));
    assert.equal((await ask('/load')).status, 417);
    const { status, body } = await ask('/api/v1/availability');
    assert.deepEqual([status, (JSON.parse(body) as { code: string }).code], [417, 'expectation-failed']);
  });

  test('a request with a body that offers another protocol is refused, not misread', async (t) => {
    const text = requestText('POST /session', 'Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 2');
    assert.equal((await rawRequest(t, program.port, `${text}{}`)).status, 400);
  });

  test('a thousand forwarded addresses are read no further than is sensible', async (t) => {
    const chain = Array.from({ length: 1500 }, () => '1.1').join(',');
    assert.equal((await rawRequest(t, program.port, requestText('GET /session', `X-Forwarded-For: ${chain}`))).body, url);
  });
});

test('whatever the query says, the answer has status 200 and is a URL or one line that begins with Error:', async (t) => {
  const connection = new RawConnection(t, program.port);
  const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
  const encoded = fc.integer({ min: 0, max: 255 }).map((code) => `%${code.toString(16).padStart(2, '0')}`);
  const meant = fc.constantFrom(
    'url=',
    '&',
    '=',
    'https://github.com/',
    '/blob/',
    '.wbt',
    '..',
    '%2e%2e',
    '%',
    '%u0000',
    '?',
    '[]',
    '__proto__',
  );
  const query = fc.array(fc.oneof(visible, encoded, meant), { maxLength: 60 }).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(query, async (text) => {
      const { status, body } = await connection.send(requestText(`GET /session?${text}`)).response();
      assert.equal(status, 200);
      assert.match(body, /^(?:ws:\/\/127\.0\.0\.1:\d+|Error: [^\r\n]+)$/);
    }),
    { numRuns: 150 },
  );
});

test('a client that sends requests by the thousand and waits for no answer is disconnected, and delays no other', async (t) => {
  const before = program.memory;
  const connection = new RawConnection(t, program.port);
  connection.socket.pause();
  for (let i = 0; i < 40; i += 1) connection.send(requestText('GET /load').repeat(2000));
  const [answer] = await Promise.all([program.get('/load'), inTime('the end of the connection', connection.closed)]);
  assert.equal(answer, '20');
  assert.ok(program.memory - before < 50 * MEGABYTE, `${(program.memory - before) / MEGABYTE} MB more`);
});

test('fifty pipelined requests do not disconnect a client', async (t) => {
  const connection = new RawConnection(t, program.port).send(requestText('GET /load').repeat(50));
  for (let i = 0; i < 50; i += 1) assert.equal((await connection.response()).body, '20');
  connection.send(requestText('GET /load').repeat(50));
  for (let i = 0; i < 50; i += 1) assert.equal((await connection.response()).body, '20');
});

test('clients that go away in the middle of everything leave nothing behind', async (t) => {
  const connections = async () => Number(/^session_server_connections (\d+)$/m.exec(await program.get('/metrics'))?.[1]);
  for (let i = 0; i < 50; i += 1) {
    const connection = new RawConnection(t, program.port).send(requestText('GET /session').slice(0, i));
    connection.socket.once('connect', () => connection.socket.resetAndDestroy());
  }
  // The one that asks is one itself, and may have a second one open.
  await eventually('all of them to be forgotten', async () => (await connections()) <= 2);
});
