import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { parseEndpoint } from '../../core/fleet/endpoint.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { ClientArrivals } from './client-arrivals.ts';
import type { Arrival } from './relayed-client.ts';

const HOUSE = { address: '192.0.2.1', limitKey: '192.0.2.1' };

test('only a client that was sent to a server is free of the limits of its address there', () => {
  const parsed = parseEndpoint('localhost/2000');
  assert.ok(parsed.kind === 'endpoint');
  const { endpoint } = parsed;
  const found: Arrival[] = [];
  const arrivals = new ClientArrivals({
    ...{ clock: new FakeClock(), newId: () => 'id', addressOf: () => HOUSE, addressGuard: () => undefined },
    settings: () => ({
      ...{ server: 'localhost', handOutSsl: true },
      gateway: { routes: [{ first: 2000, last: 2999, host: '127.0.0.1' }] },
    }),
    endpoint: (id) => (id === endpoint.id ? endpoint : undefined),
    clients: {
      handler: (arrivalOf) => {
        found.push(arrivalOf({} as unknown as IncomingMessage));
        return () => undefined;
      },
    },
  });
  arrivals.socketHandlerOf('/2000/client');
  arrivals.sent(
    { kind: 'allocated', id: 'r', url: 'wss://localhost/2000', server: endpoint.id, bookingId: 'b', expiresAt: 60 },
    HOUSE.address,
  );
  arrivals.socketHandlerOf('/2000/client');
  assert.deepEqual(found, [
    { address: HOUSE, counted: false, sentTo: { server: endpoint.id } },
    { address: HOUSE, counted: true, sentTo: { server: endpoint.id, bookingId: 'b' } },
  ]);
});
