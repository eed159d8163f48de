/** A link between two replicas of a simulation. Texts are delayed, and arrive in order or not at all: the adversary cuts it before or after a text arrived. */
import type { Channel, ChannelEvents } from '../../src/engine/replicas/channel.ts';
import type { Replica, World } from './replica-world.ts';

/** There are more texts than calls of the store. */
const RARELY = 0.2;

/** Both ends, that of the first replica first. */
export function linkOf(world: World, one: Replica, other: Replica): readonly [LinkEnd, LinkEnd] {
  const ends = [new LinkEnd(world, one), new LinkEnd(world, other)] as const;
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return ends;
}

export class LinkEnd implements Channel {
  other: LinkEnd | undefined;
  readonly #world: World;
  readonly #owner: Replica;
  readonly #early: string[] = [];
  #events: ChannelEvents | undefined;
  #isEnded = false;
  #sending: Promise<void> = Promise.resolve();

  constructor(world: World, owner: Replica) {
    this.#world = world;
    this.#owner = owner;
    owner.links.add(this);
  }

  send(text: string): void {
    this.#sending = this.#sending.then(() => this.#deliver(text));
  }

  receive(events: ChannelEvents): void {
    this.#events = events;
    for (const text of this.#early.splice(0)) events.text(text);
    if (this.#isEnded) events.ended();
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#owner.links.delete(this);
    this.#events?.ended();
    this.other?.lose();
  }

  /** The other side is gone; it notices as soon as it runs. */
  lose(): void {
    void this.#owner.running().then(() => {
      this.end();
    });
  }

  async #deliver(text: string): Promise<void> {
    const { clock, random, weather } = this.#world;
    await this.#owner.running();
    const fate = random();
    await clock.sleep(weather.delay * random());
    if (fate < weather.cutBefore * RARELY) this.end();
    if (this.#isEnded) return;
    await this.other?.take(text);
    if (fate > 1 - weather.cutAfter * RARELY) this.end();
  }

  async take(text: string): Promise<void> {
    await this.#owner.running();
    if (this.#isEnded) return;
    if (this.#events === undefined) this.#early.push(text);
    else this.#events.text(text);
  }
}
