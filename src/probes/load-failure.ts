/** Why a probe failed, and what to change. */
import { errors } from 'undici';

export interface FailureContext {
  /** The server was polled by `https`. */
  readonly ssl: boolean;
  /** Seconds. */
  readonly timeout: number;
  /** It is polled through a proxy, unless the environment excludes it. */
  readonly proxied?: boolean;
}

const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  ECONNREFUSED: ['refused', 'nothing listens on its port'],
  ECONNRESET: ['reset', 'it closed the connection before the answer was complete'],
  UND_ERR_SOCKET: ['reset', 'it closed the connection before the answer was complete'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['reset', 'its answer is shorter than announced'],
  UND_ERR_HEADERS_OVERFLOW: ['not-http', 'the headers of its answer are too long'],
  ENOTFOUND: ['name', 'its name does not exist in DNS'],
  EAI_AGAIN: ['name', 'the DNS server does not answer'],
  EHOSTUNREACH: ['unreachable', 'there is no route to its host'],
  ENETUNREACH: ['unreachable', 'there is no route to its network'],
  ADDRESS_REFUSED: ['address', 'its name resolves to an address that is not allowed for a registered server'],
  EMFILE: ['descriptors', 'this machine has no file descriptors left; raise its limit (ulimit -n)'],
};

/** Whether a server has been seen to speak HTTP. */
export interface Answered {
  /** It has answered an earlier probe. */
  readonly before: boolean;
  /** Bytes were received on the present connection. */
  readonly now: boolean;
}

/** The code and the reason of a failed probe; the reason is a sentence about the server (`it …`). */
export function explainProbeFailure(error: unknown, context: FailureContext, answered: Answered): [string, string] {
  const [code, reason] = explain(error, context, answered);
  return [code, context.proxied === true ? `${reason}. ${BY_PROXY}` : reason];
}

/** What holds for the proxy as well as for the server behind it. */
const BY_PROXY =
  'It is polled through the proxy that HTTP_PROXY or HTTPS_PROXY names; name its host in NO_PROXY to poll it directly';

function explain(error: unknown, { ssl, timeout }: FailureContext, answered: Answered): [string, string] {
  const hint = answered.before ? '' : `. ${MAYBE_HTTPS}`;
  if (error instanceof errors.ConnectTimeoutError) return ['timeout', `it did not answer within ${timeout} s`];
  const [, status] = /^Proxy response \((\d+)\)/.exec(error instanceof Error ? error.message : '') ?? [];
  if (status !== undefined) return ['proxy', `the proxy does not connect to it (it answers CONNECT with status ${status})`];
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const [kind, reason] = REASONS[code] ?? [];
  if (kind === 'reset' && !ssl && !answered.now) return [kind, `it closed the connection without an answer${hint}`];
  if (kind !== undefined && reason !== undefined) return [kind, reason];
  const message = error instanceof Error ? error.message : String(error);
  if (NO_TLS.test(code)) return ['not-https', 'it does not speak https. If it speaks http, set "pollSsl" (or "ssl") to false'];
  if (/CERT|TLS|SSL|SELF_SIGNED|VERIFY/.test(code)) {
    if (code === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE') return ['certificate', NO_CHAIN];
    const [first = ''] = message.split('\n');
    const own =
      'if your own authority signed it, name that authority in NODE_EXTRA_CA_CERTS, or set "pollSsl" (or "ssl") to false';
    return ['certificate', `its certificate is not accepted (${code}): ${first}; ${own}`];
  }
  if (error instanceof errors.HTTPParserError && !ssl) return ['not-http', `its answer is not HTTP${hint}`];
  if (error instanceof errors.HTTPParserError) return ['not-http', `its answer is not HTTP: ${message}`];
  return ['connection', code === '' ? message : `${message} (${code})`];
}

const NO_CHAIN =
  'it does not send its certificate chain (UNABLE_TO_VERIFY_LEAF_SIGNATURE); install fullchain.pem there. If your own authority signed it, name that authority in NODE_EXTRA_CA_CERTS';
const MAYBE_HTTPS = 'If it speaks https, set "pollSsl" (or "ssl") to true';
/** OpenSSL's errors for an answer that is not TLS. */
const NO_TLS = /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER_FAILURE|UNEXPECTED_MESSAGE)$/;
