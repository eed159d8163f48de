import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meantByMonitor, throughMonitor } from './through-monitor.ts';

test('what the page needs is reached by the path of the page', () => {
  for (const path of [
    'monitor/events?lastEventId=1',
    'monitor/monitor.js?v=1',
    'view/viewer.js?v=1',
    'api/v1/history?from=1&to=2',
    'api/v1/explain',
    'api/v1/servers',
    'api/v1/servers/a%3A2000/drain',
    'api/v1/notifications/test',
    'api/v1/waiting-requests?limit=8',
    'api/v1/running-sessions/a-1/end',
    'api/v1/maintenance/1',
    'api/v1/reservations/2f9c-a1',
  ])
    assert.equal(meantByMonitor(`/${throughMonitor(path)}`), `/${path}`);
});

test('nothing else is, and no other path is read this way', () => {
  for (const target of [
    ...['/monitor', '/monitor?refused=x', '/monitor?//host/monitor/x', '/monitor?/session', '/monitor?/2000/load'],
    ...[
      '/monitor?/api/v1/sessions',
      '/monitor?/api/v1/register',
      '/monitor?/api/v1/historyx',
      '/monitor?/api/v1/reservations',
      '/load?/monitor/events',
    ],
  ])
    assert.equal(meantByMonitor(target), undefined, target);
});

test('no spelling of a parent folder leads out of what the page needs', () => {
  for (const dots of ['..', '.', '%2e%2e', '.%2E', '%2e.'])
    for (const slash of ['/', '\\'])
      for (const end of ['metrics', '?x', '#x', ''])
        for (const target of [`/monitor?/monitor/x${slash}${dots}${slash}${end}`, `/monitor?/view/${dots}${end && slash + end}`])
          assert.equal(meantByMonitor(target), undefined, target);
  assert.equal(meantByMonitor('/monitor?/monitor/..a/b..'), '/monitor/..a/b..');
  assert.equal(meantByMonitor('/monitor?/api/v1/explain?url=/../x'), '/api/v1/explain?url=/../x');
});
