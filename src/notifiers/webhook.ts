/**
 * Notifications as JSON by POST, for chat bridges, pagers and programs. The body is described in `docs/reference/notifications.md`; its field names are a promise.
 *
 * With a secret the exact bytes of the body are signed. Redirects are not followed: a signed notice, perhaps with an `Authorization` header, goes
 * where the operator said and nowhere else.
 */
import { createHmac } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { Agent, EnvHttpProxyAgent, errors, type Dispatcher } from 'undici';
import type { Notification } from '../core/incidents/incidents.ts';
import { MAX_NAMED, onOneLine, plainText, textOf } from '../core/incidents/notification-text.ts';
import type { WebhookFormat } from '../core/incidents/webhook-format.ts';
import type { Notifier, OutgoingProxies, OutsideFailure } from '../ports.ts';
import { outsideFailure } from './outside-failure.ts';

export interface WebhookOptions {
  /** Unique among the notifiers; the log contains it. */
  readonly name: string;
  readonly url: string;
  readonly secret?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Default: `json`. */
  readonly format?: WebhookFormat | undefined;
  /** Link in the message. */
  readonly monitorUrl: string;
  /** How the host is looked up. */
  readonly lookup: LookupFunction;
  /** Default: the connection is direct. */
  readonly proxies?: OutgoingProxies | undefined;
  /** Seconds until the whole answer must be there; default 15. */
  readonly patience?: number;
}

/** Header of the signature: `sha256=` and the HMAC-SHA-256 of the body in hexadecimal. */
export const signatureHeader = 'x-session-server-signature';

const PATIENCE = 15;
/** Bytes of an answer that are read; the rest says nothing. */
const MAX_ANSWER = 4096;

export function createWebhookNotifier(options: WebhookOptions): Notifier {
  const { name, url, patience = PATIENCE } = options;
  const milliseconds = patience * 1000;
  const connect = { timeout: milliseconds, lookup: options.lookup };
  const settings = {
    connect,
    headersTimeout: milliseconds,
    bodyTimeout: milliseconds,
    maxHeaderSize: 16_384,
    // Notices are rare: a connection kept for the next one would be dead by then.
    pipelining: 0,
  };
  const agent = options.proxies === undefined ? new Agent(settings) : throughProxies(options.proxies, settings);
  return {
    name,
    async notify(notification, signal) {
      const body = BODIES[options.format ?? 'json'](notification, options.monitorUrl);
      const until = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]);
      let answer: Answer;
      try {
        answer = await post(agent, url, headersOf(options, body), body, until);
      } catch (error) {
        throw explain(error, name, until.aborted);
      }
      judge(answer, name);
    },
    async close() {
      await agent.destroy();
    },
  };
}

function throughProxies(
  { http = '', https = '', except }: OutgoingProxies,
  settings: Agent.Options & { readonly connect: { readonly timeout: number; readonly lookup: LookupFunction } },
): EnvHttpProxyAgent {
  const proxies = { httpProxy: http, httpsProxy: https, noProxy: except };
  return new EnvHttpProxyAgent({ ...settings, ...proxies, proxyTls: settings.connect });
}

/** Discord refuses longer messages; the rest of a text that long is a list of servers, and the monitor page shows it. */
const MAX_CHAT_TEXT = 2000;

/** `escaped`: text from outside without effect as markup. The link is the operator's own. */
function chatText(notification: Notification, monitorUrl: string, escaped = (text: string) => text): string {
  const text = textOf(notification);
  const link = `\n${monitorUrl}`;
  const whole = escaped(`${text.subject}\n${plainText(text)}`);
  const room = MAX_CHAT_TEXT - link.length;
  return `${whole.length > room ? `${whole.slice(0, room - 1).replace(/\\+$/, '')}…` : whole}${link}`;
}

const BODIES: Readonly<Record<WebhookFormat, (notification: Notification, monitorUrl: string) => string>> = {
  json: webhookBody,
  slack: (...args) => JSON.stringify({ text: chatText(...args, withoutSlackMarkup) }),
  // A server's name must not notify everyone in the channel.
  discord: (...args) => JSON.stringify({ content: chatText(...args, withoutDiscordMarkup), allowed_mentions: { parse: [] } }),
  teams: (...args) => JSON.stringify(adaptiveCard(chatText(...args).split('\n'))),
};

/** Without effect, and not seen: it keeps apart what would be markup together. */
const WORD_JOINER = '\u2060';

/**
 * `&`, `<` and `>` are Slack's only control characters. Mattermost, which takes the same messages, has links `[text](url)` and mentions, and no way to escape
 * them that Slack would not show.
 */
function withoutSlackMarkup(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\]@]/g, (sign) => sign + WORD_JOINER);
}

function withoutDiscordMarkup(text: string): string {
  return text.replace(/[\\`*_~|<>#[\]()]/g, (sign) => `\\${sign}`);
}

/** The only message that workflows of Teams accept. A `TextBlock` would be read as Markdown, a `TextRun` is not. */
function adaptiveCard(lines: readonly string[]): object {
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.2',
    body: lines.filter((line) => line !== '').map((text) => ({ type: 'RichTextBlock', inlines: [{ type: 'TextRun', text }] })),
  };
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] };
}

/** The body of the format `json`. */
export function webhookBody(notification: Notification, monitorUrl: string): string {
  const { id, kind, at, servers } = notification;
  const text = textOf(notification);
  const listed = servers.slice(0, MAX_NAMED);
  return JSON.stringify({
    version: 1,
    id,
    kind,
    time: time(at),
    subject: text.subject,
    text: plainText(text),
    servers: listed.map((server) => ({
      id: server.id,
      address: server.address,
      load: server.load ?? null,
      reason: server.reason ?? null,
      began: server.began === undefined ? null : time(server.began),
      lasted: server.lasted ?? null,
    })),
    omitted: servers.length - listed.length,
    monitor: monitorUrl,
  });
}

export function sign(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body, 'utf8').digest('hex')}`;
}

/** The operator's headers, then ours. Those that frame the message are undici's alone. */
function headersOf({ url, headers = {}, secret }: WebhookOptions, body: string): Record<string, string> {
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    ...basicLogin(new URL(url)),
    ...Object.fromEntries(given.filter(([name]) => !FRAMING.has(name))),
    'content-type': 'application/json',
    'user-agent': 'session-server',
    ...(secret !== undefined && { [signatureHeader]: sign(body, secret) }),
  };
}

const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

/** `https://user:password@host/` */
function basicLogin({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(login, 'utf8').toString('base64')}` };
}

/** ISO 8601 of seconds since the epoch. */
function time(at: number): string {
  return new Date(at * 1000).toISOString();
}

interface Answer {
  readonly status: number;
  /** The beginning of the body. */
  readonly text: string;
}

async function post(
  agent: Dispatcher,
  url: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<Answer> {
  const { origin, pathname, search } = new URL(url);
  const answer = await agent.request({ origin, path: pathname + search, method: 'POST', headers, body, signal });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop destroys the body, and with it the connection.
    if (size >= MAX_ANSWER) break;
  }
  return { status: answer.statusCode, text: Buffer.concat(chunks).toString('utf8') };
}

/** 408, 425 and 429 ask for another attempt later; every other 4xx will be the same again. */
function judge({ status, text }: Answer, name: string): void {
  if (status >= 200 && status < 300) return;
  const said = text.trim() === '' ? '' : `: "${onOneLine(text.trim().slice(0, 200))}"`;
  if (status >= 300 && status < 400)
    throw outsideFailure(
      'webhook-redirect',
      `${name} answered with a redirect (${status}), which is not followed; set url in webhooks to the final URL`,
      true,
    );
  const later = status >= 500 || [408, 425, 429].includes(status);
  if (later) throw outsideFailure('webhook-busy', `${name} answered ${status}${said}`, false);
  throw outsideFailure(
    'webhook-refused',
    `${name} refused the notification with ${status}${said}; check url, headers and secret in webhooks`,
    true,
  );
}

const reasons: Readonly<Record<string, readonly [code: string, text: string]>> = {
  ECONNREFUSED: ['webhook-unreachable', 'nothing listens on its port; check url in webhooks'],
  ENOTFOUND: ['webhook-name', 'its name does not exist in DNS; check url in webhooks'],
  EAI_AGAIN: ['webhook-name', 'the DNS server does not answer'],
  EHOSTUNREACH: ['webhook-unreachable', 'there is no route to its host'],
  ENETUNREACH: ['webhook-unreachable', 'there is no route to its network'],
  ECONNRESET: ['webhook-closed', 'it closed the connection before it answered'],
  UND_ERR_SOCKET: ['webhook-closed', 'it closed the connection before it answered'],
  UND_ERR_HEADERS_OVERFLOW: ['webhook-not-http', 'the headers of its answer are too long'],
};

function explain(thrown: unknown, name: string, late: boolean): OutsideFailure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const fail = (as: string, text: string, permanent = false) => outsideFailure(as, `${name}: ${text}`, permanent, error);
  if (
    late ||
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError
  )
    return fail('webhook-timeout', 'it did not answer in time');
  const [, status] = /^Proxy response \((\d+)\)/.exec(error.message) ?? [];
  if (status !== undefined)
    return fail(
      'webhook-proxy',
      `the proxy of HTTP_PROXY or HTTPS_PROXY answers CONNECT with status ${status}; check it, or name the host in NO_PROXY`,
    );
  const known = reasons[code];
  if (known !== undefined) return fail(...known);
  if (/CERT|ALTNAME|TLS|SSL/.test(code))
    return fail(
      'webhook-certificate',
      `its certificate is not accepted (${code}); name the authority that signed it in NODE_EXTRA_CA_CERTS`,
      true,
    );
  if (error instanceof errors.HTTPParserError) return fail('webhook-not-http', 'its answer is not HTTP; check url in webhooks');
  return fail('webhook-failed', onOneLine(error.message));
}
