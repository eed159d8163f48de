import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSimulationConfiguration } from '../../simulation/settings/load.ts';
import { simulationConfiguration, simulationUnit } from './simulation-unit.ts';

const options = {
  node: '/usr/bin/node',
  program: '/opt/session server/bin/session-server.mjs',
  configuration: '/etc/s.json',
  groups: ['video'],
};

test('the unit delegates its group, ends everything with the server and sweeps what is left', () => {
  const unit = simulationUnit({ ...options, docker: false });
  for (const line of [
    ...['Delegate=cpu memory pids', 'KillMode=control-group', 'Restart=always', 'DynamicUser=yes', 'CapabilityBoundingSet='],
    'ExecStart=/usr/bin/node "/opt/session server/bin/session-server.mjs" simulation /etc/s.json',
    'ExecStopPost=/usr/bin/node "/opt/session server/bin/session-server.mjs" simulation --sweep /etc/s.json',
  ])
    assert.ok(unit.split('\n').includes(line), line);
  const settings = unit.split('\n').filter((line) => !line.startsWith('#'));
  // Bubblewrap makes namespaces, and the kernel lets it mount /proc only where nothing of that is covered. A list of devices would hide GPUs.
  for (const name of [
    ...['RestrictNamespaces', 'ProtectHostname', 'ProtectKernelLogs', 'ProtectKernelTunables', 'ProtectProc', 'ProcSubset'],
    ...['ProtectControlGroups', 'ProtectClock', 'PrivateDevices', 'DeviceAllow'],
  ])
    assert.ok(!settings.some((line) => line.startsWith(`${name}=`)), name);
  assert.ok(settings.includes('BindReadOnlyPaths=-/tmp/.X11-unix'), 'displays are reached');
  assert.ok(!unit.includes('docker'), 'no group that is equivalent to root unless it is wanted');
  assert.ok(unit.includes('SupplementaryGroups=video\n'), 'for GPUs');
});

test('the configuration that is written loads without a warning', async () => {
  const bytes = Buffer.from(
    simulationConfiguration({ server: 'sim.example.org', docker: false, notify: 'https://a.example.org/register/x' }),
  );
  const result = await loadSimulationConfiguration('x.json', {
    readFile: () => Promise.resolve({ kind: 'content', bytes, mode: 0o644 }),
  });
  assert.deepEqual([result.kind, result.warnings], ['loaded', []]);
});
