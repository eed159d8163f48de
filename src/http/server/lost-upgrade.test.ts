import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { rawRequest, requestText } from '../../../test/support/raw-http.ts';
import { refuseLostUpgrades } from './lost-upgrade.ts';

test('a WebSocket whose upgrade a reverse proxy dropped gets 426 and a line in the log, and other requests their answer', async (t) => {
  const log = new MemoryLog();
  const server = createServer(refuseLostUpgrades((_, response) => response.end('1'), log));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const key = ['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Version: 13'];
  for (const rest of [[], ['Connection: Upgrade'], ['Upgrade: websocket']]) {
    const answer = await rawRequest(t, port, requestText('GET /', ...key, ...rest));
    assert.deepEqual([answer.status, answer.headers['upgrade']], [426, 'websocket']);
    assert.match(answer.body, /reverse proxy dropped the header "Upgrade"/);
  }
  assert.equal(log.complaints.length, 3);
  assert.match((await rawRequest(t, port, requestText('GET /api/v1/x', ...key))).body, /^\{"code":"upgrade-required"/);
  assert.equal((await rawRequest(t, port, requestText('GET /'))).body, '1');
});
