import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseEndpoint } from '../fleet/endpoint.ts';
import {
  authorityOf,
  destinationOf,
  insideEndpoint,
  parseRoutes,
  thousandAround,
  upstreamOf,
  type GatewayRoutes,
} from './gateway-routes.ts';

const routes = read({ '2000-2999': 'localhost', '3000-3999': '10.0.0.3', '4000': '::1' });

function read(entries: Record<string, string>): GatewayRoutes {
  const result = parseRoutes(entries);
  assert.ok(result.kind === 'routes', JSON.stringify(result));
  return result.routes;
}

function endpoint(address: string) {
  const result = parseEndpoint(address);
  assert.ok(result.kind === 'endpoint');
  return result.endpoint;
}

test('a port of a route goes to the host of the route, with the rest of the path as it was written', () => {
  const to = (target: string) => {
    const destination = destinationOf(routes, target);
    return destination.kind === 'relay' ? `${authorityOf(destination.upstream)} ${destination.path}` : destination.kind;
  };
  assert.equal(to('/2000/client'), 'localhost:2000 /client');
  assert.equal(to('/2999/'), 'localhost:2999 /');
  assert.equal(to('/3001/textures/a%20b.png?x=%2F&y'), '10.0.0.3:3001 /textures/a%20b.png?x=%2F&y');
  assert.equal(to('/4000/'), '[::1]:4000 /');
  assert.equal(to('/2001'), 'localhost:2001 /');
  assert.equal(to('/2001?a=b'), 'localhost:2001 /?a=b');
  assert.equal(to('/2001//double/../dots'), 'localhost:2001 //double/../dots');
});

test('the paths of the session server are its own', () => {
  for (const target of [
    '/',
    '/session?url=https://github.com/a/b',
    '/monitor',
    '/api/v1/servers',
    '/relay/abc/client',
    '//',
    '/%32000/',
    '*',
  ])
    assert.deepEqual(destinationOf(routes, target), { kind: 'own' }, target);
});

const outside: readonly string[] = [
  ...[
    '/22/',
    '/1999/',
    '/80/',
    '/4001/',
    '/65536/',
    '/99999/',
    '/200000/',
    '/0/',
    '/02000/',
    '/2000@host/',
    '/2000:25/',
    '/2000.1/',
    '/2000%2f',
  ],
  ...[
    '/2000;a/',
    '/2000\\a',
    '/2000 /',
    '/2000/a b',
    '/2000/\u0000',
    '/2000/\u007f\n',
    '/2000/#a',
    '/2000/\u0100',
    '/3e3/',
    '/0x7d0/',
    '/2000-2001/',
  ],
];

for (const target of outside)
  test(`${JSON.stringify(target)} is not routed`, () => {
    const destination = destinationOf(routes, target);
    assert.equal(destination.kind, 'refused');
    assert.ok(destination.status === 404);
  });

test('a request to another host is refused', () => {
  for (const target of ['http://example.org/2000/', 'https://localhost:2000/', '2000/', 'localhost:2000', ''])
    assert.ok(destinationOf(routes, target).kind === 'refused', target);
});

test('whatever the target, nothing but a port of a route is ever reached', () => {
  const wild = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('/', '2', '0', '9', '3', '%', ':', '@', '.', '?', '\\', 'a') }).map((text) => `/${text}`),
    fc.tuple(fc.nat(99_999), fc.string()).map(([port, rest]) => `/${port}${rest}`),
  );
  fc.assert(
    fc.property(wild, (target) => {
      const destination = destinationOf(routes, target);
      if (destination.kind !== 'relay') return;
      const { upstream, path } = destination;
      assert.ok(target.startsWith(`/${upstream.port}`));
      assert.ok((upstream.port >= 2000 && upstream.port <= 3999) || upstream.port === 4000);
      assert.equal(upstream.host, upstream.port < 3000 ? 'localhost' : upstream.port < 4000 ? '10.0.0.3' : '::1');
      assert.match(path, /^\/[\x21-\xff]*$/);
    }),
  );
});

test('ranges that are none, too low, reversed or overlapping are refused with the reason', () => {
  for (const [entries, range] of [
    [{ all: 'localhost' }, 'all'],
    [{ '1-65535': 'localhost' }, '1-65535'],
    [{ '80': 'localhost' }, '80'],
    [{ '3000-2000': 'localhost' }, '3000-2000'],
    [{ '2000-70000': 'localhost' }, '2000-70000'],
    [{ '2000-': 'localhost' }, '2000-'],
    [{ '2000-2999': 'localhost:2000' }, '2000-2999'],
    [{ '2000-2999': 'http://localhost' }, '2000-2999'],
    [{ '2000-2999': '' }, '2000-2999'],
    [{ '2000-2999': 'a b' }, '2000-2999'],
    [{ '2000-2999': 'a/b' }, '2000-2999'],
    [{ '2000-2999': 'a:1/b' }, '2000-2999'],
    [{ '2000-2999': 'a', '2999-3000': 'b' }, '2000-2999'],
  ] as const) {
    const result = parseRoutes(entries);
    assert.ok(result.kind === 'invalid', JSON.stringify(entries));
    assert.equal(result.problems[0].range, range);
  }
});

test('each wrong route is reported, in the order of the file', () => {
  const result = parseRoutes({ '4000-3000': 'x', '2000-2999': 'http://10.0.0.3', '5000-5999': 'a', '6000-6999': 'b/c' });
  assert.deepEqual(result.kind === 'invalid' && result.problems.map(({ range }) => range), [
    '4000-3000',
    '2000-2999',
    '6000-6999',
  ]);
});

test('the range that is proposed for a port is valid in the routes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1024, max: 65_535 }), (port) => {
      const { first = 0, last = 0 } = thousandAround(port) ?? {};
      assert.ok(first <= port && port <= last);
      assert.equal(parseRoutes({ [`${first}-${last}`]: 'localhost' }).kind, 'routes');
    }),
  );
  assert.deepEqual(thousandAround(2345), { first: 2000, last: 2999 });
  assert.equal(thousandAround(443), undefined);
});

test('a simulation server of the fleet is behind the gateway when it has its name and a route', () => {
  const found = (address: string, server = 'webots.example.org') => upstreamOf(routes, endpoint(address), server);
  assert.deepEqual(found('webots.example.org/2000'), { host: 'localhost', port: 2000 });
  assert.deepEqual(found('WEBOTS.example.org/3000'), { host: '10.0.0.3', port: 3000 });
  assert.deepEqual(found('webots.example.org/2000', 'webots.example.org:8443'), { host: 'localhost', port: 2000 });
  assert.equal(found('other.example.org/2000'), undefined);
  assert.equal(found('webots.example.org:2000'), undefined);
  assert.equal(found('webots.example.org/5000'), undefined);
});

test('a server behind the gateway is the same server at its address inside', () => {
  assert.deepEqual(insideEndpoint(routes, endpoint('webots.example.org/4000'), 'webots.example.org'), {
    ...{ id: 'webots.example.org:4000', address: '[::1]:4000', host: '::1', port: 4000, rewritten: false },
  });
  assert.equal(insideEndpoint(routes, endpoint('webots.example.org/5000'), 'webots.example.org'), undefined);
});
