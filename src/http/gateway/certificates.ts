/**
 * The certificate of the gateway: read, checked, and read again every few seconds, because those who renew certificates replace the files and tell nobody.
 * (The files are small; watching them would miss what happens behind the links that certbot makes.)
 *
 * A pair that cannot be used, because it is half written, does not fit together or is over, is refused with a line in the log, and the one before stays. At the
 * start there may be none: then the gateway runs without TLS connections until there is one, so that the redirect listener can answer the challenge by which the first
 * certificate is got.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { startLoop } from '../../engine/loop.ts';
import type { Clock, Log } from '../../ports.ts';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface CertificatesOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly files: () => CertificateFiles | undefined;
  /** A pair that can be used; called again for each that replaces it. */
  readonly use: (pair: { readonly cert: string; readonly key: string }) => void;
  /** A person should see to it; `reason` is a sentence. */
  readonly notify: (reason: string) => void;
}

export interface Certificates {
  /** Seconds since the epoch at which the one in use is over; `undefined`: none is in use. */
  readonly expiresAt: () => number | undefined;
  stop(): Promise<void>;
}

export type CertificateResult =
  | {
      readonly kind: 'usable';
      readonly fingerprint: string;
      readonly from: number /* seconds since the epoch */;
      readonly until: number;
    }
  /** `until`: of a pair that is over, seconds since the epoch. */
  | { readonly kind: 'refused'; readonly reason: string; readonly until?: number };

/** Seconds between two readings; a new certificate is served within 10 s. */
const INTERVAL = 5;
/** Seconds before the end when people are told: 14 days. */
const NOTICE = 14 * 86_400;
/** Seconds without any certificate after which people are told. A new installation gets its first one sooner. */
const NONE_NOTICE = 600;
/** No certificate chain is longer. */
const MAX_BYTES = 1_048_576;
const DAY = 86_400;

/** Resolves when the first reading is done. */
export async function startCertificates(options: CertificatesOptions): Promise<Certificates> {
  const watching = new Watching(options);
  await watching.look();
  const loop = startLoop({
    clock: options.clock,
    delay: INTERVAL,
    cycle: async () => {
      await watching.look();
      return INTERVAL;
    },
    failed: (error) => {
      options.log.error('looking after the certificate failed inside the session server', { error });
      return INTERVAL;
    },
  });
  return { expiresAt: () => watching.expiresAt, stop: () => loop.stop() };
}

/** Can this pair prove anything to anybody? Never throws. */
export function checkCertificate(cert: string, key: string, wallTime: number): CertificateResult {
  try {
    const certificate = new X509Certificate(cert);
    if (!certificate.checkPrivateKey(createPrivateKey(key)))
      return unusable('the private key does not belong to the certificate');
    createSecureContext({ cert, key });
    const from = Date.parse(certificate.validFrom) / 1000;
    const until = Date.parse(certificate.validTo) / 1000;
    if (until <= wallTime) return { ...unusable(`the certificate was valid until ${day(until)}`), until };
    if (from > wallTime + DAY) return unusable(`the certificate is not valid before ${day(from)}`);
    return { kind: 'usable', fingerprint: certificate.fingerprint256, from, until };
  } catch (error) {
    return unusable(`they cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

class Watching {
  /** Of the one in use, or of one that is over while none is. */
  expiresAt: number | undefined;
  readonly #options: CertificatesOptions;
  /** Since when, in seconds of the monotonic clock, no pair could be used. */
  readonly #since: number;
  #seen = '';
  #inUse = '';
  /** Why the pair that lies there cannot be used. */
  #refused: string | undefined;
  /** What people were told of: one notice for each certificate before its end, and one at its end. */
  readonly #told = new Set<string>();

  constructor(options: CertificatesOptions) {
    this.#options = options;
    this.#since = options.clock.now();
  }

  async look(): Promise<void> {
    const files = this.#options.files();
    if (files === undefined) return;
    const [cert, key] = await Promise.all([readPem(files.cert), readPem(files.key)]);
    const seen = JSON.stringify([cert, key]);
    // What was refused is judged again, although it is the same: the clock may have been wrong, as after a power cut.
    if (seen !== this.#seen || this.#refused !== undefined) {
      this.#seen = seen;
      this.#take(cert, key);
    }
    this.#remind();
  }

  #take(cert: Pem, key: Pem): void {
    const { clock, log, use } = this.#options;
    const failed = [cert, key].find((pem) => pem.kind === 'failed');
    const checked: CertificateResult =
      cert.kind === 'text' && key.kind === 'text'
        ? checkCertificate(cert.text, key.text, clock.wallTime())
        : unusable(failed?.kind === 'failed' ? failed.reason : '');
    if (checked.kind === 'refused') {
      const none = this.#inUse === '';
      if (none) this.expiresAt = checked.until;
      if (checked.reason === this.#refused) return;
      this.#refused = checked.reason;
      const now = none ? 'the gateway takes no TLS connection until there is one' : 'the one before stays in use';
      log.error(`gateway.tls: this certificate and key cannot be used: ${checked.reason}; ${now}`);
      return;
    }
    if (cert.kind !== 'text' || key.kind !== 'text') return;
    use({ cert: cert.text, key: key.text });
    this.#refused = undefined;
    this.#inUse = checked.fingerprint;
    this.expiresAt = checked.until;
    log.info(`certificate in use until ${day(checked.until)}`, { fingerprint: checked.fingerprint });
  }

  #remind(): void {
    const { clock } = this.#options;
    if (this.expiresAt === undefined) {
      if (this.#refused !== undefined && clock.now() - this.#since >= NONE_NOTICE)
        this.#tell('none', `there is none that can be used: ${this.#refused}; clients cannot connect`);
      return;
    }
    const left = this.expiresAt - clock.wallTime();
    if (left > NOTICE) return;
    if (left > 0)
      this.#tell(
        `${this.#inUse} before`,
        `it expires on ${day(this.expiresAt)}, in ${Math.ceil(left / DAY)} days, and was not renewed`,
      );
    else this.#tell(`${this.#inUse} over`, `it expired on ${day(this.expiresAt)}; clients cannot connect any more`);
  }

  /** Once for each `stage`. */
  #tell(stage: string, reason: string): void {
    if (this.#told.has(stage)) return;
    this.#told.add(stage);
    this.#options.log.warn(`certificate of the gateway: ${reason}`);
    this.#options.notify(reason);
  }
}

type Pem = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'failed'; readonly reason: string };

async function readPem(path: string): Promise<Pem> {
  try {
    // A pipe would keep us waiting for its other end.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { size } = await file.stat();
      if (size > MAX_BYTES) return { kind: 'failed', reason: `${path} is no certificate or key: it has ${size} bytes` };
      return { kind: 'text', text: await file.readFile('latin1') };
    } finally {
      await file.close();
    }
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

function unusable(reason: string): { readonly kind: 'refused'; readonly reason: string } {
  return { kind: 'refused', reason };
}

/** `2026-11-22`. */
function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}
