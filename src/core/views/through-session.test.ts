import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meantBySession, throughSession } from './through-session.ts';

test('what a page for visitors needs is reached by the path of session requests', () => {
  for (const path of ['view/fleet', 'view/viewer.js?v=1', 'api/v1/sessions', 'api/v1/sessions/a-ticket'])
    assert.equal(meantBySession(`/${throughSession(path)}`), `/${path}`);
});

test('nothing else is, and a session request is still one', () => {
  for (const target of [
    ...['/session', '/session?url=/view/fleet', '/session?//host/view/x', '/session?/api/v1/servers', '/session?/monitor/events'],
    ...['/session?/api/v1/sessionsx', '/view?/view/fleet', '/session?/2000/load', '/session?/view'],
    ...['/session?/view/../metrics', '/session?/view/%2e%2E/metrics', '/session?/api/v1/sessions/..\\x'],
  ])
    assert.equal(meantBySession(target), undefined, target);
});
