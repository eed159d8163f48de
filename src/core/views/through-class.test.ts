import assert from 'node:assert/strict';
import { test } from 'node:test';
import { belowClass } from './through-class.ts';

test('below the page of a class is what it needs, and nothing that a site may have closed', () => {
  const needed = [
    '/classes/classes.js?v=1',
    '/view/viewer.js',
    '/session?/view/viewer.js',
    '/api/v1/sessions/x',
    '/api/v1/classes/A',
  ];
  for (const path of needed) assert.equal(belowClass(`/c/ROBO-101${path}`), path);
  const closed = [
    '/monitor',
    '/metrics',
    '/api/v1/reservations',
    '/api/v1/sessionsx',
    '/monitor?/api/v1/servers',
    '/session',
    '/',
  ];
  const outside = ['/view/../metrics', '/view/%2e%2e/metrics', '/classes/../api/v1/servers', '/c/B/view/x'];
  for (const path of [...closed, ...outside]) assert.equal(belowClass(`/c/ROBO-101${path}`), undefined, path);
  assert.equal(belowClass('/c//view/x'), undefined);
});
