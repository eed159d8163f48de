import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchText, MAX_REPORTS, readBatch, type ReportBatch } from './reports.ts';

const sessions = { sessions: 7, starting: 2, begun: 40, points: 31.5 };
const batch: ReportBatch = {
  ...{ by: 'r1-abc', number: 17 },
  reports: [
    { server: 'a:2000', age: 0.25, result: { kind: 'sample', load: 12.5, latency: 0.003 } },
    { server: 'b:2000', age: 0, result: { kind: 'sample', load: 0, latency: 0.001, sessions } },
    { server: 'c:2000', age: 0, result: { kind: 'sample', load: 3, latency: 0, loadOnly: 'it reports load only: “no”' } },
    { server: 'd:2000', age: 0.1, result: { kind: 'sample', load: 3, latency: 0, sessions, loadOnly: 'no' } },
    { server: 'e:2000', age: 1, result: { kind: 'failed', failure: { code: 'timeout', reason: 'it did not answer' } } },
  ],
};

test('reports are read as they were written, and long sentences are shortened to one line', () => {
  assert.deepEqual(readBatch(batchText(batch)), batch);
  const failure = { code: 'status', reason: `a\n${'x'.repeat(5000)}` };
  const read = readBatch(batchText({ ...batch, reports: [{ server: 'a', age: 0, result: { kind: 'failed', failure } }] }));
  assert.deepEqual(read?.reports[0]?.result, { kind: 'failed', failure: { code: 'status', reason: `a ${'x'.repeat(198)}` } });
});

test('what no replica wrote is not read', () => {
  const batches = [
    ...['', '{', '{}', 'null', '[]', '["r1"]', '["",1]', '["r1",-1]', '["r1",1.5]', '["r1","1"]', '["r\\n1",1]'],
    JSON.stringify(['r1', 1, ...Array.from({ length: MAX_REPORTS + 1 }, () => ['a', 0, 5, 1])]),
    `["r1",1]${' '.repeat(256 * 1024)}`,
  ];
  for (const text of batches) assert.equal(readBatch(text), undefined, text.slice(0, 60));
  const reports = [
    ...['[]', 'null', '5', '["a",0,5]', '["a",0,5,1,null,"x",7]', '[5,0,5,1]', '["",0,5,1]'],
    ...['["a",-1,5,1]', '["a",1e9,5,1]', '["a",0,-5,1]', '["a",0,1e999,1]', '["a",0,5,-1]', '["a",0,5,1e9]'],
    ...['["a",0,null,1]', '["a",0,5,"1"]', '["a",0,"No Code","r"]', '["a",0,"code",5]', '["a",0,"code","a\\u0007b"]'],
    ...['["a",0,5,1,[1,2,3,4]]', '["a",0,5,1,[1,0,0.5,4]]', '["a",0,5,1,[1,0,3]]', '["a",0,5,1,{}]'],
    ...['["a",0,5,1,null,5]', `["${'a'.repeat(521)}",0,5,1]`],
  ];
  for (const text of reports) {
    const read = readBatch(`["r1",1,${text},["b",0,5,1]]`);
    assert.deepEqual(
      read?.reports.map(({ server }) => server),
      ['b'],
      text,
    );
  }
});

test('any text is a batch or nothing, and what is read can be written and read again', () => {
  const value = fc.oneof(fc.string(), fc.double(), fc.integer(), fc.constant(null), fc.array(fc.nat(9), { maxLength: 4 }));
  const foreign = fc.tuple(fc.string(), fc.nat(), fc.array(value, { maxLength: 6 })).map((parts) => JSON.stringify(parts));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), foreign), (text) => {
      const read = readBatch(text);
      if (read !== undefined) assert.equal(readBatch(batchText(read))?.reports.length, read.reports.length);
    }),
  );
});
