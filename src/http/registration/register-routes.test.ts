import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { Hono } from 'hono';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import type { Env } from '../server/routes.ts';
import { createRegisterRoutes } from './register-routes.ts';

const TOKEN = 'the-token-of-the-fleet';

/** Everything is sent from one address. */
function setUp() {
  const known = new Set<string>();
  const entries: unknown[] = [];
  const log = new MemoryLog();
  const addressIn = (entry: unknown) => (entry as { readonly address: string }).address;
  const { form, api } = createRegisterRoutes({
    clock: new FakeClock(),
    log,
    addressOf: () => ({ address: '192.0.2.1', limitKey: '192.0.2.1' }),
    rules: () => ({ token: TOKEN, heartbeat: 30 }),
    registered: {
      knows: (entry) => known.has(addressIn(entry)),
      announce(entry) {
        known.add(addressIn(entry));
        entries.push(entry);
        return { kind: 'accepted', id: addressIn(entry), state: 'checking' };
      },
      leave: () => true,
    },
  });
  const app = new Hono<Env>().route('/', form).route('/', api);
  const incoming = { socket: { remoteAddress: '192.0.2.1' }, headers: {} } as unknown as IncomingMessage;
  const send = async (path: string, init: RequestInit) => (await app.request(path, init, { incoming })).status;
  const json = (url: string, token = TOKEN, more = {}) =>
    send('/api/v1/register', {
      method: 'POST',
      body: JSON.stringify({ url, ...more }),
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    });
  const notify = (url: string, token = TOKEN, more = {}) =>
    send(`/register/${token}`, { method: 'POST', body: new URLSearchParams({ url, ...more }) });
  const redirected = () => app.request(`/register/${TOKEN}`, {}, { incoming });
  return { json, notify, redirected, entries, log };
}

test('a server is never refused for wrong tokens that others behind its address sent', async () => {
  const { json, notify } = setUp();
  const wrong = new Set<number>();
  for (let i = 0; i < 20; i += 1) {
    wrong.add(await json('https://sim1.example.org/2000', `wrong-${i}`));
    wrong.add(await notify('https://sim1.example.org/2000', `wrong-${i}`));
  }
  assert.deepEqual([...wrong], [401, 429]);
  assert.equal(await json('https://sim1.example.org/2000'), 202);
  assert.equal(await notify('https://sim1.example.org/2000'), 200);
});

test('new servers of one address are limited, and those that are known register again at any time', async () => {
  const { json, notify } = setUp();
  for (let port = 2001; port <= 2200; port += 1) assert.equal(await json(`https://sim.example.org/${port}`), 202);
  assert.equal(await json('https://sim.example.org/2201'), 429);
  assert.equal(await notify('https://sim.example.org/2201'), 429);
  for (let beat = 0; beat < 300; beat += 1) assert.equal(await json('https://sim.example.org/2001'), 202);
  assert.equal(await notify('https://sim.example.org/2001'), 200);
});

test('one useless prefix among good ones is left out and logged, and a server with none that is good keeps them all', async () => {
  const { json, notify, entries, log } = setUp();
  const good = 'https://github.com/alice';
  await json('https://sim1.example.org/2000', TOKEN, { allowedRepositories: [good, 'not a prefix'] });
  await notify('https://sim2.example.org/2000', TOKEN, { allowedRepositories: `not a prefix,${good}` });
  await json('https://sim3.example.org/2000', TOKEN, { allowedRepositories: ['not a prefix'] });
  assert.deepEqual(
    entries.map((entry) => (entry as { allowedRepositories: unknown }).allowedRepositories),
    [[good], [good], ['not a prefix']],
  );
  assert.equal(log.complaints.length, 2);
  assert.match(log.complaints.join(), /sim1\.example\.org\/2000 registers .* match no project: not a prefix/);
});

test('a POST that a redirect turned into a GET is refused with that reason', async () => {
  const answer = await setUp().redirected();
  assert.deepEqual([answer.status, answer.headers.get('Allow')], [405, 'POST']);
  assert.match(await answer.text(), /redirect .* write the URL in "notify" with https:/);
});
