import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readClientLine, readSessionMessage, readStreamMessage } from './words.ts';

test('a place in line, a server and a refusal are read from /session', () => {
  const read = (message: object) => readSessionMessage(JSON.stringify(message));
  assert.deepEqual(read({ type: 'waiting', position: 3, estimateSeconds: { from: 90, to: 120 }, resumeToken: 't' }), {
    ...{ kind: 'waiting', position: 3, ofClass: false, estimate: { from: 90, to: 120 }, token: 't' },
  });
  assert.deepEqual(read({ type: 'waiting', position: 1, ofClass: true, estimateSeconds: null }), {
    ...{ kind: 'waiting', position: 1, ofClass: true, estimate: undefined, token: undefined },
  });
  assert.deepEqual(read({ type: 'allocated', url: 'ws://localhost:2000' }), { kind: 'allocated', url: 'ws://localhost:2000' });
  assert.equal(read({ type: 'allocated', url: 'javascript:alert(1)' }), undefined);
  assert.deepEqual(read({ type: 'refused', code: 'no-room', reason: 'Full.' }), {
    ...{ kind: 'refused', code: 'no-room', reason: 'Full.' },
  });
});

test('progress, errors and the stream are read from /client', () => {
  assert.deepEqual(readClientLine('loading: Loading the world'), { kind: 'progress', text: 'Loading the world' });
  assert.deepEqual(readClientLine('loading: Error: no room'), { kind: 'complaint', text: 'no room' });
  assert.deepEqual(readClientLine('error: no room'), { kind: 'farewell', reason: 'no room' });
  const missing = { kind: 'failure', reason: 'arm.wbt does not exist.', cause: 'project' };
  assert.deepEqual(readClientLine('Error: arm.wbt does not exist.'), missing);
  assert.deepEqual(readClientLine('webots:ws://localhost:2001'), { kind: 'stream', url: 'ws://localhost:2001' });
  for (const other of ['.', 'webots:http://x', 'docker: Loading', 'shutdownTimeout: 10', ''])
    assert.equal(readClientLine(other), undefined, other);
});

test('the words of the stream of Webots are read', () => {
  assert.deepEqual(readStreamMessage('model:<nodes/>'), { kind: 'scene', xml: '<nodes/>' });
  assert.deepEqual(readStreamMessage('pause: 40'), { kind: 'state', playing: false });
  for (const word of ['real-time', 'run', 'fast']) assert.deepEqual(readStreamMessage(word), { kind: 'state', playing: true });
  const poses = [{ id: 7, translation: '1 2 3', rotation: '0 0 1 x' }, { id: {} }, null];
  assert.deepEqual(readStreamMessage(`application/json:${JSON.stringify({ time: 40, poses })}`), {
    ...{ kind: 'poses', time: 40, poses: [{ id: 'n7', translation: [1, 2, 3] }] },
  });
});

test('no text from a server is an exception', () => {
  const parts = fc.constantFrom(
    'application/json:',
    '{"time":1,"poses":[',
    '{"id":1',
    '}',
    ']',
    'webots:',
    '{"type":"waiting"',
    'model:',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(parts, fc.string(), fc.json()), { maxLength: 5 }), (texts) => {
      for (const read of [readSessionMessage, readClientLine, readStreamMessage]) read(texts.join(''));
    }),
  );
});
