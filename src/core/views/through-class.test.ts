import assert from 'node:assert/strict';
import { test } from 'node:test';
import { belowClass, classOfPage } from './through-class.ts';

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

test('a page below that of a class knows the code, also where the site has a path of its own', () => {
  assert.equal(classOfPage('/c/ROBO-101/session'), 'ROBO-101');
  assert.equal(classOfPage('/sim/c/caf%C3%A9/session'), 'café');
  for (const path of ['/session', '/c/session', '/c/A/B/session', '/view']) assert.equal(classOfPage(path), undefined, path);
});
