import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ReservationBook } from '../core/reservations/reservation-book.ts';
import type { Reservation } from '../core/reservations/reservation.ts';
import { readReservations, saveReservations } from './reservations.ts';

const robots: Reservation = {
  ...{ id: 'r', title: 'Robots', code: 'ROBO1', match: 'code', seats: 10, start: 1000, end: 2000, opens: 600, grace: 600 },
  ...{ owner: 'ada', revision: 2, released: false },
};

test('reservations and taken seats come back as they were saved', () => {
  const book = new ReservationBook((url) => url);
  book.put(robots);
  book.take('r', { bookingId: 'b1', server: 'a', holder: 'x', project: 'p' });
  book.take('r', { bookingId: 'b2', server: 'a', holder: '' });
  book.leave('b2');
  const read = readReservations(JSON.parse(JSON.stringify(saveReservations(book.kept(), { ended: 3, seconds: 4000 }))));
  assert.ok(read.kind === 'reservations');
  assert.deepEqual([read.damaged, read.lengths], [0, { ended: 3, seconds: 4000 }]);
  const restored = new ReservationBook((url) => url);
  restored.restore(read.reservations);
  assert.deepEqual(restored.kept(), book.kept());
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
