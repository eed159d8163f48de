import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_ALLOCATION } from './allocation-parameters.ts';
import { readSnapshot } from './ledger-snapshot.ts';
import { Ledger, type LedgerSnapshot } from './ledger.ts';

/** As a file holds it, of a ledger that learned something and has bookings out. */
function savedFile(): LedgerSnapshot {
  const ledger = new Ledger(DEFAULT_ALLOCATION, () => 0.5);
  for (const id of ['a', 'b']) ledger.add(id, {}, 0);
  for (let t = 0; t < 600; t += 5) {
    for (const id of ['a', 'b']) ledger.report(id, Math.min(60, t / 5), t);
    if (t % 50 === 0) ledger.book({ id: `client ${t}`, project: 'github.com/x/y' }, { tiers: [['a', 'b']] }, t);
  }
  return JSON.parse(JSON.stringify(ledger.save(600, 1_700_000_000))) as LedgerSnapshot;
}

const saved = savedFile();

test('a saved snapshot is read back whole', () => {
  assert.ok(saved.servers.length === 2 && saved.projects.length === 1 && saved.bookings.length === 12);
  assert.deepEqual(readSnapshot(saved), { kind: 'snapshot', snapshot: saved, ignored: 0 });
});

test('files of others, of other versions and with damaged heads are foreign, with the reason', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [null, /not an object/],
    [[saved], /not an object/],
    ['text', /not an object/],
    [{}, /not written by a session server/],
    [{ ...saved, format: 'other' }, /not written by a session server/],
    [{ ...saved, version: 2 }, /another version \(2\)/],
    [{ ...saved, version: 'x'.repeat(10_000) }, /another version \(x{20}\)/],
    [{ ...saved, savedAt: 'yesterday' }, /times or counts/],
    [{ ...saved, allocations: -1 }, /times or counts/],
    [{ ...saved, fleet: { ...saved.fleet, log: 1e300 } }, /cost of the fleet/],
    [{ ...saved, fleet: { ...saved.fleet, variance: null } }, /cost of the fleet/],
    [{ ...saved, fleet: 8 }, /cost of the fleet/],
    [{ ...saved, servers: {} }, /list is missing/],
    [{ ...saved, bookings: undefined }, /list is missing/],
  ];
  for (const [value, reason] of cases) {
    const read = readSnapshot(value);
    assert.ok(read.kind === 'foreign');
    assert.match(read.reason, reason);
  }
});

test('entries that make no sense are left out and counted, the others stay', () => {
  const [server, other] = saved.servers;
  const [project] = saved.projects;
  const [booking] = saved.bookings;
  const read = readSnapshot({
    ...saved,
    servers: [server, null, 'a', { ...server, id: '' }, { ...server, log: NaN }, { ...server, weight: 0 }, other, {}],
    projects: [project, [], ['key'], ['key', 'log', 1], [7, 1, 1], ['x'.repeat(10_000), 0, 0.1]],
    bookings: [booking, { ...booking, age: -1 }, { ...booking, server: 7 }, { ...booking, age: '5' }, []],
  });
  assert.ok(read.kind === 'snapshot');
  assert.deepEqual(read.snapshot.servers, [server, other]);
  assert.deepEqual(read.snapshot.projects, [project]);
  assert.deepEqual(read.snapshot.bookings, [booking]);
  assert.equal(read.ignored, 6 + 5 + 4);
});

test('invalid values of optional fields count as absent', () => {
  const [server] = saved.servers;
  const [booking] = saved.bookings;
  const read = readSnapshot({
    ...saved,
    servers: [{ ...server, used: 'x', seen: -1, suspect: {}, more: 1 }],
    bookings: [{ ...booking, request: 7, project: null, returned: 'yes' }],
  });
  assert.ok(read.kind === 'snapshot' && read.ignored === 0);
  assert.deepEqual(Object.keys(read.snapshot.servers[0] ?? {}), ['id', 'weight', 'log', 'variance']);
  assert.deepEqual(Object.keys(read.snapshot.bookings[0] ?? {}), ['id', 'server', 'age']);
});

test('any damage gives a ledger that still works', () => {
  const paths: string[][] = [];
  const walk = (value: unknown, path: string[]): void => {
    if (path.length > 0) paths.push(path);
    if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
  };
  walk(saved, []);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...paths), fc.anything()), { minLength: 1, maxLength: 5 }), (damages) => {
      const file = structuredClone(saved) as unknown as Record<string, unknown>;
      for (const [path, value] of damages) damage(file, path, value);
      const ledger = new Ledger(DEFAULT_ALLOCATION, () => 0.5);
      ledger.add('a', {}, 0);
      ledger.restore(file, 1, 1_700_000_010);
      ledger.report('a', 10, 2);
      const { value } = ledger.account('a')?.cost ?? assert.fail();
      assert.ok(value >= 0.3 && value <= 60);
      assert.notEqual(ledger.examine('a', undefined, 2).kind, 'closed');
      assert.doesNotThrow(() => JSON.stringify(ledger.save(3, 1_700_000_011)));
    }),
    { numRuns: 300 },
  );
});

test('a file of three hundred thousand bookings is read up to a limit and written back smaller', () => {
  const [booking] = saved.bookings;
  const bookings = Array.from({ length: 300_000 }, (_, i) => ({ ...booking, id: `${i}`, request: `${i}` }));
  const ledger = new Ledger(DEFAULT_ALLOCATION, () => 0.5);
  assert.equal(ledger.restore({ ...saved, bookings }, 1, saved.savedAt).kind, 'restored');
  assert.equal(ledger.save(1, saved.savedAt).bookings.length, 10_000);
});

function damage(file: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let inner: unknown = file;
  for (const key of path.slice(0, -1)) {
    if (typeof inner !== 'object' || inner === null) return;
    inner = (inner as Record<string, unknown>)[key];
  }
  const last = path.at(-1);
  if (typeof inner === 'object' && inner !== null && last !== undefined) (inner as Record<string, unknown>)[last] = value;
}
