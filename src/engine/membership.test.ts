import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointOf } from '../../test/support/endpoints.ts';
import { Membership, type MembershipOptions } from './membership.ts';

test('servers of every source learn that their sessions are counted, or no longer are', () => {
  const accounts = new Map<string, boolean | undefined>();
  let counts = false;
  const options = {
    poller: { update: () => undefined, servers: () => [] },
    ledger: { add: (id: string, account: { countsSessions?: boolean }) => accounts.set(id, account.countsSessions) },
    router: {},
    changed: () => undefined,
    removed: () => undefined,
    countsSessions: () => counts,
  } as unknown as MembershipOptions;
  const membership = new Membership(options);
  const server = (address: string) => ({ endpoint: endpointOf(address), weight: 1, shareIdleTime: 0, labels: {} });
  membership.set('configured', [server('a/2000')]);
  membership.set('registered', [server('b/2000')]);
  assert.deepEqual([...accounts.values()], [false, false]);
  counts = true;
  membership.recount();
  assert.deepEqual([...accounts.values()], [true, true]);
});
