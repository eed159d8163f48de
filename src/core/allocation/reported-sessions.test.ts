import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SessionReport } from '../fleet/session-report.ts';
import { DEFAULT_ALLOCATION } from './allocation-parameters.ts';
import type { Booking } from './booking.ts';
import { Ledger } from './ledger.ts';
import { sessionChanges } from './reported-sessions.ts';

const all = { tiers: [['a']] };
const report = (sessions: number, begun: number, more: Partial<SessionReport> = {}): SessionReport => ({
  ...{ sessions, begun, starting: 0, points: 0 },
  ...more,
});

/** A server that reported at second 100, with room for many. */
function fixture() {
  const ledger = new Ledger({ ...DEFAULT_ALLOCATION, jitter: 0 }, () => 0.5);
  ledger.add('a', {}, 99);
  ledger.report('a', 0, 100, 100, report(0, 50));
  const book = (now: number, address: string): string => {
    const outcome = ledger.book({ id: '', address, project: 'arm' }, all, now);
    assert.ok(outcome.kind === 'booked');
    return outcome.bookingId;
  };
  return { ledger, book, booked: () => Math.round(ledger.booked('a')) };
}

test('a hand-out is booked until the report of its server says that its simulation has started', () => {
  const { ledger, book, booked } = fixture();
  book(101, '192.0.2.1');
  ledger.report('a', 0, 105, 105, report(1, 51, { starting: 1 }));
  assert.equal(booked(), 8, 'its client came and its simulation starts');
  ledger.report('a', 2, 200, 200, report(1, 51, { starting: 1 }));
  assert.equal(booked(), 8, 'a start that takes long is not forgotten');
  ledger.report('a', 8, 205, 205, report(1, 51));
  assert.equal(booked(), 8);
  ledger.report('a', 8, 210, 210, report(1, 51));
  assert.equal(booked(), 4, 'the load comes to show it');
  ledger.report('a', 8, 215, 215, report(1, 51));
  assert.equal(booked(), 0);
});

test('a client that did not come frees its place with the first report after its time', () => {
  const { ledger, book, booked } = fixture();
  book(101, '192.0.2.1');
  ledger.report('a', 0, 106, 106, report(0, 50));
  assert.ok(booked() > 0, 'it may still come');
  ledger.report('a', 0, 112, 112, report(0, 50));
  assert.equal(booked(), 0);
  assert.deepEqual(ledger.arrivals(112), { judged: 1, arrived: 0 });
});

test('without a report the place is held, because nothing is known', () => {
  const { ledger, book, booked } = fixture();
  book(101, '192.0.2.1');
  ledger.miss('a', 112);
  const other = book(113, '192.0.2.2');
  ledger.release(other, 114);
  assert.equal(booked(), 8);
});

test('sessions that began and ended count for and against their addresses, and free their load', () => {
  const { ledger, book } = fixture();
  for (let i = 0; i < 4; i += 1) book(101, '192.0.2.1');
  ledger.report('a', 5, 105, 105, report(4, 54));
  assert.deepEqual(ledger.arrivals(105), { judged: 4, arrived: 4 });
  assert.equal(ledger.account('a')?.sessions, 4);
  ledger.report('a', 30, 200, 200, report(1, 54));
  assert.equal(ledger.account('a')?.sessions, 1);
});

test('the gateway counts exactly, so reports change nothing there', () => {
  const ledger = new Ledger({ ...DEFAULT_ALLOCATION, jitter: 0 }, () => 0.5);
  ledger.add('a', { countsSessions: true }, 99);
  ledger.report('a', 0, 100, 100, report(0, 50));
  ledger.book({ id: '', address: '192.0.2.1' }, all, 101);
  ledger.report('a', 0, 102, 102, report(1, 51));
  assert.deepEqual(ledger.arrivals(102), { judged: 0, arrived: 0 });
});

test('a server that was replaced by the original is read as any other', () => {
  const { ledger, book, booked } = fixture();
  book(101, '192.0.2.1');
  ledger.report('a', 0, 105, 105, report(1, 51, { starting: 1 }));
  ledger.report('a', 0, 110, 110);
  assert.deepEqual([booked(), ledger.account('a')?.sessions], [0, 0]);
  book(111, '192.0.2.1');
  assert.ok(booked() > 0);
});

/** Mean cost that a server of twenty sessions teaches, when other work makes its load swing. */
function learnedCost(measures: boolean): number {
  const { ledger } = fixture();
  let [begun, sessions] = [50, 0];
  for (let now = 105; now < 1500; now += 5) {
    if ((now - 105) % 60 === 0) {
      ledger.book({ id: '', address: `192.0.2.${begun % 200}` }, all, now - 4);
      begun += 1;
      sessions += 1;
    }
    if ((now - 105) % 240 === 235) sessions -= 2;
    const noise = 12 * Math.sin(now / 17) + 14;
    const points = 3 * sessions;
    ledger.report('a', points + noise, now, now, measures ? report(sessions, begun, { points }) : undefined);
  }
  return ledger.account('a')?.cost.value ?? NaN;
}

test('what sessions cost is learned from what the server measured, whatever else it does', () => {
  const [measured, guessed] = [learnedCost(true), learnedCost(false)];
  assert.ok(Math.abs(measured - 3) < 0.5, `${measured} of 3 points`);
  assert.ok(Math.abs(measured - 3) < Math.abs(guessed - 3), `measured ${measured}, guessed ${guessed}`);
});

test('a server that lies about its sessions cannot make them look more expensive than its load', () => {
  const { ledger, book } = fixture();
  for (let now = 101; now < 400; now += 5) {
    if (now % 50 === 1) book(now, '192.0.2.1');
    ledger.report('a', 10, now + 1, now + 1, report(2, now, { points: 1_000_000 }));
  }
  assert.ok((ledger.account('a')?.cost.value ?? NaN) < 20);
});

test('whatever is reported, no hand-out begins or ends twice, and no more run than the server has', () => {
  const number = fc.nat({ max: 20 });
  const reports = fc.array(fc.record({ sessions: number, begun: fc.nat({ max: 60 }), hands: fc.nat({ max: 4 }) }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(reports, (steps) => {
      const bookings: Booking[] = [];
      let before: SessionReport | undefined;
      let now = 0;
      for (const { sessions, begun, hands } of steps) {
        now += 5;
        for (let i = 0; i < hands; i += 1)
          bookings.push({
            ...{ id: String(bookings.length), server: 'a', at: now - i, request: '', project: undefined, source: undefined },
            ...{ weight: (i % 3) / 2, returned: false },
          });
        const next = report(sessions, begun, { starting: Math.min(sessions, hands) });
        const changes = sessionChanges(bookings, { before, report: next, now, oldest: now - 60 });
        for (const booking of changes.began) {
          assert.equal(booking.connected, undefined);
          booking.connected = now;
        }
        for (const booking of changes.ended) {
          assert.equal(booking.left, undefined);
          booking.left = now;
        }
        const running = bookings.filter(({ connected, left }) => connected !== undefined && left === undefined);
        assert.ok(running.length <= sessions, `${running.length} of ${sessions}`);
        before = next;
      }
    }),
  );
});
