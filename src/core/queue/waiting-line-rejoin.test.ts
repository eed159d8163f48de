import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Want } from './line-order.ts';
import { WaitingLine } from './waiting-line.ts';

const rules = { maxLength: 100, maxPerAddress: 100, resume: 30, passing: 120 };
const anywhere = { tiers: [['x']] };
const elsewhere = { tiers: [['y']] };

function line(ids: string, maxLength = 100): WaitingLine {
  const made = new WaitingLine({ ...rules, maxLength });
  for (const id of ids) made.join({ id }, 10);
  return made;
}

function standings(line: WaitingLine): string[] {
  return line.changes().map(({ ticket, position }) => `${ticket.id}${position}`);
}

test('a client that comes back is at the head, and the new positions of all others are reported once', () => {
  const three = line('abc');
  const joined = three.rejoin({ id: 'z' }, 5, 20);
  assert.ok(joined.kind === 'joined');
  assert.equal(joined.position, 1);
  assert.deepEqual(standings(three), ['a2', 'b3', 'c4']);
  assert.deepEqual(standings(three), []);
  assert.deepEqual(
    ['z', 'a', 'b', 'c'].map((id) => three.position(id)),
    [1, 2, 3, 4],
  );
  three.leave('z');
  assert.deepEqual(standings(three), ['a1', 'b2', 'c3']);
});

test('it is tried first, and after it the others in their order', () => {
  const three = line('ab');
  three.rejoin({ id: 'z', except: ['x'] }, 5, 20);
  const pass = three.pass(20, (want: Want) => (want.except === undefined ? anywhere : elsewhere));
  assert.equal(pass.next()?.ticket.id, 'z');
  assert.equal(pass.next()?.ticket.id, 'a');
});

test('a server that failed one client stays open to the others', () => {
  const two = line('a');
  two.rejoin({ id: 'z', except: ['x'] }, -1000, 20);
  const pass = two.pass(20, (want: Want) => (want.except === undefined ? anywhere : elsewhere));
  assert.equal(pass.next()?.ticket.id, 'z');
  assert.equal(pass.next()?.ticket.id, 'a', 'z waits for another server, however long it has waited');
});

test('no limit keeps it out, and it cannot be in line twice', () => {
  const full = line('abc', 3);
  assert.equal(full.rejoin({ id: 'z' }, 5, 20).kind, 'joined');
  assert.equal(full.rejoin({ id: 'z' }, 5, 20).kind, 'refused');
  assert.equal(full.length, 4);
});

test('no ticket behind the head has waited longer', () => {
  const two = line('ab');
  two.rejoin({ id: 'z' }, 15, 20);
  assert.equal(two.get('z')?.joinedAt, 10);
  assert.equal(two.longestWait(20), 10);
});

test('an empty line takes it too', () => {
  const none = line('');
  assert.equal(none.rejoin({ id: 'z' }, 5, 20).kind, 'joined');
  assert.equal(none.position('z'), 1);
  none.join({ id: 'a' }, 21);
  assert.equal(none.position('a'), 2);
});

test('whatever comes, goes and comes back, the positions are those of a plain list', () => {
  const act = fc.tuple(fc.constantFrom('join', 'rejoin', 'leave', 'told'), fc.nat(30));
  fc.assert(
    fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
      const real = line('');
      let model: string[] = [];
      const told = new Map<string, number>();
      for (const [time, [kind, number]] of acts.entries()) {
        const id = String(number);
        if (kind === 'leave') {
          real.leave(id);
          model = model.filter((other) => other !== id);
        } else if (kind === 'told') {
          for (const { ticket, position } of real.changes()) told.set(ticket.id, position);
          for (const [index, other] of model.entries()) assert.equal(told.get(other), index + 1);
        } else if (!model.includes(id)) {
          if (kind === 'join') real.join({ id }, time);
          else real.rejoin({ id }, time / 2, time);
          model = kind === 'join' ? [...model, id] : [id, ...model];
          told.set(id, kind === 'join' ? model.length : 1);
        }
        assert.deepEqual(
          [...real.tickets()].map((ticket) => ticket.id),
          model,
        );
        for (const [index, other] of model.entries()) assert.equal(real.position(other), index + 1);
      }
    }),
  );
});
