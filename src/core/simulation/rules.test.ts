import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matches, ruleAgainst, type RepositoryRules, type RuleFacts } from './rules.ts';

const rules: RepositoryRules = { allowed: ['https://github.com/acme'], blocked: ['github.com/acme/bad'], shareIdleTime: 50 };
const facts: RuleFacts = {
  project: 'github.com/other/arm/worlds/arm.wbt',
  url: 'https://github.com/other/arm/blob/main/worlds/arm.wbt',
  isolated: true,
  load: 10,
  pending: 0,
};
const own = { project: 'github.com/acme/arm/worlds/arm.wbt' };

test('an allowed project runs whatever the load and the isolation', () => {
  assert.equal(ruleAgainst(rules, { ...facts, ...own, load: 100, isolated: false }), undefined);
  assert.equal(ruleAgainst(rules, { ...facts, ...own, load: undefined }), undefined);
});

test('a foreign project runs in isolation, below the shared load', () => {
  assert.equal(ruleAgainst(rules, facts), undefined);
  for (const [ending, text] of [
    [ruleAgainst(rules, { ...facts, isolated: false }), /^Docker not enabled: /],
    [ruleAgainst({ ...rules, shareIdleTime: 0 }, facts), /not configured to share idle time/],
  ] as const) {
    assert.match(ending?.text ?? '', text);
    assert.equal(ending?.code, 1013, 'another machine may allow it');
  }
});

test('starting sessions count, so that a burst of foreign projects cannot get around the threshold', () => {
  assert.equal(ruleAgainst(rules, { ...facts, load: 50 }), undefined);
  assert.deepEqual(ruleAgainst(rules, { ...facts, load: 45, pending: 8 }), {
    reason: 'refused',
    code: 1013,
    text: 'Cannot share idle time when current load is above threshold: 53.',
  });
});

test('without allowed repositories every project is foreign', () => {
  const { allowed: _, ...open } = rules;
  assert.match(ruleAgainst(open, { ...facts, ...own, isolated: false })?.text ?? '', /^Docker not enabled: /);
});

test('a blocked repository is refused with the code for every machine, even when its owner is allowed', () => {
  const ending = ruleAgainst(rules, {
    ...facts,
    project: 'github.com/acme/bad/worlds/x.wbt',
    url: 'https://github.com/acme/bad',
  });
  assert.deepEqual(ending, {
    reason: 'refused',
    code: 1008,
    text: 'Cannot run simulation from blocked repository: https://github.com/acme/bad',
  });
});

test('a prefix matches whole names, unless it ends with a star', () => {
  assert.ok(matches('github.com/acme', 'github.com/acme/arm/worlds/a.wbt'), 'a repository of the owner');
  assert.ok(!matches('https://github.com/acme', 'github.com/acme-evil/arm/worlds/a.wbt'), 'another owner');
  assert.ok(matches('https://github.com/acme*', 'github.com/acme-labs/arm/worlds/a.wbt'), 'open prefix');
  assert.ok(!matches('github.com/acme/arm', 'github.com/acme/armada/worlds/a.wbt'), 'another repository');
});
