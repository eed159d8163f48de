/** A real mail server on a port of its own that keeps what it is given, and misbehaves when a test wants it. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { makeCertificate } from './certificate.ts';
import { parseMail, type ParsedMail } from './mail.ts';

export interface ReceivedMail extends ParsedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  /** Encrypted when the message was given. */
  readonly encrypted: boolean;
  /** Who had logged in. */
  readonly user: string | undefined;
}

export type SmtpStage = 'connect' | 'login' | 'mail' | 'rcpt' | 'data';

/** What happens at a stage instead of consent: a reply with this code, no reply ever, or the end of the connection. */
export type SmtpMischief = number | 'silence' | 'drop';

export interface SmtpSinkOptions {
  /** Names in the certificate; default `localhost`. */
  readonly names?: readonly string[];
  /** Validity of the certificate in days; negative: expired. */
  readonly days?: number;
  /** Offers STARTTLS; default `true`. */
  readonly starttls?: boolean;
  /** Offers login; default `true`. It is demanded never. */
  readonly login?: boolean;
  /** TLS from the first byte. */
  readonly tls?: boolean;
}

export const sinkUser = 'robot@example.org';
export const sinkPassword = 'pass word \u00e9';

export class SmtpSink {
  readonly mails: ReceivedMail[] = [];
  /** Certificate of the sink, to be trusted or not. */
  readonly cert: string;
  /** Passwords that were sent to it, right or wrong. */
  readonly passwords: string[] = [];
  connections = 0;
  readonly #server: SMTPServer;
  readonly #sockets = new Set<Socket>();
  readonly #mischief = new Map<SmtpStage, SmtpMischief[]>();
  #arrived: (() => void) | undefined;

  constructor({ names = ['localhost'], days = 2, starttls = true, login = true, tls = false }: SmtpSinkOptions = {}) {
    const certificate = makeCertificate({ names, days });
    this.cert = certificate.cert;
    this.#server = new SMTPServer({
      ...certificate,
      secure: tls,
      logger: false,
      closeTimeout: 10,
      authOptional: true,
      allowInsecureAuth: true,
      disabledCommands: [...(starttls ? [] : ['STARTTLS']), ...(login ? [] : ['AUTH'])],
      disableReverseLookup: true,
      onConnect: (_session, done) => this.#at('connect', done),
      onAuth: ({ username, password }, _session, done) => {
        this.passwords.push(password ?? '');
        this.#at('login', (error) => {
          if (error) done(error);
          else if (username === sinkUser && password === sinkPassword) done(null, { user: username });
          else done(smtpError(535, '5.7.8 Username and password not accepted'));
        });
      },
      onMailFrom: (_address, _session, done) => this.#at('mail', done),
      onRcptTo: (_address, _session, done) => this.#at('rcpt', done),
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          this.#at('data', (error) => {
            if (!error) {
              const raw = Buffer.concat(chunks).toString('latin1');
              const { mailFrom, rcptTo } = session.envelope;
              this.#keep({
                ...parseMail(raw),
                raw,
                from: mailFrom === false ? '' : mailFrom.address,
                to: rcptTo.map(({ address }) => address),
                encrypted: session.secure,
                user: typeof session.user === 'string' ? session.user : undefined,
              });
            }
            done(error);
          });
        });
      },
    });
    // A client that turns away from a bad certificate is reported as an error of its connection.
    this.#server.on('error', () => undefined);
    this.#server.server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(options: SmtpSinkOptions = {}): Promise<SmtpSink> {
    const sink = new SmtpSink(options);
    await sink.listen(0);
    return sink;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  async listen(port: number): Promise<void> {
    const listening = once(this.#server.server, 'listening');
    this.#server.listen(port, '127.0.0.1');
    await listening;
  }

  /** At the next passages of this stage these happen, one after the other; then all is well again. */
  misbehave(stage: SmtpStage, ...mischief: SmtpMischief[]): void {
    this.#mischief.set(stage, mischief);
  }

  /** Resolves when so many messages have come. */
  async received(count: number): Promise<readonly ReceivedMail[]> {
    while (this.mails.length < count) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.mails;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(resolve);
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #keep(mail: ReceivedMail): void {
    this.mails.push(mail);
    this.#arrived?.();
  }

  #at(stage: SmtpStage, done: (error?: Error | null) => void): void {
    const mischief = this.#mischief.get(stage)?.shift();
    if (mischief === undefined) done();
    else if (mischief === 'drop') for (const socket of this.#sockets) socket.destroy();
    else if (mischief !== 'silence') done(smtpError(mischief, `refused at ${stage} by the test`));
  }
}

function smtpError(code: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode: code });
}
