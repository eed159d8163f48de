import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
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

test('what arrives together is forwarded together, before the end', async () => {
  const from = body([]);
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

test('while a reader is full, its source is not read', async () => {
  const events: string[] = [];
  const from = body(events);
  let take: (() => void) | undefined;
  const to = new Writable({ highWaterMark: 15_000, write: (_chunk, _encoding, done) => (take = done) });
  passJoined(from, to, { full: () => events.push('full'), free: () => events.push('free') });
  from.write(Buffer.alloc(20_000));
  await turns();
  assert.deepEqual(events, ['full', 'pause']);
  take?.();
  await turns();
  assert.deepEqual(events, ['full', 'pause', 'free', 'resume']);
});

test('after a stop nothing more is forwarded, and the source is read again', async () => {
  const events: string[] = [];
  const from = body(events);
  let written = 0;
  const to = new Writable({ highWaterMark: 1, write: () => (written += 1) });
  const stop = passJoined(from, to, { full: () => undefined, free: () => undefined });
  from.write('x');
  await turns();
  stop();
  from.end('x');
  from.resume();
  await once(from, 'end');
  assert.deepEqual([written, events], [1, ['pause', 'resume']]);
});

test('a read in very many pieces is reported once', async () => {
  let floods = 0;
  const from = body([]);
  const to = new Writable({ write: (_chunk, _encoding, done) => done() });
  passJoined(from, to, { full: () => undefined, free: () => undefined, flooded: () => (floods += 1) });
  for (let i = 0; i < 1000; i += 1) from.emit('data', BYTE);
  await turns();
  assert.equal(floods, 0);
  for (let i = 0; i < 5000; i += 1) from.emit('data', BYTE);
  assert.equal(floods, 1);
});

/** A body, and what is done with its socket. */
function body(events: string[]) {
  return Object.assign(new PassThrough(), {
    socket: { pause: () => events.push('pause'), resume: () => events.push('resume') } as unknown as Pick<
      Socket,
      'pause' | 'resume'
    >,
  });
}

async function turns(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
