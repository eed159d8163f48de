/**
 * The load agent: the small program on a simulation machine that serves `/load`
 * (docs/design/protocol.md, "Simulation servers") where no simulation server does, and on a trial machine.
 *
 * Bare `node:http`: two routes that take no input need no framework, and it costs the machine it measures as little as can be.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, uptime } from 'node:os';
import type { Clock, Log } from '../ports.ts';
import { thisMachine, type Machine } from './machine.ts';
import { startNvidiaSmi } from './nvidia-smi.ts';
import { monitorPage, PAGE_POLICY } from './page.ts';
import { startSampler } from './sampler.ts';
import { createTrialClients } from './trial-clients.ts';

export interface AgentOptions {
  /** Address to listen on. Absent: all of this machine's, IPv4 and IPv6. */
  readonly host?: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly clock: Clock;
  readonly log?: Log;
  /** What is measured. Default: this machine. */
  readonly machine?: Machine;
  /** Name or path of the program that reports the load of GPUs. Default: `nvidia-smi`. */
  readonly nvidiaSmi?: string;
  readonly limits?: Partial<AgentLimits>;
  /** Open `/client`, too, so that a session server can be tried without a simulation server. Default: `false`. */
  readonly trial?: boolean;
}

export interface Agent {
  readonly port: number;
  close(): Promise<void>;
}

export interface AgentLimits {
  /** Connections at a time; further ones are closed. */
  readonly connections: number;
  /** Bytes of all request headers together. */
  readonly headerBytes: number;
  /** Bytes of a request body; none is ever used. */
  readonly bodyBytes: number;
  /** Seconds a client has to send its request. */
  readonly requestTimeout: number;
}

const LIMITS: AgentLimits = { connections: 256, headerBytes: 8192, bodyBytes: 4096, requestTimeout: 10 };
/** Milliseconds; longer than a session server's polls are apart, so that it keeps its connection. */
const KEEP_ALIVE_MS = 30_000;

/** Resolves when it listens. Rejects with the error of the socket, such as one with the code `EADDRINUSE`. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { host, port, clock, log, machine = thisMachine() } = options;
  const limits = { ...LIMITS, ...options.limits };
  const routes: Routes = { load: notKnown, monitor: notKnown };
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.requestTimeout * 1000,
      requestTimeout: limits.requestTimeout * 1000,
      connectionsCheckingInterval: limits.requestTimeout * 500,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => answer(request, response, routes, limits),
  );
  const clients = options.trial === true ? createTrialClients() : undefined;
  if (clients !== undefined) server.on('upgrade', clients.upgrade);
  server.maxConnections = limits.connections;
  await listen(server, port, host);

  const logging = log === undefined ? {} : { log };
  const gpu = startNvidiaSmi({ clock, ...logging, ...(options.nvidiaSmi !== undefined && { command: options.nvidiaSmi }) });
  const sampler = startSampler({ clock, machine, readGpu: () => gpu.read(), ...logging });
  const startedAt = clock.now();
  routes.load = () => {
    const load = sampler.load();
    return load === undefined ? notKnown() : text(200, String(Math.round(load * 100) / 100));
  };
  routes.monitor = () =>
    html(
      monitorPage({
        hostName: hostname(),
        load: sampler.load(),
        measurement: sampler.measurement(),
        machineUptime: uptime(),
        agentUptime: clock.now() - startedAt,
      }),
    );

  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      clients?.close();
      await Promise.all([sampler.stop(), gpu.close(), closed(server)]);
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Routes {
  load: () => Answer;
  monitor: () => Answer;
}

function answer(request: IncomingMessage, response: ServerResponse, routes: Routes, limits: AgentLimits): void {
  const { status, headers, body } = answerTo(request, routes, limits);
  response.writeHead(status, {
    ...headers,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(body);
}

function answerTo({ method, url = '', headers }: IncomingMessage, routes: Routes, limits: AgentLimits): Answer {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > limits.bodyBytes;
  if (hasBody) return text(413, 'The load agent takes no request bodies.', { Connection: 'close' });
  // RFC 9112 § 3.2.2: a request line may contain a whole URL instead of the path.
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  const route = path === '/load' ? routes.load : path === '/monitor' ? routes.monitor : undefined;
  if (route === undefined) return text(404, 'Not found. The load agent serves /load and /monitor.');
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'Only GET and HEAD are allowed.', { Allow: 'GET, HEAD' });
  return route();
}

function notKnown(): Answer {
  return text(503, 'The load is not known yet: it is the mean of five samples, one a second.', { 'Retry-After': '1' });
}

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, body, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers } };
}

function html(body: string): Answer {
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': PAGE_POLICY,
    'Referrer-Policy': 'no-referrer',
  };
  return { status: 200, body, headers };
}

function listen(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
