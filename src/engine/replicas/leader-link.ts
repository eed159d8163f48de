/** Keeps the link of a follower to the leader: made again when it ends, and to another replica when that one leads. */
import type { Clock, Log } from '../../ports.ts';
import { startLoop, type Loop } from '../loop.ts';
import type { Channel } from './channel.ts';
import { FarQueue } from './far-queue.ts';
import type { WaitingClients } from './waiting-clients.ts';

/** Where the leader is reached. */
export interface LeaderAddress {
  /** Of the replica that leads. */
  readonly id: string;
  /** URL. */
  readonly address: string;
  /** By which it recognizes other replicas, in this term. */
  readonly secret: string;
}

export interface LeaderLinkOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** `undefined`: none is known, or this replica leads. */
  readonly leader: () => LeaderAddress | undefined;
  /** Throws if there is no answer in time. */
  readonly connect: (leader: LeaderAddress) => Promise<Channel>;
  readonly clients: WaitingClients;
  /** What the leader says about the fleet. */
  readonly fleet: (isAvailable: boolean, why: string | undefined) => void;
  /** The leader is another one, or none. */
  readonly changed: () => void;
}

/** Seconds between two looks at who leads, and two attempts to connect. */
const LOOK = 0.1;
const RETRY = 0.25;

export class LeaderLink {
  readonly #options: LeaderLinkOptions;
  readonly #looking: Loop;
  #leader: LeaderAddress | undefined;
  #channel: Channel | undefined;
  /** Seconds of the clock. */
  #openUntil = -Infinity;
  /** This replica leads itself. */
  #isPaused = false;

  constructor(options: LeaderLinkOptions) {
    this.#options = options;
    const { clock, log } = options;
    const failed = (error: unknown) => {
      log.limited('warn', 'leader link', 'the leader cannot be reached', { error, address: this.#leader?.address });
      return RETRY;
    };
    this.#looking = startLoop({ clock, cycle: () => this.#look(), failed });
  }

  /** The leader that is known now. */
  get leader(): LeaderAddress | undefined {
    return this.#leader;
  }

  /** There is a link, or there was one within these seconds. */
  isOpen(within = 0): boolean {
    return this.#channel !== undefined || this.#options.clock.now() < this.#openUntil + within;
  }

  /** This replica leads from now on: its clients do not wait for another one. */
  pause(): void {
    this.#isPaused = true;
    this.#cut();
    this.#leader = undefined;
  }

  /** This replica follows again. */
  resume(): void {
    this.#isPaused = false;
    this.#openUntil = this.#options.clock.now();
  }

  async stop(): Promise<void> {
    const stopped = this.#looking.stop();
    this.pause();
    await stopped;
  }

  async #look(): Promise<number> {
    const { leader, changed } = this.#options;
    if (this.#isPaused) return LOOK;
    const next = leader();
    // While no leader is known, the previous one may still answer: it may have gone on without the store.
    if (next === undefined && this.#channel !== undefined) return LOOK;
    if (!isSame(next, this.#leader)) {
      this.#cut();
      this.#leader = next;
      changed();
    }
    if (next !== undefined && this.#channel === undefined) await this.#connect(next);
    return LOOK;
  }

  async #connect(leader: LeaderAddress): Promise<void> {
    const { clients, connect, fleet } = this.#options;
    const channel = await connect(leader);
    if (!isSame(this.#leader, leader)) {
      channel.end();
      return;
    }
    // What the leader sent already arrives while the queue is made.
    this.#channel = channel;
    const queue = new FarQueue(channel, {
      fleet: (...state) => {
        if (this.#channel === channel) fleet(...state);
      },
      ended: () => {
        if (this.#channel === channel) this.#close();
      },
    });
    if (this.#channel === channel) clients.follow(queue);
  }

  #cut(): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    this.#close();
    channel.end();
  }

  #close(): void {
    this.#channel = undefined;
    this.#openUntil = this.#options.clock.now();
    this.#options.clients.lose();
  }
}

function isSame(a: LeaderAddress | undefined, b: LeaderAddress | undefined): boolean {
  return a?.id === b?.id && a?.address === b?.address && a?.secret === b?.secret;
}
