/**
 * Notifies people: takes in what happens to the servers, lets `Incidents` decide what is worth a message and when, and hands each message to one `Delivery` per
 * notifier. No probe and no hand-out waits for any of this.
 *
 * Open incidents and undelivered notifications outlive a reload and a restart: the administrator is then notified of a recovery by a session server that did
 * not see the failure. What waits for a notifier that is no longer configured is kept for a week, in case it returns.
 */
import type { ServerId } from '../core/fleet/endpoint.ts';
import { incidentViews } from '../core/views/incident-view.ts';
import { Incidents, type Affected, type IncidentRules, type Notification, type Sighting } from '../core/incidents/incidents.ts';
import type { ChannelTestView, IncidentView } from '../core/views/monitor-view.ts';
import { notificationsInWords, type Outgoing } from '../core/incidents/outbox.ts';
import type { Clock, Log, NewId, Notifier, Random, StateStore } from '../ports.ts';
import type { NotificationKind } from '../core/incidents/notification-kinds.ts';
import type { Restored } from '../state/document.ts';
import { readNotifications, saveNotifications } from '../state/notifications.ts';
import { Delivery, type DeliveryStatistics } from './delivery.ts';
import { startLoop, type Loop } from './loop.ts';
import { sendTestNotification } from './test-notification.ts';

export interface NotifyingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly log: Log;
  readonly rules: IncidentRules;
  /** The present load of a server in percent, for the texts. */
  readonly loadOf?: (id: ServerId) => number | undefined;
  /** Seconds one attempt to send may take. */
  readonly deadline?: number;
}

export interface NotifyingStatistics {
  readonly notifiers: readonly DeliveryStatistics[];
  /** Notifications made, by kind. */
  readonly made: Readonly<Partial<Record<NotificationKind, number>>>;
  /** Times the state could not be written. */
  readonly saveFailures: number;
}

/** Name of the document that `restore` reads. */
export const NOTIFICATIONS = 'notifications';
const DEADLINE = 30;
/** Seconds a channel has for a test: an operator is waiting for the outcome. */
const TEST_DEADLINE = 10;
/** Seconds between two writes of the state. */
const SAVE_PAUSE = 2;
/** Seconds for which undelivered notifications of an unknown notifier are kept. */
const WEEK = 7 * 86_400;

export class Notifying {
  readonly #options: NotifyingOptions;
  readonly #incidents: Incidents;
  readonly #deliveries = new Map<string, Delivery>();
  /** Undelivered notifications of notifiers that are not configured at present. */
  readonly #parked = new Map<string, readonly Outgoing[]>();
  readonly #made: Partial<Record<NotificationKind, number>> = {};
  #notifying: Loop | undefined;
  #saving: Loop | undefined;
  /** Absent: nothing survives a restart. */
  #store: Pick<StateStore, 'write'> | undefined;
  #saved = true;
  #saveAt = -Infinity;
  #saveFailures = 0;
  readonly #stopping = new AbortController();

  constructor(options: NotifyingOptions) {
    this.#options = options;
    this.#incidents = new Incidents(options.rules, options.newId);
  }

  /** To be called once; the names of the notifiers differ. */
  start(notifiers: readonly Notifier[]): void {
    const { clock, log } = this.#options;
    this.#deliver(notifiers);
    this.#notifying = startLoop({
      clock,
      cycle: () => this.#notify(),
      failed: (error) => {
        log.error('deciding on notifications failed inside the session server', { error });
        return 1;
      },
    });
  }

  /** Continues with what the last run saved. To be called once at most, before `startSaving`. */
  restore(saved: unknown): Restored {
    const left = readNotifications(saved, this.#offset());
    this.#happens(() => {
      this.#incidents.restore(left.open, left.ended);
    });
    for (const [name, outbox] of Object.entries(left.outboxes)) {
      this.#park(name, outbox);
      this.#unpark(name);
    }
    return { kind: 'restored' };
  }

  /** Without it, nothing survives a restart. To be called once. */
  startSaving(store: Pick<StateStore, 'write'>): void {
    const { clock } = this.#options;
    this.#store = store;
    this.#saving = startLoop({ clock, cycle: () => this.#save(store), failed: (error) => this.#notSaved(error) });
  }

  /** A server changed its state. */
  observe(seen: Sighting): void {
    this.#happens(() => {
      this.#incidents.observe(seen);
    });
  }

  /** A server was given sessions and still looks idle. `reason` is a sentence for the operator. */
  suspected(server: { id: ServerId; address: string; load?: number }, reason: string): void {
    this.#happens((at) => {
      this.#incidents.suspected(server, at, reason);
    });
  }

  /** A suspicion is over. */
  trusted(id: ServerId): void {
    this.#happens((at) => {
      this.#incidents.trusted(id, at);
    });
  }

  removed(id: ServerId): void {
    this.#happens((at) => {
      this.#incidents.removed(id, at);
    });
  }

  /** The whole fleet as it stands, after a reload or once all were probed after a start. */
  reconcile(fleet: Iterable<Sighting>): void {
    this.#happens((at) => {
      this.#incidents.reconcile(fleet, at);
    });
  }

  /** Sends notifications that are not about the state of a server at once. Example: a certificate that expires. */
  send(kind: NotificationKind, servers: readonly Affected[]): void {
    const notification = { id: this.#options.newId(), kind, at: this.#options.clock.wallTime(), servers };
    this.#happens((at) => {
      this.#incidents.happened(notification, at);
    });
    this.#hand(notification);
  }

  /** Sends a test on every channel past what waits there, once, and reports its outcome. In the configured order. */
  async test(): Promise<readonly ChannelTestView[]> {
    const { clock, newId } = this.#options;
    const notifiers = Array.from(this.#deliveries.values(), ({ notifier }) => notifier);
    if (notifiers.length > 0) this.#made.test = (this.#made.test ?? 0) + 1;
    const { signal } = this.#stopping;
    const outcomes = await sendTestNotification(notifiers, { clock, newId, deadline: TEST_DEADLINE, signal });
    return outcomes.map((outcome, index) => ({
      notifier: outcome.notifier,
      recipient: notifiers[index]?.recipient ?? null,
      outcome: outcome.kind === 'accepted' ? 'sent' : 'failed',
      reason: outcome.kind === 'accepted' ? null : outcome.reason,
    }));
  }

  /** New rules and notifiers. A notifier that is the same object continues undisturbed; a new one of the same name takes over what waits. */
  async reconfigure({ rules, notifiers }: { rules: IncidentRules; notifiers: readonly Notifier[] }): Promise<void> {
    this.#incidents.setRules(rules);
    const obsolete = [...this.#deliveries.values()].filter(({ notifier }) => !notifiers.includes(notifier));
    await Promise.all(obsolete.map((delivery) => this.#retire(delivery, 0)));
    this.#deliver(notifiers);
    this.#changed();
  }

  statistics(): NotifyingStatistics {
    return {
      notifiers: [...this.#deliveries.values()].map(({ statistics }) => statistics),
      made: { ...this.#made },
      saveFailures: this.#saveFailures,
    };
  }

  /** In the configured order. */
  channels(): readonly Pick<Notifier, 'name' | 'recipient'>[] {
    return Array.from(this.#deliveries.values(), ({ notifier }) => notifier);
  }

  /** Differs whenever `incidents` differs. */
  get version(): number {
    return this.#incidents.version;
  }

  /** The youngest `most`, newest first. */
  incidents(most: number): IncidentView[] {
    return incidentViews(this.#incidents.all(), this.#offset(), most);
  }

  /**
   * Tries for at most `within` seconds to send what waits, saves the rest, and closes the notifiers. Incidents within their group wait are not sent: a server
   * that is down is noticed again after the next start, and a machine that is shut down with everything on it needs no message.
   */
  async stop(within: number): Promise<void> {
    this.#stopping.abort();
    await this.#notifying?.stop();
    await Promise.all([...this.#deliveries.values()].map((delivery) => this.#retire(delivery, within)));
    await this.#saving?.stop();
    this.#sayUndelivered();
    if (this.#store === undefined) return;
    try {
      await this.#write(this.#store);
    } catch (error) {
      this.#notSaved(error);
    }
  }

  #happens(what: (at: number) => void): void {
    const { nextDue, version } = this.#incidents;
    what(this.#options.clock.now());
    if (this.#incidents.version !== version) this.#changed();
    if (this.#incidents.nextDue < nextDue) this.#notifying?.wake();
  }

  #notify(): number {
    const { clock, loadOf } = this.#options;
    const at = clock.now();
    if (this.#incidents.nextDue <= at) {
      const before = this.#incidents.version;
      for (const notification of this.#incidents.due({ at, wallTime: clock.wallTime() }, loadOf)) this.#hand(notification);
      if (this.#incidents.version !== before) this.#changed();
    }
    return this.#incidents.nextDue - at;
  }

  #hand(notification: Notification): void {
    const { kind, servers } = notification;
    this.#made[kind] = (this.#made[kind] ?? 0) + 1;
    this.#options.log.info(`notification: ${kind}${servers.length === 0 ? '' : `, ${named(servers)}`}`);
    for (const [name, delivery] of this.#deliveries) {
      this.#incidents.delivered(notification.id, name, 'waiting');
      delivery.add(notification);
    }
  }

  #deliver(notifiers: readonly Notifier[]): void {
    const { clock, random, log, deadline = DEADLINE } = this.#options;
    for (const notifier of notifiers) {
      const { name } = notifier;
      if (this.#deliveries.has(name)) continue;
      const delivery = new Delivery({
        clock,
        random,
        log,
        notifier,
        deadline,
        changed: () => {
          this.#changed();
        },
        outcome: (notifications, outcome, at) => {
          for (const id of notifications) this.#incidents.delivered(id, name, outcome, at);
        },
      });
      this.#deliveries.set(name, delivery);
      this.#unpark(name);
    }
  }

  /** Hands undelivered notifications to the notifier of that name, if there is one. */
  #unpark(name: string): void {
    const delivery = this.#deliveries.get(name);
    const outbox = this.#parked.get(name);
    if (delivery === undefined || outbox === undefined) return;
    this.#parked.delete(name);
    this.#options.log.info(`${notificationsInWords(outbox)} from before will be sent by ${name}`);
    delivery.takeOver(outbox);
  }

  async #retire(delivery: Delivery, within: number): Promise<void> {
    const { name } = delivery.notifier;
    await delivery.finish(within);
    this.#deliveries.delete(name);
    this.#park(name, delivery.outbox);
    await delivery.notifier.close();
  }

  #park(name: string, outbox: readonly Outgoing[]): void {
    const oldest = this.#options.clock.wallTime() - WEEK;
    const kept = outbox.filter(({ notification }) => notification.at >= oldest);
    if (kept.length > 0) this.#parked.set(name, kept);
  }

  #sayUndelivered(): void {
    const { log } = this.#options;
    for (const [name, outbox] of this.#parked)
      log.warn(
        `${notificationsInWords(outbox)} could not be sent by ${name}${this.#store === undefined ? ' and will be lost' : '; tried again after the next start'}`,
      );
  }

  #offset(): number {
    const { clock } = this.#options;
    return clock.wallTime() - clock.now();
  }

  #changed(): void {
    this.#saved = false;
    this.#saving?.wake();
  }

  async #save(store: Pick<StateStore, 'write'>): Promise<number> {
    const { clock } = this.#options;
    const wait = this.#saveAt - clock.now();
    if (this.#saved) return Infinity;
    if (wait > 0) return wait;
    this.#saveAt = clock.now() + SAVE_PAUSE;
    await this.#write(store);
    return SAVE_PAUSE;
  }

  async #write(store: Pick<StateStore, 'write'>): Promise<void> {
    this.#saved = true;
    const outboxes = new Map(this.#parked);
    for (const [name, { outbox }] of this.#deliveries) outboxes.set(name, outbox);
    await store.write(NOTIFICATIONS, saveNotifications(this.#incidents, outboxes, this.#offset()));
  }

  #notSaved(error: unknown): number {
    this.#saved = false;
    this.#saveFailures += 1;
    this.#options.log.limited('warn', 'notifications state', 'incidents and undelivered notifications could not be saved', {
      error,
    });
    this.#saveAt = this.#options.clock.now() + 60;
    return 60;
  }
}

/** The first servers by name, for the log. */
function named(servers: readonly Affected[]): string {
  const first = servers.slice(0, 3).map(({ address }) => address);
  const more = servers.length - first.length;
  return `${first.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
