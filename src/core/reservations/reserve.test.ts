import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { reserveFor, seatsIn } from './reserve.ts';
import { reachOf, shareLeft, stillRuns } from './session-length.ts';

const lengths = { mean: 1500, spread: 0.8 };
const parameters = { target: 90, lengths };
const STAYS = { cost: 8, survival: 1 };
const server = (load: number) => ({ load, base: 2, factor: 1 });

test('at the start the seats that fit now are held, and the last of them is not given away', () => {
  const room = reserveFor([server(10), server(10)], { seats: 18, seatCost: 8, ahead: 0 }, parameters);
  assert.deepEqual([room.predicted, room.spare], [18, 0]);
  assert.equal(room.admits(0, STAYS), false);
  assert.equal(reserveFor([server(10), server(10)], { seats: 17, seatCost: 8, ahead: 0 }, parameters).admits(0, STAYS), true);
});

test('long before the start no client is held back, even on a full fleet', () => {
  const room = reserveFor([server(89), server(89)], { seats: 18, seatCost: 8, ahead: 6 * 3600 }, parameters);
  assert.ok(room.spare > 1, String(room.spare));
  assert.equal(room.admits(0, { cost: 8, survival: stillRuns(lengths, 6 * 3600) }), true);
});

test('the closer the start, the fewer seats will be free beside the sessions that run', () => {
  const spare = [7200, 3600, 1800, 600, 0].map(
    (ahead) => reserveFor([server(80)], { seats: 5, seatCost: 8, ahead }, parameters).predicted,
  );
  assert.deepEqual(
    spare,
    [...spare].sort((a, b) => b - a),
  );
});

test('people of a class that will have left by then do not count as load, those that stay are', () => {
  const demand = { seats: 5, seatCost: 8, ahead: 60 };
  const of = (staying: number) =>
    reserveFor([server(82)], { ...demand, ofClasses: () => ({ points: 80, staying }) }, parameters).predicted;
  assert.deepEqual([of(0), of(1)], [10, 0]);
});

test('no admitted session of another client makes the seats fewer than are needed', () => {
  const load = fc.double({ min: 0, max: 120, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(load, { minLength: 1, maxLength: 6 }),
      fc.nat(30),
      fc.double({ min: 0.3, max: 40, noNaN: true }),
      (loads, seats, cost) => {
        const demand = { seats, seatCost: 8, ahead: 0 };
        const servers = loads.map(server);
        const before = reserveFor(servers, demand, parameters);
        for (const index of servers.keys()) {
          assert.ok(!before.isAmple({ cost, survival: 1 }) || before.admits(index, { cost, survival: 1 }));
          if (!before.admits(index, { cost, survival: 1 })) continue;
          const after = reserveFor(
            servers.map((one, i) => (i === index ? { ...one, load: one.load + cost } : one)),
            demand,
            parameters,
          );
          assert.ok(after.spare >= 0, `${before.spare} → ${after.spare}`);
        }
      },
    ),
  );
});

test('a class that needs no seats holds back no client, on any fleet at any time', () => {
  const load = fc.double({ min: 0, max: 120, noNaN: true });
  const ahead = fc.integer({ min: 0, max: 7200 });
  fc.assert(
    fc.property(
      fc.array(load, { minLength: 1, maxLength: 6 }),
      ahead,
      fc.double({ min: 0.3, max: 40, noNaN: true }),
      (loads, time, cost) => {
        const { admits } = reserveFor(loads.map(server), { seats: 0, seatCost: 8, ahead: time }, parameters);
        assert.ok([...loads.keys()].every((index) => admits(index, { cost, survival: stillRuns(lengths, time) })));
      },
    ),
  );
});

test('seats are whole, and the last one stays below the target', () => {
  assert.deepEqual([seatsIn(16, 8), seatsIn(16.1, 8), seatsIn(-3, 8)], [1, 2, 0]);
});

test('half of the sessions outlast the median, a few run for very long, and in the end all are over', () => {
  assert.deepEqual([stillRuns(lengths, 0), shareLeft(lengths, 0)], [1, 1]);
  assert.ok(Math.abs(stillRuns(lengths, 1500 * Math.exp(-0.32)) - 0.5) < 1e-6);
  assert.ok(shareLeft(lengths, 6000) > stillRuns(lengths, 6000));
  assert.ok(Math.abs(stillRuns(lengths, reachOf(lengths)) - 0.01) < 1e-3);
  assert.ok(shareLeft(lengths, 100_000) < 1e-3);
});
