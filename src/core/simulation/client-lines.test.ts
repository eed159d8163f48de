import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_LINE } from '../gateway/client-messages.ts';
import { progressLines, readClientMessage, refusalLines, streamLine } from './client-lines.ts';

test('a start message names a URL and perhaps a mode', () => {
  assert.deepEqual(readClientMessage('{"start":{"url":"https://x"}}'), { kind: 'start', url: 'https://x' });
  assert.deepEqual(readClientMessage('{"start":{"url":"u","mode":"mjpeg"}}'), { kind: 'start', url: 'u', mode: 'mjpeg' });
});

test('a mode that is none of the three is refused, because it becomes an argument of the simulator', () => {
  for (const mode of ['x3d --port=1', '', 'X3D', 'w3d\n', null, 3, ['x3d'], { toString: 'x3d' }])
    assert.equal(readClientMessage(JSON.stringify({ start: { url: 'u', mode } })).kind, 'refused', JSON.stringify(mode));
});

test('a controller is named by two plain names', () => {
  assert.deepEqual(readClientMessage('{"reset controller":"arm/arm.py"}'), { kind: 'reset-controller', file: 'arm/arm.py' });
  for (const file of ['../arm.py', 'arm/../x', '/etc/passwd', 'a/b/c', 'arm', '.git/config', 'arm/-x\n', 'a\0b/c'])
    assert.equal(readClientMessage(JSON.stringify({ 'reset controller': file })).kind, 'ignored', file);
});

test('any other text is ignored and nothing throws', () => {
  for (const text of ['', 'null', '[]', '"start"', '{}', '{"init":[]}', '\0'])
    assert.equal(readClientMessage(text).kind, 'ignored');
  fc.assert(fc.property(fc.jsonValue(), (value) => void readClientMessage(JSON.stringify(value))));
});

test('lines of progress are short and twofold', () => {
  for (const step of ['fetching', 'preparing', 'starting', 'loading'] as const) {
    const lines = progressLines(step);
    assert.deepEqual(
      lines.map((line) => line.split(':')[0]),
      ['loading', 'docker'],
    );
    for (const line of lines) assert.ok(line.length < MAX_LINE, line);
  }
});

test('a refusal is one line in the progress bar and one for the alert', () => {
  assert.deepEqual(refusalLines('No\nroom.'), ['loading: Error: No room.', 'error: No room.']);
});

test('the address of a stream ends with the port', () => {
  const address = { server: 'sim.example.org', ssl: true, portRewrite: true };
  assert.equal(streamLine(address, 2001), 'webots:wss://sim.example.org/2001');
  assert.equal(streamLine({ ...address, ssl: false, portRewrite: false }, 2001), 'webots:ws://sim.example.org:2001');
});
