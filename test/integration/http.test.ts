/** docs/design/protocol.md, "HTTP", row by row, against the real program. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { hashOf } from '../../src/config/token.ts';
import { eventually } from '../support/eventually.ts';
import { RawConnection, rawRequest, requestText } from '../support/raw-http.ts';
import { startProgramInside } from '../support/start-program-inside.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const scope = { after };
const NOTHING = 'Error: no simulation server available at the moment.';
const busy = await startSimulationServer(scope, 30.5);
const free = await startSimulationServer(scope, 20.5);
/** Two servers, of which the second is asked first; learning and bookings must not change the choice in the course of the tests. */
const program = await startProgramInside(scope, {
  simulationServers: [busy.address, free.address],
  allocation: { cost: 0.3, learning: false },
});
const empty = await startProgramInside(scope, { simulationServers: ['127.0.0.1:9'] });
await eventually('the mean of both loads', async () => (await program.get('/load')) === '25.5');

const url = `ws://${free.address}`;
const ask = (line: string, ...headers: string[]) => rawRequest(scope, program.port, requestText(line, ...headers));

describe('GET /session', () => {
  test('answers exactly scheme and address of the least loaded server, without a line break', async () => {
    const { status, body, headers } = await ask('GET /session');
    assert.equal(status, 200);
    assert.equal(body, url);
    assert.equal(headers['content-length'], String(url.length));
  });

  test('is text that is not cached and every page may read', async () => {
    const { headers } = await ask('GET /session');
    assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['access-control-allow-headers'], 'x-requested-with');
    assert.equal(headers['access-control-allow-methods'], 'POST, GET, OPTIONS');
  });

  test('says in the original words and with status 200 that no server is available', async () => {
    const { status, body, headers } = await rawRequest(scope, empty.port, requestText('GET /session'));
    assert.deepEqual([status, body], [200, NOTHING]);
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['cache-control'], 'no-store');
  });

  test('says the same when there is no server at all', async (t) => {
    const none = await startProgramInside(t, { simulationServers: [] });
    assert.equal(await none.get('/session'), NOTHING);
    assert.match(
      await none.get('/session?url=https://github.com/a/b/blob/main/worlds/c.wbt'),
      /^Error: no simulation server available at the moment\. \S/,
    );
  });

  for (const query of [
    '?url=https://github.com/cyberbotics/webots/blob/R2023b/projects/languages/python/worlds/example.wbt',
    '?url=https%3A%2F%2Fgithub.com%2Fcyberbotics%2Fwebots%2Fblob%2Fmaster%2Fworlds%2Fa.wbt',
    '?',
    '?url=',
    '?x=1&y=2&x=3',
    '?a=%zz%',
    '?%ff%fe=%00',
    '?[]=1&__proto__=2&constructor=3',
    `?${'a'.repeat(8000)}`,
    '?a=b?c=d#e',
    '?;<>"\'`{}|\\^',
  ]) {
    test(`takes the query ${JSON.stringify(query.slice(0, 60))}`, async () => {
      const { status, body } = await rawRequest(scope, program.port, Buffer.from(requestText(`GET /session${query}`), 'latin1'));
      assert.deepEqual([status, body], [200, url]);
    });
  }

  for (const query of [
    '?url=x',
    '?url=%ff',
    '?url=https://github.com/a/b;rm%20-rf',
    '?url=https://gitlab.com/a/b/c.wbt',
    '?url=%0d%0aX:1',
  ]) {
    test(`refuses the project in ${query} with status 200 and one line that begins with Error:`, async () => {
      const { status, body, headers } = await ask(`GET /session${query}`);
      assert.equal(status, 200);
      assert.match(body, /^Error: [^\r\n]+$/);
      assert.equal(headers['access-control-allow-origin'], '*');
    });
  }

  test('is answered without a project although every query parameter is left out', async () => {
    assert.equal((await ask('GET /session')).body, url);
  });

  test('is answered whatever the host is called', async () => {
    for (const host of [
      '',
      'localhost',
      'my_host',
      'EXAMPLE.org:80',
      '127.1',
      '[::1]',
      '[0:0:0:0:0:0:0:1]:1999',
      'a.b.c.',
      'x'.repeat(300),
    ]) {
      const { status, body } = await rawRequest(scope, program.port, `GET /session HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      assert.deepEqual([status, body], [200, url], `Host: ${host}`);
    }
  });
});

describe('GET /', () => {
  test('answers 1 when a session can be started', async () => {
    const { status, body, headers } = await ask('GET /');
    assert.deepEqual([status, body], [200, '1']);
    assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal(headers['cache-control'], 'no-store');
  });

  test('answers 0 when none can be started', async () => {
    const { status, body } = await rawRequest(scope, empty.port, requestText('GET /?x=1'));
    assert.deepEqual([status, body], [200, '0']);
  });
});

describe('GET /load', () => {
  test('answers the mean load as a plain number', async () => {
    const { status, body, headers } = await ask('GET /load');
    assert.deepEqual([status, body], [200, '25.5']);
    assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
  });

  test('answers -1 when no server answers', async () => {
    assert.equal(await empty.get('/load'), '-1');
  });
});

describe('methods', () => {
  for (const path of ['/session', '/', '/load']) {
    test(`HEAD ${path} answers as GET without a body and leaves the connection usable`, async () => {
      const connection = new RawConnection(scope, program.port).send(requestText(`HEAD ${path}`) + requestText('GET /load'));
      const head = await connection.response('HEAD');
      assert.equal(head.status, 200);
      assert.equal(head.headers['content-type'], 'text/plain; charset=utf-8');
      assert.equal(head.headers['cache-control'], 'no-store');
      assert.equal((await connection.response()).body, '25.5');
      connection.socket.destroy();
    });
  }

  test('HEAD /session takes no place on a server', async () => {
    const handedOut = async () =>
      /decisions_total\{kind="allocated",code="allocated"\} (\d+)/.exec(await program.get('/metrics'))?.[1];
    await ask('GET /session');
    const before = await handedOut();
    await ask('HEAD /session');
    assert.equal(await handedOut(), before);
  });

  test('OPTIONS is answered with the CORS headers and without a body', async () => {
    const { status, headers, body } = await ask(
      'OPTIONS /session',
      'Origin: https://example.org',
      'Access-Control-Request-Method: GET',
      'Access-Control-Request-Headers: x-requested-with',
    );
    assert.ok(status === 200 || status === 204, String(status));
    assert.equal(body, '');
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['access-control-allow-headers'], 'x-requested-with');
    assert.equal(headers['access-control-allow-methods'], 'POST, GET, OPTIONS');
  });

  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND']) {
    test(`${method} /session is answered with 405 and the CORS headers`, async () => {
      const { status, headers } = await ask(`${method} /session`, 'Content-Length: 0');
      assert.equal(status, 405);
      assert.equal(headers['access-control-allow-origin'], '*');
      assert.equal(headers['access-control-allow-headers'], 'x-requested-with');
      assert.equal(headers['access-control-allow-methods'], 'POST, GET, OPTIONS');
      assert.match(headers['allow'] ?? '', /GET/);
    });
  }

  test('OPTIONS of the server as a whole is answered as that of its root', async () => {
    const { status, headers, body } = await ask('OPTIONS *');
    assert.deepEqual([status, body], [204, '']);
    assert.equal(headers['access-control-allow-methods'], 'POST, GET, OPTIONS');
    assert.equal((await ask('GET *')).status, 400);
  });

  test('an unknown method is answered with 405, Allow and the CORS headers', async () => {
    const { status, headers } = await ask('BREW /session');
    assert.equal(status, 405);
    assert.equal(headers['allow'], 'GET, HEAD, OPTIONS');
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['access-control-allow-methods'], 'POST, GET, OPTIONS');
  });

  for (const path of ['/', '/load', '/livez', '/readyz', '/metrics', '/monitor']) {
    test(`POST ${path} is answered with 405 and the CORS headers`, async () => {
      const { status, headers } = await ask(`POST ${path}`, 'Content-Length: 0');
      assert.equal(status, 405);
      assert.equal(headers['access-control-allow-origin'], '*');
      assert.equal(headers['access-control-allow-methods'], 'POST, GET, OPTIONS');
      assert.match(headers['allow'] ?? '', /GET/);
    });
  }
});

describe('paths', () => {
  for (const path of [
    '/nothing',
    '/session/',
    '/session/x',
    '//session',
    '/sessions',
    '/Session',
    '/load/',
    '/%zz',
    '/%00',
    '/session%2f',
    '/.env',
  ]) {
    test(`${path} is answered with 404`, async () => {
      const { status, body } = await ask(`GET ${path}`);
      assert.equal(status, 404);
      assert.match(body, /^There is nothing/);
    });
  }

  test('a 404 does not repeat the path, so that nothing can be smuggled into a page', async () => {
    const { body, head } = await ask('GET /<script>alert(1)</script>');
    assert.doesNotMatch(head + body, /script/);
  });
});

describe('versions and connections', () => {
  test('HTTP/1.0 without Host is answered, and the connection closed', async () => {
    const connection = new RawConnection(scope, program.port).send('GET /session HTTP/1.0\r\n\r\n');
    assert.equal((await connection.response()).body, url);
    await connection.closed;
  });

  test('HTTP/1.0 with keep-alive stays open', async () => {
    const request = 'GET /load HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
    const connection = new RawConnection(scope, program.port).send(request);
    const first = await connection.response();
    assert.match(first.headers['connection'] ?? '', /keep-alive/i);
    assert.equal((await connection.send(request).response()).body, '25.5');
  });

  test('a connection stays open for the next request', async () => {
    const connection = new RawConnection(scope, program.port);
    for (let i = 0; i < 3; i += 1) assert.equal((await connection.send(requestText('GET /session')).response()).body, url);
  });

  test('Connection: close is obeyed', async () => {
    const connection = new RawConnection(scope, program.port).send(requestText('GET /session', 'Connection: close'));
    assert.equal((await connection.response()).body, url);
    await connection.closed;
  });

  test('pipelined requests are answered in their order', async () => {
    const paths = ['/load', '/', '/session', '/nothing', '/load'];
    const connection = new RawConnection(scope, program.port).send(paths.map((path) => requestText(`GET ${path}`)).join(''));
    const answers: string[] = [];
    for (const _ of paths) answers.push((await connection.response()).body.trim());
    assert.deepEqual(answers, ['25.5', '1', url, 'There is nothing at this path.', '25.5']);
  });

  test('a request that arrives byte by byte is a request', async () => {
    const connection = new RawConnection(scope, program.port);
    for (const byte of requestText('GET /load')) {
      connection.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal((await connection.response()).body, '25.5');
  });

  test('the absolute form of a target is understood, as RFC 9112 § 3.2.2 asks', async () => {
    assert.equal((await ask('GET http://example.org/load')).body, '25.5');
    assert.equal((await ask('GET http://example.org/session?x=1')).body, url);
  });

  test('an upgrade to another protocol is left out, as clients that offer HTTP/2 expect', async () => {
    const offers = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'];
    const { status, body } = await ask('GET /session', ...offers);
    assert.deepEqual([status, body], [200, url]);
    assert.equal((await ask('GET /load', ...offers)).body, '25.5');
    assert.equal((await ask('GET /nothing', ...offers)).status, 404);
    assert.equal((await ask('POST /session', 'Content-Length: 0', ...offers)).status, 405);
  });

  test('it listens on IPv4 and IPv6', async () => {
    for (const host of ['127.0.0.1', '::1'])
      assert.equal((await rawRequest(scope, program.port, requestText('GET /session'), { host })).body, url, host);
  });
});

test('clients need no token where readers of the monitor do', async (t) => {
  const token = 'sst_of-a-reader';
  const closed = await startProgramInside(t, {
    simulationServers: [free.address],
    monitor: { access: 'token' },
    admin: { tokens: [{ name: 'Ada', hash: hashOf(token) }] },
  });
  await eventually('the load', async () => (await closed.get('/load')) === '20.5');
  assert.equal(await closed.get('/session'), url);
  assert.equal(await closed.get('/'), '1');
  for (const path of ['/metrics', '/api/v1/servers']) {
    assert.equal((await fetch(closed.url + path)).status, 401, path);
    assert.equal((await fetch(closed.url + path, { headers: { Authorization: `Bearer ${token}` } })).status, 200, path);
  }
  const page = await closed.get('/monitor');
  assert.ok(!page.includes(free.address), 'nothing of the fleet is shown to strangers');
});

describe('addresses of simulation servers', () => {
  test('may be IPv6, polled and handed out as they are written', async (t) => {
    const server = await startSimulationServer(t, 12, { host: '::1' });
    const six = await startProgramInside(t, { simulationServers: [`[::1]:${server.port}`] });
    assert.equal(await six.get('/session'), `ws://[::1]:${server.port}`);
    assert.equal(await six.get('/load'), '12');
  });

  test('are handed out letter for letter, as wss when ssl is on', async (t) => {
    const server = await startSimulationServer(t, 12);
    const address = `LocalHost:${server.port}`;
    const secure = await startProgramInside(t, { simulationServers: [address], handOutSsl: true });
    assert.equal(await secure.get('/session'), `wss://${address}`);
  });

  test('of the rewritten form are asked at their path', async (t) => {
    const paths: (string | undefined)[] = [];
    const front = await startSimulationServer(t, (request, response) => {
      paths.push(request.url);
      response.end('7');
    });
    // The reverse proxy listens on the port of the name, and maps the number in the path. A path cannot follow a port, so the name's own port is used.
    const direct = await startProgramInside(t, { simulationServers: [front.address], portRewrite: false });
    assert.equal(await direct.get('/load'), '7');
    assert.deepEqual([...new Set(paths)], ['/load']);
  });
});

test('the API document names and groups every operation of the program, and /api shows them', async () => {
  interface Operation {
    readonly operationId?: string;
    readonly tags?: readonly string[];
  }
  const { paths } = JSON.parse(await program.get('/api/v1/openapi.json')) as { paths: Record<string, Record<string, Operation>> };
  const page = await program.get('/api', { headers: { Accept: 'text/html' } });
  for (const [path, methods] of Object.entries(paths))
    for (const { operationId = '', tags = [] } of Object.values(methods)) {
      assert.equal(tags.length, 1, path);
      assert.ok(operationId !== '' && page.includes(`id="${operationId}"`), path);
    }
});
