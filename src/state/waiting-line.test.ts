import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WaitingLine } from '../core/queue/waiting-line.ts';
import { readWaitingLine, saveWaitingLine, type SavedLine } from './waiting-line.ts';

const WALL = 1_700_000_000;

function saved(): SavedLine {
  const line = new WaitingLine({ maxLength: 1000, maxPerAddress: 1000, resume: 30, passing: 120 });
  const want = { project: 'p', address: '192.0.2.1', clientId: 'me', labels: { room: 'B12' } };
  line.join({ id: 'a', token: 'token of a', ...want }, 1000);
  line.join({ id: 'no token' }, 1010);
  line.join({ id: 'b', token: 'token of b' }, 1020);
  line.lost('b', 1030);
  return saveWaitingLine(line.tickets(), 1100, WALL);
}

function ticketsOf(value: unknown, wallTime: number) {
  const read = readWaitingLine(value, wallTime);
  assert.ok(read.kind === 'line', 'a line');
  return read;
}

test('the tickets whose clients can come back survive, and the time away counts as waited', () => {
  const { tickets, problems } = ticketsOf(JSON.parse(JSON.stringify(saved())), WALL + 4);
  assert.deepEqual(problems, []);
  assert.deepEqual(tickets, [
    {
      ...{ id: 'a', token: 'token of a', project: 'p', address: '192.0.2.1', clientId: 'me' },
      ...{ labels: { room: 'B12' }, waited: 104 },
    },
    { id: 'b', token: 'token of b', waited: 84 },
  ]);
});

test('a clock that was set back does not shorten the wait, and a line that was saved long ago is dropped', () => {
  assert.equal(ticketsOf(saved(), WALL - 1000).tickets[0]?.waited, 100);
  const { tickets, problems } = ticketsOf(saved(), WALL + 3600);
  assert.deepEqual([tickets, problems], [[], ['it is 60 minutes old']]);
});

test('a file that is not a waiting line is foreign as a whole, with the reason', () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [null, 'it was not written by a session server'],
    [[saved()], 'it was not written by a session server'],
    [{ ...saved(), version: 2 }, 'it was written by another version'],
    [{ ...saved(), tickets: {} }, 'it is damaged'],
    [{ ...saved(), savedAt: 'yesterday' }, 'it is damaged'],
  ];
  for (const [value, reason] of cases) assert.deepEqual(readWaitingLine(value, WALL), { kind: 'foreign', reason });
});

test('damaged tickets are left out and counted, and the others keep their order', () => {
  const good = (id: string, waited = 1) => ({ id, token: `token of ${id}`, waited });
  const damaged = [
    ...[null, 7, 'x', [], {}, { id: 'b' }, good(''), { ...good('q'), token: 5 }, good('c', -1), good('d', NaN), good('e', 1e9)],
    ...[
      { ...good('f'), labels: { x: 1 } },
      { ...good('g'), labels: [] },
      { ...good('h'), project: 'x'.repeat(2000) },
    ],
    { ...good('m'), clientId: 7 },
  ];
  const tickets = [good('a'), ...damaged, good('i'), { ...good('j'), constructor: 1 }];
  const read = ticketsOf({ version: 1, savedAt: WALL, tickets }, WALL);
  assert.deepEqual(read.tickets, [good('a'), good('i'), good('j')]);
  assert.deepEqual(read.problems, ['15 of 18 tickets are damaged']);
});

test('whatever the file holds, reading it gives sound tickets or a reason and never throws', () => {
  const ticket = fc.record(
    { id: fc.anything(), token: fc.anything(), waited: fc.anything(), labels: fc.anything() },
    { requiredKeys: [] },
  );
  const file = fc.record({
    version: fc.constantFrom(1, 2),
    savedAt: fc.oneof(fc.constant(WALL), fc.anything()),
    tickets: fc.oneof(fc.array(fc.oneof(ticket, fc.anything())), fc.anything()),
  });
  fc.assert(
    fc.property(fc.oneof(fc.anything(), file), (value) => {
      const read = readWaitingLine(value, WALL);
      if (read.kind === 'foreign') return;
      for (const { id, waited } of read.tickets) assert.ok(typeof id === 'string' && waited >= 0, 'a sound ticket');
    }),
    { numRuns: 500 },
  );
});
