import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicAuthority, publicHost } from './public-address.ts';

test('the host in links has no port, and IPv6 has brackets', () => {
  assert.equal(publicHost('sim.example.org'), 'sim.example.org');
  assert.equal(publicHost('sim.example.org:8443'), 'sim.example.org');
  assert.equal(publicHost('[2001:db8::1]'), '[2001:db8::1]');
});

test('the default port of the scheme is left out', () => {
  assert.equal(publicAuthority('sim.example.org', 443, true), 'sim.example.org');
  assert.equal(publicAuthority('sim.example.org', 80, false), 'sim.example.org');
  assert.equal(publicAuthority('sim.example.org', 443, false), 'sim.example.org:443');
  assert.equal(publicAuthority('sim.example.org', 8443, true), 'sim.example.org:8443');
});

test('a port of the configured name stays', () => {
  assert.equal(publicAuthority('sim.example.org:1234', 8443, true), 'sim.example.org:1234');
});
