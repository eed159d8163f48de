import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { HttpBindings } from '@hono/node-server';
import type { Outcome } from '../engine/session-request.ts';
import { createTopic } from '../engine/topic.ts';
import { createSessionRoutes } from './session-routes.ts';

/** The end of a response as seen by a route. */
class Outgoing extends EventEmitter {
  closed = false;

  leave(): void {
    this.closed = true;
    this.emit('close');
  }
}

/** Routes over an admission that counts who asks it. Nothing is answered before `begin` is called. */
function start(hold: number) {
  let ready = false;
  let begin: () => void = () => undefined;
  const held: AbortSignal[] = [];
  let asked = 0;
  const refused: Outcome = { kind: 'refused', code: 'no-room', reason: 'Full.' };
  const routes = createSessionRoutes({
    admission: {
      availability: createTopic(false),
      ask: () => {
        asked += 1;
        return Promise.resolve(refused);
      },
      attempt: () => Promise.resolve(refused),
      hold: (_request, _seconds, gone) => {
        held.push(gone);
        return Promise.resolve(refused);
      },
    },
    ready: new Promise<void>((resolve) => (begin = resolve)).then(() => (ready = true)),
    isReady: () => ready,
    addressOf: () => ({ address: '192.0.2.1', limitKey: '192.0.2.1' }),
    meanLoad: () => undefined,
    hold: () => hold,
  });
  const get = (outgoing: Outgoing) => {
    const env = { incoming: { url: '/session' }, outgoing } as unknown as HttpBindings;
    return Promise.resolve(routes.request('/session', {}, env));
  };
  return { begin, get, held, asked: () => asked };
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

test('a held request hears that its client goes away', async () => {
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
