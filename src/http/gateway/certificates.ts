/**
 * The certificate of the gateway: read, checked, and read again every few seconds, because those who renew certificates replace the files and tell nobody.
 * (The files are small; watching them would miss what happens behind the links that certbot makes.)
 *
 * A pair that cannot be used, because it is half written, does not fit together or is over, is refused with a line in the log, and the one before stays. At the
 * start there may be none: then the gateway runs without TLS connections until there is one, so that the redirect listener can answer the challenge by which the first
 * certificate is got.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
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
  | { readonly kind: 'refused'; readonly reason: string };

/** Seconds between two readings; a new certificate is served within 10 s. */
const INTERVAL = 5;
/** Seconds before the end when people are told: 14 days. */
const NOTICE = 14 * 86_400;
/** No certificate chain is longer. */
const MOST_BYTES = 1_048_576;
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
    if (until <= wallTime) return unusable(`the certificate was valid until ${day(until)}`);
    if (from > wallTime + DAY) return unusable(`the certificate is not valid before ${day(from)}`);
    return { kind: 'usable', fingerprint: certificate.fingerprint256, from, until };
  } catch (error) {
    return unusable(`they cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

class Watching {
  expiresAt: number | undefined;
  readonly #options: CertificatesOptions;
  #seen = '';
  #inUse = '';
  /** What people were told of: one notice for each certificate before its end, and one at its end. */
  readonly #told = new Set<string>();

  constructor(options: CertificatesOptions) {
    this.#options = options;
  }

  async look(): Promise<void> {
    const files = this.#options.files();
    if (files === undefined) return;
    const [cert, key] = await Promise.all([readPem(files.cert), readPem(files.key)]);
    const seen = JSON.stringify([cert, key]);
    if (seen !== this.#seen) {
      this.#seen = seen;
      this.#take(cert, key);
    }
    this.#remind();
  }

  #take(cert: Pem, key: Pem): void {
    const { clock, log, use } = this.#options;
    const missing = cert.kind === 'failed' ? cert : key.kind === 'failed' ? key : undefined;
    const checked =
      cert.kind === 'text' && key.kind === 'text'
        ? checkCertificate(cert.text, key.text, clock.wallTime())
        : unusable(missing?.reason ?? '');
    if (checked.kind === 'refused') {
      const now = this.#inUse === '' ? 'the gateway takes no TLS connection until there is one' : 'the one before stays in use';
      log.error(`gateway.tls: this certificate and key cannot be used: ${checked.reason}; ${now}`);
      return;
    }
    if (cert.kind !== 'text' || key.kind !== 'text') return;
    use({ cert: cert.text, key: key.text });
    this.#inUse = checked.fingerprint;
    this.expiresAt = checked.until;
    log.info(`certificate in use until ${day(checked.until)}`, { fingerprint: checked.fingerprint });
  }

  #remind(): void {
    const { clock, log, notify } = this.#options;
    if (this.expiresAt === undefined) return;
    const left = this.expiresAt - clock.wallTime();
    if (left > NOTICE) return;
    const stage = `${this.#inUse} ${left > 0 ? 'before' : 'over'}`;
    if (this.#told.has(stage)) return;
    this.#told.add(stage);
    const reason =
      left > 0
        ? `it expires on ${day(this.expiresAt)}, in ${Math.ceil(left / DAY)} days, and was not renewed`
        : `it expired on ${day(this.expiresAt)}; clients cannot connect any more`;
    log.warn(`certificate of the gateway: ${reason}`);
    notify(reason);
  }
}

type Pem = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'failed'; readonly reason: string };

async function readPem(path: string): Promise<Pem> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > MOST_BYTES) return { kind: 'failed', reason: `${path} is no certificate or key: it has ${size} bytes` };
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
