import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GROUP, systemdUnit } from './systemd-unit.ts';

test('the user that exists only while the program runs has a home folder, and another name than the group that reads the configuration', () => {
  const unit = systemdUnit({
    node: '/usr/bin/node',
    program: '/opt/session-server/bin/session-server.mjs',
    configuration: '/etc/session-server/session.json',
    lowPorts: true,
  });
  const valueOf = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? assert.fail(key);
  assert.equal(valueOf('DynamicUser'), 'yes');
  assert.equal(valueOf('SupplementaryGroups'), GROUP);
  assert.match(unit, /^Environment=HOME=%S\/session-server$/m);
  // Without `User=` systemd would take the name of the unit.
  assert.notEqual(valueOf('User'), GROUP);
  assert.notEqual(GROUP, 'session-server');
});
