/**
 * `/client` of a load agent, for trials only: a session server offers no server whose `/client` does not open. Clients learn at once that no simulation runs
 * here.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

/** Clients show what follows `error: ` (docs/design/protocol.md, "Simulation servers"). */
const REPLY = 'error: This is a load agent for trials. It runs no simulations.';

export interface TrialClients {
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  close(): void;
}

export function createTrialClients(): TrialClients {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024, perMessageDeflate: false });
  const upgrade: TrialClients['upgrade'] = (request, socket, head) => {
    if (!/^\/client(?:\?|$)/.test(request.url ?? '')) {
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => client.terminate());
      client.send(REPLY);
      client.close();
    });
  };
  return {
    upgrade,
    close() {
      for (const client of sockets.clients) client.terminate();
    },
  };
}
