import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Examination } from '../simulation/app/examine.ts';
import { machineFindings } from './doctor-simulation.ts';

const good: Examination = {
  git: '2.39.5',
  isolation: { name: 'bubblewrap', strength: 'namespace', limits: 'all', network: 'none', notes: [] },
  notUsed: [],
  missing: [],
};

test('a machine with everything passes', () => {
  assert.deepEqual(
    machineFindings(good).map(({ check, level }) => [check, level]),
    [
      ['git', 'ok'],
      ['isolation', 'ok'],
      ['workspaces', 'ok'],
    ],
  );
});

test('what is missing is a fault with its fix, and a weaker isolation a warning', () => {
  const { git: _, ...rest } = good;
  const findings = machineFindings({
    ...{ ...rest, git: undefined, notUsed: ['bubblewrap: spawn bwrap ENOENT'], copies: 'mount: permission denied' },
    missing: [{ subject: '/opt/webots/webots', text: 'there is no Webots', fix: 'install it' }],
  });
  assert.deepEqual(
    findings.filter(({ level }) => level !== 'ok').map(({ check, level, fix }) => [check, level, fix !== undefined]),
    [
      ['git', 'fault', true],
      ['isolation', 'warning', true],
      ['simulator', 'fault', true],
    ],
  );
});

test('a machine on which no isolation works serves no client', () => {
  const findings = machineFindings({ ...good, isolation: { ...good.isolation, name: 'none works' } });
  assert.equal(findings.find(({ check }) => check === 'isolation')?.level, 'fault');
});
