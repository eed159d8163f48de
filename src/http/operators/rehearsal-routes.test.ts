import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Waits } from '../../core/rehearsal/mornings.ts';
import type { WaitsAnswer } from '../../engine/rehearsals.ts';
import { createRehearsalRoutes } from './rehearsal-routes.ts';

const WAITS: Waits = {
  runs: 200,
  atOnce: { from: 20, to: 27 },
  last: { from: 130, to: Infinity },
  others: { from: 3.2, to: 80 },
};
const QUESTION = { people: 30, at: '2026-09-15T09:00:00Z' };

async function ask(found: WaitsAnswer, question: object) {
  let asked = 0;
  const routes = createRehearsalRoutes({
    reservations: {
      rehearse: () => ({ seats: { from: 31, to: 40 }, answer: 'yes', changes: [], isGuess: false }),
    },
    rehearsals: {
      waits: () => {
        asked += 1;
        return Promise.resolve(found);
      },
    },
    projectHosts: () => [],
    mayReserve: (_, next) => next(),
  });
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(question) };
  const response = await routes.request('/api/v1/rehearsals', init);
  return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>>, asked };
}

test('waits are simulated only for those that ask, and are ranges with a sentence', async () => {
  const found: WaitsAnswer = {
    kind: 'waits',
    waits: WAITS,
    changes: [{ kind: 'reservation', waits: { ...WAITS, atOnce: { from: 30, to: 30 }, last: { from: 0, to: 0 } } }],
  };
  const plain = await ask(found, QUESTION);
  assert.deepEqual([plain.asked, plain.body['waits'], plain.body['waitChanges']], [0, null, []]);
  assert.deepEqual(plain.body['notKnown'], ['How long other people would wait is not known here.']);
  const { body } = await ask(found, { ...QUESTION, waits: true });
  assert.deepEqual(body['notKnown'], []);
  assert.deepEqual(body['waits'], {
    ...{ runs: 200, atOnce: { from: 20, to: 27 }, lastSeconds: { from: 130, to: null }, othersSeconds: { from: 3, to: 80 } },
    sentence:
      'Without a reservation, 20 to 27 of 30 get a place at once, and the last one has one after 3 min, or only after more than half an hour.',
  });
  const [change] = body['waitChanges'] as readonly { readonly kind: string; readonly waits: { readonly sentence: string } }[];
  assert.equal(change?.kind, 'reservation');
  assert.match(
    change.waits.sentence,
    /^With reserved seats, 30 of 30 get a place at once, and the last one has one at once as well\.$/,
  );
});

test('a second rehearsal at the same time is refused, and what is not known is said', async () => {
  const busy = await ask({ kind: 'busy' }, { ...QUESTION, waits: true });
  assert.deepEqual([busy.status, busy.body['code']], [429, 'rehearsal-running']);
  const unknown = await ask({ kind: 'not-known' }, { ...QUESTION, waits: true });
  assert.deepEqual([unknown.status, unknown.body['waits']], [200, null]);
  assert.deepEqual(unknown.body['notKnown'], ['How long other people would wait is not known here.']);
});
