/** Relays one HTTP request to a simulation server, and its response to the client. */
import type { IncomingMessage, InformationEvent, ServerResponse } from 'node:http';
import type { HeldBytes } from '../../core/gateway/waiting-bytes.ts';
import { passJoined } from '../server/joined-pieces.ts';
import { cut } from './cut.ts';
import { headOf, reasonPhrase, responseHeaders } from './headers.ts';
import { holdUnsent, sizeOfHeaders } from './relay-memory.ts';
import { refusalHeaders, refuseLostUpgrade, type Refusal } from './relay-refusal.ts';
import type { RelaysInFlight, RelayTarget } from './relays-in-flight.ts';
import type { UpstreamRequest } from './upstream-request.ts';

/** Bytes that are still read of a request that was answered before its end. */
const MAX_DISCARDED = 16_777_216;
/** Smaller pieces of them cost as much time. */
const PIECE = 1024;

export function relayRequest(
  relays: RelaysInFlight,
  request: IncomingMessage,
  response: ServerResponse,
  target: RelayTarget,
): void {
  const refuse = (refusal: Refusal, why?: string) => {
    relays.refused(refusal, target, why);
    answerRefusal(response, refusal);
  };
  const refusal = relays.refusalOf(request) ?? refuseLostUpgrade(request);
  if (refusal !== undefined) {
    // Bytes that are still arriving belong to a request that was not accepted.
    response.shouldKeepAlive = false;
    refuse(refusal);
    return;
  }
  let isFailed = false;
  const upstream: UpstreamRequest = relays.requestUpstream(request, target, framingHeaders(request), {
    failed(failure) {
      isFailed = true;
      if (response.headersSent) {
        relays.broke(failure, target);
        cutResponse(response, request);
        return;
      }
      discardRest(request, upstream);
      refuse(failure.refusal, failure.why);
    },
    informed: (hint) => passInformation(hint, request, response),
    responded(answer) {
      upstream.limitIdle(relays.idleTimeout, () => response.writableLength > 0);
      passResponse(answer, request, response, held);
      answer.once('end', () => {
        // The response may have come before the end of the request.
        discardRest(request, upstream);
        response.end();
      });
    },
  });
  const { held, remove } = relays.add(request, 'requests', () => {
    upstream.end();
    response.destroy();
  });
  response.once('close', () => {
    remove();
    if (!isFailed) relays.count(response.headersSent ? 'answered' : 'abandoned');
    upstream.end();
  });
  upstream.sendWithBody(request, {
    full: () => holdUnsent(held, 'body', upstream.socket),
    free: () => held.set('body', 0),
    flooded: () => request.socket.destroy(),
  });
}

/** How the body is framed towards the simulation server: by its length if it has one, else in chunks of our own. */
export function framingHeaders({ method = '', headers }: Pick<IncomingMessage, 'method' | 'headers'>): readonly string[] {
  if (headers['transfer-encoding'] !== undefined) return ['Connection', 'close', 'Transfer-Encoding', 'chunked'];
  if (headers['content-length'] === undefined && !/^(?:GET|HEAD|DELETE|OPTIONS)$/.test(method))
    return ['Connection', 'close', 'Content-Length', '0'];
  return ['Connection', 'close'];
}

/**
 * RFC 9110 § 15.2: a proxy forwards informational responses, except to HTTP/1.0. Node's own method knows only some of them.
 * They are optional, so a client that does not read gets none.
 */
function passInformation(hint: InformationEvent, { httpVersion, url = '' }: IncomingMessage, response: ServerResponse): void {
  const { socket } = response;
  // Without a socket, another response is still being sent.
  if (httpVersion === '1.0' || socket === null || response.headersSent || socket.writableNeedDrain) return;
  // It has no body (RFC 9110 § 8.6), and what is before us might wait for one.
  if (hint.headers['content-length'] !== undefined) return;
  socket.write(headOf(hint, responseHeaders(hint, url)));
}

function passResponse(answer: IncomingMessage, request: IncomingMessage, response: ServerResponse, held: HeldBytes): void {
  // Node has them twice: as they came, and as they are sent.
  held.set('response', 2 * sizeOfHeaders(answer.rawHeaders));
  response.writeHead(answer.statusCode ?? 502, reasonPhrase(answer), responseHeaders(answer, request.url ?? ''));
  // The head goes at once. With a part of the body that is here already, it goes in one packet.
  if (answer.readableLength === 0 && !answer.complete) response.flushHeaders();
  passJoined(answer, response, {
    full: () => holdUnsent(held, 'unread', response),
    free: () => held.set('unread', 0),
  });
}

/** HTTP/1.0 has no chunks: without a length, a response ends with its connection. */
function cutResponse(response: ServerResponse, { httpVersion }: IncomingMessage): void {
  if (response.socket === null) response.destroy();
  else cut(response.socket, httpVersion === '1.0');
}

/** Reads what is left of a request, so that the next one on its connection can be read. Too much of it ends the connection. */
function discardRest(request: IncomingMessage, upstream: UpstreamRequest): void {
  if (request.complete) return;
  let left = MAX_DISCARDED;
  upstream.stopSending();
  request.on('data', (chunk: Buffer) => {
    left -= Math.max(PIECE, chunk.length);
    if (left < 0) request.socket.destroy();
  });
  request.resume();
}

function answerRefusal(response: ServerResponse, refusal: Refusal): void {
  response.writeHead(refusal.status, {
    ...refusalHeaders(refusal),
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
  });
  response.end(`${refusal.reason}\n`);
}
