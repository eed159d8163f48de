import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WaitingLine } from './waiting-line.ts';

const rules = { maxLength: 100, maxPerAddress: 100, resume: 30, passing: 120 };
const anywhere = { tiers: [['a', 'b']] };
const ofClass = (id: string, reservation: string) => ({ id, reservation });

function tried(line: WaitingLine): string {
  const pass = line.pass(0, () => anywhere);
  let ids = '';
  for (let turn = pass.next(); turn !== undefined; turn = pass.next()) ids += turn.ticket.id;
  return ids;
}

test('members of a class are tried before all other clients, and positions count in each line', () => {
  const line = new WaitingLine(rules);
  line.join({ id: 'a' }, 0);
  line.join(ofClass('x', 'r'), 1);
  line.join({ id: 'b', project: 'other' }, 2);
  line.join(ofClass('y', 'r'), 3);
  assert.deepEqual(
    ['a', 'b', 'x', 'y'].map((id) => line.position(id)),
    [1, 2, 1, 2],
  );
  assert.deepEqual(line.changes(), []);
  assert.deepEqual([...line.tickets()].map(({ id }) => id).join(''), 'xyab');
  assert.equal(line.lengthOf('r'), 2);
  line.leave('x');
  assert.deepEqual(
    line.changes().map(({ ticket, position }) => `${ticket.id}${position}`),
    ['y1'],
  );
});

test('while members of a class wait for a server, it is reserved for them, but not from another class', () => {
  const line = new WaitingLine(rules);
  line.join({ id: 'a' }, 0);
  line.join(ofClass('x', 'r'), 1);
  line.join(ofClass('y', 's'), 1);
  assert.equal(tried(line), 'xy');
});

test('a newcomer with a seat comes after members of its class only, and one without after all of them', () => {
  const line = new WaitingLine(rules);
  line.join({ id: 'a' }, -1000);
  const full = () => false;
  assert.equal(line.mayBackfill({ reservation: 'r' }, 0, () => anywhere, full).kind, 'yes');
  line.join(ofClass('x', 'r'), 1);
  assert.equal(line.mayBackfill({ reservation: 'r' }, 0, () => anywhere, full).kind, 'no');
  assert.equal(
    line.mayBackfill(
      { reservation: 'r' },
      0,
      () => anywhere,
      () => true,
    ).kind,
    'line-first',
  );
  assert.equal(line.mayBackfill({ project: 'other' }, 0, () => anywhere, full).kind, 'no');
});

test('whatever comes and goes, each line is a plain list, and classes are before the public', () => {
  const act = fc.tuple(fc.constantFrom('join', 'rejoin', 'leave'), fc.nat(20), fc.constantFrom(undefined, 'r', 's'));
  fc.assert(
    fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
      const line = new WaitingLine(rules);
      const model = new Map<string, string[]>([
        ['r', []],
        ['s', []],
        ['', []],
      ]);
      const reported = new Map<string, number>();
      for (const [time, [kind, number, reservation]] of acts.entries()) {
        const id = `${number}`;
        const isIn = line.get(id) !== undefined;
        if (kind === 'leave') {
          line.leave(id);
          for (const [name, ids] of model)
            model.set(
              name,
              ids.filter((other) => other !== id),
            );
        } else if (!isIn) {
          const request = { id, ...(reservation !== undefined && { reservation }) };
          const ids = model.get(reservation ?? '') ?? [];
          const joined = kind === 'join' ? line.join(request, time) : line.rejoin(request, time, time);
          assert.ok(joined.kind === 'joined');
          model.set(reservation ?? '', kind === 'join' ? [...ids, id] : [id, ...ids]);
          reported.set(id, joined.position);
        }
        for (const { ticket, position } of line.changes()) reported.set(ticket.id, position);
        for (const ids of model.values())
          for (const [index, other] of ids.entries()) {
            assert.equal(line.position(other), index + 1);
            assert.equal(reported.get(other), index + 1);
          }
        const order = [...line.tickets()].map((ticket) => ticket.reservation ?? '');
        assert.ok(order.indexOf('') < 0 || !order.slice(order.indexOf('')).some((name) => name !== ''));
      }
    }),
  );
});
