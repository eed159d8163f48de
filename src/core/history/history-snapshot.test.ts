import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { History } from './history.ts';
import { encodeHistory, HistoryDecoder, type Restored } from './history-snapshot.ts';

const noon = 1_700_000_000 - (1_700_000_000 % 3600);

function someHistory(seconds = 7200): History {
  const history = new History();
  history.fleetIs(['a:2000', 'b:2000', 'never answered:1']);
  for (let at = noon; at < noon + seconds; at += 5) {
    history.advance(at);
    history.sampled('a:2000', at, at % 90, 4.25);
    if (at % 35 === 0) history.sampled('b:2000', at, 12.5, 0);
    history.loadsAre(at, { least: 12.5, mean: at % 90, most: 90, booked: 2 });
    if (at % 50 === 0) history.handedOut('a:2000', at);
    history.waitingIs(at, at % 3);
  }
  return history;
}

function bytesOf(history: History, savedAt: number): Uint8Array {
  return new Uint8Array(Buffer.concat([...encodeHistory(history, savedAt)]));
}

function restore(bytes: Uint8Array, now: number, pieceLength = bytes.length): Restored {
  const decoder = new HistoryDecoder(now);
  for (let at = 0; at < bytes.length; at += pieceLength) {
    if (!decoder.add(bytes.slice(at, at + pieceLength))) break;
  }
  return decoder.end();
}

function restored(result: Restored): History {
  if (result.kind === 'unusable') assert.fail(result.reason);
  return result.history;
}

test('a saved history is restored, in whatever pieces it is read', () => {
  const history = someHistory();
  const savedAt = noon + 7200;
  const bytes = bytesOf(history, savedAt);
  for (const pieceLength of [7, 1000, bytes.length]) {
    const again = restored(restore(bytes, savedAt, pieceLength));
    for (const server of [undefined, 'a:2000', 'b:2000']) {
      for (const step of [10, 60, 600, 3600]) {
        const question = { ...(server !== undefined && { server }), from: savedAt - step * 300, to: savedAt, step };
        assert.deepEqual(again.query(question), history.query(question));
      }
    }
  }
});

test('only buckets that hold something are written', () => {
  assert.ok(bytesOf(new History(), noon).length < 400);
  const young = new History();
  young.advance(noon);
  young.sampled('a:2000', noon, 5, 0);
  assert.ok(bytesOf(young, noon).length < 1000);
});

test('recording continues after a restart, and the time between is a gap', () => {
  const savedAt = noon + 7200;
  const again = restored(restore(bytesOf(someHistory(), savedAt), savedAt + 600));
  again.advance(savedAt + 600);
  again.sampled('a:2000', savedAt + 600, 33, 0);
  const view = again.query({ server: 'a:2000', from: savedAt - 60, to: savedAt + 660, step: 60 });
  assert.deepEqual(view?.mean.slice(1, -1), new Array(10).fill(null));
  assert.notEqual(view.mean[0], null);
  assert.equal(view.mean.at(-1), 33);
});

test('after months without power recording begins at once', () => {
  const savedAt = noon + 7200;
  const now = savedAt + 100 * 86_400;
  const again = restored(restore(bytesOf(someHistory(), savedAt), now));
  again.advance(now + 1);
  again.sampled('a:2000', now + 1, 33, 0);
  const view = again.query({ server: 'a:2000', from: now - 100, to: now + 10, step: 10 });
  assert.equal(view?.mean.filter((value) => value !== null).length, 1);
});

test('a mean continues from where it was', () => {
  const history = new History();
  history.advance(noon);
  for (let index = 0; index < 3; index++) history.sampled('a:2000', noon, 30, 6);
  const again = restored(restore(bytesOf(history, noon), noon));
  again.sampled('a:2000', noon, 10, 2);
  const view = again.query({ server: 'a:2000', from: noon, to: noon + 10, step: 10 });
  assert.deepEqual([view?.mean, view?.predicted, view?.count], [[25], [30], [4]]);
});

test('a snapshot from an hour ahead, because the clock was set back, is used up to now', () => {
  const again = restored(restore(bytesOf(someHistory(), noon + 7200), noon + 3600));
  assert.equal(again.present, noon + 3600);
  const view = again.query({ server: 'a:2000', from: noon, to: noon + 3600, step: 60 });
  assert.equal(
    view?.count.reduce((a, b) => a + b),
    720,
  );
});

test('a snapshot from the future is not used', () => {
  const result = restore(bytesOf(someHistory(), noon + 7200), noon - 3 * 86_400);
  assert.equal(result.kind, 'unusable');
  assert.equal(result.problem, 'from-the-future');
});

test('a snapshot of another version or another byte order is not used', () => {
  const bytes = bytesOf(someHistory(60), noon + 60);
  const head = 8 + 'session-server history'.length * 2;
  for (const at of [head, head + 2, head + 4]) {
    const other = bytes.slice();
    other[at]! ^= 0xff;
    fixChecksum(other);
    const result = restore(other, noon + 60);
    assert.equal(result.kind === 'unusable' && result.problem, 'another-version');
  }
});

test('a damaged snapshot is detected, whichever byte is wrong and wherever it ends', () => {
  const bytes = bytesOf(someHistory(300), noon + 300);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const wrong = bytes.slice();
      wrong[at]! ^= flip;
      assert.equal(restore(wrong, noon + 300).kind, 'unusable');
    }),
  );
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), (length) => {
      assert.equal(restore(bytes.slice(0, length), noon + 300).kind, 'unusable');
    }),
  );
});

test('any bytes at all give a value, never an exception', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => restore(bytes, noon).kind === 'unusable'));
  const bytes = bytesOf(someHistory(60), noon + 60);
  assert.equal(restore(new Uint8Array([...bytes, 0]), noon + 60).kind, 'unusable');
});

test('well-formed frames with nonsense in them are found out', () => {
  const bytes = bytesOf(someHistory(300), noon + 300);
  const frames = framesOf(bytes);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: frames.length - 1 }),
      fc.nat(60),
      fc.integer({ min: 1, max: 255 }),
      (which, at, flip) => {
        const wrong = bytes.slice();
        const { from, length } = frames[which]!;
        if (at >= length) return;
        wrong[from + 8 + at]! ^= flip;
        fixChecksum(wrong.subarray(from));
        restore(wrong, noon + 300);
      },
    ),
  );
});

function framesOf(bytes: Uint8Array): { from: number; length: number }[] {
  const frames = [];
  const view = new DataView(bytes.buffer);
  for (let from = 0; from < bytes.length;) {
    const length = view.getUint32(from, true);
    frames.push({ from, length });
    from += 8 + length;
  }
  return frames;
}

function fixChecksum(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const payload = bytes.subarray(8, 8 + view.getUint32(0, true));
  let crc = 0xffffffff;
  for (const byte of payload) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  view.setUint32(4, (crc ^ 0xffffffff) >>> 0, true);
}
