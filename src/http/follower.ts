/**
 * What a replica answers while another one leads: health checks, and to everything else that it does not serve. A reverse proxy sends the clients elsewhere,
 * by the status of `/readyz` or of the response itself.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Replication } from '../engine/replicas/heartbeats.ts';
import { UNREACHABLE } from './health.ts';

export interface FollowerServerOptions {
  /** Address to listen on; absent: all. */
  readonly host: string | undefined;
  readonly port: number;
  readonly replication: () => Replication;
}

export interface FollowerServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Connections at the same time. Health checks need a few; clients should not be here. */
const MAX_CONNECTIONS = 500;
/** Milliseconds. */
const TIMEOUT = 5000;
const HEADERS = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store', Connection: 'close' } as const;

/** Throws the `listen` error of the port. */
export async function startFollowerServer({ host, port, replication }: FollowerServerOptions): Promise<FollowerServer> {
  const limits = { headersTimeout: TIMEOUT, requestTimeout: TIMEOUT, keepAliveTimeout: TIMEOUT };
  const server = createServer(limits, (request, response) => {
    answer(request, response, replication());
  });
  server.maxConnections = MAX_CONNECTIONS;
  // A request for a WebSocket gets the same answer.
  server.on('upgrade', (request, socket) => {
    const text = explanation(replication());
    socket.end(
      `HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    );
    socket.on('error', () => socket.destroy());
    request.resume();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, replication: Replication): void {
  const { url = '' } = request;
  const send = (status: number, text: string) => {
    response.writeHead(status, status === 200 ? HEADERS : { ...HEADERS, 'Retry-After': '1' });
    response.end(text);
    request.resume();
  };
  if (url === '/livez' || (url === '/readyz?of=store' && replication.reachesStore)) send(200, 'ok\n');
  else if (url === '/readyz?of=store') send(503, UNREACHABLE);
  else send(503, explanation(replication));
}

function explanation({ reachesStore, leader }: Replication): string {
  if (!reachesStore) return UNREACHABLE;
  return leader === undefined ? 'no replica leads at the moment\n' : `this replica follows; ${leader.name} leads\n`;
}
