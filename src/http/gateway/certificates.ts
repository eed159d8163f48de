/**
 * The certificate of the gateway: read, checked, and read again every few seconds, because programs that renew
 * certificates replace the files without notice. (The files are small, and watching them would miss changes behind the
 * links that certbot creates.)
 *
 * An incomplete, mismatched or expired pair is rejected with a line in the log, and the previous one stays in use. At
 * start there may be none. Then the gateway accepts no TLS connections until there is one, but runs, so that the redirect
 * listener can answer the challenge for the first certificate.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { startLoop } from '../../engine/loop.ts';
import type { Clock, Log } from '../../ports.ts';
import { CHAIN_FIX, chainProblems } from './certificate-chain.ts';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface CertificatesOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly files: () => CertificateFiles | undefined;
  /** Called with each new usable pair. */
  readonly use: (pair: { readonly cert: string; readonly key: string }) => void;
  /** The certificate needs a person; `reason` is a sentence. */
  readonly notify: (reason: string) => void;
}

export interface Certificates {
  /** When the certificate in use expires, in seconds since the epoch; `undefined`: none is in use. */
  readonly expiresAt: () => number | undefined;
  stop(): Promise<void>;
}

export type CertificateResult =
  | {
      readonly kind: 'usable';
      readonly fingerprint: string;
      readonly from: number /* seconds since the epoch */;
      readonly until: number;
      /** Why programs other than browsers may not accept it; sentences. */
      readonly warnings: readonly string[];
    }
  /** `until`: when an expired pair expired, in seconds since the epoch. `unread`: there is no such file, or this user may not read it. */
  | { readonly kind: 'refused'; readonly reason: string; readonly until?: number; readonly unread?: true };

/** Seconds between two reads; a new certificate is served within 10 s. */
const INTERVAL = 5;
/** Seconds before the expiry at which operators are notified: 14 days. */
const EXPIRY_NOTICE = 14 * 86_400;
/** Seconds without any certificate after which operators are notified. A new installation gets its first one sooner. */
const MISSING_NOTICE = 600;
/** Maximum size of a file; certificate chains are shorter. */
const MAX_BYTES = 1_048_576;
const DAY = 86_400;

/** Resolves after the first read. */
export async function startCertificates(options: CertificatesOptions): Promise<Certificates> {
  const watch = new CertificateWatch(options);
  await watch.check();
  const loop = startLoop({
    clock: options.clock,
    delay: INTERVAL,
    cycle: async () => {
      await watch.check();
      return INTERVAL;
    },
    failed: (error) => {
      options.log.error('checking the certificate failed', { error });
      return INTERVAL;
    },
  });
  return { expiresAt: () => watch.expiresAt, stop: () => loop.stop() };
}

/** Reads and checks a pair as the gateway does. Never throws. */
export async function checkCertificateFiles(files: CertificateFiles, wallTime: number): Promise<CertificateResult> {
  const [cert, key] = await Promise.all([readPem(files.cert), readPem(files.key)]);
  return checkPair(cert, key, wallTime);
}

function checkPair(cert: Pem, key: Pem, wallTime: number): CertificateResult {
  if (cert.kind === 'failed') return { ...unusable(cert.reason), unread: true };
  if (key.kind === 'failed') return { ...unusable(key.reason), unread: true };
  return checkCertificate(cert, key, wallTime);
}

/** Whether clients will accept this pair now. */
function checkCertificate(
  { text: cert, path }: PemText,
  { text: key, path: keyPath }: PemText,
  wallTime: number,
): CertificateResult {
  const reason = formProblem(cert, path, 'CERTIFICATE') ?? formProblem(key, keyPath, 'PRIVATE KEY');
  if (reason !== undefined) return unusable(reason);
  try {
    const certificate = new X509Certificate(cert);
    if (!certificate.checkPrivateKey(createPrivateKey(key)))
      return unusable('the private key does not belong to the certificate');
    createSecureContext({ cert, key });
    const from = Date.parse(certificate.validFrom) / 1000;
    const until = Date.parse(certificate.validTo) / 1000;
    if (until <= wallTime) return { ...unusable(`the certificate was valid until ${day(until)}`), until };
    if (from > wallTime + DAY) return unusable(`the certificate is not valid before ${day(from)}`);
    return { kind: 'usable', fingerprint: certificate.fingerprint256, from, until, warnings: chainProblems(cert, wallTime) };
  } catch (error) {
    return unusable(`they cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What OpenSSL would only call `no start line` or `bad decrypt`. */
function formProblem(text: string, path: string, what: 'CERTIFICATE' | 'PRIVATE KEY'): string | undefined {
  const name = JSON.stringify(path);
  if (text.startsWith(BYTE_ORDER_MARK))
    return `${path} begins with a byte order mark, which an editor wrote; remove it: sed -i '1s/^\\xEF\\xBB\\xBF//' ${name}`;
  if (!new RegExp(`^-----BEGIN [A-Z ]*${what}-----`, 'm').test(text)) {
    const command = what === 'CERTIFICATE' ? 'openssl x509' : 'openssl pkey';
    return `${path} holds no ${what.toLowerCase()} in PEM; if it is in DER, convert it: ${command} -inform DER -in ${name} -out NEW_FILE`;
  }
  if (what === 'PRIVATE KEY' && /^-----BEGIN ENCRYPTED|^Proc-Type: *4, *ENCRYPTED/m.test(text))
    return `${path} has a pass phrase, which no operator can type when the program starts; remove it: openssl pkey -in ${name} -out NEW_FILE`;
  return undefined;
}

/** In UTF-8, read as Latin-1. */
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';

class CertificateWatch {
  /** Of the certificate in use; while there is none, of an expired one. */
  expiresAt: number | undefined;
  readonly #options: CertificatesOptions;
  /** The start, in seconds of the monotonic clock. */
  readonly #since: number;
  #seen = '';
  #inUse = '';
  /** Why the present files cannot be used. */
  #refused: string | undefined;
  /** Notices that were sent: one for each certificate before it expires, and one when it expires. */
  readonly #notified = new Set<string>();

  constructor(options: CertificatesOptions) {
    this.#options = options;
    this.#since = options.clock.now();
  }

  async check(): Promise<void> {
    const files = this.#options.files();
    if (files === undefined) return;
    const [cert, key] = await Promise.all([readPem(files.cert), readPem(files.key)]);
    const seen = JSON.stringify([cert, key]);
    // A rejected pair is checked again even if it did not change: the clock may have been wrong, as after a power cut.
    if (seen !== this.#seen || this.#refused !== undefined) {
      this.#seen = seen;
      this.#take(cert, key);
    }
    this.#remind();
  }

  #take(cert: Pem, key: Pem): void {
    const { clock, log, use } = this.#options;
    const checked = checkPair(cert, key, clock.wallTime());
    if (checked.kind === 'refused') {
      const none = this.#inUse === '';
      if (none) this.expiresAt = checked.until;
      if (checked.reason === this.#refused) return;
      this.#refused = checked.reason;
      const now = none ? 'the gateway accepts no TLS connections until there is a valid one' : 'the previous one stays in use';
      log.error(`gateway.tls: this certificate and key cannot be used: ${checked.reason}; ${now}`);
      return;
    }
    if (cert.kind !== 'text' || key.kind !== 'text') return;
    use({ cert: cert.text, key: key.text });
    this.#refused = undefined;
    this.#inUse = checked.fingerprint;
    this.expiresAt = checked.until;
    for (const warning of checked.warnings) log.warn(`gateway.tls: ${warning}; ${CHAIN_FIX}`);
    log.info(`certificate in use until ${day(checked.until)}`, { fingerprint: checked.fingerprint });
  }

  #remind(): void {
    const { clock } = this.#options;
    if (this.expiresAt === undefined) {
      if (this.#refused !== undefined && clock.now() - this.#since >= MISSING_NOTICE)
        this.#notify('none', `there is no usable certificate: ${this.#refused}; clients cannot connect`);
      return;
    }
    const left = this.expiresAt - clock.wallTime();
    if (left > EXPIRY_NOTICE) return;
    if (left > 0)
      this.#notify(
        `${this.#inUse} before`,
        `it expires on ${day(this.expiresAt)}, in ${Math.ceil(left / DAY)} days, and was not renewed`,
      );
    else this.#notify(`${this.#inUse} over`, `it expired on ${day(this.expiresAt)}; clients can no longer connect`);
  }

  /** Once for each `stage`. */
  #notify(stage: string, reason: string): void {
    if (this.#notified.has(stage)) return;
    this.#notified.add(stage);
    this.#options.log.warn(`certificate of the gateway: ${reason}`);
    this.#options.notify(reason);
  }
}

interface PemText {
  readonly kind: 'text';
  readonly text: string;
  readonly path: string;
}

type Pem = PemText | { readonly kind: 'failed'; readonly reason: string };

async function readPem(path: string): Promise<Pem> {
  try {
    // A pipe would block until its other end is opened.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { size } = await file.stat();
      if (size > MAX_BYTES) return { kind: 'failed', reason: `${path} is not a certificate or key: it has ${size} bytes` };
      return { kind: 'text', text: await file.readFile('latin1'), path };
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
