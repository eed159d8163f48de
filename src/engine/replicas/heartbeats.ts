/**
 * The heartbeats of a replica: it says that it lives, keeps its lease while it leads, and asks for the lease when no other replica has it. A follower
 * mirrors what the leader commits.
 */
import { asksFrom, SILENT } from '../../core/replicas/election.ts';
import { FORMAT, FORMAT_KEY, isReadable, readFormat } from '../../core/replicas/format.ts';
import { differingSections, readMember, type Digests, type Member, type SeenMember } from '../../core/replicas/member.ts';
import { isNewer, NO_STAMP, type Mirror, type Stamp } from '../../core/replicas/shared-state.ts';
import type { Beaten, Clock, Log, SharedStore } from '../../ports.ts';
import { startLoop, type Loop } from '../loop.ts';

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: SharedStore;
  readonly self: Self;
  /** Of the present settings. */
  readonly digests: () => Digests;
  /** Simulation servers that this replica polls. */
  readonly polls: () => number;
  readonly mirror: Mirror;
  readonly events: HeartbeatEvents;
}

/** What a replica says about itself that never changes. */
export type Self = Pick<Member, 'id' | 'name' | 'version' | 'address'>;

export interface HeartbeatEvents {
  /** This replica leads from now on. */
  elected(term: number): void;
  /** It still leads. `hasForgotten`: the store has not what this replica committed before. */
  renewed(term: number, hasForgotten: boolean): void;
  /** Another replica leads. */
  deposed(): void;
  /** It leads, and its lease is over as far as it knows, because the store does not answer. */
  outOfReach(): Promise<void>;
}

/** What is known about the replicas. */
export interface Replication {
  readonly leads: boolean;
  /** The store answered the last heartbeat. */
  readonly reachesStore: boolean;
  readonly term: number;
  /** The replica that leads; `undefined`: none is known. */
  readonly leader: SeenMember | undefined;
  /** Their ages are of the time at which the last heartbeat was answered. */
  readonly members: readonly SeenMember[];
  /** When the last heartbeat that was answered was sent; seconds of the clock. */
  readonly knownAt: number;
  /** Settings of the leader, or of the last one. Absent: none was seen. */
  readonly inForce?: Digests;
  /** Simulation servers that this replica polls. */
  readonly polls: number;
  /** Seconds that the store took to answer last. */
  readonly roundTrip: number | undefined;
  /** Heartbeats that the store did not answer. */
  readonly failures: number;
  /** Why it did not, in a sentence; absent: it answers. */
  readonly failure?: string;
  /** How often this replica began to lead. */
  readonly takeovers: number;
  /** The sections of the settings in which members differ from the leader, by their ids. */
  readonly differing: ReadonlyMap<string, readonly string[]>;
  /** Format of what is shared, if this version cannot read it. */
  readonly foreignFormat: string | undefined;
}

/** Seconds. */
const BEAT = 1;
const LEASE = 3;
/** Before the lease ends by the own clock. */
const MARGIN = 0.3;
const RETRY = 0.3;
const MIRROR = 0.25;
/** Shortest pause before a heartbeat. */
const SOON = 0.02;

export class Heartbeats {
  readonly #options: HeartbeatOptions;
  readonly #beating: Loop;
  readonly #mirroring: Loop;
  /** Of members with other settings than the leader, the sections, by their ids. */
  readonly #differing = new Map<string, readonly string[]>();
  /** Settings of the leader that beat last. */
  #inForce: Digests | undefined;
  #leads = false;
  #term = 0;
  #store: Stamp = NO_STAMP;
  /** The newest commit that the store ever had. */
  #newest: Stamp = NO_STAMP;
  #leader: string | undefined;
  #members: readonly SeenMember[] = [];
  #reachesStore = false;
  #roundTrip: number | undefined;
  #failures = 0;
  #failure: string | undefined;
  #takeovers = 0;
  /** Times are seconds of the clock. */
  readonly #beganAt: number;
  #freeAt = 0;
  #forgotAt: number | undefined;
  #unreachableAt: number | undefined;
  #leaseUntil = 0;
  #knownAt = -Infinity;
  /** Seconds since the epoch by the clock of the store when the own clock shows zero, and the round trip with which it was measured. */
  #offset: { readonly seconds: number; readonly roundTrip: number } | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#beganAt = clock.now();
    const failed = (error: unknown) => {
      log.limited('warn', 'shared store', 'the shared store does not answer', { error });
      return RETRY;
    };
    this.#beating = startLoop({ clock, cycle: () => this.#beat(), failed });
    this.#mirroring = startLoop({ clock, delay: MIRROR, cycle: () => this.#follow(), failed });
  }

  get replication(): Replication {
    const leader = this.#members.find(({ id }) => id === this.#leader);
    return {
      ...{ leads: this.#leads, reachesStore: this.#reachesStore, term: this.#term, leader, members: this.#members },
      ...{ roundTrip: this.#roundTrip, failures: this.#failures, takeovers: this.#takeovers, differing: this.#differing },
      ...{ knownAt: this.#knownAt, polls: this.#options.polls() },
      ...(this.#inForce !== undefined && { inForce: this.#inForce }),
      ...(this.#failure !== undefined && { failure: this.#failure }),
      foreignFormat: this.#isReadable() ? undefined : this.#options.mirror.get(FORMAT_KEY),
    };
  }

  /** Seconds since the epoch by the clock of the store, when the own clock shows zero. */
  get offset(): number | undefined {
    return this.#offset?.seconds;
  }

  /** Beats at once. */
  wake(): void {
    this.#beating.wake();
  }

  /** It leads no more, because a commit was refused or because it cannot do its work. */
  async resign(): Promise<void> {
    if (!this.#leads) return;
    this.#leads = false;
    this.#freeAt = this.#options.clock.now() + LEASE;
    await this.#options.store.leave(this.#options.self.id).catch(() => undefined);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#beating.stop(), this.#mirroring.stop()]);
    await this.#options.store.leave(this.#options.self.id).catch(() => undefined);
  }

  async #beat(): Promise<number> {
    const { clock, store, self, mirror } = this.#options;
    const sentAt = clock.now();
    const committed = mirror.stamp;
    const wants = this.#leads || (this.#reachesStore && this.#mayLead() && sentAt >= this.#asksFrom());
    const member = JSON.stringify({
      ...{ ...self, format: FORMAT, stamp: mirror.stamp, settings: this.#options.digests(), polls: this.#options.polls() },
      ...(this.#roundTrip !== undefined && { latency: rounded(this.#roundTrip) }),
      ...(this.#offset !== undefined && { clock: rounded(clock.wallTime() - clock.now() - this.#offset.seconds) }),
    } satisfies Member);
    try {
      const beaten = await store.beat({
        id: self.id,
        member,
        wants,
        lease: LEASE,
        term: Math.max(this.#term, mirror.stamp.term),
      });
      this.#learn(beaten, sentAt, committed);
    } catch (error) {
      return this.#missed(error);
    }
    const next = Math.min(BEAT, this.#nextSilence());
    return Math.max(SOON, this.#leads ? next : Math.min(next, this.#asksFrom() - clock.now()));
  }

  /** Seconds until a member counts as silent, if it sends nothing: another replica takes over what it polls, at once. */
  #nextSilence(): number {
    const left = this.#members.map(({ age }) => (age < SILENT ? SILENT - age : Infinity));
    return Math.min(...left, Infinity) + SOON;
  }

  async #missed(error: unknown): Promise<number> {
    const { clock, log, events } = this.#options;
    if (this.#failures === 0 || this.#reachesStore) log.warn('the shared store does not answer', { error });
    this.#reachesStore = false;
    this.#failures += 1;
    this.#failure = error instanceof Error ? error.message : String(error);
    // Before its first connection it knows of no leader that could have gone on.
    if (this.#offset !== undefined) this.#unreachableAt = clock.now();
    if (this.#leads && clock.now() >= this.#leaseUntil - MARGIN) await events.outOfReach();
    return RETRY;
  }

  #learn(beaten: Beaten, sentAt: number, committed: Stamp): void {
    const { clock, log, self, mirror } = this.#options;
    const now = clock.now();
    if (!this.#reachesStore) log.info('the shared store answers');
    this.#reachesStore = true;
    this.#knownAt = sentAt;
    this.#failure = undefined;
    this.#roundTrip = now - sentAt;
    this.#setOffset(beaten.time, now);
    this.#store = beaten.stamp;
    this.#leader = beaten.leader === undefined ? undefined : beaten.leader;
    this.#members = beaten.members.flatMap(({ text, age }) => {
      const member = readMember(text);
      return member === undefined ? [] : [{ ...member, age }];
    });
    this.#compareSettings();
    if (beaten.leaseLeft > 0) this.#freeAt = now + beaten.leaseLeft;
    else if (this.#freeAt > now) this.#freeAt = now;
    if (isNewer(beaten.stamp, this.#newest)) this.#newest = beaten.stamp;
    // Also what this replica has not mirrored yet: others may have.
    const forgot = isNewer(mirror.stamp, beaten.stamp) || isNewer(this.#newest, beaten.stamp);
    this.#forgotAt = forgot ? (this.#forgotAt ?? now) : undefined;
    this.#decide(beaten, sentAt, { id: self.id, hasForgotten: isNewer(committed, beaten.stamp) });
    this.#term = Math.max(this.#term, beaten.term);
  }

  #decide(
    { role, term, before }: Beaten,
    sentAt: number,
    { id, hasForgotten }: { readonly id: string; readonly hasForgotten: boolean },
  ): void {
    const { events, store } = this.#options;
    if (role === 'follows') {
      if (!this.#leads) return;
      this.#leads = false;
      events.deposed();
      return;
    }
    this.#leaseUntil = sentAt + LEASE;
    const isNew = !this.#leads;
    if (!isNew && role === 'elected' && before > this.#term) {
      // Another one was elected meanwhile, and what it decided is not known here.
      this.#leads = false;
      void store.leave(id).catch(() => undefined);
      events.deposed();
      return;
    }
    this.#leads = true;
    this.#term = term;
    if (isNew) {
      this.#takeovers += 1;
      events.elected(term);
    } else events.renewed(term, hasForgotten);
  }

  #setOffset(time: number, now: number): void {
    const roundTrip = this.#roundTrip ?? Infinity;
    if (this.#offset !== undefined && this.#offset.roundTrip <= roundTrip) return;
    this.#offset = { seconds: time + roundTrip / 2 - now, roundTrip };
  }

  /** It has read what is shared, and knows its format. */
  #mayLead(): boolean {
    const hasNothing = this.#options.mirror.stamp.number === 0;
    return this.#isReadable() && !(hasNothing && this.#store.number > 0);
  }

  /** What another version shares in another format cannot be continued. */
  #isReadable(): boolean {
    return isReadable(this.#options.mirror.get(FORMAT_KEY));
  }

  /** Says once of each replica that it would decide by other rules. */
  #compareSettings(): void {
    const { self, digests, log } = this.#options;
    const leader = this.#members.find(({ id }) => id === this.#leader);
    if (this.#leader === self.id) this.#inForce = digests();
    else if (leader !== undefined) this.#inForce = leader.settings;
    for (const id of this.#differing.keys()) if (!this.#members.some((member) => member.id === id)) this.#differing.delete(id);
    for (const { id, name, settings } of this.#members) {
      const sections = this.#inForce === undefined ? [] : differingSections(id === self.id ? digests() : settings, this.#inForce);
      const before = this.#differing.get(id)?.join(', ') ?? '';
      if (sections.length === 0) this.#differing.delete(id);
      else this.#differing.set(id, sections);
      if (sections.length > 0 && sections.join(', ') !== before)
        log.warn(`replica ${name} has other settings than the leader: ${sections.join(', ')}; give all the same configuration`);
    }
  }

  #asksFrom(): number {
    return asksFrom({
      ...{ id: this.#options.self.id, stamp: this.#options.mirror.stamp, members: this.#members, store: this.#store },
      ...{ freeAt: this.#freeAt, forgotAt: this.#forgotAt, unreachableAt: this.#unreachableAt, beganAt: this.#beganAt },
      ...{ settings: this.#options.digests(), inForce: this.#inForce },
      format: readFormat(this.#options.mirror.get(FORMAT_KEY)) ?? 0,
    });
  }

  /** Mirrors what was committed. Returns the seconds until the next time. */
  async #follow(): Promise<number> {
    const { store, mirror } = this.#options;
    if (!this.#mayMirror()) return MIRROR;
    const entries = await store.journal(mirror.stamp);
    for (const entry of entries) {
      if (!this.#mayMirror()) return MIRROR;
      const toRead = mirror.apply(entry);
      if (toRead === undefined) return this.#list();
      if (toRead.length === 0) continue;
      const texts = await store.read(toRead);
      for (const [key, text] of texts) if (this.#mayMirror()) mirror.set(key, text);
    }
    return entries.length === 0 && isNewer(this.#store, mirror.stamp) ? this.#list() : MIRROR;
  }

  /** It may be elected while it reads. */
  #mayMirror(): boolean {
    return !this.#leads && this.#reachesStore;
  }

  async #list(): Promise<number> {
    const { store, mirror } = this.#options;
    const state = await store.list();
    if (this.#mayMirror()) mirror.replace(state);
    return MIRROR;
  }
}

/** Milliseconds are enough, and change seldom. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
