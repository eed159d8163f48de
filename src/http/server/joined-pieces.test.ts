import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { passJoined, Pieces } from './joined-pieces.ts';

const BYTE = Buffer.from('x');

test('a body in pieces of one byte is kept in few objects', () => {
  const pieces = new Pieces();
  for (let i = 0; i < 100_000; i += 1) pieces.add(BYTE);
  assert.equal(pieces.size, 100_000);
  assert.ok(pieces.parts < 1200, String(pieces.parts));
  assert.equal(pieces.joined().toString(), 'x'.repeat(100_000));
});

test('what arrives together is passed on together, before the end', async () => {
  const from = new PassThrough();
  const written: string[] = [];
  const to = new Writable({
    write(chunk: Buffer, _, done) {
      written.push(chunk.toString());
      done();
    },
  });
  passJoined(from, to, { full: () => assert.fail('it is not full'), free: () => undefined });
  from.once('end', () => to.end());
  for (let i = 0; i < 1000; i += 1) from.emit('data', BYTE);
  await new Promise((resolve) => setImmediate(resolve));
  from.emit('data', Buffer.from('last'));
  from.end();
  await once(to, 'finish');
  assert.deepEqual(written, ['x'.repeat(1000), 'last']);
});

test('a reader that is full holds back the source, and takes the rest when it is free again', async () => {
  let left = 100;
  const from = new Readable({
    read() {
      setImmediate(() => this.push((left -= 1) < 0 ? null : Buffer.alloc(20_000, 'x')));
    },
  });
  const events: string[] = [];
  let size = 0;
  const to = new Writable({
    highWaterMark: 15_000,
    write(chunk: Buffer, _, done) {
      size += chunk.length;
      setImmediate(done);
    },
  });
  passJoined(from, to, { full: () => events.push('full'), free: () => events.push('free') });
  from.once('end', () => to.end());
  await once(to, 'finish');
  assert.equal(size, 2_000_000);
  assert.deepEqual(events.slice(0, 4), ['full', 'free', 'full', 'free']);
});

test('after a stop nothing more is passed on', async () => {
  const from = new PassThrough();
  const to = new Writable({ write: () => assert.fail('it was stopped') });
  const stop = passJoined(from, to, { full: () => undefined, free: () => undefined });
  stop();
  from.end('x');
  from.resume();
  await once(from, 'end');
});
