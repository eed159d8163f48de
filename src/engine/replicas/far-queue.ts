/** The queue of the leader, as a follower uses it over a link. */
import type { Waiter } from '../request-types.ts';
import type { Channel } from './channel.ts';
import { MessageWriter, readNews, type ClientNumber, type News } from './link-messages.ts';
import type { ClientQueue, PlacedRequest } from './waiting-clients.ts';

export interface FarQueueEvents {
  /** `why`: why no session can start now; `undefined`: one can. */
  fleet(isAvailable: boolean, why: string | undefined): void;
  /** Nothing is answered from now on. */
  ended(): void;
}

export class FarQueue implements ClientQueue {
  readonly #channel: Channel;
  readonly #events: FarQueueEvents;
  readonly #writer: MessageWriter;
  readonly #waiters = new Map<ClientNumber, Waiter>();
  #last = 0;

  constructor(channel: Channel, events: FarQueueEvents) {
    this.#channel = channel;
    this.#events = events;
    this.#writer = new MessageWriter((text) => channel.send(text));
    channel.receive({
      text: (text) => this.#read(text),
      ended: () => {
        this.#waiters.clear();
        events.ended();
      },
    });
  }

  wait({ address, projectUrl, code, resumeToken, place }: PlacedRequest, waiter: Waiter): Promise<void> {
    const number = (this.#last += 1);
    this.#waiters.set(number, waiter);
    const { token, replica } = place;
    const request = {
      ...{ address, place: { token, ...(replica !== undefined && { isUnknown: true as const }) } },
      ...(projectUrl !== undefined && { projectUrl }),
      ...(code !== undefined && { code }),
      ...(resumeToken !== undefined && { resumeToken }),
    };
    this.#writer.write(['wait', number, request]);
    const gone = () => {
      if (this.#waiters.delete(number)) this.#writer.write(['gone', number]);
    };
    if (waiter.gone.aborted) gone();
    else waiter.gone.addEventListener('abort', gone, { once: true });
    return Promise.resolve();
  }

  delivered(token: string): void {
    this.#writer.write(['delivered', token]);
  }

  giveUp(token: string): Promise<void> {
    this.#writer.write(['give-up', token]);
    return Promise.resolve();
  }

  #read(text: string): void {
    const news = readNews(text);
    if (news === undefined) this.#channel.end();
    else for (const one of news) this.#learn(one);
  }

  #learn(news: News): void {
    switch (news[0]) {
      case 'fleet':
        this.#events.fleet(news[1], news[2] ?? undefined);
        break;
      case 'waiting':
        this.#waiters.get(news[1])?.changed(news[2]);
        break;
      case 'settled': {
        const waiter = this.#waiters.get(news[1]);
        this.#waiters.delete(news[1]);
        waiter?.settled(news[2]);
        break;
      }
    }
  }
}
