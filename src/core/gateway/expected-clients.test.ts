import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExpectedClients } from './expected-clients.ts';

test('a pass is letters alone, and good once and for a minute', () => {
  const clients = new ExpectedClients();
  const pass = clients.issue('aZ09-_x4', 0);
  assert.match(pass, /^[a-zA-Z]{8}$/);
  assert.notEqual(clients.redeem(pass, 59), undefined);
  assert.equal(clients.redeem(pass, 59), undefined);
  assert.equal(clients.redeem(clients.issue('other', 0), 60), undefined);
  assert.equal(clients.redeem('invented', 0), undefined);
});

test('a client that arrives is given the oldest booking that was made for its address on that server', () => {
  const clients = new ExpectedClients();
  clients.sent({ bookingId: 'one', server: 'a:1' }, '192.0.2.1', 0);
  clients.sent({ bookingId: 'two', server: 'a:1', endsAt: 1800 }, '192.0.2.1', 1);
  clients.sent({ bookingId: 'three', server: 'b:1' }, '192.0.2.1', 2);
  assert.equal(clients.arrived('a:1', '192.0.2.9', 3), undefined);
  assert.equal(clients.arrived('a:1', '192.0.2.1', 3)?.bookingId, 'one');
  assert.deepEqual(clients.arrived('a:1', '192.0.2.1', 3), { bookingId: 'two', endsAt: 1800 });
  assert.equal(clients.arrived('a:1', '192.0.2.1', 3), undefined);
  assert.equal(clients.arrived('b:1', '192.0.2.1', 62), undefined, 'too late');
});

test('a client that has arrived is not expected again, though its hand-out is repeated', () => {
  const clients = new ExpectedClients();
  const sent = (now: number) => clients.sent({ bookingId: 'one', server: 'a:1' }, '192.0.2.1', now);
  sent(0);
  sent(1);
  assert.equal(clients.arrived('a:1', '192.0.2.1', 2)?.bookingId, 'one');
  sent(3);
  assert.equal(clients.arrived('a:1', '192.0.2.1', 4), undefined);
});

test('the number of remembered clients is bounded', () => {
  const clients = new ExpectedClients();
  const first = clients.issue('first', 0);
  for (let i = 0; i < 60_000; i += 1)
    clients.issue(`x${String(i).replace(/./g, (digit) => 'abcdefghij'.charAt(Number(digit)))}`, 1);
  assert.equal(clients.redeem(first, 1), undefined);
});

test('a pass remembers the code of a class', () => {
  const clients = new ExpectedClients();
  assert.equal(clients.redeem(clients.issue('first', 0, 'ROBO-101'), 1)?.code, 'ROBO-101');
});
