/**
 * The links of the followers, at the leader. Clients of a follower wait in the queue like its own. When a link ends, its clients are lost: they keep their places
 * for a while, and come back by their tokens, at this follower or at another one.
 */
import type { Admitting } from '../admission.ts';
import type { StartupGate } from '../startup-gate.ts';
import type { Topic } from '../topic.ts';
import type { Outcome, Waiter, Waiting } from '../request-types.ts';
import type { Channel } from './channel.ts';
import { MessageWriter, readCommands, type ClientNumber, type Command, type LinkedRequest } from './link-messages.ts';

export interface FollowerLinksOptions {
  readonly queue: Pick<Admitting['queue'], 'wait' | 'delivered' | 'giveUp'>;
  /** Clients can wait, because the state of the leader before is restored. */
  readonly sessions: StartupGate;
  /** The availability is known. */
  readonly answers: StartupGate;
  readonly availability: Topic<boolean>;
  /** Why no session can start now; `undefined`: one can. */
  readonly whyClosed: () => string | undefined;
}

/** Clients that one follower may have in line. */
const MAX_CLIENTS = 100_000;

export class FollowerLinks {
  readonly #options: FollowerLinksOptions;
  /** By the ids of the followers. */
  readonly #links = new Map<string, FollowerLink>();
  /** Followers that were here, and are not any more. */
  readonly #left = new Set<string>();
  #isEnded = false;
  readonly #unsubscribe: () => void;

  constructor(options: FollowerLinksOptions) {
    this.#options = options;
    const publish = () => {
      for (const link of this.#links.values()) link.publish();
    };
    this.#unsubscribe = options.availability.subscribe(publish);
    void options.answers.ready.then(publish);
  }

  accept(channel: Channel, replica: string): void {
    if (this.#isEnded) {
      channel.end();
      return;
    }
    // Its clients are lost first: then they can be found again by the new link.
    this.#links.get(replica)?.end();
    const link = new FollowerLink(channel, replica, this.#options, () => {
      if (this.#links.get(replica) !== link) return;
      this.#links.delete(replica);
      this.#left.add(replica);
    });
    this.#links.set(replica, link);
    this.#left.delete(replica);
    link.begin();
  }

  /** `true`: it has no connections any more. `undefined`: it was not here yet. */
  hasLeft(replica: string): boolean | undefined {
    return this.#links.has(replica) ? false : this.#left.has(replica) || undefined;
  }

  /** This replica does not lead any more. */
  end(): void {
    this.#isEnded = true;
    this.#unsubscribe();
    for (const link of [...this.#links.values()]) link.end();
  }
}

class FollowerLink {
  readonly #channel: Channel;
  readonly #replica: string;
  readonly #options: FollowerLinksOptions;
  readonly #writer: MessageWriter;
  readonly #ended: () => void;
  readonly #clients = new Map<ClientNumber, AbortController>();
  #last = -1;
  #isOver = false;
  /** What the follower knows. */
  #sent: { readonly isAvailable: boolean; readonly why: string | undefined } | undefined;

  constructor(channel: Channel, replica: string, options: FollowerLinksOptions, ended: () => void) {
    this.#channel = channel;
    this.#replica = replica;
    this.#options = options;
    this.#ended = ended;
    this.#writer = new MessageWriter((text) => {
      if (!this.#isOver) channel.send(text);
    });
  }

  begin(): void {
    this.#channel.receive({
      text: (text) => this.#read(text),
      ended: () => this.#over(),
    });
    this.publish();
  }

  end(): void {
    this.#over();
    this.#channel.end();
  }

  publish(): void {
    const { availability, answers, whyClosed } = this.#options;
    if (!answers.isReady() || this.#isOver) return;
    const next = { isAvailable: availability.value, why: whyClosed() };
    if (next.isAvailable === this.#sent?.isAvailable && next.why === this.#sent.why) return;
    this.#sent = next;
    this.#writer.write(['fleet', next.isAvailable, next.why ?? null]);
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const gone of [...this.#clients.values()]) gone.abort();
    this.#clients.clear();
    this.#ended();
  }

  #read(text: string): void {
    const commands = readCommands(text);
    if (commands === undefined || !commands.every((command) => this.#isNext(command))) {
      this.end();
      return;
    }
    // After the restored places are there; in order.
    void this.#options.sessions.ready.then(() => {
      for (const command of commands) this.#obey(command);
    });
  }

  /** Numbers of clients only rise. */
  #isNext(command: Command): boolean {
    if (command[0] !== 'wait') return true;
    const [, number] = command;
    if (number <= this.#last || this.#clients.size >= MAX_CLIENTS) return false;
    this.#last = number;
    this.#clients.set(number, new AbortController());
    return true;
  }

  #obey(command: Command): void {
    const { queue } = this.#options;
    switch (command[0]) {
      case 'wait':
        this.#wait(command[1], command[2]);
        break;
      case 'gone':
        this.#clients.get(command[1])?.abort();
        this.#clients.delete(command[1]);
        break;
      case 'delivered':
        queue.delivered(command[1]);
        break;
      case 'give-up':
        void queue.giveUp(command[1]);
        break;
    }
  }

  #wait(number: ClientNumber, { place: { token, isUnknown }, ...request }: LinkedRequest): void {
    const gone = this.#clients.get(number)?.signal;
    if (gone === undefined || gone.aborted) return;
    const place = { token, ...(isUnknown === true && { replica: this.#replica }) };
    void this.#options.queue.wait({ ...request, place }, this.#waiter(number, gone));
  }

  /** The follower asks again with the token of the place, whether or not the client knows it. */
  #waiter(number: ClientNumber, gone: AbortSignal): Waiter {
    return {
      ...{ gone, keepPlace: true, keepOutcome: true },
      changed: (waiting: Waiting) => {
        this.publish();
        this.#writer.write(['waiting', number, waiting]);
      },
      settled: (outcome: Outcome) => {
        this.#clients.delete(number);
        this.#writer.write(['settled', number, outcome]);
      },
    };
  }
}
