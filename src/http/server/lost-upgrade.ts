/**
 * A request that opens a WebSocket, and whose `Upgrade` or `Connection` header a reverse proxy dropped on its way. It looks
 * like an ordinary request, and an ordinary answer would hide the cause.
 */
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Log } from '../../ports.ts';
import { CORS } from './cors.ts';
import { refusalFor } from './plain-answers.ts';

export const LOST_UPGRADE = 'A reverse proxy dropped the header "Upgrade" of this WebSocket; forward "Upgrade" and "Connection".';

/** Of a request that is not an upgrade. */
export function lostItsUpgrade({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['sec-websocket-key'] !== undefined;
}

/** Answers such requests with 426 (RFC 9110 § 15.5.22), and logs them. */
export function refuseLostUpgrades(handle: RequestListener, log: Pick<Log, 'limited'>): RequestListener {
  return (request, response) => {
    if (!lostItsUpgrade(request)) {
      handle(request, response);
      return;
    }
    const { remoteAddress } = request.socket;
    log.limited('warn', 'lost upgrade', `a WebSocket of a client cannot be opened: ${LOST_UPGRADE}`, { from: remoteAddress });
    const { body, headers } = refusalFor(request.url ?? '', { code: 'upgrade-required', reason: LOST_UPGRADE });
    response.writeHead(426, {
      ...{ ...headers, ...CORS, Upgrade: 'websocket', Connection: 'Upgrade' },
      'Content-Length': Buffer.byteLength(body),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
}
