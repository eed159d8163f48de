/**
 * The process of the fake simulation servers: one listening socket for all addresses of the loopback, distinguished by the address that was called. It speaks as
 * much HTTP as a `GET` without a body needs, so that ten thousand of them leave the machine to what is measured.
 */
import { createHash } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { loadHeaders } from '../../src/core/simulation/costs.ts';
import { obey } from './child.ts';
import { hostOf, type FleetAnswer, type FleetOrder } from './simulation-servers.ts';

interface Server {
  /** Percent. */
  load: number;
  highest: number;
  hung: boolean;
  requests: number;
  connections: number;
  lastRequest: number;
  longestGap: number;
  /** Load points of the sessions that start, and of those that run. */
  readonly starting: number[];
  readonly running: number[];
}

const { count, loads, port, reportsSessions } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly count: number;
  readonly loads: readonly number[];
  readonly port: number;
  readonly reportsSessions: boolean;
};
const servers = Array.from({ length: count }, (_, index): Server => {
  const load = loads[index % loads.length] ?? 0;
  return {
    load,
    highest: load,
    hung: false,
    requests: 0,
    connections: 0,
    lastRequest: now(),
    longestGap: 0,
    starting: [],
    running: [],
  };
});
const byHost = new Map(servers.map((server, index) => [hostOf(index), server]));

const listener = createServer({ noDelay: true }, serve);
listener.listen({ port, host: '0.0.0.0', backlog: 4096 }, () => {
  obey(handle);
});

function serve(socket: Socket): void {
  const server = byHost.get(socket.localAddress ?? '');
  if (server === undefined) {
    socket.destroy();
    return;
  }
  server.connections += 1;
  socket.on('error', () => socket.destroy());
  socket.on('close', () => (server.connections -= 1));
  let before = '';
  socket.on('data', (bytes) => {
    before = (before + bytes.toString('latin1')).slice(-4000);
    if (!before.endsWith('\r\n\r\n')) return;
    const [, key] = /\r\nSec-WebSocket-Key: ([^\r]*)/i.exec(before) ?? [];
    before = '';
    if (key !== undefined) {
      socket.write(handshake(key));
      return;
    }
    const at = now();
    server.longestGap = Math.max(server.longestGap, at - server.lastRequest);
    server.lastRequest = at;
    server.requests += 1;
    if (!server.hung) socket.write(answer(server));
  });
}

/** RFC 6455 § 4.2.2. */
function handshake(key: string): string {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

function answer(server: Server): string {
  const body = server.load.toFixed(1);
  const headers = reportsSessions ? sessionHeaders(server) : '';
  return `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** As a server of this project that knows what the project costs. */
function sessionHeaders({ starting, running }: Server): string {
  const headers = loadHeaders({
    ...{ starting: starting.length, running: running.length, idle: 0, begun: starting.length + running.length, version: 1 },
    ...{ points: sum(running), pending: sum(starting) },
  });
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function handle(order: FleetOrder): FleetAnswer {
  const { port: listening } = listener.address() as AddressInfo;
  switch (order.kind) {
    case 'hang': {
      const hung = new Set(order.indexes);
      servers.forEach((server, index) => (server.hung = hung.has(index)));
      break;
    }
    case 'report':
      for (const server of servers) server.load = order.load;
      break;
    case 'begin':
      servers[order.index]?.starting.push(order.points);
      setTimeout(rise, order.after * 1000, servers[order.index], order.points);
      break;
    case 'reset':
      for (const server of servers) Object.assign(server, { requests: 0, lastRequest: now(), longestGap: 0 });
      break;
    case 'statistics': {
      const at = now();
      const statistics = {
        requests: servers.reduce((sum, { requests }) => sum + requests, 0),
        least: Math.min(...servers.map(({ requests }) => requests)),
        longestGap: Math.max(...servers.map(({ longestGap, lastRequest }) => Math.max(longestGap, at - lastRequest))),
        polls: servers.map(({ requests }) => requests),
        connections: servers.map(({ connections }) => connections),
        loads: servers.map(({ load }) => load),
        highest: servers.map(({ highest }) => highest),
      };
      return { port: listening, statistics };
    }
  }
  return { port: listening };
}

function rise(server: Server | undefined, points: number): void {
  if (server === undefined) return;
  server.starting.splice(server.starting.indexOf(points), 1);
  server.running.push(points);
  server.load += points;
  server.highest = Math.max(server.highest, server.load);
}

function now(): number {
  return performance.now() / 1000;
}
