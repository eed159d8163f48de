import type { Notification } from '../../src/core/incidents/incidents.ts';
import type { Notifier } from '../../src/ports.ts';

/** What the next attempt meets: a failure that passes, one that does not, or no end. */
export type Weather = 'fails' | 'refuses' | 'hangs';

/** A notifier that keeps what it is given, and fails while a test wants it. */
export class FakeNotifier implements Notifier {
  readonly name: string;
  readonly sent: Notification[] = [];
  /** Ids of all attempts, good or bad. */
  readonly attempts: string[] = [];
  /** Holds until it is changed. */
  weather: Weather | undefined;
  /** Refused whatever the weather. */
  readonly unwanted = new Set<string>();
  aborted = 0;
  closed = false;

  constructor(name = 'email') {
    this.name = name;
  }

  /** `kind server,server` of each message. */
  get told(): string[] {
    return this.sent.map(({ kind, servers }) => [kind, servers.map(({ id }) => id).join(',')].join(' ').trim());
  }

  async notify(notification: Notification, signal: AbortSignal): Promise<void> {
    this.attempts.push(notification.id);
    if (this.weather === 'hangs') await this.#aborted(signal);
    if (this.weather === 'fails') throw Object.assign(new Error('the mail server is gone'), { code: 'smtp-unreachable' });
    if (this.weather === 'refuses' || this.unwanted.has(notification.kind))
      throw Object.assign(new Error('wrong password'), { code: 'smtp-login', permanent: true });
    this.sent.push(notification);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  async #aborted(signal: AbortSignal): Promise<never> {
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    this.aborted += 1;
    throw new Error('aborted');
  }
}
