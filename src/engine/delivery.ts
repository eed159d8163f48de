/**
 * Delivers notifications to one notifier: in order, one at a time, each attempt with a deadline, until they are accepted.
 *
 * A temporary failure (mail server down, 4xx) stops the whole channel for a growing pause. A permanent failure (5xx, wrong password) is tried again rarely; the
 * next notification is tried once before, because only that one message may have been refused.
 */
import type { Notification, NoticeOutcome } from '../core/incidents/incidents.ts';
import { appended, compacted, type Outgoing } from '../core/incidents/outbox.ts';
import { retryPause } from '../core/limits/retry.ts';
import type { Clock, Log, Notifier, OutsideFailure, Random } from '../ports.ts';
import { withDeadline } from './deadline.ts';
import { startLoop, type Loop } from './loop.ts';

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly notifier: Notifier;
  /** Seconds an attempt may take. */
  readonly deadline: number;
  /** The outbox changed. */
  readonly changed: () => void;
  /** The outcome of these notifications; `at` is seconds since the epoch. */
  readonly outcome: (notifications: readonly string[], outcome: NoticeOutcome, at: number) => void;
}

export interface DeliveryStatistics {
  readonly notifier: string;
  /** Messages that were accepted. */
  readonly sent: number;
  /** Attempts that failed. */
  readonly failed: number;
  /** Messages that are waiting. */
  readonly pending: number;
  /** Times the outbox was full and older news was replaced by newer. */
  readonly overflows: number;
  /** Why the last attempt failed; absent when it was accepted. */
  readonly lastFailure?: { readonly code: string; readonly reason: string };
}

/** Maximum of waiting messages; beyond it only the latest message about each server is kept. */
const MAX_WAITING = 50;
/** Seconds until the notification after a refused one is tried. */
const PROBATION = 60;

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #loop: Loop;
  #outbox: readonly Outgoing[] = [];
  /** Ids of refused notifications: they are tried again when all others were tried and the round is over. */
  readonly #refused = new Set<string>();
  #roundEnd = -Infinity;
  #retryAt = -Infinity;
  #failures = 0;
  /** In this round. */
  #refusals = 0;
  #sent = 0;
  #failed = 0;
  #overflows = 0;
  #lastFailure: { readonly code: string; readonly reason: string } | undefined;
  /** Called at the end of each attempt and when there is nothing to do. */
  #rested: (() => void) | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#loop = startLoop({
      clock: options.clock,
      cycle: (signal) => this.#cycle(signal),
      failed: (error) => {
        options.log.error(`delivering to ${options.notifier.name} failed inside the session server`, { error });
        return PROBATION;
      },
    });
  }

  get notifier(): Notifier {
    return this.#options.notifier;
  }

  get outbox(): readonly Outgoing[] {
    return this.#outbox;
  }

  get statistics(): DeliveryStatistics {
    return {
      notifier: this.notifier.name,
      sent: this.#sent,
      failed: this.#failed,
      pending: this.#outbox.length,
      overflows: this.#overflows,
      ...(this.#lastFailure && { lastFailure: this.#lastFailure }),
    };
  }

  /** Undelivered notifications from before come first. */
  takeOver(left: readonly Outgoing[]): void {
    const own = this.#outbox;
    this.#outbox = left.length + own.length > MAX_WAITING ? compacted([...left, ...own]) : [...left, ...own];
    this.#options.changed();
    this.#loop.wake();
  }

  add(notification: Notification): void {
    const before = this.#outbox.length;
    this.#outbox = appended(this.#outbox, notification, MAX_WAITING);
    if (this.#outbox.length < before) this.#overflowed(before);
    this.#options.changed();
    this.#loop.wake();
  }

  /** One last attempt within so many seconds. What could not be sent stays in `outbox`. */
  async finish(within: number): Promise<void> {
    if (within > 0 && this.#outbox.length > 0 && this.#refused.size === 0) {
      const timer = new AbortController();
      const rested = new Promise<void>((resolve) => (this.#rested = resolve));
      this.#retryAt = -Infinity;
      this.#loop.wake();
      await Promise.race([rested, this.#options.clock.sleep(within, timer.signal)]);
      timer.abort();
    }
    await this.#loop.stop();
  }

  async #cycle(signal: AbortSignal): Promise<number> {
    const { clock } = this.#options;
    const wait = this.#retryAt - clock.now();
    if (wait > 0) return wait;
    if (clock.now() >= this.#roundEnd) this.#beginRound();
    const next = this.#outbox.find((outgoing) => !this.#isRefused(outgoing));
    if (next === undefined) {
      this.#rested?.();
      return this.#outbox.length === 0 ? Infinity : this.#roundEnd - clock.now();
    }
    const tried = this.#replace(next, { ...next, attempts: next.attempts + 1 });
    const failure = await this.#attempt(tried.notification, signal);
    if (failure === undefined) this.#accepted(tried);
    else if (!signal.aborted) this.#retryLater(tried, failure);
    return Math.max(0, this.#retryAt - clock.now());
  }

  async #attempt(notification: Notification, signal: AbortSignal): Promise<Failed | undefined> {
    const { clock, notifier, deadline } = this.#options;
    try {
      await withDeadline(clock, deadline, signal, (until) => notifier.notify(notification, until));
      return undefined;
    } catch (error) {
      return describe(error);
    }
  }

  #accepted(sent: Outgoing): void {
    const { log, clock, notifier, changed, outcome } = this.#options;
    this.#outbox = this.#outbox.filter((outgoing) => outgoing !== sent);
    this.#refused.delete(sent.notification.id);
    this.#sent += 1;
    if (this.#lastFailure !== undefined)
      log.info(`${notifier.name} accepts notifications again; still to be sent: ${this.#outbox.length}`);
    this.#failures = 0;
    this.#refusals = 0;
    this.#lastFailure = undefined;
    outcome(sent.carries, 'sent', clock.wallTime());
    changed();
    if (this.#outbox.length === 0) this.#rested?.();
  }

  #retryLater(tried: Outgoing, failure: Failed): void {
    const { clock, random, changed, outcome } = this.#options;
    this.#failed += 1;
    this.#failures += 1;
    this.#say(failure);
    const age = clock.wallTime() - tried.notification.at;
    const pause = retryPause({ failures: this.#failures, permanent: failure.permanent, age }, random());
    if (failure.permanent) this.#refuse(tried, pause);
    else this.#retryAt = clock.now() + pause;
    outcome(tried.carries, 'failed', clock.wallTime());
    changed();
    this.#rested?.();
  }

  /**
   * The receiver refused the notification, so it may be merged with later ones. After the first refusal of a round another notification is tried; the second
   * ends the round: a wrong password costs two attempts an hour, however many notifications wait.
   */
  #refuse(tried: Outgoing, pause: number): void {
    const now = this.#options.clock.now();
    this.#replace(tried, { ...tried, attempts: 0 });
    this.#refused.add(tried.notification.id);
    this.#refusals += 1;
    if (this.#refusals === 1) this.#roundEnd = now + pause;
    this.#retryAt = this.#refusals === 1 ? now + PROBATION : this.#roundEnd;
  }

  #beginRound(): void {
    this.#refusals = 0;
    if (this.#outbox.every((outgoing) => this.#isRefused(outgoing))) this.#refused.clear();
  }

  #isRefused({ notification }: Outgoing): boolean {
    return this.#refused.has(notification.id);
  }

  #replace(old: Outgoing, changed: Outgoing): Outgoing {
    this.#outbox = this.#outbox.map((outgoing) => (outgoing === old ? changed : outgoing));
    return changed;
  }

  /** A dead mail server is logged once, not at each attempt. */
  #say(failure: Failed): void {
    const { log, notifier } = this.#options;
    const known = this.#lastFailure?.code === failure.code;
    this.#lastFailure = { code: failure.code, reason: failure.reason };
    log[known ? 'debug' : 'warn'](
      `a notification could not be sent by ${notifier.name} and is tried again later: ${failure.reason}`,
      {
        code: failure.code,
      },
    );
  }

  #overflowed(before: number): void {
    this.#overflows += 1;
    this.#options.log.limited(
      'warn',
      `outbox ${this.notifier.name}`,
      `${before} notifications are waiting for ${this.notifier.name}: only the latest message about each server is kept`,
    );
  }
}

interface Failed {
  readonly code: string;
  readonly reason: string;
  readonly permanent: boolean;
}

function describe(error: unknown): Failed {
  const reason = error instanceof Error ? error.message : String(error);
  const { code = 'unexpected', permanent = false } = error as Partial<OutsideFailure>;
  return { code, reason, permanent };
}
