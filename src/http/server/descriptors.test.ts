import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budgetDescriptors, lackOfDescriptors, readDescriptorLimit } from './descriptors.ts';

test('clients get what the polls and the program itself leave, a load agent in the same process included', () => {
  assert.equal(budgetDescriptors(1024, 100, 20_000).clients, 828);
});

test('clients never get more than was configured, however little that is', () => {
  for (const limit of [undefined, 100, 1_000_000]) assert.ok(budgetDescriptors(limit, 0, 10).clients <= 10, String(limit));
  assert.equal(budgetDescriptors(undefined, 100_000, 20_000).clients, 20_000);
});

test('a few clients are served however many servers are polled', () => {
  assert.equal(budgetDescriptors(1024, 10_000, 20_000).clients, 16);
});

test('the limit of this process is a plausible number', () => {
  const limit = readDescriptorLimit();
  assert.ok(limit === undefined || limit >= 64, String(limit));
});

test('a limit that is too low for the fleet is reported with what is needed', () => {
  assert.equal(lackOfDescriptors(undefined, 10_000), undefined);
  assert.equal(lackOfDescriptors(1024, 100), undefined);
  assert.equal(lackOfDescriptors(212, 100), undefined);
  assert.match(lackOfDescriptors(211, 100) ?? '', /may open 211 .* 100 simulation servers need 212, .*ulimit -n/);
});
