import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { createAddressOf, parseNetworks } from './client-address.ts';

const addressOf = createAddressOf(parseNetworks(['127.0.0.0/8', '::1/128', '10.0.0.1']).networks);
const ask = (remoteAddress: string, forwarded?: string) =>
  addressOf({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  } as unknown as IncomingMessage);

test('the address of a direct client is that of its connection, whatever header it sends', () => {
  assert.deepEqual(ask('192.0.2.7', '198.51.100.1'), { address: '192.0.2.7', limitKey: '192.0.2.7' });
  assert.deepEqual(ask('::ffff:192.0.2.7'), { address: '192.0.2.7', limitKey: '192.0.2.7' });
});

test('the header of a trusted proxy is used, and through several of them the last untrusted address counts', () => {
  assert.equal(ask('127.0.0.1', '198.51.100.1').address, '198.51.100.1');
  assert.equal(ask('::1', '198.51.100.1, 10.0.0.1').address, '198.51.100.1');
  assert.equal(ask('::ffff:127.0.0.1', 'forged, 203.0.113.9, 198.51.100.1:5000').address, '198.51.100.1');
  assert.equal(ask('127.0.0.1', '[2001:db8::1]:443').address, '2001:db8::1');
  assert.equal(ask('127.0.0.1', '"[2001:db8::1]:443"').address, '2001:db8::1');
});

test('an invalid header names no client, and does not put all clients of a reverse proxy on this machine under one limit', () => {
  for (const header of ['unknown', '_hidden', '<script>, ', '', '127.0.0.1'])
    assert.deepEqual(ask('127.0.0.1', header), { address: '127.0.0.1', limitKey: undefined }, header);
  assert.deepEqual(ask('10.0.0.1', '_hidden'), { address: '10.0.0.1', limitKey: '10.0.0.1' });
  assert.equal(ask('127.0.0.1', '1.1.1.1,'.repeat(10_000)).limitKey, '1.1.1.1');
});

test('however many addresses a client puts before its own, the last untrusted one counts', () => {
  const forged = Array.from({ length: 200 }, (_, index) => `192.0.2.${index}`).join(', ');
  assert.equal(ask('127.0.0.1', `${forged}, 198.51.100.1`).address, '198.51.100.1');
});

test('addresses beyond the remembered ones are distinguished like the first ones', () => {
  for (let i = 0; i < 2500; i += 1) {
    const client = `203.0.${i >> 8}.${i & 255}`;
    assert.equal(ask('127.0.0.1', `forged, ${client}, 10.0.0.1`).address, client);
  }
});

test('this machine without the header is not limited', () => {
  assert.equal(ask('127.0.0.1').limitKey, undefined);
  assert.equal(ask('::1').limitKey, undefined);
});

test('an IPv4 address written as IPv6 is IPv4, in whatever spelling', () => {
  for (const spelling of ['::ffff:192.168.1.1', '::ffff:c0a8:101', '::FFFF:c0a8:0101', '0:0:0:0:0:ffff:c0a8:101'])
    assert.deepEqual(ask('127.0.0.1', spelling), { address: '192.168.1.1', limitKey: '192.168.1.1' }, spelling);
  assert.equal(ask('127.0.0.1', '::fffe:c0a8:101').limitKey, '0:0:0:0::/64');
});

test('one IPv6 network is one client for the limits', () => {
  assert.equal(ask('2001:db8:1:2:3:4:5:6').limitKey, '2001:db8:1:2::/64');
  assert.equal(ask('2001:db8:1:2::1').limitKey, '2001:db8:1:2::/64');
  assert.equal(ask('2001:0db8:0001:0002::9').limitKey, '2001:db8:1:2::/64');
  assert.equal(ask('fe80::1%eth0').limitKey, 'fe80:0:0:0::/64');
});

test('entries that are not networks are named', () => {
  assert.deepEqual(parseNetworks(['10.0.0.0/33', 'localhost', '::/0', '1.2.3.4', '10.0.0.0/8/8', '10.0.0.0/x']).invalid, [
    '10.0.0.0/33',
    'localhost',
    '10.0.0.0/8/8',
    '10.0.0.0/x',
  ]);
});
