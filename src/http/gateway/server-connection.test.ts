import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AddressGuard } from '../../ports.ts';
import { openingHeaders, refuseAddress } from './server-connection.ts';

const REQUEST = {
  rawHeaders: ['Host', 'sim.example.org', 'Origin', 'https://webots.cloud', 'User-Agent', 'x', 'Cookie', 'secret'],
  headers: { host: 'localhost', origin: 'https://webots.cloud', 'user-agent': 'x', cookie: 'secret' },
  httpVersion: '1.1',
};
const VIA = { address: '192.0.2.1', ssl: true, via: 'me' };

test('a simulation server gets the address, origin and program of the client, and nothing else of it', () => {
  const expected = {
    ...{ 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https', Via: '1.1 me' },
    ...{ Origin: 'https://webots.cloud', 'User-Agent': 'x' },
  };
  assert.deepEqual(openingHeaders(REQUEST, { ...VIA, inside: false }), expected);
  assert.deepEqual(openingHeaders(REQUEST, { ...VIA, inside: true }), {
    ...{ ...expected, Host: 'sim.example.org', 'X-Forwarded-Host': 'sim.example.org' },
  });
});

test('a client without origin and program adds no headers for them', () => {
  const bare = { rawHeaders: [], headers: {}, httpVersion: '1.1' };
  assert.deepEqual(openingHeaders(bare, { ...VIA, ssl: false, inside: true }), {
    ...{ 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'http', Via: '1.1 me' },
  });
});

test('the address of a registered server is checked at once, and its name when it is resolved', () => {
  const guard: AddressGuard = { refuse: (address) => `${address} is not allowed`, lookup: () => assert.fail('no look-up here') };
  const url = { url: 'ws://x/client', inside: false };
  assert.equal(refuseAddress({ ...url, guard: { ...guard, host: '10.0.0.1' } }), '10.0.0.1 is not allowed');
  assert.equal(refuseAddress({ ...url, guard: { ...guard, host: 'sim.example.org' } }), undefined);
  assert.equal(refuseAddress(url), undefined);
});
