import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_ALLOCATION } from '../allocation/allocation-parameters.ts';
import { Ledger } from '../allocation/ledger.ts';
import { AnnouncedEnds } from './announced-ends.ts';
import type { Reservation } from './reservation.ts';
import { ReservationBook } from './reservation-book.ts';
import { ReservedSeats } from './reserved-seats.ts';

const START = 100_000;
const robots: Reservation = {
  ...{ id: 'r', title: 'Robots', code: 'ROBO', match: 'code', seats: 10, start: START, end: START + 3600 },
  ...{ opens: 600, grace: 600, owner: 'ada', revision: 0, released: false },
};
const servers = ['a', 'b'];
const candidates = { tiers: [servers] };

/** Two idle servers with room for ten sessions each. */
function fleet(...reservations: readonly Reservation[]) {
  const keepsEnds = { value: false };
  const ledger = new Ledger({ ...DEFAULT_ALLOCATION, learning: false }, () => 0.5);
  for (const id of servers) ledger.add(id, {}, 0);
  const book = new ReservationBook((url) => url.replace('https://', ''));
  for (const reservation of reservations) book.put(reservation);
  const lengths = { mean: 1500, spread: 0.8 };
  const ends = new AnnouncedEnds();
  const seats = new ReservedSeats({
    ...{
      ledger,
      book,
      ends,
      keepsEnds: () => keepsEnds.value,
      eligible: () => servers,
      keyOf: (url) => url.replace('https://', ''),
    },
    parameters: () => ({ target: 90, lengths }),
    lengthsOf: (project) => (project === 'short' ? { mean: 120, spread: 0.5 } : lengths),
  });
  const at = (now: number) => {
    for (const id of servers) ledger.report(id, 2, now, now);
    return { now, wall: now };
  };
  const take = (now: number, id: string, reservation?: string) =>
    seats.take({ id, ...(reservation !== undefined && { reservation }) }, candidates, { now, wall: now });
  return { ledger, book, seats, ends, keepsEnds, at, take };
}

test('at the doors others get what the class does not need, and the class gets all of its seats', () => {
  const { at, take } = fleet(robots);
  at(START);
  const others = Array.from({ length: 30 }, (_, i) => take(START, `other ${i}`).kind);
  assert.equal(others.filter((kind) => kind === 'booked').length, 10);
  const members = Array.from({ length: 10 }, (_, i) => take(START, `member ${i}`, 'r').kind);
  assert.ok(members.every((kind) => kind === 'booked'));
});

test('a project whose sessions are known to be short is let in when others are not', () => {
  const { ledger, seats } = fleet({ ...robots, seats: 20 });
  const moment = { now: START - 300, wall: START - 300 };
  for (const id of servers) ledger.report(id, 4, moment.now);
  const fits = (project: string) => seats.fits(candidates, project, moment);
  assert.deepEqual([fits('long'), fits('short')], [false, true]);
});

test('a person beyond the seats is one of the others', () => {
  const { at, take, book } = fleet({ ...robots, seats: 2 });
  at(START);
  for (const id of ['x', 'y', 'z']) assert.equal(take(START, id, 'r').kind, 'booked');
  assert.equal([...book.seats('r')].length, 2);
});

test('who asks again has the same seat', () => {
  const { at, take, book } = fleet(robots);
  at(START);
  take(START, 'x', 'r');
  take(START + 1, 'x', 'r');
  take(START + 2, '', 'r');
  take(START + 3, '', 'r');
  assert.equal([...book.seats('r')].length, 3);
});

test('the seat of a failed server is outstanding again', () => {
  const { at, take, seats, ledger } = fleet(robots);
  const moment = at(START);
  for (let i = 0; i < 4; i++) take(START, `member ${i}`, 'r');
  assert.equal(seats.status('r', moment)?.outstanding, 6);
  for (let i = 0; i < 2; i++) ledger.miss('a', START + i);
  assert.equal(seats.status('r', moment)?.outstanding, 8);
});

test('the seats of a class are shown on the servers where they are taken and where they will probably be', () => {
  const { at, take, seats } = fleet(robots);
  at(START);
  for (let i = 0; i < 4; i++) take(START, `member ${i}`, 'r');
  const shares = [...seats.shares({ now: START + 1, wall: START + 1 }).values()];
  const sum = (of: 'held' | 'taken') => shares.reduce((total, share) => total + share[of], 0);
  assert.deepEqual([sum('held'), sum('taken')], [6, 4]);
  assert.ok(shares.every(({ held, points }) => points > 0 === held > 0));
  assert.equal(fleet({ ...robots, start: START + 86_400, end: START + 90_000 }).seats.shares(at(START)).size, 0);
});

test('without a reservation within reach the candidates stay the same object', () => {
  const { at, seats } = fleet({ ...robots, start: START + 86_400, end: START + 90_000 });
  assert.equal(seats.permitted(candidates, undefined, at(START)), candidates);
  assert.equal(seats.isWithinReach(START), false);
});

test('without a reservation, or with one that is days away, every decision and everything learned is that of the ledger alone', () => {
  const act = fc.record({
    what: fc.constantFrom('book' as const, 'report' as const, 'release' as const),
    server: fc.constantFrom(...servers),
    load: fc.integer({ min: 0, max: 100 }),
    project: fc.constantFrom(undefined, 'p', 'q'),
    pause: fc.integer({ min: 0, max: 30 }),
  });
  const run = (acts: readonly (typeof act extends fc.Arbitrary<infer T> ? T : never)[], days?: number) => {
    const ledger = new Ledger(DEFAULT_ALLOCATION, () => 0.5);
    for (const id of servers) ledger.add(id, { countsSessions: id === 'a' }, 0);
    const book = new ReservationBook((url) => url);
    if (days !== undefined) book.put({ ...robots, start: days * 86_400, end: days * 86_400 + 3600 });
    const lengths = { mean: 1500, spread: 0.8 };
    const seats = new ReservedSeats({
      ...{ ledger, book, eligible: () => servers, keyOf: (url) => url, parameters: () => ({ target: 90, lengths }) },
    });
    const outcomes: unknown[] = [];
    const bookings: string[] = [];
    let now = 0;
    for (const { what, server, load, project, pause } of acts) {
      now += pause;
      const request = { id: `${outcomes.length}`, address: '192.0.2.1', ...(project !== undefined && { project }) };
      if (what === 'report') ledger.report(server, load, now);
      if (what === 'release') ledger.release(bookings.shift() ?? '', now);
      if (what !== 'book') continue;
      const outcome =
        days === undefined ? ledger.book(request, candidates, now) : seats.take(request, candidates, { now, wall: now });
      if (outcome.kind === 'booked') bookings.push(outcome.bookingId);
      outcomes.push(outcome);
    }
    return JSON.stringify([outcomes, ledger.save(now, now)]);
  };
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      assert.equal(run(acts, 30), run(acts));
    }),
    { numRuns: 50 },
  );
});

test('a released reservation holds no client back', () => {
  const { at, take } = fleet({ ...robots, seats: 20, released: true });
  at(START - 1);
  assert.equal(take(START - 1, 'other').kind, 'booked');
});

test('seats that were released and reserved again are those of the other class alone', () => {
  const { at, take, book } = fleet(robots, { ...robots, id: 's', code: 'SEAT', seats: 18 });
  at(START);
  take(START, 'early', 'r');
  book.put({ ...robots, released: true });
  const late = Array.from({ length: 10 }, (_, i) => take(START, `late ${i}`, 'r').kind);
  assert.ok(late.filter((kind) => kind === 'booked').length <= 1, late.join());
  assert.equal(book.classOf({ code: 'ROBO', holder: 'new' }, START, () => 0).kind, 'seats-taken');
  assert.equal(book.classOf({ code: 'ROBO', holder: 'early' }, START, () => 0).kind, 'class', 'who has a seat keeps it');
  const members = Array.from({ length: 18 }, (_, i) => take(START, `member ${i}`, 's').kind);
  assert.deepEqual(members, Array(18).fill('booked'));
});

test('a client that would fit but for the class gets that reason, a client for which there is no room does not', () => {
  const { at, seats, ledger } = fleet({ ...robots, seats: 20 });
  const moment = at(START - 1);
  assert.equal(seats.heldFor(candidates, undefined, moment)?.id, 'r');
  for (const id of servers) ledger.report(id, 89, START, START);
  assert.equal(seats.heldFor(candidates, undefined, { now: START, wall: START }), undefined);
});

/** Before the doors of a class that needs more than both servers have. */
function beforeAll() {
  const scene = fleet({ ...robots, seats: 21 });
  const now = START - 1300;
  scene.at(now);
  return { ...scene, now };
}

test('a client that the reserve alone keeps out gets a session with an end, where ends are kept and it does not refuse them', () => {
  const { take, seats, keepsEnds, now } = beforeAll();
  const moment = { now, wall: now };
  assert.equal(take(now, 'other').kind, 'no-room');
  assert.equal(seats.fits(candidates, undefined, moment), false);
  keepsEnds.value = true;
  assert.equal(seats.take({ id: '', ends: 'refuse' }, candidates, moment).kind, 'no-room');
  assert.equal(seats.heldFor(candidates, undefined, moment, { ends: 'refuse' })?.id, 'r');
  assert.equal(seats.fits(candidates, undefined, moment), true);
  assert.equal(seats.heldFor(candidates, undefined, moment), undefined);
  const outcome = take(now, 'other');
  assert.ok(outcome.kind === 'booked');
  assert.equal(outcome.endsAt, START - 660);
  assert.equal(seats.isEndDue(outcome.bookingId), true);
});

test('sessions with ends cost the class no seat, and none begins less than ten minutes before the doors', () => {
  const { at, take, seats, book, ends, ledger, keepsEnds, now } = beforeAll();
  keepsEnds.value = true;
  const predicted = () => seats.predicted({ ...robots, seats: 21 }, { now, wall: now });
  const before = predicted();
  const others = Array.from({ length: 12 }, (_, i) => take(now, `other ${i}`));
  assert.ok(others.every((outcome) => outcome.kind === 'booked' && outcome.endsAt === START - 660));
  assert.equal(predicted(), before);
  for (const outcome of others) {
    assert.ok(outcome.kind === 'booked');
    ends.left(outcome.bookingId);
    book.leave(outcome.bookingId);
    ledger.release(outcome.bookingId, START - 700);
  }
  at(START - 1199);
  assert.equal(take(START - 1199, 'too late').kind, 'no-room');
  at(START);
  const members = Array.from({ length: 20 }, (_, i) => take(START, `member ${i}`, 'r').kind);
  assert.ok(members.every((kind) => kind === 'booked'));
});

test('a session is not ended for a class that was cancelled, released or moved to a later time', () => {
  for (const change of [undefined, { released: true }, { start: START + 3600 }]) {
    const { take, seats, book, keepsEnds, now } = beforeAll();
    keepsEnds.value = true;
    const outcome = take(now, 'other');
    assert.ok(outcome.kind === 'booked' && outcome.endsAt !== undefined);
    if (change === undefined) book.remove('r');
    else book.put({ ...robots, ...change });
    assert.equal(seats.isEndDue(outcome.bookingId), false);
  }
});

test('by code or by project, and only while it is on; a code is never served as the public', () => {
  const project = 'https://github.com/o/robo';
  const { book } = fleet({ ...robots, match: 'either', project });
  const of = (request: { code?: string; project?: string }, now: number) =>
    book.classOf({ ...request, holder: '' }, now, () => 0).kind;
  assert.deepEqual(
    [START - 601, START - 600, START + 3600].map((now) => of({ code: 'ROBO' }, now)),
    ['not-now', 'class', 'not-now'],
  );
  assert.equal(of({ code: 'ROBA' }, START), 'unknown-code');
  assert.deepEqual(
    ['github.com/o/robo', 'github.com/o/robo/worlds/w.wbt', 'github.com/o/robots'].map((key) => of({ project: key }, START)),
    ['class', 'class', 'public'],
  );
  assert.equal(of({ project: 'github.com/o/robo' }, START - 601), 'public');
  assert.equal(book.classOf({ code: 'ROBO', holder: '' }, START, () => 10).kind, 'seats-taken');
});

test('the class has its seats whatever others and its own people do, and the same course gives the same after a restart', () => {
  const act = fc.tuple(fc.constantFrom('other', 'member', 'leave', 'restart'), fc.nat(12));
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const plain = fleet(robots);
      const saved = fleet(robots);
      const moment = plain.at(START);
      saved.at(START);
      for (const [index, [kind, number]] of acts.entries()) {
        if (kind === 'restart') {
          const kept = saved.book.kept();
          saved.book.remove('r');
          saved.book.restore(kept);
          continue;
        }
        const outcomes = [plain, saved].map(({ take, book, ledger }) => {
          if (kind === 'member') return take(START, `member ${index}`, 'r').kind;
          if (kind === 'other') return take(START, `other ${index}`).kind;
          const seat = [...book.seats('r')][number];
          if (seat === undefined) return 'none';
          book.leave(seat.bookingId);
          ledger.release(seat.bookingId, START);
          return seat.holder;
        });
        assert.equal(outcomes[0], outcomes[1]);
        assert.ok([...plain.book.seats('r')].length <= robots.seats);
      }
      const free = plain.seats.status('r', moment)?.outstanding ?? 0;
      const late = Array.from({ length: free }, (_, i) => plain.take(START, `late ${i}`, 'r').kind);
      assert.ok(late.every((kind) => kind === 'booked'));
    }),
  );
});
