import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announcedEnd, AnnouncedEnds } from './announced-ends.ts';

test('a session ends a minute before the doors open, and only if that is long enough ahead for clients to warn', () => {
  const reservation = { start: 10_600, opens: 600 };
  assert.equal(announcedEnd(reservation, 9400), 9940);
  assert.equal(announcedEnd(reservation, 9401), undefined);
});

test('an end counts until its time, and while its client is there or expected', () => {
  const ends = new AnnouncedEnds();
  const ahead = (now: number) => [...ends.ahead(now)].map(({ server }) => server);
  for (const server of ['a', 'b']) ends.announce(server, { server, project: 'p', reservation: 'r', endsAt: 1000 }, 0);
  ends.began('a');
  assert.deepEqual(ahead(59), ['a', 'b']);
  assert.deepEqual(ahead(60), ['a']);
  assert.deepEqual(ahead(1000), []);
  ends.announce('c', { server: 'c', project: undefined, reservation: 'r', endsAt: 3000 }, 1070);
  assert.equal(ends.size, 1);
  ends.left('c');
  assert.equal(ends.size, 0);
});
