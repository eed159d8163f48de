import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAuthority, parseHostAndPort } from './host-and-port.ts';

test('a host is a name or an address, with or without a port; only an IPv6 address alone needs no brackets', () => {
  for (const [text, host, port] of [
    ['smtp.example.org', 'smtp.example.org', undefined],
    ['bücher.example:587', 'xn--bcher-kva.example', 587],
    ['192.0.2.1:25', '192.0.2.1', 25],
    ['[::1]', '::1', undefined],
    ['[2001:db8::1]:25', '2001:db8::1', 25],
    ['[fe80::1%eth0]:25', 'fe80::1%eth0', 25],
  ] as const) {
    const expected = { kind: 'host', host, port, zone: host.includes('%') };
    assert.deepEqual(parseAuthority(text), expected, text);
    assert.deepEqual(parseHostAndPort(text), expected, text);
  }
  assert.deepEqual(parseHostAndPort('::1'), { kind: 'host', host: '::1', port: undefined, zone: false });
  assert.equal(parseAuthority('::1').kind, 'invalid');
});

test('anything else is rejected, and the part with the error is named', () => {
  for (const [text, problem] of [
    ['', 'host'],
    ['[::1', 'host'],
    ['[host]', 'host'],
    ['a b', 'host'],
    ['[fe80::1%]', 'host'],
    ['[::1%a/b]', 'host'],
    ['host:', 'port'],
    ['host:0', 'port'],
    ['host:1:2', 'port'],
    ['[::1]:smtp', 'port'],
  ] as const)
    assert.deepEqual(parseHostAndPort(text), { kind: 'invalid', problem }, text);
});
