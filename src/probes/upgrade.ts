/**
 * Checks that a WebSocket opens. Clients of simulation servers need `/client`, and a reverse proxy without upgrades answers all other requests correctly.
 * The socket is closed as soon as it is open, so no simulation starts.
 */
import type { LookupFunction } from 'node:net';
import { WebSocket } from 'ws';

export interface UpgradeOptions {
  /** Seconds. */
  readonly timeout: number;
  readonly lookup?: LookupFunction;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export type UpgradeResult =
  | { readonly kind: 'opened' }
  /** `status`: of an HTTP answer. */
  | { readonly kind: 'failed'; readonly reason: string; readonly status?: number; readonly code?: string };

/** Never throws. */
export function probeUpgrade(url: string, { timeout, lookup, headers = {}, signal }: UpgradeOptions): Promise<UpgradeResult> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, {
      handshakeTimeout: Math.ceil(timeout * 1000),
      followRedirects: false,
      maxPayload: MAX_MESSAGE,
      perMessageDeflate: false,
      headers: { 'user-agent': 'session-server', ...headers },
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

const MAX_MESSAGE = 65_536;

function reasonOf(message: string, timeout: number): string {
  if (/handshake has timed out/i.test(message)) return `it did not answer within ${timeout} s`;
  return message === '' ? 'the connection failed' : message;
}
