/**
 * Checks that a WebSocket opens. Clients of simulation servers need `/client`, and a reverse proxy without upgrades answers all other requests correctly.
 * The socket is closed as soon as it is open, so no simulation starts.
 */
import type { LookupFunction } from 'node:net';
import { EnvHttpProxyAgent, WebSocket as ProxiedWebSocket } from 'undici';
import { WebSocket } from 'ws';
import type { OutgoingProxies } from '../ports.ts';

export interface UpgradeOptions {
  /** Seconds. */
  readonly timeout: number;
  readonly lookup?: LookupFunction;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Default: the connection is direct. */
  readonly proxies?: OutgoingProxies | undefined;
}

export type UpgradeResult =
  | { readonly kind: 'opened' }
  /** `status`: of an HTTP answer. */
  | { readonly kind: 'failed'; readonly reason: string; readonly status?: number; readonly code?: string };

/** Never throws. */
export function probeUpgrade(url: string, options: UpgradeOptions): Promise<UpgradeResult> {
  return options.proxies === undefined ? probeDirectly(url, options) : probeThrough(options.proxies, url, options);
}

function probeDirectly(url: string, { timeout, lookup, headers = {}, signal }: UpgradeOptions): Promise<UpgradeResult> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, {
      handshakeTimeout: Math.ceil(timeout * 1000),
      followRedirects: false,
      maxPayload: MAX_MESSAGE,
      perMessageDeflate: false,
      headers: { 'user-agent': USER_AGENT, ...headers },
      ...(lookup !== undefined && { lookup }),
    });
    const abort = () => socket.terminate();
    const end = (result: UpgradeResult) => {
      signal?.removeEventListener('abort', abort);
      socket.terminate();
      resolve(result);
    };
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('open', () => end({ kind: 'opened' }));
    socket.once('unexpected-response', (_request, { statusCode: status = 0 }) =>
      end({ kind: 'failed', reason: `it answers status ${status} instead of opening a WebSocket`, status }),
    );
    // There can be more than one; only the first gives the cause.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const { code, message } = error;
      const reason = signal?.aborted === true ? 'the check was cancelled' : reasonOf(message, timeout);
      end({ kind: 'failed', reason, ...(code !== undefined && { code }) });
    });
  });
}

/** The library for direct connections knows no proxies, and this one does not give the status of a refusal. */
async function probeThrough(
  { http = '', https = '', except }: OutgoingProxies,
  url: string,
  { timeout, lookup, headers = {}, signal }: UpgradeOptions,
): Promise<UpgradeResult> {
  const connect = { timeout: Math.ceil(timeout * 1000), ...(lookup !== undefined && { lookup }) };
  const dispatcher = new EnvHttpProxyAgent({ connect, proxyTls: connect, httpProxy: http, httpsProxy: https, noProxy: except });
  const until = AbortSignal.any([AbortSignal.timeout(Math.ceil(timeout * 1000)), ...(signal === undefined ? [] : [signal])]);
  const result = await new Promise<UpgradeResult>((resolve) => {
    const socket = new ProxiedWebSocket(url, { dispatcher, headers: { 'user-agent': USER_AGENT, ...headers } });
    const fail = (reason: string) => resolve({ kind: 'failed', reason });
    socket.addEventListener('open', () => resolve({ kind: 'opened' }));
    socket.addEventListener('error', ({ message }) => fail(`${reasonOf(message, timeout)} (through a proxy)`));
    until.addEventListener('abort', () =>
      fail(signal?.aborted === true ? 'the check was cancelled' : `it did not answer within ${timeout} s`),
    );
  });
  await dispatcher.destroy();
  return result;
}

const USER_AGENT = 'session-server';
const MAX_MESSAGE = 65_536;

function reasonOf(message: string, timeout: number): string {
  if (/handshake has timed out/i.test(message)) return `it did not answer within ${timeout} s`;
  return message === '' ? 'the connection failed' : message;
}
