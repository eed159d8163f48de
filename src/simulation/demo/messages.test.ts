import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readViewerMessage } from './messages.ts';

test('the words of viewers of Webots are understood', () => {
  const words: Record<string, ReturnType<typeof readViewerMessage>> = {
    w3d: { kind: 'watch' },
    'x3d;broadcast': { kind: 'watch' },
    pause: { kind: 'pause' },
    step: { kind: 'step' },
    reset: { kind: 'reset' },
    'real-time': { kind: 'play', mode: 'real-time' },
    'real-time:-1': { kind: 'play', mode: 'real-time' },
    'fast:5000': { kind: 'play', mode: 'fast', pauseAfter: 5000 },
    'timeout:0': { kind: 'timeout', pauseAfter: 0 },
    'timeout:-1': { kind: 'timeout' },
  };
  for (const [text, message] of Object.entries(words)) assert.deepEqual(readViewerMessage(text), message, text);
});

test('a robot is driven by a message with numbers, which are brought between -1 and 1', () => {
  const drive = (message: unknown) => readViewerMessage(`robot:${JSON.stringify({ name: 'rover', message })}`);
  assert.deepEqual(drive('drive 1 -0.5'), { kind: 'drive', input: { forward: 1, turn: -0.5, lift: 0, reach: 0 } });
  assert.deepEqual(drive('drive 7 0 -9 0.25'), { kind: 'drive', input: { forward: 1, turn: 0, lift: -1, reach: 0.25 } });
  for (const wrong of ['drive', 'drive 1', 'drive 1 2 3 4 5', 'drive a b', 'drive 1e9 0', 'drive  1', 'fly 1 1', 7, null])
    assert.equal(drive(wrong), undefined, String(wrong));
  for (const wrong of ['robot:', 'robot:{', 'robot:null', 'robot:[]', 'robot:{"name":"rover"}'])
    assert.equal(readViewerMessage(wrong), undefined, wrong);
});

test('any other text is ignored, and never causes an exception', () => {
  for (const text of ['', 'load:x', 'real-time:x', 'fast:99999999999', 'w3d;x', 'mjpeg: 1x1', 'PAUSE'])
    assert.equal(readViewerMessage(text), undefined, text);
  const parts = fc.constantFrom('robot:', '{"message":"drive ', '1 ', '"}', 'real-time:', '-', '\n', 'NaN', 'Infinity');
  fc.assert(
    fc.property(fc.array(fc.oneof(parts, fc.string()), { maxLength: 6 }), (texts) => {
      const message = readViewerMessage(texts.join(''));
      if (message?.kind !== 'drive') return;
      for (const value of Object.values(message.input)) assert.ok(value >= -1 && value <= 1);
    }),
  );
});
