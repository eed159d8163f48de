import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadHeaders } from '../simulation/costs.ts';
import { readSessionReport } from './session-report.ts';

test('what a simulation server writes is read', () => {
  const headers = loadHeaders({ starting: 2, running: 2, idle: 3, begun: 40, points: 41.52, pending: 12, version: 18 });
  assert.deepEqual(readSessionReport(headers['Session-Count'], headers['Session-Load']), {
    ...{ sessions: 7, starting: 2, begun: 40, points: 41.5 },
  });
});

test('a server without the headers, or with others in their place, reports nothing', () => {
  const load = '41.5; pending=12.0';
  for (const count of [undefined, '', '7', '7; starting=2', '-1; starting=0; begun=1', '1.5; starting=1; begun=2', ['7', '8']])
    assert.equal(readSessionReport(count, load), undefined, String(count));
  const count = '7; starting=2; begun=9';
  for (const points of [undefined, '', 'NaN', '1e3', '-4', '99999999'])
    assert.equal(readSessionReport(count, points), undefined, points);
  assert.equal(readSessionReport('1; starting=2; begun=9', load), undefined, 'more are starting than there are');
});

test('any text is read without an error, and what is read is within limits', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (count, load) => {
      const report = readSessionReport(count, load);
      assert.ok(report === undefined || Object.values(report).every((value: number) => value >= 0 && value <= 1_000_000));
    }),
  );
});
