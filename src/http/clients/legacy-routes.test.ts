import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { HttpBindings } from '@hono/node-server';
import { createStartupGate } from '../../engine/startup-gate.ts';
import type { Outcome } from '../../engine/request-types.ts';
import { createTopic } from '../../engine/topic.ts';
import { createLegacyRoutes } from './legacy-routes.ts';

/** The end of a response as seen by a route. */
class Outgoing extends EventEmitter {
  destroyed = false;

  leave(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

/** Routes over an admission that counts who asks it. Nothing is answered before `begin` is called. */
function start(hold: number) {
  const answers = createStartupGate();
  const sessions = createStartupGate();
  const begin = () => {
    answers.begin();
    sessions.begin();
  };
  const held: AbortSignal[] = [];
  let asked = 0;
  const refused: Outcome = { kind: 'refused', code: 'no-room', reason: 'Full.' };
  const routes = createLegacyRoutes({
    requests: {
      request: () => {
        asked += 1;
        return Promise.resolve(refused);
      },
      tryOnce: () => Promise.resolve(refused),
    },
    queue: {
      hold: (_request, _seconds, gone) => {
        held.push(gone);
        return Promise.resolve(refused);
      },
    },
    availability: createTopic(false),
    answers,
    sessions,
    addressOf: () => ({ address: '192.0.2.1', limitKey: '192.0.2.1' }),
    meanLoad: () => undefined,
    hold: () => hold,
    pages: {
      landing: (c) => Promise.resolve(c.html('a page that waits for a click')),
      session: (c) => Promise.resolve(c.html('a page that starts')),
    },
  });
  const get = (outgoing: Outgoing, path = '/session', accept?: string) => {
    const env = { incoming: { url: path, headers: { accept } }, outgoing } as unknown as HttpBindings;
    return Promise.resolve(routes.request(path, {}, env));
  };
  return { begin, answers, sessions, get, held, asked: () => asked };
}

for (const hold of [0, 50]) {
  test(`a client that left before the first answers takes no place (held for ${hold} s)`, async () => {
    const { begin, get, held, asked } = start(hold);
    const [left, stayed] = [new Outgoing(), new Outgoing()];
    const answers = [get(left), get(stayed)];
    left.leave();
    begin();
    await Promise.all(answers);
    assert.equal(held.length + asked(), 1);
  });

  test(`a client that left before its request was looked at takes no place (held for ${hold} s)`, async () => {
    const { begin, get, held, asked } = start(hold);
    const outgoing = new Outgoing();
    outgoing.leave();
    const answer = get(outgoing);
    begin();
    await answer;
    assert.equal(held.length + asked(), 0);
  });
}

test('a question is answered at once, and a request for a place in line once the earlier waiters are known', async () => {
  const asking = start(0);
  const answer = asking.get(new Outgoing());
  asking.answers.begin();
  await answer;
  assert.equal(asking.asked(), 1);

  const holding = start(50);
  const held = holding.get(new Outgoing());
  holding.answers.begin();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(holding.held.length, 0);
  holding.sessions.begin();
  await held;
  assert.equal(holding.held.length, 1);
});

test('a held request is notified when its client disconnects', async () => {
  const { begin, get, held } = start(50);
  const outgoing = new Outgoing();
  const answer = get(outgoing);
  begin();
  await answer;
  const aborted = () => held.map((signal) => signal.aborted);
  assert.deepEqual(aborted(), [false]);
  outgoing.leave();
  assert.deepEqual(aborted(), [true]);
});

test('a browser that opens an address gets a page, and every program the text', async () => {
  const { begin, get, asked } = start(0);
  begin();
  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
  const textAt = async (path: string, accept?: string) => (await get(new Outgoing(), path, accept)).text();
  assert.equal(await textAt('/', browser), 'a page that waits for a click');
  assert.equal(await textAt('/session', browser), 'a page that starts');
  assert.equal(asked(), 0, 'a page takes no place');
  for (const accept of [undefined, '*/*', 'text/plain', 'application/json, text/plain, */*']) {
    assert.equal(await textAt('/', accept), '0');
    assert.match(await textAt('/session', accept), /^Error: /);
  }
});
