import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readStartMessage } from './start-message.ts';

test('the project is read from the message of each generation of clients', () => {
  const url = 'https://github.com/a/b/blob/main/worlds/c.wbt';
  assert.deepEqual(readStartMessage(`{"start":{"url":"${url}"}}`), { kind: 'start', projectUrl: url });
  assert.deepEqual(readStartMessage(`{"start":{"url":"${url}","mode":"mjpeg"}}`), { kind: 'start', projectUrl: url });
  assert.deepEqual(readStartMessage('{ "init" : [ "https://host", "simple", "simple.wbt" ] }'), { kind: 'start' });
});

test('a message that names no project is refused with a sentence', () => {
  for (const text of [
    '',
    'start',
    '[]',
    'null',
    '"start"',
    '{}',
    '{"start":1}',
    '{"start":{}}',
    '{"start":{"url":7}}',
    '{"start":{"url":""}}',
    '{"init":{}}',
  ]) {
    const read = readStartMessage(text);
    assert.ok(read.kind === 'refused', text);
    assert.match(read.reason, /^The .*\.$/);
  }
});

test('any text is read or refused, never an error', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => ['start', 'refused'].includes(readStartMessage(text).kind)));
});
