/**
 * Notifications by e-mail (docs/design/protocol.md, "Notifications by e-mail"): STARTTLS and login exactly when a
 * password is set, neither without. Port 465 is TLS from the first byte
 * (RFC 8314), because nothing else is ever spoken there.
 *
 * Each message goes over a connection of its own: notices are rare, and a connection kept for the next one would be dead by then. The Message-ID is made
 * from the notification's id, so that a message which was accepted twice (the connection broke after DATA) is known to be one.
 */
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { Transporter } from 'nodemailer';
import type { Notification } from '../core/incidents/incidents.ts';
import { mailText, onOneLine, textOf } from '../core/incidents/notification-text.ts';
import type { Notifier, OutsideFailure } from '../ports.ts';
import { connectToMailServer } from './mail-connection.ts';
import { outsideFailure } from './outside-failure.ts';

export interface EmailOptions {
  /** SMTP host. */
  readonly host: string;
  /** Default: 587 with a password, else 25. */
  readonly port?: number | undefined;
  /** TLS from the first byte; default: on port 465 only. */
  readonly tlsFromStart?: boolean | undefined;
  readonly sender: string;
  /** One address, or several with commas between them. */
  readonly recipient: string;
  /** Default: `sender`. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Link in the message. Its host is the name by which this session server greets the mail server (RFC 5321 § 4.1.1.1). */
  readonly monitorUrl: string;
  /** Seconds since the epoch. */
  readonly wallTime: () => number;
  /** How the host is resolved; default: by the system. */
  readonly lookup?: LookupFunction;
  /** PEM certificates that are trusted instead of the usual authorities. */
  readonly authorities?: readonly string[];
  /** Seconds the mail server may be silent; default 20. */
  readonly patience?: number;
}

/** Seconds after which a message says when it was meant to be sent. */
const LATE = 600;
const PATIENCE = 20;

export function createEmailNotifier(options: EmailOptions): Notifier {
  let transport: Promise<Transporter> | undefined;
  return {
    name: 'email',
    recipient: options.recipient,
    async notify(notification, signal) {
      try {
        transport ??= createTransport(options);
        await (await transport).sendMail({ ...message(notification, options), signal });
      } catch (error) {
        throw explain(error, options);
      }
    },
    async close() {
      (await transport)?.close();
    },
  };
}

/** Connects, encrypts and logs in as for a message, but sends none. Throws what `notify` throws. */
export async function verifyMailServer(options: EmailOptions): Promise<void> {
  const transport = await createTransport(options);
  try {
    await transport.verify();
  } catch (error) {
    throw explain(error, options);
  } finally {
    transport.close();
  }
}

/** The mail library is loaded with the first message: most session servers send one a month. */
async function createTransport(options: EmailOptions): Promise<Transporter> {
  const { default: nodemailer } = await import('nodemailer');
  return nodemailer.createTransport(transportOptions(options));
}

function transportOptions({
  host,
  port,
  sender,
  user = sender,
  password,
  tlsFromStart,
  authorities,
  patience = PATIENCE,
  lookup = systemLookup,
  monitorUrl,
}: EmailOptions) {
  const name = ownName(monitorUrl);
  const encrypted = password !== undefined;
  const number = port ?? (encrypted ? 587 : 25);
  const milliseconds = patience * 1000;
  return {
    host,
    ...(name !== undefined && { name }),
    port: number,
    secure: fromStart({ port: number, tlsFromStart }),
    requireTLS: encrypted,
    ignoreTLS: !encrypted,
    ...(encrypted && { auth: { user, pass: password }, forceAuth: true }),
    tls: { minVersion: 'TLSv1.2' as const, ...(authorities && { ca: [...authorities] }) },
    getSocket: (_options: unknown, done: (error: Error | null, connected?: { connection: Socket }) => void) => {
      connectToMailServer({ host, port: number, lookup, patience }).then((connection) => done(null, { connection }), done);
    },
    greetingTimeout: milliseconds,
    // Longer than that of the greeting, so that a missing greeting is reported as such.
    socketTimeout: milliseconds * 1.5,
    socketCloseTimeout: 1000,
    maxResponseSize: 65_536,
    // A name or a text from outside must never make the program read a file or a URL.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** `undefined` for an IP address and for no URL at all: the mail library then chooses. */
function ownName(monitorUrl: string): string | undefined {
  const host = URL.canParse(monitorUrl) ? new URL(monitorUrl).hostname : '';
  return host === '' || host.startsWith('[') || isIP(host) !== 0 ? undefined : host;
}

function message(notification: Notification, { sender, recipient, monitorUrl, wallTime }: EmailOptions) {
  const text = textOf(notification);
  const now = wallTime();
  const late = now - notification.at > LATE;
  const remark = late ? `This was noticed on ${date(notification.at)} and could not be sent before.` : undefined;
  return {
    from: { name: 'Simulation Server', address: sender },
    to: recipient.split(/ *, */).map((address) => ({ name: 'Administrator', address })),
    subject: text.subject,
    text: mailText(text, monitorUrl, remark),
    date: new Date(now * 1000),
    messageId: `<${notification.id.replace(/[^A-Za-z0-9-]/g, '-')}@${/@(.+)$/.exec(sender)?.[1] ?? 'localhost'}>`,
    // RFC 3834 § 5: prevents automatic replies.
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

function date(at: number): string {
  return new Date(at * 1000).toUTCString();
}

/** What nodemailer reports about an error; see its `errors.d.ts`. */
interface SmtpError extends Error {
  readonly code?: string;
  readonly originalCode?: string;
  readonly command?: string;
  readonly response?: string;
  readonly responseCode?: number;
}

function explain(thrown: unknown, options: EmailOptions): OutsideFailure {
  const error: SmtpError = thrown instanceof Error ? thrown : new Error(String(thrown));
  return explainReply(error, options) ?? explainConnection(error, options);
}

/** The mail server refused something. The step at which it did so shows what to change. */
function explainReply(error: SmtpError, options: EmailOptions): OutsideFailure | undefined {
  const { code, command = '', responseCode } = error;
  if (responseCode === undefined) return undefined;
  const { sender, recipient, user = sender } = options;
  const said = `it answered "${onOneLine(error.response ?? String(responseCode))}"`;
  const permanent = responseCode >= 500 && responseCode !== 503;
  const fail = (name: string, text: string) => outsideFailure(name, `the mail server ${text}: ${said}`, permanent, error);
  if (command.startsWith('STARTTLS')) return fail('smtp-starttls', 'did not begin encryption; check mailServerPort');
  if (/^(?:EHLO|HELO)/.test(command)) return fail('smtp-greeting', refusedGreeting(options));
  if (wantsLogin(error, options)) return fail('smtp-login', 'requires a login; set mailSenderPassword');
  if (!permanent) return fail('smtp-deferred', 'deferred the message');
  if (code === 'EAUTH') return fail('smtp-login', `refused the login of ${user}; check mailSenderUser and mailSenderPassword`);
  if (command.startsWith('MAIL')) return fail('smtp-sender', `refused the sender ${sender}; check mailSender`);
  if (command.startsWith('RCPT')) return fail('smtp-recipient', `refused the recipient ${recipient}; check administrator`);
  return fail('smtp-refused', 'refused the message');
}

function refusedGreeting({ monitorUrl }: EmailOptions): string {
  const name = ownName(monitorUrl) ?? 'an IP address';
  return `closed the connection, or refused the name of this session server, ${name}; set server to the full domain name of this machine`;
}

/** RFC 4954 § 6 (530), and what servers answer that forward messages of known users only. */
function wantsLogin({ response = '', responseCode }: SmtpError, { password }: EmailOptions): boolean {
  return password === undefined && (responseCode === 530 || /authenticat|\brelay/i.test(response));
}

/** There was no answer, or none that could be understood. */
function explainConnection(error: SmtpError, options: EmailOptions): OutsideFailure {
  const { host } = options;
  const { code = '', originalCode = code } = error;
  const fail = (name: string, text: string, permanent = false) => outsideFailure(name, text, permanent, error);
  if (isCertificateError(error)) {
    const fix = /UNABLE_TO_VERIFY_LEAF_SIGNATURE|unable to verify the first certificate/.test(`${originalCode} ${error.message}`)
      ? 'it does not send its certificate chain; install fullchain.pem there. If your own authority signed it, name that authority in NODE_EXTRA_CA_CERTS'
      : 'set mailServer to a name in the certificate, or name the authority that signed it in NODE_EXTRA_CA_CERTS';
    return fail(
      'smtp-certificate',
      `the certificate of the mail server ${host} is not accepted (${onOneLine(error.message)}): ${fix}`,
      true,
    );
  }
  if (/wrong version number|packet length too long/i.test(error.message))
    return fail('smtp-tls', `the mail server ${host} does not begin with TLS; check mailServerPort and mailServerTls`, true);
  if (code === 'ETIMEDOUT' && /greeting/i.test(error.message) && !fromStart(options))
    return fail('smtp-timeout', noGreeting(host));
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return fail('smtp-name', `the name ${host} of the mail server cannot be resolved; check mailServer`);
    case 'ETIMEDOUT':
    case 'EABORT':
      return fail('smtp-timeout', `the mail server ${host} did not answer in time; check mailServer and mailServerPort`);
    case 'EAUTH':
    case 'ENOAUTH':
      return fail(
        'smtp-login',
        `the mail server ${host} offers no supported way to log in; check mailServerPort, or leave mailSenderPassword out`,
        true,
      );
    case 'ETLS':
      return fail(
        'smtp-starttls',
        `the mail server ${host} does not encrypt (STARTTLS); check mailServerPort, or leave mailSenderPassword out`,
        true,
      );
    case 'ECONNECTION':
      return fail('smtp-closed', `the mail server ${host} closed the connection before it accepted the message`);
  }
  if (originalCode === 'ECONNREFUSED')
    return fail(
      'smtp-unreachable',
      `nothing listens on the port of the mail server ${host}; check mailServer and mailServerPort`,
    );
  if (originalCode === 'ECONNRESET' || originalCode === 'EPIPE')
    return fail('smtp-closed', `the mail server ${host} closed the connection before it accepted the message`);
  return fail('smtp-failed', `the message could not be sent to the mail server ${host}: ${onOneLine(error.message)}`);
}

/** RFC 8314 § 7.3: nothing but TLS is spoken at port 465. */
function fromStart({ port, tlsFromStart }: Pick<EmailOptions, 'port' | 'tlsFromStart'>): boolean {
  return tlsFromStart ?? port === 465;
}

function noGreeting(host: string): string {
  return `the mail server ${host} sent no greeting in time; if it expects TLS from the first byte, set mailServerTls to true, else check mailServer and mailServerPort`;
}

/** The codes of OpenSSL's verification and of Node's check of the name. */
function isCertificateError({ code = '', originalCode = code, message: text }: SmtpError): boolean {
  return /CERT|ALTNAME|SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)/.test(originalCode) || /certificate|altnames/i.test(text);
}
