import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kindOf, LineOrder, type Spot } from './line-order.ts';

function setUp(ids: string): { readonly order: LineOrder; readonly spots: Readonly<Record<string, Spot>> } {
  const order = new LineOrder();
  const spots = Object.fromEntries(Array.from(ids, (id) => [id, order.append(ticket(id))]));
  order.changes();
  return { order, spots };
}

function ticket(id: string, project = `project of ${id}`) {
  return { id, project, joinedAt: 0, lostAt: undefined };
}

const changes = (order: LineOrder) => order.changes().map(({ ticket: { id }, position }) => `${id}${position}`);

describe('positions', () => {
  test('count from the head, whichever tickets leave', () => {
    const { order, spots } = setUp('abcd');
    order.remove(spots['b']!);
    order.remove(spots['a']!);
    assert.deepEqual([order.positionOf(spots['c']!), order.positionOf(spots['d']!)], [1, 2]);
    assert.deepEqual([order.first, order.last], [spots['c'], spots['d']]);
  });

  test('are reported once each, and only of tickets behind the one that left', () => {
    const { order, spots } = setUp('abc');
    for (const [index, id] of ['a', 'b', 'c'].entries()) spots[id]!.reported = index + 1;
    order.remove(spots['b']!);
    assert.deepEqual(changes(order), ['c2']);
    assert.deepEqual(changes(order), []);
  });

  test('of tickets without a connection are not reported', () => {
    const { order, spots } = setUp('abc');
    spots['b']!.ticket.lostAt = 5;
    order.remove(spots['a']!);
    assert.deepEqual(changes(order), ['c2']);
  });

  test('of all others move up by one when a ticket comes back to the head', () => {
    const { order, spots } = setUp('ab');
    const back = order.prepend(ticket('z'));
    back.reported = 1;
    assert.deepEqual([order.first, order.positionOf(spots['b']!)], [back, 3]);
    assert.deepEqual(changes(order), ['a2', 'b3']);
  });
});

describe('a walk', () => {
  test('goes on behind a ticket that has left, and behind those that left after it', () => {
    const { order, spots } = setUp('abcd');
    order.remove(spots['b']!);
    order.remove(spots['c']!);
    assert.equal(order.after(spots['b']!), spots['d']);
  });

  test('finds tickets that joined after the last one had left', () => {
    const { order, spots } = setUp('ab');
    order.remove(spots['b']!);
    assert.equal(order.after(spots['b']!), undefined);
    const late = order.append(ticket('c'));
    assert.equal(order.after(spots['b']!), late);
  });
});

describe('kinds', () => {
  test('are the same whatever the order of the labels, and differ by project, labels and excluded servers', () => {
    assert.equal(kindOf({ labels: { a: '1', b: '2' } }), kindOf({ labels: { b: '2', a: '1' } }));
    const kinds = [{}, { project: 'p' }, { labels: { a: '1' } }, { except: ['s'] }].map(kindOf);
    assert.equal(new Set(kinds).size, 4);
  });

  test('are known while a ticket of them is in line', () => {
    const order = new LineOrder();
    const one = order.append(ticket('a', 'same'));
    const two = order.append(ticket('b', 'same'));
    assert.equal(order.consistsOf(new Set([one.kind])), true);
    const other = order.append(ticket('c'));
    assert.equal(order.consistsOf(new Set([one.kind])), false);
    order.remove(one);
    assert.deepEqual([...order.kinds.keys()], [two.kind, other.kind]);
    order.remove(two);
    assert.deepEqual([...order.kinds.keys()], [other.kind]);
  });

  test('list a ticket that came back to the head first', () => {
    const order = new LineOrder();
    const one = order.append(ticket('a', 'same'));
    const back = order.prepend(ticket('b', 'same'));
    assert.deepEqual([...(order.kinds.get(one.kind) ?? [])], [back, one]);
  });
});
