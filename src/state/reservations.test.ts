import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ReservationBook } from '../core/reservations/reservation-book.ts';
import type { Reservation } from '../core/reservations/reservation.ts';
import type { SavedLengths } from '../core/reservations/observed-lengths.ts';
import { readReservations, saveReservations } from './reservations.ts';

const robots: Reservation = {
  ...{ id: 'r', title: 'Robots', code: 'ROBO1', match: 'code', seats: 10, start: 1000, end: 2000, opens: 600, grace: 600 },
  ...{ owner: 'ada', revision: 2, released: false },
};

const EMPTY = { ended: 0, seconds: 0, known: 0, logs: 0, squares: 0 };
const one = { ended: 1, seconds: 600, known: 1, logs: 6.4, squares: 41 };
const lengths: SavedLengths = { ended: 3, seconds: 4000, known: 3, logs: 20, squares: 140, projects: [['p', one]] };
const costs = { fleet: { points: 1, learned: 2, seconds: 3 }, servers: [['a', { points: 1, learned: 2, seconds: 3 }] as const] };

test('reservations and taken seats come back as they were saved', () => {
  const book = new ReservationBook((url) => url);
  book.put(robots);
  book.take('r', { bookingId: 'b1', server: 'a', holder: 'x', project: 'p' });
  book.take('r', { bookingId: 'b2', server: 'a', holder: '' });
  book.leave('b2');
  const read = readReservations(JSON.parse(JSON.stringify(saveReservations(book.kept(), lengths, costs))));
  assert.ok(read.kind === 'reservations');
  assert.deepEqual([read.damaged, read.lengths, read.costs], [0, lengths, costs]);
  const restored = new ReservationBook((url) => url);
  restored.restore(read.reservations);
  assert.deepEqual(restored.kept(), book.kept());
});

test('what version 0.1.0 saved of lengths is read, and what is damaged is nothing', () => {
  const read = (more: object) => {
    const found = readReservations({ format: 'reservations', version: 1, reservations: [], ...more });
    assert.ok(found.kind === 'reservations');
    return found;
  };
  assert.deepEqual(read({ lengths: { ended: 3, seconds: 4000 } }).lengths, { ...EMPTY, ended: 3, seconds: 4000, projects: [] });
  const { lengths: none, costs: unknown } = read({ lengths: { ended: -1 }, costs: { fleet: 7 } });
  assert.deepEqual([none, unknown.servers], [{ ...EMPTY, projects: [] }, []]);
  assert.deepEqual(read({ lengths: { ...lengths, projects: [7, ['p', EMPTY], ['', EMPTY]] } }).lengths.projects, [['p', EMPTY]]);
});

test('a damaged entry costs only itself, and a foreign document nothing', () => {
  const saved = {
    format: 'reservations',
    version: 1,
    reservations: [{ reservation: { ...robots, seats: -1 }, seats: [], came: 0 }, 7],
  };
  const read = readReservations(saved);
  assert.ok(read.kind === 'reservations');
  assert.deepEqual([read.reservations.length, read.damaged], [0, 2]);
  assert.equal(readReservations({ ...saved, version: 2 }).kind, 'foreign');
});

test('any document gives reservations or says that it is foreign', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      readReservations(value);
      readReservations({ format: 'reservations', version: 1, reservations: value });
    }),
  );
});
