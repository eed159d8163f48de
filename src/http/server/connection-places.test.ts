import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { PerClientCounts } from '../../core/limits/per-client-counts.ts';
import { ConnectionPlaces } from './connection-places.ts';

/** A maximum of 100 connections, 10 of which are the reserve. */
function setUp() {
  const places = new ConnectionPlaces({
    peerKey: (socket) => (socket.remoteAddress === 'local' ? undefined : socket.remoteAddress),
    isPrivileged: ({ headers }) => headers.authorization === 'right',
    shares: new PerClientCounts(),
  });
  let open = 0;
  const connect = (remoteAddress: string) => {
    const socket = Object.assign(new EventEmitter(), { remoteAddress }) as unknown as Socket;
    const place = places.take(socket, open, 100);
    if (place === 'ordinary' || place === 'reserved') open += 1;
    const refuses = (url: string, authorization?: string) =>
      places.refuses({ socket, url, headers: { authorization } } as unknown as IncomingMessage);
    return {
      ...{ place, refuses },
      close() {
        open -= 1;
        socket.emit('close');
      },
    };
  };
  const many = (count: number, address: string) => Array.from({ length: count }, () => connect(address));
  return { connect, many };
}

test('one address gets half of all connections, and as many again when they are closed', () => {
  const { connect, many } = setUp();
  const half = many(50, '192.0.2.1');
  assert.ok(half.every(({ place }) => place === 'ordinary'));
  assert.equal(connect('192.0.2.1').place, 'too-many-of-address');
  assert.equal(connect('192.0.2.2').place, 'ordinary');
  half[0]?.close();
  assert.equal(connect('192.0.2.1').place, 'ordinary');
});

test('this machine and trusted proxies have no share, because many clients are behind them', () => {
  const { many } = setUp();
  assert.ok(many(90, 'local').every(({ place }) => place === 'ordinary'));
});

test('in a flood the last connections serve health checks and holders of a token alone', () => {
  const { connect, many } = setUp();
  many(45, '192.0.2.1');
  many(45, '192.0.2.2');
  const supervisor = connect('192.0.2.3');
  assert.equal(supervisor.place, 'reserved');
  assert.deepEqual(
    ['/livez', '/readyz?verbose', '/session', '/livezz'].map((url) => supervisor.refuses(url)),
    [false, false, true, true],
  );
  assert.equal(supervisor.refuses('/metrics', 'right'), false);
  assert.equal(supervisor.refuses('/metrics', 'wrong'), true);
});

test('one address that says nothing cannot fill the reserve', () => {
  const { connect, many } = setUp();
  many(45, '192.0.2.1');
  many(45, '192.0.2.2');
  assert.deepEqual(
    many(4, '192.0.2.1').map(({ place }) => place),
    ['reserved', 'reserved', 'reserved', 'too-many-clients'],
  );
  assert.equal(connect('192.0.2.3').place, 'reserved');
});
