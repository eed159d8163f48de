import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORMAT } from './format.ts';
import { differingSections, readMember } from './member.ts';

const member = {
  ...{ id: 'r1-abc', name: 'r1', version: '0.2.0', format: FORMAT, settings: { limits: 'd1' }, address: 'http://10.0.0.1:1999' },
  ...{ stamp: { term: 1, number: 5 }, latency: 0.001, clock: -120 },
};

test('a member is read as it was written', () => {
  assert.deepEqual(readMember(JSON.stringify(member)), member);
});

test('what no replica wrote is rejected', () => {
  const wrong = [
    { ...member, name: 'two\nlines' },
    { ...member, id: '' },
    { ...member, address: 'http://user@10.0.0.1' },
    { ...member, address: 'http://10.0.0.1/path' },
    { ...member, address: 'file:///etc/passwd' },
    { ...member, format: -1 },
    { ...member, name: 'x'.repeat(201) },
    { ...member, settings: 'd1' },
    { ...member, settings: { limits: 5 } },
    { ...member, settings: Object.fromEntries(Array.from({ length: 31 }, (_, i) => [`s${i}`, 'd'])) },
    [],
    null,
  ];
  for (const value of wrong) assert.equal(readMember(JSON.stringify(value)), undefined);
  assert.equal(readMember('{'), undefined);
  assert.equal(readMember(`${JSON.stringify(member)}${' '.repeat(2000)}`), undefined);
  assert.deepEqual(readMember(JSON.stringify({ ...member, stamp: 'x' }))?.stamp, { term: 0, number: 0 });
  const odd = readMember(JSON.stringify({ ...member, latency: 'long', clock: 1e300, polls: -1 }));
  assert.deepEqual([odd?.latency, odd?.clock, odd?.polls], [undefined, undefined, undefined]);
});

test('the sections in which two replicas differ are named', () => {
  assert.deepEqual(differingSections({ a: '1', b: '1', c: '1' }, { a: '1', b: '2', d: '1' }), ['b', 'c', 'd']);
});
