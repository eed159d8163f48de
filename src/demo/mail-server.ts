/** The mail server of the demo: it accepts every message, shows the subjects, and can be slow. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { DemoMail } from '../core/views/demo-view.ts';
import type { Clock } from '../ports.ts';

/** Seconds that it takes for a message while it is slow. */
const DELAY = 15;
/** Messages that are shown. */
const MAX_SHOWN = 8;
/** Bytes of a message of which the subject is read. */
const MAX_READ = 16_384;

export class MailServer {
  readonly #server: SMTPServer;
  readonly #clock: Clock;
  #received: readonly string[] = [];
  #slow = false;

  private constructor(clock: Clock) {
    this.#clock = clock;
    this.#server = new SMTPServer({
      ...{ logger: false, authOptional: true, disableReverseLookup: true, closeTimeout: 10 },
      disabledCommands: ['STARTTLS', 'AUTH'],
      onData: (stream, _session, done) => {
        let head = '';
        stream.on('data', (chunk: Buffer) => {
          if (head.length < MAX_READ) head += chunk.toString('latin1');
        });
        stream.on('end', () => {
          void this.#accept(subjectOf(head)).then(() => done());
        });
      },
    });
    this.#server.on('error', () => undefined);
  }

  /** On any free port of this machine alone. */
  static async start(clock: Clock): Promise<MailServer> {
    const server = new MailServer(clock);
    const listening = once(server.#server.server, 'listening');
    server.#server.listen(0, '127.0.0.1');
    await listening;
    return server;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  get view(): DemoMail {
    return { slow: this.#slow, delay: DELAY, received: this.#received };
  }

  slowDown(slow: boolean): void {
    this.#slow = slow;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #accept(subject: string): Promise<void> {
    if (this.#slow) await this.#clock.sleep(DELAY);
    this.#received = [subject, ...this.#received].slice(0, MAX_SHOWN);
  }
}

/** The mail library folds a long subject. */
function subjectOf(message: string): string {
  const [, folded = ''] = /^subject:((?:.*\r?\n[ \t])*.*)/im.exec(message) ?? [];
  return folded.replace(/\s+/g, ' ').trim();
}
