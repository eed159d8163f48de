import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { framingHeaders } from './relay-http.ts';
import { hasBody, refusalHeaders, refusalOf, refuseLostUpgrade, refuseRequest, refuseUpgrade } from './relay-refusal.ts';
import { failureOf } from './upstream-request.ts';

function request(headers: Record<string, string>, method = 'GET', rawHeaders: string[] = ['Host', 'a']): IncomingMessage {
  return { method, headers, rawHeaders } as unknown as IncomingMessage;
}

test('an ordinary request is relayed', () => {
  assert.equal(refuseRequest(request({}), 'me'), undefined);
  assert.equal(refuseRequest(request({ 'transfer-encoding': 'Chunked', via: '1.1 other' }), 'me'), undefined);
});

test('two hosts, a loop and an unknown transfer encoding are refused', () => {
  assert.equal(refuseRequest(request({}, 'GET', ['Host', 'a', 'HOST', 'b']), 'me')?.status, 400);
  assert.equal(refuseRequest(request({ via: '1.1 me' }), 'me')?.status, 508);
  assert.equal(refuseRequest(request({ 'transfer-encoding': 'gzip, chunked' }), 'me')?.status, 501);
});

test('a script is not delivered as a service worker where it would control the whole site', () => {
  const at = (url: string) => Object.assign(request({ 'service-worker': 'script' }), { url });
  assert.equal(refuseRequest(at('/2000'), 'me')?.status, 403);
  assert.equal(refuseRequest(at('/2000/x.js'), 'me'), undefined);
});

test('only a GET without a body may open a WebSocket', () => {
  assert.equal(refuseUpgrade(request({ upgrade: 'WebSocket' })), undefined);
  for (const refused of [
    request({ upgrade: 'h2c' }),
    request({}),
    request({ upgrade: 'websocket' }, 'POST'),
    request({ upgrade: 'websocket', 'content-length': '1' }),
    request({ upgrade: 'websocket', 'transfer-encoding': 'chunked' }),
  ])
    assert.equal(refuseUpgrade(refused)?.status, 400);
});

test('a WebSocket whose upgrade was dropped on its way is refused, and the refusal says what to send', () => {
  const refusal = refuseLostUpgrade(request({ 'sec-websocket-key': 'x' }));
  assert.equal(refusal?.status, 426);
  assert.equal(refusalHeaders(refusal)['Upgrade'], 'websocket');
  assert.equal(refuseLostUpgrade(request({})), undefined);
});

test('a request has a body by its length or its chunks', () => {
  assert.equal(hasBody(request({})), false);
  assert.equal(hasBody(request({ 'content-length': '0' })), false);
  assert.equal(hasBody(request({ 'content-length': '1' })), true);
  assert.equal(hasBody(request({ 'transfer-encoding': 'chunked' })), true);
});

test('a body is framed by its length, or in chunks; a POST without one has length 0', () => {
  const close = ['Connection', 'close'];
  assert.deepEqual(framingHeaders(request({}, 'GET')), close);
  assert.deepEqual(framingHeaders(request({ 'content-length': '3' }, 'POST')), close);
  assert.deepEqual(framingHeaders(request({}, 'POST')), [...close, 'Content-Length', '0']);
  assert.deepEqual(framingHeaders(request({ 'transfer-encoding': 'chunked' }, 'POST')), [
    ...close,
    'Transfer-Encoding',
    'chunked',
  ]);
});

test('pages of any origin may read a refusal, and 503 says when to try again', () => {
  const origin = { 'Access-Control-Allow-Origin': '*' };
  assert.deepEqual(refusalHeaders(refusalOf(502, 'failed', '')), origin);
  assert.deepEqual(refusalHeaders(refusalOf(503, 'too-many', '')), { ...origin, 'Retry-After': 5 });
});

for (const [code, status, outcome, why] of [
  ['ETIMEDOUT', 504, 'timeout', 'it does not accept connections'],
  ['ECONNREFUSED', 502, 'failed', 'nothing listens on its port'],
  ['HPE_HEADER_OVERFLOW', 502, 'failed', 'its response headers are too long'],
  ['HPE_INVALID_CONSTANT', 502, 'failed', 'its response is not HTTP (HPE_INVALID_CONSTANT)'],
  ['ECONNRESET', 502, 'failed', 'it closed the connection too early'],
  ['EHOSTUNREACH', 502, 'failed', 'the connection failed (EHOSTUNREACH)'],
  ['', 502, 'failed', 'the message'],
] as const) {
  test(`the error code "${code}" of a simulation server becomes ${status}: ${why}`, () => {
    const { refusal, why: given } = failureOf({ code, message: 'the message' });
    assert.deepEqual([refusal.status, refusal.outcome, given], [status, outcome, why]);
  });
}
