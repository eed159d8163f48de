import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Candidates } from '../fleet/candidates.ts';
import { mayBackfill, passAlong, type CandidatesOf, type IsOverdue } from './backfill.ts';
import { LineOrder } from './line-order.ts';

/** A line of one ticket for each letter; each wants a project of its own name. */
function lineOf(ids: string): LineOrder {
  const order = new LineOrder();
  for (const id of ids) order.append({ id, project: id, joinedAt: 0, lostAt: undefined });
  return order;
}

/** Servers by project, as in `{ a: '12' }`: project a may run on the servers 1 and 2. The same object each time, as from the router. */
function servers(byProject: Readonly<Record<string, string>>): CandidatesOf {
  const known = new Map<string, Candidates>(Object.entries(byProject).map(([id, ids]) => [id, { tiers: [Array.from(ids)] }]));
  return ({ project = '' }) => known.get(project);
}

const never: IsOverdue = () => false;
const overdue =
  (...ids: string[]): IsOverdue =>
  ({ ticket }) =>
    ids.includes(ticket.id);

/** The tickets that one walk tries, with their servers, when none of them fits. */
function tried(order: LineOrder, isOverdue: IsOverdue, candidatesOf: CandidatesOf): string[] {
  const pass = passAlong(order, isOverdue, candidatesOf, Infinity);
  const result: string[] = [];
  for (let turn = pass.next(); turn !== undefined; turn = pass.next())
    result.push(`${turn.ticket.id}:${turn.candidates?.tiers.flat().join('') ?? 'never'}`);
  return result;
}

describe('a walk along the line', () => {
  const cases: readonly (readonly [title: string, line: string, isOverdue: IsOverdue, servers: CandidatesOf, tried: string[]])[] =
    [
      ['tries every ticket while none is overdue', 'abc', never, servers({ a: '1', b: '1', c: '2' }), ['a:1', 'b:1', 'c:2']],
      ['reserves the servers of an overdue ticket', 'abc', overdue('a'), servers({ a: '1', b: '12', c: '1' }), ['a:1', 'b:2']],
      [
        'reserves what earlier ones leave',
        'abc',
        overdue('a', 'b'),
        servers({ a: '1', b: '12', c: '123' }),
        ['a:1', 'b:2', 'c:3'],
      ],
      ['hands out a ticket that no server will ever take', 'ab', never, servers({ b: '1' }), ['a:never', 'b:1']],
    ];
  for (const [title, line, isOverdue, candidatesOf, expected] of cases) {
    test(title, () => {
      assert.deepEqual(tried(lineOf(line), isOverdue, candidatesOf), expected);
    });
  }

  test('tries one ticket of each kind that does not fit', () => {
    const order = new LineOrder();
    for (const id of ['1', '2', '3']) order.append({ id, project: 'same', joinedAt: 0, lostAt: undefined });
    assert.deepEqual(tried(order, never, servers({ same: 'x' })), ['1:x']);
  });

  test('skips a ticket without a connection, which reserves no servers', () => {
    const order = lineOf('ab');
    order.first!.ticket.lostAt = 0;
    assert.deepEqual(tried(order, overdue('a'), servers({ a: '1', b: '1' })), ['b:1']);
  });
});

describe('a new request', () => {
  const candidatesOf = servers({ a: '1', b: '12', c: '3' });
  const fitsOn =
    (ids: string) =>
    (_: unknown, { tiers }: Candidates) =>
      tiers.flat().some((id) => ids.includes(id));
  const ask = (line: string, project: string, room: string, isOverdue: IsOverdue = never) => {
    const answer = mayBackfill(lineOf(line), isOverdue, { project }, candidatesOf, fitsOn(room));
    return answer.kind === 'yes' ? answer.candidates.tiers.flat().join('') : answer.kind;
  };

  test('may overtake tickets that do not fit', () => {
    assert.equal(ask('a', 'b', '2'), '12');
  });

  test('waits behind a ticket that has the same candidates', () => {
    assert.equal(ask('b', 'b', ''), 'no');
  });

  test('does not get a server that is reserved for an overdue ticket', () => {
    assert.equal(ask('a', 'b', '2', overdue('a')), '2');
  });

  test('lets the line go first when a ticket in it fits on a server they share', () => {
    assert.equal(ask('a', 'b', '1'), 'line-first');
  });

  test('does not wait for a ticket that fits on servers it could not use', () => {
    assert.equal(ask('a', 'c', '13'), '3');
  });

  test('is refused when no server will ever take it', () => {
    assert.equal(ask('a', 'unknown', '1'), 'no');
  });
});
