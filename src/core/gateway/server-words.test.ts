import assert from 'node:assert/strict';
import { test } from 'node:test';
import { causeOfEnd, maxSilence, meaningOf } from './server-words.ts';

for (const [sentence, cause] of [
  ['Wrong Webots simulation URL', 'project'],
  ['Missing blob in Webots simulation URL, founds x', 'project'],
  ['Missing worlds folder in Webots simulation URL', 'project'],
  ['Missing world file in Webots simulation URL', 'project'],
  ['arm.wbt does not exist.', 'project'],
  ['Cannot run simulation from blocked repository: https://github.com/a/b', 'project'],
  ["Image version R2000z not available on Cyberbotics' dockerHub. Please, add the appropriate Dockerfile.", 'project'],
  ['Docker not enabled: cannot host simulations from repositories outside of "allowedRepositories".', 'machine'],
  ['This simulation server is not configured to share idle time.', 'machine'],
  ['Cannot share idle time when current load is above threshold: 61.2.', 'machine'],
  ['Missing Dockerfile.default in /opt/config', 'machine'],
  ['Unable to start Webots: webots --batch', 'machine'],
] as const)
  test(`"${sentence.slice(0, 40)}" is a failure because of the ${cause}`, () => {
    for (const prefix of ['loading: Error: ', 'docker: Error: ', 'Error: '])
      assert.deepEqual(meaningOf(prefix + sentence), { kind: 'failure', reason: sentence, cause });
    assert.equal(causeOfEnd(1000, sentence), cause);
  });

test('a line of a build that begins with Error is a failure only if nothing follows', () => {
  assert.deepEqual(meaningOf('loading: Error: optional package x is missing, going on'), {
    ...{ kind: 'complaint', reason: 'optional package x is missing, going on' },
  });
  assert.deepEqual(meaningOf('loading: Step 3/3'), { kind: 'progress' });
});

test('an error without a prefix, which no client shows, is the end', () => {
  assert.deepEqual(meaningOf('Error: something new'), { kind: 'failure', reason: 'something new', cause: 'project' });
});

test('an error that makes clients quit waits for the close code', () => {
  assert.deepEqual(meaningOf('error: no\n room'), { kind: 'farewell', reason: 'no room' });
  assert.ok(maxSilence('farewell') < maxSilence('complaint'));
  assert.ok(maxSilence('complaint') < maxSilence('progress'));
});

test('the stream and progress are neither', () => {
  assert.equal(meaningOf('webots:wss://host/2001').kind, 'stream');
  for (const message of ['loading: webots', 'docker: x', 'ide: enable', 'type:demo', 'shutdownTimeout: 7200', '', '.'])
    assert.equal(meaningOf(message).kind, 'progress', message);
});

test('a close code comes before any sentence, and without either another machine is tried', () => {
  assert.equal(causeOfEnd(1008, 'Cannot share idle time when current load is above threshold: 61.2.'), 'project');
  for (const code of [1011, 1012, 1013]) assert.equal(causeOfEnd(code, 'arm.wbt does not exist.'), 'machine');
  for (const code of [1000, 1005, 1006, 4000, undefined]) {
    assert.equal(causeOfEnd(code, undefined), 'machine');
    assert.equal(causeOfEnd(code, 'who knows'), 'machine');
    assert.equal(causeOfEnd(code, 'arm.wbt does not exist.'), 'project');
  }
});

test('a reason has a maximum length', () => {
  const meaning = meaningOf(`error: ${'x'.repeat(1000)}`);
  assert.ok(meaning.kind === 'farewell' && meaning.reason.length === 300);
});
