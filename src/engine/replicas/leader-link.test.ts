import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import type { Channel, ChannelEvents } from './channel.ts';
import { LeaderLink } from './leader-link.ts';
import { MessageWriter, type News } from './link-messages.ts';
import { WaitingClients } from './waiting-clients.ts';

/** `receive` is called for each connection that is made. */
function start(receive: (events: ChannelEvents) => void) {
  const clock = new FakeClock(0);
  const log = new MemoryLog();
  const fleet: boolean[] = [];
  const channel: Channel = { send: () => undefined, receive, end: () => undefined };
  const link = new LeaderLink({
    ...{ clock, log },
    leader: () => ({ id: 'a-1', address: 'http://192.0.2.1:1999', secret: 'of the term' }),
    connect: () => Promise.resolve(channel),
    clients: new WaitingClients({ newId: () => 'token', log, replica: 'b-1' }),
    fleet: (isAvailable) => fleet.push(isAvailable),
    changed: () => undefined,
  });
  return { clock, link, fleet };
}

test('what the leader sent before the follower listened counts', async () => {
  const sent: string[] = [];
  const news: News = ['fleet', true, null];
  new MessageWriter((text) => sent.push(text)).write(news);
  await Promise.resolve();
  const { clock, link, fleet } = start((events) => {
    for (const message of sent) events.text(message);
  });
  await clock.advance(1);
  assert.deepEqual(fleet, [true]);
  assert.ok(link.isOpen());
  await link.stop();
});

test('a connection that ended before the follower listened is made again', async () => {
  let connections = 0;
  const { clock, link } = start((events) => {
    connections += 1;
    if (connections === 1) events.ended();
  });
  await clock.advance(1);
  assert.deepEqual([connections, link.isOpen()], [2, true]);
  await link.stop();
});
