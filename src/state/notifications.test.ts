import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Incidents } from '../core/incidents/incidents.ts';
import { appended } from '../core/incidents/outbox.ts';
import { readNotifications, saveNotifications } from './notifications.ts';

const rules = { groupWait: 6, minHold: 10, maxHold: 900, relapseLifetime: 1800 };
const EPOCH = 1_700_000_000;

function overRestart(document: unknown, offset: number) {
  return readNotifications(JSON.parse(JSON.stringify(document)), offset);
}

test('a server that was reported down before a restart is reported to be back after it', () => {
  let ids = 0;
  const newId = () => `i${++ids}`;
  const before = new Incidents(rules, newId);
  before.observe({ id: 'a', address: 'a/2000', to: 'down', at: 100 });
  before.due({ at: 106, wallTime: EPOCH + 106 });
  const document = saveNotifications(before, [], EPOCH);

  // The clock of the engine begins again, thirty seconds later.
  const offset = EPOCH + 136 - 5;
  const after = new Incidents(rules, newId);
  const { open, ended } = overRestart(document, offset);
  after.restore(open, ended);
  assert.deepEqual(after.due({ at: 1000, wallTime: offset + 1000 }), []);
  after.observe({ id: 'a', address: 'a/2000', from: 'unknown', to: 'available', at: 1010, load: 3 });
  const [recovered, ...rest] = after.due({ at: 1020, wallTime: offset + 1020 });
  assert.deepEqual(rest, []);
  assert.equal(recovered?.kind, 'recovered');
  assert.equal(recovered.servers[0]?.began, EPOCH + 100);
  assert.equal(recovered.servers[0].lasted, offset + 1010 - (EPOCH + 100));
});

test('a server that is still down after a restart is not reported again', () => {
  const before = new Incidents(rules, () => 'x');
  before.observe({ id: 'a', address: 'a/2000', to: 'down', at: 100 });
  before.due({ at: 106, wallTime: EPOCH + 106 });
  const after = new Incidents(rules, () => 'y');
  const { open, ended } = overRestart(saveNotifications(before, [], EPOCH), EPOCH);
  after.restore(open, ended);
  after.observe({ id: 'a', address: 'a/2000', to: 'down', at: 200 });
  assert.deepEqual(after.due({ at: 1000, wallTime: EPOCH + 1000 }), []);
});

test('incidents that were not reported, and suspicions, start from zero after a restart', () => {
  const before = new Incidents(rules, () => 'x');
  before.observe({ id: 'a', address: 'a/2000', to: 'down', at: 100 });
  before.suspected({ id: 'b', address: 'b/2000' }, 50, 'it idles');
  before.due({ at: 56, wallTime: EPOCH + 56 });
  assert.deepEqual(overRestart(saveNotifications(before, [], EPOCH), EPOCH).open, []);
});

test('ended incidents and undelivered notifications come back as they were', () => {
  const before = new Incidents(rules, () => 'x');
  before.observe({ id: 'a', address: 'a/2000', to: 'down', at: 100, failure: { code: 'timeout', reason: 'late' } });
  before.due({ at: 106, wallTime: EPOCH + 106 });
  before.delivered('x', 'email', 'failed', EPOCH + 107);
  before.removed('a', 200);
  const outbox = appended(
    [],
    { id: 'x', kind: 'down', at: EPOCH + 106, servers: [{ id: 'a', address: 'a/2000', load: 1, lasted: 2 }] },
    50,
  );
  const after = overRestart(saveNotifications(before, [['email', outbox]], EPOCH), EPOCH);
  assert.deepEqual(after.ended, before.ended);
  assert.deepEqual(after.outboxes, { email: outbox });
});

test('whatever the file holds, what is of use is taken and nothing throws', () => {
  const piece = fc.anything({
    maxDepth: 4,
    key: fc.constantFrom('incident', 'notification', 'id', 'kind', 'servers', 'began', 'active', 'x'),
  });
  const document = fc.oneof(
    fc.anything(),
    fc.record({
      version: fc.constantFrom(1, 2),
      open: fc.oneof(piece, fc.array(piece)),
      ended: fc.oneof(piece, fc.array(piece)),
      outboxes: fc.oneof(piece, fc.dictionary(fc.string(), fc.array(piece))),
    }),
  );
  fc.assert(
    fc.property(document, (anything) => {
      const { open, ended, outboxes } = readNotifications(anything, EPOCH);
      const incidents = new Incidents(rules, () => 'x');
      incidents.restore(open, ended);
      for (const outbox of Object.values(outboxes))
        for (const { notification } of outbox) assert.equal(typeof notification.id, 'string');
    }),
  );
});

test('one damaged entry does not take the others with it', () => {
  const good = { id: 'i', kind: 'full', server: 's', address: 's/1', began: 1, confirmed: 1, relapses: 0, notices: [], ended: 2 };
  const { ended } = readNotifications(
    { version: 1, open: {}, ended: [null, { ...good, began: 'yesterday' }, good, 7], outboxes: [] },
    0,
  );
  assert.deepEqual(ended, [good]);
});
