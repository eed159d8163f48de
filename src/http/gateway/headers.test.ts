import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cameThrough, hostCount, reasonPhrase, requestHeaders, responseHeaders, type MessageHeaders } from './headers.ts';

const FORWARDED = { address: '192.0.2.1', ssl: true, via: 'session-server-x', host: () => 'sim.example.org' };
/** What the gateway adds to every request that names a host. */
const ADDED = [
  ...['X-Forwarded-For', '192.0.2.1', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'a'],
  ...['Via', '1.1 session-server-x'],
];

/** A message as Node's parser gives it. */
function message(rawHeaders: readonly string[], httpVersion = '1.1'): MessageHeaders {
  const headers: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    headers[name] = [headers[name], rawHeaders[i + 1]].filter((value) => value !== undefined).join(', ');
  }
  return { rawHeaders: [...rawHeaders], headers, httpVersion };
}

function forwarded(...rawHeaders: string[]): string[] {
  const headers = requestHeaders(message(['Host', 'a', ...rawHeaders]), FORWARDED);
  assert.deepEqual(headers.slice(0, 2), ['Host', 'a']);
  assert.deepEqual(headers.slice(-ADDED.length), ADDED);
  return headers.slice(2, -ADDED.length);
}

test('headers keep their order, spelling and repetition', () => {
  const sent = ['X-B', '1', 'x-a', '2', 'X-B', '3', 'Content-Length', '5'];
  assert.deepEqual(forwarded(...sent), sent);
});

test('headers of one connection are removed in both directions', () => {
  const names = ['Connection', 'Keep-Alive', 'Proxy-Connection', 'TE', 'Trailer', 'Transfer-Encoding', 'UPGRADE'];
  for (const name of [...names, 'Proxy-Authorization', 'HTTP2-Settings', 'Expect']) {
    assert.deepEqual(forwarded(name, 'close', 'X-Kept', '1'), ['X-Kept', '1'], name);
    assert.deepEqual(responseHeaders(message([name, 'close', 'X-Kept', '1']), '/2000/'), ['X-Kept', '1'], name);
  }
});

test('headers that Connection names are removed, except those that frame the message, name the host or show loops', () => {
  const named = 'close, x-own , Content-Length, HOST, via';
  assert.deepEqual(forwarded('Connection', named, 'X-Own', '1', 'Content-Length', '5', 'Via', '1.0 other'), [
    ...['Content-Length', '5', 'Via', '1.0 other'],
  ]);
});

test('claims of a client about its own address and host are removed, in any spelling', () => {
  for (const name of [
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-New',
    'x_forwarded_for',
    'X_Real_IP',
    'True-Client-IP',
    'X-Original-URL',
  ])
    assert.deepEqual(forwarded(name, '203.0.113.9'), [], name);
  assert.deepEqual(forwarded('X-Forwarding', 'yes'), ['X-Forwarding', 'yes']);
});

test('the cookie of the monitor page is not forwarded, and other cookies are', () => {
  assert.deepEqual(forwarded('Cookie', 'a=1; session-server-1999=secret; b=2'), ['Cookie', 'a=1; b=2']);
  assert.deepEqual(forwarded('Cookie', 'session-server-1999=secret'), []);
  assert.deepEqual(forwarded('Cookie', 'a=1;b=2'), ['Cookie', 'a=1;b=2']);
  assert.deepEqual(forwarded('Cookie', ''), ['Cookie', '']);
});

test('a request of HTTP/1.0 without a host gets that of the gateway', () => {
  assert.deepEqual(requestHeaders(message(['Accept', '*/*'], '1.0'), { ...FORWARDED, ssl: false }), [
    ...['Accept', '*/*', 'X-Forwarded-For', '192.0.2.1', 'X-Forwarded-Proto', 'http', 'Host', 'sim.example.org'],
    ...['Via', '1.0 session-server-x'],
  ]);
});

test('a reason phrase with characters that are not allowed is replaced by the standard one', () => {
  assert.equal(reasonPhrase({ statusCode: 200, statusMessage: 'Fine' }), 'Fine');
  assert.equal(reasonPhrase({ statusCode: 404, statusMessage: 'a\u0001b' }), 'Not Found');
  assert.equal(reasonPhrase({ statusCode: 299, statusMessage: 'a\u0001b' }), '');
});

test('hosts are counted, and names of values are not', () => {
  assert.equal(hostCount({ rawHeaders: ['Host', 'a', 'host', 'b', 'X', 'host'] }), 2);
  assert.equal(hostCount({ rawHeaders: [] }), 0);
});

test('a request that passed through this gateway before is recognized by its Via', () => {
  assert.equal(cameThrough(message(['Via', '1.1 other, 1.1 session-server-x']), 'session-server-x'), true);
  assert.equal(cameThrough(message(['Via', '1.1 other']), 'session-server-x'), false);
  assert.equal(cameThrough(message([]), 'session-server-x'), false);
});
