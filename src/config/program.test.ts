import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programOf } from './program.ts';

test('a list of simulation servers makes a file that of a session server, whatever else is in it', () => {
  assert.equal(programOf({ simulationServers: [], docker: true }), 'session');
});

test('keys that only simulation servers have make it one of these', () => {
  assert.equal(programOf({ server: 'localhost', webotsHome: '/usr/local/webots' }), 'simulation');
  assert.equal(programOf({ allowedRepositories: [] }), 'simulation');
});

test('keys that both have, and a file that is not a configuration, identify neither', () => {
  for (const file of [{}, { server: 'localhost', port: 2000 }, [], null, 'x']) assert.equal(programOf(file), undefined);
});
