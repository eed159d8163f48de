import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { turnOf, Turns } from './turns.ts';
import { WaitingLine } from './waiting-line.ts';

const rules = { maxLength: 1000, maxPerAddress: 1000, resume: 30, passing: 120 };
const anywhere = { tiers: [['a', 'b']] };

test('the first request of everyone comes before the second one of anyone, sessions that run included', () => {
  const turns = new Turns();
  const line = new WaitingLine(rules, undefined, (turn) => turns.running(turn));
  for (const [index, id] of ['a1', 'a2', 'b1', 'a3', 'b2', 'c1'].entries()) line.join({ id, turn: id.slice(0, 1) }, index);
  const order = () => [...line.tickets()].map(({ id }) => id).join(' ');
  assert.equal(order(), 'a1 b1 c1 a2 b2 a3');
  assert.deepEqual(
    line
      .changes()
      .map(({ ticket, position }) => `${ticket.id} ${position}`)
      .slice(0, 2),
    ['a2 4', 'b2 5'],
  );
  turns.began('a', 'booking', 100);
  line.admitted('a1', 10);
  assert.equal(order(), 'b1 c1 a2 b2 a3');
  assert.equal(line.turnOf('a3'), 3);
  turns.began('c', 'other', 100);
  line.reorder('c');
  assert.equal(order(), 'b1 a2 b2 c1 a3');
  turns.ended('booking');
  line.reorder('a');
  assert.equal(order(), 'a2 b1 a3 b2 c1');
  line.leave('a2');
  assert.equal(order(), 'b1 a3 b2 c1');
  const pass = line.pass(20, () => anywhere);
  assert.equal(pass.next()?.ticket.id, 'b1');
});

test('whatever happens, the line is ordered by rank and then by time, and every change of position is reported', () => {
  const keys = ['a', 'b', 'c', 'd'];
  const act = fc.tuple(fc.constantFrom('join', 'anonymous', 'member', 'leave', 'admit', 'end', 'rejoin'), fc.nat(1000));
  fc.assert(
    fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
      const turns = new Turns();
      const line = new WaitingLine(rules, undefined, (turn) => turns.running(turn));
      const told = new Map<string, number>();
      const bookings: string[] = [];
      for (const [now, [kind, number]] of acts.entries()) {
        const turn = keys[number % keys.length] ?? '';
        const id = `${now}`.padStart(3, '0');
        const ticket = [...line.tickets()][number % Math.max(1, line.length)];
        if (kind === 'join' || kind === 'anonymous' || kind === 'member') {
          const more = kind === 'join' ? { turn } : kind === 'member' ? { reservation: 'r' } : {};
          const joined = line.join({ id, ...more }, now);
          assert.ok(joined.kind === 'joined');
          told.set(id, joined.position);
        } else if (kind === 'rejoin') {
          line.rejoin({ id: `-${id}`, turn }, 0, now);
          told.set(`-${id}`, 1);
        } else if (kind === 'end') {
          const ended = turns.ended(bookings.splice(number % Math.max(1, bookings.length), 1)[0] ?? '');
          if (ended !== undefined) line.reorder(ended);
        } else if (ticket !== undefined) {
          if (kind === 'admit' && ticket.turn !== undefined) {
            turns.began(ticket.turn, id, Infinity);
            bookings.push(id);
            line.reorder(ticket.turn);
          }
          line.leave(ticket.id);
        }
        for (const {
          ticket: { id: moved },
          position,
        } of line.changes())
          told.set(moved, position);
        assertOrdered(line, turns);
        for (const { id: waiting } of line.tickets()) assert.equal(told.get(waiting), line.position(waiting));
      }
    }),
  );
});

function assertOrdered(line: WaitingLine, turns: Turns): void {
  const open = [...line.tickets()].filter(({ reservation, id }) => reservation === undefined && !id.startsWith('-'));
  const ranks = open.map(({ id }) => (line.turnOf(id) ?? 1) - 1);
  for (const [index, ticket] of open.entries()) {
    const { turn } = ticket;
    const ahead = open.slice(0, index).filter((other) => turn !== undefined && other.turn === turn).length;
    assert.equal(ranks[index], turn === undefined ? 0 : turns.running(turn) + ahead);
    const before = open[index - 1];
    if (before === undefined) continue;
    const earlier = ranks[index - 1] ?? 0;
    const own = ranks[index] ?? 0;
    assert.ok(earlier < own || (earlier === own && before.joinedAt < ticket.joinedAt));
  }
}

test('a session without any report counts for its usual length, a connected one until it ends', () => {
  const turns = new Turns();
  turns.began('a', 'one', 100);
  turns.began('a', 'one', 100);
  turns.began('a', 'two', 100);
  turns.began('b', 'three', 100);
  turns.connected('two');
  assert.equal(turns.running('a'), 2);
  assert.deepEqual([...turns.expire(99, () => true)], []);
  assert.deepEqual([...turns.expire(100, () => true)], ['a', 'b']);
  assert.equal(turns.running('a'), 1);
  assert.deepEqual([...turns.expire(100, (id) => id !== 'two')], ['a']);
  assert.equal(turns.ended('two'), undefined);
});

test('clients are distinguished by what is configured, and by address where they do not say it', () => {
  const project = { host: 'github.com', owner: 'School', repository: 'github.com/school/robots' };
  const claim = { address: '192.0.2.1', project, code: 'ROBO' };
  assert.deepEqual(
    (['address', 'owner', 'repository', 'code'] as const).map((by) => turnOf(by, claim)),
    ['address 192.0.2.1', 'owner github.com/school', 'repository github.com/school/robots', 'code ROBO'],
  );
  const unknown = { ...claim, project: undefined, code: undefined };
  assert.equal(turnOf('owner', unknown), 'address 192.0.2.1');
  assert.equal(turnOf('code', { ...unknown, address: undefined }), undefined);
});
